//! What `verify` finds beside the mapped columns of each row: each kind of finding in carts of their
//! own, on targets of both kinds, and none of them where both ends are equal.

mod refused;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::scenario::daemon::{self, Daemon};
use crate::scenario::folder::{Expect, Scenario};
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};
use crate::scenario::settled::{arrived, backfilled};
use crate::scenario::shop::Shops;

const SOURCE: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, token varchar(40), total integer NOT NULL,
                         status varchar(20) NOT NULL DEFAULT 'open');
    CREATE TABLE order_lines (
        id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders (id),
        sku varchar(40) NOT NULL, qty integer NOT NULL, price integer NOT NULL);
    ALTER TABLE order_lines REPLICA IDENTITY FULL;
    INSERT INTO orders SELECT n, concat('token-', n), 1400, 'open' FROM generate_series(1, 40) n;
    INSERT INTO order_lines
        SELECT n * 10 + k, n, concat('sku-', k), k, 100 * k
        FROM generate_series(1, 40) n, generate_series(1, 3) k;";

const TARGET: &str = "
    CREATE TABLE cart (
        cart_id bigint PRIMARY KEY, token varchar(40), total_minor integer,
        version integer NOT NULL DEFAULT 1, created_by varchar(20) NOT NULL DEFAULT 'nobody');
    CREATE TABLE cart_line (
        line_id bigint PRIMARY KEY, cart_id bigint NOT NULL, product varchar(40) NOT NULL,
        quantity integer NOT NULL, unit_minor integer NOT NULL,
        FOREIGN KEY (cart_id) REFERENCES cart (cart_id));
    CREATE INDEX cart_token ON cart (token);
    CREATE INDEX line_cart ON cart_line (cart_id);";

const CONFIG: &str = r#"
name = "{{name}}"

[source]
kind = "{{source_kind}}"
url = "{{source_url}}"

[target]
kind = "{{target_kind}}"
url = "{{target_url}}"

[cart]
table = "orders"
key = "id"
live = "status = 'open'"

[cart.rows]
order_lines = { cart = "order_id", key = "id" }

[[into]]
table = "cart"
per = "orders"
role = "header"
lock = "LOCK"
ended = "delete"

  [into.columns]
  cart_id     = { key = "id" }
  token       = "token"
  total_minor = "total"

[[into]]
table = "cart_line"
per = "order_lines"
role = "line"
line = { product = "product", quantity = "quantity" }
ended = "delete"

  [into.columns]
  line_id    = { key = "id" }
  cart_id    = "order_id"
  product    = "sku"
  quantity   = "qty"
  unit_minor = "price"
"#;

const RECONCILE: &str = r#"
[reconcile]
token = "cart.token"
sums = [{ total = "cart.total_minor", of = "cart_line", value = "quantity * unit_minor" }]
own = "created_by = 'storefront'"
foreign_lines = "different"
"#;

struct Stand {
    shops: Shops,
    config: PathBuf,
    daemon: Daemon,
    _folder: tempfile::TempDir,
}

impl Stand {
    /// Both ends hold the same 40 carts.
    async fn open(pair: &str, lock: &str, more: &str) -> Self {
        let name = format!("beyond_{lock}_{pair}_{}", more.len());
        let scenario = Scenario {
            name: name.clone(),
            pair: Pair::named(pair),
            source: SOURCE.to_owned(),
            target: TARGET.to_owned(),
            config: CONFIG.replace("LOCK", lock) + more,
            stages: Vec::new(),
            oracle_source: String::new(),
            oracle_target: String::new(),
            expect: Expect::default(),
        };
        let shops = create(&scenario, &name).await;
        let folder = tempfile::tempdir().unwrap();
        let config = write(&scenario, &scenario.config, &shops, folder.path());
        daemon::command(&config, &["setup", "--yes"]);
        let mut daemon = Daemon::start(&config);
        backfilled(&mut daemon, &shops.target.session).await;
        Self {
            shops,
            config,
            daemon,
            _folder: folder,
        }
    }

    /// The old shop writes, as far as the target.
    async fn old_shop(&mut self, sql: &str) {
        self.shops.source.session.run(sql).await.unwrap();
        let goal = self.shops.source.end().await;
        arrived(&mut self.daemon, &self.shops.target.session, goal).await;
    }

    /// Somebody writes the target.
    async fn target(&self, sql: &str) {
        self.shops.target.session.run(sql).await.unwrap();
    }

    fn verify(&self, code: i32, arguments: &[&str]) -> Value {
        let (was, out, log) = ends(&self.config, arguments);
        assert_eq!(was, code, "verify: {out}{log}");
        serde_json::from_str(&out).unwrap()
    }
}

fn ends(config: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cartage"))
        .env("CARTAGE_CONFIG", config)
        .env_remove("RUST_LOG")
        .args(["verify", "--json"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap();
    (code, text(&output.stdout), text(&output.stderr))
}

const KINDS: [&str; 11] = [
    "token_missing",
    "token_ambiguous",
    "token_elsewhere",
    "sum_mismatch",
    "quantity_out_of_bounds",
    "quantity_of_source",
    "duplicate_lines",
    "foreign_lines",
    "own_lines",
    "resurrected",
    "target_only",
];

/// `word=count` of each kind that was found.
fn counted(report: &Value) -> String {
    let found = KINDS.map(|word| (word, report[word].as_i64().unwrap_or(-1)));
    let found = found.iter().filter(|(_, count)| *count != 0);
    let words: Vec<String> = found
        .map(|(word, count)| format!("{word}={count}"))
        .collect();
    words.join(" ")
}

/// The carts, or the keys of those that are nobody's, of which a kind is told.
fn told(report: &Value, kind: &str) -> BTreeSet<String> {
    let all = report["differences"].as_array().unwrap().iter();
    let told = all.filter(|d| d["kind"] == kind);
    let who = told.map(|d| match d["cart"].as_str() {
        Some("") => d["key"].as_str().unwrap().to_owned(),
        cart => cart.unwrap().to_owned(),
    });
    who.collect()
}

fn set(carts: &[&str]) -> BTreeSet<String> {
    carts.iter().map(|cart| (*cart).to_owned()).collect()
}

/// Every kind of finding, each in carts of its own.
async fn each_kind(pair: &str) {
    let mut stand = Stand::open(pair, "version", RECONCILE).await;
    let equal = stand.verify(0, &[]);
    assert_eq!(equal["equal"], 40, "{equal}");
    assert_eq!(counted(&equal), "", "{equal}");

    // A total that is wrong in both, a quantity beyond the cap in both, a cart that ends in both.
    stand
        .old_shop(
            "UPDATE orders SET total = 1401 WHERE id = 5;
             UPDATE order_lines SET qty = 500 WHERE id = 61;
             UPDATE orders SET total = 51300 WHERE id = 6;
             UPDATE orders SET status = 'done' WHERE id IN (11, 14)",
        )
        .await;
    let odd = stand.verify(3, &[]);
    assert_eq!(odd["equal"], 40, "{odd}");
    assert_eq!(
        counted(&odd),
        "sum_mismatch=1 quantity_of_source=1",
        "{odd}"
    );
    assert_eq!(told(&odd, "sum_mismatch"), set(&["5"]));
    assert_eq!(told(&odd, "quantity_of_source"), set(&["6"]));

    let drift = "
        UPDATE cart SET token = 'gone' WHERE cart_id = 1;
        INSERT INTO cart VALUES (9002, 'token-2', NULL, 1, 'storefront');
        UPDATE cart SET token = 'other' WHERE cart_id = 3;
        INSERT INTO cart VALUES (9003, 'token-3', NULL, 1, 'storefront');
        UPDATE cart_line SET quantity = 500 WHERE line_id = 71;
        UPDATE cart SET total_minor = 51300 WHERE cart_id = 7;
        INSERT INTO cart_line VALUES (90081, 8, 'sku-2', 1, 0);
        INSERT INTO cart_line VALUES (90091, 9, 'other', 1, 0);
        INSERT INTO cart_line VALUES (90101, 10, 'other', 1, 0);
        UPDATE cart SET version = version + 1 WHERE cart_id = 10;
        UPDATE cart_line SET quantity = 4 WHERE line_id = 121;
        UPDATE cart SET version = version + 1, total_minor = 1700 WHERE cart_id = 12;
        UPDATE cart_line SET product = 'sku-2' WHERE line_id = 131;
        INSERT INTO cart VALUES (11, 'token-11', NULL, 1, 'nobody');
        INSERT INTO cart VALUES (9100, 'stray', NULL, 1, 'nobody');
        INSERT INTO cart VALUES (9101, NULL, NULL, 1, 'storefront');";
    stand.target(drift).await;
    let found = stand.verify(3, &["--limit", "1000"]);
    let expected = [
        ("token_missing", &["1"][..]),
        ("token_ambiguous", &["2"]),
        ("token_elsewhere", &["3"]),
        ("sum_mismatch", &["5"]),
        ("quantity_out_of_bounds", &["7"]),
        ("quantity_of_source", &["6"]),
        ("duplicate_lines", &["8", "13"]),
        ("foreign_lines", &["9"]),
        ("own_lines", &["10"]),
        ("resurrected", &["11"]),
        ("target_only", &["9100"]),
    ];
    for (kind, carts) in expected {
        assert_eq!(told(&found, kind), set(carts), "{kind}: {found}");
        assert_eq!(found[kind], carts.len(), "{kind}: {found}");
    }
    // Rows alone would call cart 9 and 8 equal, and 12 different.
    assert_eq!(found["written"], 1, "{found}");
    assert_eq!(found["different"], 7, "{found}");
    assert_eq!(found["extra"], 1, "{found}");

    // Carts by name are looked at in the same way; those of the target alone are not looked for.
    let some = stand.verify(3, &["--carts", "8", "11", "20"]);
    assert_eq!(some["target_only"], Value::Null, "{some}");
    assert_eq!(some["equal"], 1, "{some}");
    assert_eq!(told(&some, "duplicate_lines"), set(&["8"]));
    assert_eq!(told(&some, "resurrected"), set(&["11"]));
    let some = stand.verify(0, &["--carts", "12", "20"]);
    assert_eq!(some["written"], 1, "{some}");
    stand.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_found_in_postgres() {
    each_kind("pp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_found_in_mysql() {
    each_kind("pm").await;
}

/// Without a condition for the new backend's own carts, those that only the target has are told, and
/// all is well; so are lines that nobody mapped.
async fn told_and_well(pair: &str) {
    let mut stand = Stand::open(pair, "row", "").await;
    stand
        .target(
            "INSERT INTO cart VALUES (9001, 'token-1', NULL, 1, 'storefront');
             INSERT INTO cart_line VALUES (90091, 9, 'other', 1, 0)",
        )
        .await;
    let found = stand.verify(0, &[]);
    assert_eq!(found["equal"], 40, "{found}");
    assert_eq!(counted(&found), "foreign_lines=1 target_only=1", "{found}");
    assert_eq!(told(&found, "target_only"), set(&["9001"]));
    // What the source takes back is nobody's any more.
    stand
        .old_shop("UPDATE orders SET status = 'done' WHERE id = 20")
        .await;
    let found = stand.verify(0, &[]);
    assert_eq!(counted(&found), "foreign_lines=1 target_only=1", "{found}");
    stand.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_the_new_backends_is_told_and_well_in_postgres() {
    told_and_well("pp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_the_new_backends_is_told_and_well_in_mysql() {
    told_and_well("pm").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_ambiguous_where_the_server_finds_two() {
    let stand = Stand::open("pm", "version", "\n[reconcile]\ntoken = ['cart.token']\n").await;
    stand
        .target("INSERT INTO cart VALUES (9001, 'TOKEN-1', NULL, 1, 'storefront')")
        .await;
    let found = stand.verify(3, &[]);
    assert_eq!(told(&found, "token_ambiguous"), set(&["1"]), "{found}");
    stand.daemon.stop().await;
}

//! Why a cart is as it is: each conclusion that can be provoked is, between shops on Postgres and on
//! MySQL or MariaDB.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cartage::config::Kind;
use serde_json::Value;

use crate::scenario::daemon::{self, Daemon};
use crate::scenario::folder::Scenario;
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};
use crate::scenario::settled::{arrived, backfilled};
use crate::scenario::shop::Shops;

const PATIENCE: Duration = Duration::from_secs(60);

struct Stand {
    shops: Shops,
    config: PathBuf,
    daemon: Option<Daemon>,
    _folder: tempfile::TempDir,
}

impl Stand {
    /// Two shops whose orders are carts while they are open, after the backfill.
    async fn open(pair: &str, name: &str) -> Self {
        let scenario = Scenario {
            name: name.to_owned(),
            ..Scenario::between(Pair::named(pair), "both_sides_write")
        };
        let shops = create(&scenario, name).await;
        let folder = tempfile::tempdir().unwrap();
        let key = "key = \"id\"\n\n[cart.rows]";
        assert!(scenario.config.contains(key), "{}", scenario.config);
        let live = "key = \"id\"\nlive = \"status = 'open'\"\n\n[cart.rows]";
        let text = scenario.config.replacen(key, live, 1);
        let text = text.replacen(
            "role = \"header\"",
            "role = \"header\"\nended = \"delete\"",
            1,
        );
        let config = write(&scenario, &text, &shops, folder.path());
        daemon::command(&config, &["setup", "--yes"]);
        let mut stand = Self {
            shops,
            config,
            daemon: None,
            _folder: folder,
        };
        stand.start();
        let daemon = stand.daemon.as_mut().unwrap();
        backfilled(daemon, &stand.shops.target.session).await;
        stand
    }

    fn start(&mut self) {
        self.daemon = Some(Daemon::start(&self.config));
    }

    async fn rest(&mut self) {
        self.daemon.take().unwrap().stop().await;
    }

    async fn old_shop(&self, sql: &str) {
        self.shops.source.session.run(sql).await.unwrap();
    }

    async fn new_shop(&self, sql: &str) {
        let sql = match self.shops.target.kind {
            Kind::Postgres => sql.to_owned(),
            Kind::Mysql => sql.replace("cartage.", "cartage_"),
        };
        self.shops.target.session.run(&sql).await.unwrap();
    }

    async fn settles(&mut self) {
        let goal = self.shops.source.end().await;
        let daemon = self.daemon.as_mut().unwrap();
        arrived(daemon, &self.shops.target.session, goal).await;
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_cartage"))
            .env("CARTAGE_CONFIG", &self.config)
            .env_remove("RUST_LOG")
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(!text.is_empty(), "cartage {arguments:?}: {log}");
        (output.status.code().unwrap(), text)
    }

    fn document(&self, cart: &str) -> (i32, Value) {
        let (code, text) = self.run(&["explain", cart, "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        (code, document["carts"][0].clone())
    }

    #[track_caller]
    fn concludes(&self, cart: &str, why: &str, code: i32) -> Value {
        let (was, document) = self.document(cart);
        let said = &document["conclusion"];
        assert_eq!(
            (said["why"].as_str(), was),
            (Some(why), code),
            "{document:#}"
        );
        document
    }

    /// The same, as soon as it is so.
    async fn comes_to(&self, cart: &str, why: &str, code: i32) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (was, document) = self.document(cart);
            if document["conclusion"]["why"] == why && was == code {
                return document;
            }
            assert!(
                Instant::now() < deadline,
                "waited for {why}, got {was}: {document:#}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn each_conclusion(pair: &str, name: &str) {
    let mut stand = Stand::open(pair, name).await;
    let equal = stand.comes_to("7", "equal", 0).await;
    assert_eq!(equal["source"]["rows"].as_array().unwrap().len(), 4);
    let target = equal["target"].as_array().unwrap();
    assert_eq!(target.len(), 4);
    assert!(target.iter().all(|row| row["there"] == true), "{equal:#}");
    assert!(
        target.iter().any(|row| row["token"].is_string()),
        "{equal:#}"
    );
    assert_eq!(equal["ledger"]["state"], "mirror");
    assert_eq!(equal["ledger"]["mapping_is_current"], true);
    assert_eq!(equal["ledger"]["image"]["rows"], 4);
    assert!(equal["positions"]["source_end"].is_string(), "{equal:#}");
    assert_eq!(equal["verification"], Value::Null);
    stand.concludes("4711", "unknown", 0);

    stand
        .old_shop("INSERT INTO orders VALUES (900, 'x', 'EUR', 'sold')")
        .await;
    stand.settles().await;
    stand.comes_to("900", "not_live", 0).await;
    stand
        .old_shop("UPDATE orders SET status = 'sold' WHERE id = 8")
        .await;
    stand.settles().await;
    stand.comes_to("8", "over", 0).await;

    // Behind our back, without the lock.
    stand
        .new_shop("UPDATE cart_line SET quantity = 77 WHERE line_id = 91")
        .await;
    let drift = stand.concludes("9", "drift", 3);
    assert_eq!(drift["differences"][0]["column"], "quantity");
    assert_eq!(drift["differences"][0]["target"], "77");
    assert_eq!(
        drift["conclusion"]["next"],
        "cartage verify --carts 9 --repair"
    );
    let (code, text) = stand.run(&["explain", "9"]);
    assert_eq!(code, 3);
    for part in [
        "conclusion   somebody changed the target without the lock moving: drift",
        "Source, as the mapping reads it:",
        "Target:",
        "quantity: source \"1\", target \"77\"",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    // Under the lock.
    stand
        .new_shop(
            "UPDATE cart SET customer_email = 'new@example.org', version = version + 1 \
             WHERE cart_id = 10",
        )
        .await;
    let written = stand.concludes("10", "written_in_target", 0);
    let moved = |row: &Value| row["token"] != row["token_left"] && row["token_left"].is_string();
    assert!(
        written["target"].as_array().unwrap().iter().any(moved),
        "{written:#}"
    );
    // A change of the old shop meets it.
    stand
        .old_shop("UPDATE order_lines SET qty = qty + 1 WHERE id = 101")
        .await;
    stand.settles().await;
    let merged = stand.comes_to("10", "merged", 0).await;
    assert!(
        merged["conclusion"]["text"]
            .as_str()
            .unwrap()
            .contains("cart.customer_email"),
        "{merged:#}"
    );
    assert_eq!(merged["conflicts"]["total"], 1);

    stand
        .new_shop("DELETE FROM cart_line WHERE cart_id = 11; DELETE FROM cart WHERE cart_id = 11")
        .await;
    stand.concludes("11", "deleted_in_target", 3);

    // What the ledger has not been told, though the log has passed.
    stand.rest().await;
    stand
        .new_shop("DELETE FROM cartage.ledger WHERE cart = '12'")
        .await;
    stand
        .new_shop("DELETE FROM cart_line WHERE cart_id = 12; DELETE FROM cart WHERE cart_id = 12")
        .await;
    // Nobody applies this one: its lane has stood still for less than a minute.
    stand
        .old_shop("UPDATE orders SET email = 'later@example.org' WHERE id = 13")
        .await;
    let coming = stand.concludes("13", "on_its_way", 0);
    assert_eq!(coming["positions"]["lane_past_what_was_read"], false);
    stand
        .new_shop("INSERT INTO cartage.wish (pipeline, cart, reason) SELECT id, '14', 'asked' FROM cartage.pipeline")
        .await;
    let wished = stand.concludes("14", "wished", 0);
    assert_eq!(wished["wish"]["reason"], "asked");
    // A daemon that stands still brings nothing.
    stand
        .new_shop("UPDATE cartage.pipeline SET phase = 'stopped', stopped_reason = 'a test'")
        .await;
    stand.concludes("14", "wished", 3);
    stand.concludes("13", "on_its_way", 3);
    stand
        .new_shop("UPDATE cartage.pipeline SET phase = 'following', stopped_reason = NULL")
        .await;
    stand.start();
    stand.settles().await;
    stand.comes_to("13", "equal", 0).await;
    stand.comes_to("14", "equal", 0).await;
    stand.comes_to("12", "never_came", 3).await;

    // The new shop refuses it.
    stand
        .new_shop("ALTER TABLE cart_line ADD CONSTRAINT few CHECK (quantity < 1000)")
        .await;
    stand
        .old_shop("UPDATE order_lines SET qty = 5000 WHERE id = 151")
        .await;
    let held = stand.comes_to("15", "held", 3).await;
    assert_eq!(held["hold"]["reason"], "constraint");
    assert_eq!(held["conclusion"]["next"], "cartage held show 15");

    // What a verification has noted is told, and the status knows of the verification.
    let (code, _) = stand.run(&["verify", "--json"]);
    assert_eq!(code, 3);
    let (_, drift) = stand.document("9");
    assert_eq!(drift["verification"]["verdict"], "different", "{drift:#}");
    let (_, fine) = stand.document("7");
    assert_eq!(fine["verification"]["verdict"], "nothing_found", "{fine:#}");
    let (_, status) = stand.run(&["status", "--json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    let parity = &status["parity"];
    assert_eq!(parity["last"]["kind"], "full", "{status:#}");
    assert_eq!(parity["last"]["counts"]["held"], 1, "{status:#}");
    assert_eq!(parity["running"], Value::Null, "{status:#}");
    let (_, text) = stand.run(&["status"]);
    assert!(text.contains("parity     full verification"), "{text}");
    stand.rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_conclusion_between_two_postgres() {
    each_conclusion("pp", "explain_pp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_conclusion_from_mysql_to_mysql() {
    each_conclusion("mm", "explain_mm").await;
}

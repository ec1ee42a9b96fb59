//! The commands that look and mend, run as the real binary beside a real daemon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::scenario::daemon::{self, Daemon};
use crate::scenario::folder::Scenario;
use crate::scenario::play::{configure, load};
use crate::scenario::servers::{Shops, number};
use crate::scenario::settled::{backfilled, settled};

/// A shop of the scenario `basic`, set up, with nothing moved yet.
struct Shop {
    shops: Shops,
    config: PathBuf,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn open(name: &str) -> Self {
        Self::of("basic", name).await
    }

    async fn of(scenario: &str, name: &str) -> Self {
        let mut scenario = Scenario::load(scenario);
        scenario.name = name.to_owned();
        let shops = load(&scenario, name).await;
        let folder = tempfile::tempdir().unwrap();
        let config = configure(&scenario, &scenario.config, &shops, folder.path());
        daemon::command(&config, &["setup", "--yes"]);
        Self {
            shops,
            config,
            _folder: folder,
        }
    }

    async fn follow(&self) -> Daemon {
        let mut daemon = Daemon::start(&self.config);
        backfilled(&mut daemon, &self.shops.target).await;
        settled(&mut daemon, &self.shops).await;
        daemon
    }

    fn well(&self, arguments: &[&str]) -> Value {
        let (code, document) = self.json(arguments);
        assert_eq!(code, 0, "cartage {arguments:?}: {document}");
        document
    }

    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let (code, out, log) = end(&self.config, arguments);
        assert_eq!(out.lines().count(), 1, "cartage {arguments:?}: {out}{log}");
        (code, serde_json::from_str(&out).unwrap())
    }

    /// The message of a command that must fail.
    fn refused(&self, code: i32, arguments: &[&str]) -> String {
        let (was, out, log) = end(&self.config, arguments);
        assert_eq!(was, code, "cartage {arguments:?}: {out}{log}");
        log
    }

    async fn new_shop(&self, sql: &str) {
        self.shops.target.batch_execute(sql).await.unwrap();
    }
}

fn end(config: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cartage"))
        .env("CARTAGE_CONFIG", config)
        .env_remove("RUST_LOG")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[tokio::test]
async fn status_tells_of_a_pipeline_with_and_without_its_source() {
    let shop = Shop::open("commands_status").await;
    let new = shop.well(&["status", "--json"]);
    assert_eq!(new["phase"], "new");
    assert_eq!(new["backfill"]["total"], Value::Null);

    let daemon = shop.follow().await;
    let status = shop.well(&["status", "--json"]);
    assert_eq!(status["pipeline"], "commands-status");
    assert_eq!(status["carts"]["mirrored"], 200);
    assert_eq!(status["backfill"]["done"], 200);
    assert_eq!(status["source"]["slot_active"], true);
    assert!(status["lag"]["bytes"].is_u64(), "{status}");
    assert_eq!(status["throughput"], Value::Null);
    daemon.stop().await;

    let text = fs::read_to_string(&shop.config).unwrap();
    let unreachable = shop.config.with_file_name("unreachable.toml");
    let nowhere = "postgresql://nobody@127.0.0.1:1/nothing";
    fs::write(&unreachable, text.replace(&shop.shops.source_url, nowhere)).unwrap();
    let (code, out, log) = end(&unreachable, &["status", "--json"]);
    assert_eq!(code, 0, "{out}{log}");
    let blind: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(blind["source"]["position"], Value::Null);
    assert_eq!(blind["lag"]["bytes"], Value::Null);
    assert_eq!(blind["carts"]["mirrored"], 200);

    shop.new_shop("UPDATE cartage.pipeline SET phase = 'stopped', stopped_reason = 'a test'")
        .await;
    let (code, stopped) = shop.json(&["status", "--json"]);
    assert_eq!((code, &stopped["stopped_reason"]), (3, &"a test".into()));
}

#[tokio::test]
async fn verify_finds_what_differs_and_refresh_mends_what_was_missed() {
    let shop = Shop::open("commands_verify").await;
    let daemon = shop.follow().await;
    let report = shop.well(&["verify", "--json"]);
    assert_eq!(
        (&report["carts_compared"], &report["equal"]),
        (&200.into(), &200.into())
    );
    assert_eq!(report["stale_lookups"], 0);
    let some = shop.well(&["verify", "--json", "--carts", "7", "8"]);
    assert_eq!(some["carts_compared"], 2);

    shop.new_shop(
        "UPDATE cart SET customer_email = 'else@example.org' WHERE cart_id = 7;
         DELETE FROM cart_line WHERE line_id = 81;
         DELETE FROM cart_line WHERE cart_id = 9; DELETE FROM cart WHERE cart_id = 9",
    )
    .await;
    let (code, report) = shop.json(&["verify", "--json"]);
    assert_eq!(code, 3, "{report}");
    let counts = ["equal", "different", "missing", "extra", "pending"].map(|n| report[n].as_u64());
    assert_eq!(counts, [197, 2, 1, 0, 0].map(Some), "{report}");
    let differences = report["differences"].as_array().unwrap();
    let email = differences.iter().find(|d| d["cart"] == "7").unwrap();
    assert_eq!(email["column"], "customer_email");
    assert_eq!(
        (&email["source"], &email["target"]),
        (&"c7@example.org".into(), &"else@example.org".into())
    );
    let row = differences.iter().find(|d| d["cart"] == "8").unwrap();
    assert_eq!(
        (&row["kind"], &row["key"]),
        (&"missing_row".into(), &"81".into())
    );

    // Without --yes a repair only says what it would do.
    let (code, dry) = shop.json(&["verify", "--repair", "--json", "--carts", "7", "8", "9"]);
    assert_eq!((code, &dry["repair"]["done"]), (3, &false.into()), "{dry}");
    assert_eq!(dry["after"], Value::Null);
    let (code, few) = shop.json(&["verify", "--sample", "5", "--json"]);
    assert!(code == 0 || code == 3, "{few}");
    assert_eq!(few["carts_compared"], 5, "{few}");
    assert!(
        shop.refused(2, &["verify", "--carts", "1|2"])
            .contains("not a cart key")
    );

    // What the log never told of is found by reading: here, a cart that was forgotten.
    shop.new_shop(
        "DELETE FROM cart_line WHERE cart_id = 11; DELETE FROM cart WHERE cart_id = 11;
         DELETE FROM cartage.ledger WHERE cart = '11'",
    )
    .await;
    let (_, forgotten) = shop.json(&["verify", "--json", "--carts", "11"]);
    assert_eq!(forgotten["missing"], 1, "{forgotten}");
    daemon.stop().await;
    let daemon = Daemon::start(&shop.config);
    let asked = refresh_when_up(&shop, &["refresh", "11", "--wait", "--json"]).await;
    assert_eq!(asked["done"], true);
    assert_eq!(
        shop.well(&["verify", "--json", "--carts", "11"])["equal"],
        1
    );
    let all = shop.well(&["refresh", "--all", "--wait", "--json"]);
    assert!(all["run"].is_i64(), "{all}");
    assert_eq!(
        number(
            &shop.shops.target,
            "SELECT count(*) FROM cartage.refresh_run WHERE finished_at IS NULL"
        )
        .await,
        0
    );
    daemon.stop().await;
}

/// The daemon may still be on its way up.
async fn refresh_when_up(shop: &Shop, arguments: &[&str]) -> Value {
    for _ in 0..100 {
        let (code, out, _) = end(&shop.config, arguments);
        if code == 0 {
            return serde_json::from_str(&out).unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("waited 10 s for a daemon to be at work");
}

#[tokio::test]
async fn preview_shows_both_sides_before_anything_moved() {
    let shop = Shop::open("commands_preview").await;
    let preview = shop.well(&["preview", "7", "--json"]);
    let cart = &preview["carts"][0];
    assert_eq!(cart["live"], true);
    assert_eq!(cart["source"].as_array().unwrap().len(), 4);
    let target = cart["target"].as_array().unwrap();
    assert_eq!(target.len(), 4);
    assert_eq!(target[0]["row"]["customer_email"], "c7@example.org");
    assert_eq!(
        number(&shop.shops.target, "SELECT count(*) FROM cart").await,
        0
    );
    let (code, text, _) = end(&shop.config, &["preview", "7"]);
    assert_eq!(code, 0);
    let line = |part: &str| {
        text.lines()
            .find(|line| line.contains(part))
            .unwrap_or_default()
    };
    assert!(
        line("becomes public.cart").contains("public.orders"),
        "{text}"
    );
    assert!(
        line("customer_email").contains("\"c7@example.org\""),
        "{text}"
    );
    assert!(line("customer_email").contains("  = "), "{text}");
    let from = target[0]["from"]["customer_email"].as_str().unwrap();
    assert!(from.contains("email"), "{cart}");
    assert_eq!(target[0]["source"], 0);

    // Those of a file, and some at random.
    let file = shop.config.with_file_name("carts");
    fs::write(&file, "8\n\n9\n").unwrap();
    let named = [
        "preview",
        "7",
        "--from-file",
        file.to_str().unwrap(),
        "--json",
    ];
    let preview = shop.well(&named);
    let keys: Vec<&str> = preview["carts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["cart"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["7", "8", "9"]);
    let some = shop.well(&["preview", "--random", "5", "--json"]);
    let some = some["carts"].as_array().unwrap();
    assert_eq!(some.len(), 5);
    assert!(some.iter().all(|c| c["found"] == true && c["live"] == true));
    let all = shop.well(&["preview", "--random", "100000", "--json"]);
    assert_eq!(all["carts"].as_array().unwrap().len(), 200);
    assert!(shop.refused(2, &["preview"]).contains("required"));
    assert!(
        shop.refused(1, &["preview", "999999"])
            .contains("no cart 999999")
    );
}

#[tokio::test]
async fn held_carts_are_listed_shown_and_tried_again() {
    let shop = Shop::open("commands_held").await;
    let mut daemon = shop.follow().await;
    shop.new_shop("ALTER TABLE cart ADD CONSTRAINT refused CHECK (cart_id <> 7) NOT VALID")
        .await;
    shop.shops
        .source
        .batch_execute("UPDATE orders SET email = 'old@example.org' WHERE id = 7")
        .await
        .unwrap();
    settled(&mut daemon, &shop.shops).await;
    let list = shop.well(&["held", "list", "--json"]);
    assert_eq!(list["held"][0]["cart"], "7", "{list}");
    assert_eq!(list["held"][0]["reason"], "constraint");
    let (code, report) = shop.json(&["verify", "--json"]);
    assert_eq!((code, &report["held"]), (3, &1.into()));
    let cart = shop.well(&["held", "show", "7", "--json"]);
    assert_eq!(
        cart["ours"][0]["row"]["customer_email"], "old@example.org",
        "{cart}"
    );
    assert!(
        shop.refused(1, &["held", "retry", "8"])
            .contains("not held: 8")
    );

    // Or the daemon tries it again by itself before the command does; a try that is under way puts
    // its own time.
    let far = "SELECT count(*) FROM cartage.held WHERE retry_at > now() + interval '30 minutes'";
    while number(&shop.shops.target, far).await == 0 {
        let put_off = "UPDATE cartage.held SET retry_at = now() + interval '1 hour'";
        shop.new_shop(put_off).await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    shop.new_shop("ALTER TABLE cart DROP CONSTRAINT refused")
        .await;
    assert_eq!(
        shop.well(&["held", "retry", "7", "--json"])["carts"][0],
        "7"
    );
    for _ in 0..200 {
        if number(&shop.shops.target, "SELECT count(*) FROM cartage.held").await == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(shop.well(&["verify", "--json"])["equal"], 200);
    daemon.stop().await;
}

#[tokio::test]
async fn a_checkpoint_is_moved_only_where_the_log_allows() {
    let shop = Shop::open("commands_checkpoint").await;
    let daemon = shop.follow().await;
    let running = shop.well(&["checkpoint", "show", "--json"]);
    let position = running["position"].as_str().unwrap().to_owned();
    assert!(
        shop.refused(1, &["checkpoint", "set", &position])
            .contains("a daemon runs")
    );
    daemon.stop().await;

    let position = shop.well(&["checkpoint", "show", "--json"])["position"]
        .as_str()
        .unwrap()
        .to_owned();
    let export = shop.well(&["checkpoint", "export"]);
    assert_eq!(export["pipeline"], "commands-checkpoint");
    assert!(export["mapping"].is_string());
    assert!(
        shop.refused(2, &["checkpoint", "set", "nowhere"])
            .contains("not a log position")
    );
    assert!(
        shop.refused(1, &["checkpoint", "set", "0/1"])
            .contains("0/1 is")
    );
    assert!(
        shop.refused(1, &["checkpoint", "set", "FFFF/0"])
            .contains("beyond the end")
    );

    shop.shops
        .source
        .batch_execute("UPDATE orders SET email = 'skipped' WHERE id = 7")
        .await
        .unwrap();
    let end: String = shop
        .shops
        .source
        .query_one("SELECT pg_current_wal_flush_lsn()::text", &[])
        .await
        .unwrap()
        .get(0);
    assert!(
        shop.refused(2, &["checkpoint", "set", &end])
            .contains("nothing was done")
    );
    daemon::command(&shop.config, &["checkpoint", "set", &end, "--yes"]);
    let moved = shop.well(&["checkpoint", "show", "--json"]);
    assert_eq!(moved["position"], end.as_str());
    assert!(moved["epoch"].as_i64() > running["epoch"].as_i64());

    let file = shop.config.with_file_name("export.json");
    fs::write(&file, export.to_string()).unwrap();
    daemon::command(
        &shop.config,
        &["checkpoint", "import", file.to_str().unwrap()],
    );
    assert_eq!(
        shop.well(&["checkpoint", "show", "--json"])["position"],
        position.as_str()
    );
    let mut other = export.clone();
    other["source_system"] = "1".into();
    fs::write(&file, other.to_string()).unwrap();
    let refused = shop.refused(1, &["checkpoint", "import", file.to_str().unwrap()]);
    assert!(refused.contains("another source cluster"), "{refused}");

    // Set back, the daemon brings what was nearly skipped.
    let mut daemon = Daemon::start(&shop.config);
    settled(&mut daemon, &shop.shops).await;
    assert_eq!(shop.well(&["verify", "--json"])["equal"], 200);
    daemon.stop().await;
}

#[tokio::test]
async fn keys_are_taken_as_the_server_reads_them() {
    let shop = Shop::of("keys_in_several_spellings", "commands_keys").await;
    let daemon = shop.follow().await;
    let token = "00000000-0000-0000-0000-000000000001";
    let known = format!("EU|1|{}", token.to_lowercase());
    for typed in [
        format!("EU|1.000|{token}"),
        format!("EU  |01|{}", token.replace('-', "")),
        known.clone(),
    ] {
        let preview = shop.well(&["preview", "--json", &typed]);
        assert_eq!(preview["carts"][0]["cart"], known.as_str(), "{typed}");
        let verified = shop.well(&["verify", "--json", "--carts", &typed]);
        assert_eq!(verified["equal"], 1, "{typed}");
        let refreshed = shop.well(&["refresh", "--json", "--wait", &typed]);
        assert_eq!(refreshed["carts"][0], known.as_str(), "{typed}");
    }
    let row = "SELECT count(*) FROM cartage.ledger";
    assert_eq!(number(&shop.shops.target, row).await, 60);

    // What is too long is another cart, not a part of it.
    let (code, out, _) = end(&shop.config, &["preview", &format!("EU__more|1|{token}")]);
    assert_eq!(code, 1, "{out}");
    let message = shop.refused(2, &["preview", &format!("EU|one|{token}")]);
    assert!(message.contains("is not a cart key"), "{message}");
    assert!(message.contains("number (numeric)"), "{message}");

    // Held carts are found by either spelling, as it stands in the table without the source.
    shop.new_shop(
        "ALTER TABLE cart ADD CONSTRAINT refused CHECK (email <> 'by the old shop') NOT VALID",
    )
    .await;
    let old = &shop.shops.source;
    let change = "UPDATE orders SET email = 'by the old shop' WHERE number = 1";
    old.batch_execute(change).await.unwrap();
    let mut daemon = daemon;
    settled(&mut daemon, &shop.shops).await;
    let typed = format!("EU|1.0|{token}");
    for typed in [&typed, &known] {
        let held = shop.well(&["held", "show", "--json", typed]);
        assert_eq!(held["cart"], known.as_str());
        let tried = shop.well(&["held", "retry", "--json", typed]);
        assert_eq!(tried["carts"][0], known.as_str());
    }
    let other = shop.refused(1, &["held", "show", &format!("EU|2|{token}")]);
    assert!(other.contains("not held"), "{other}");
    daemon.stop().await;
}

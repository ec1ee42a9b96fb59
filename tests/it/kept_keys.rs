//! The keys that the target has allocated, kept in a file over a teardown: no cart comes twice.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::scenario::daemon::{self, Daemon};
use crate::scenario::folder::Scenario;
use crate::scenario::play::{configure, load};
use crate::scenario::servers::{Shops, number, rows};
use crate::scenario::settled::{backfilled, settled};

const ORDERS: &str = "SELECT id, code, follows, customer FROM \"order\"";
const LINES: &str = "SELECT id, order_id, code, sku, quantity FROM order_line";

async fn follow(config: &Path, shops: &Shops) -> Daemon {
    let mut daemon = Daemon::start(config);
    backfilled(&mut daemon, &shops.target).await;
    settled(&mut daemon, shops).await;
    daemon
}

async fn there(shops: &Shops) -> (Vec<String>, Vec<String>) {
    (
        rows(&shops.target, ORDERS, "orders").await,
        rows(&shops.target, LINES, "lines").await,
    )
}

#[tokio::test]
async fn allocated_keys_come_back_after_a_teardown() {
    let name = "kept_keys";
    let mut scenario = Scenario::load("allocated_keys");
    scenario.name = name.to_owned();
    let shops = load(&scenario, name).await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(&scenario, &scenario.config, &shops, folder.path());
    daemon::command(&config, &["setup", "--yes"]);
    let daemon = follow(&config, &shops).await;
    let known = "SELECT count(*) FROM cartage.key_map";
    let keys = number(&shops.target, known).await;
    assert!(keys > 400, "{keys}");
    let before = there(&shops).await;
    let export = daemon::command(&config, &["checkpoint", "export"]);
    let document: Value = serde_json::from_str(&export).unwrap();
    let given = document["key_map"].as_object().unwrap().values();
    let given: usize = given.map(|keys| keys.as_object().unwrap().len()).sum();
    assert_eq!(i64::try_from(given).unwrap(), keys);
    let file = config.with_file_name("export.json");
    let file = file.to_str().unwrap();
    fs::write(file, &export).unwrap();
    let import = ["checkpoint", "import", file, "--only-secret"];
    let refused = daemon::refusal(&config, &import);
    assert!(refused.contains("a daemon runs"), "{refused}");
    daemon.stop().await;
    // Those that are there are the file's: nothing changes.
    daemon::command(&config, &import);
    assert_eq!(number(&shops.target, known).await, keys);

    daemon::command(&config, &["teardown", "--yes"]);
    daemon::command(&config, &["setup", "--yes"]);
    assert_eq!(number(&shops.target, known).await, 0);
    // A row with another key already: all of the file or nothing of it.
    let other = "INSERT INTO cartage.key_map SELECT id, 'public.order', '[\"7\"]', 999999 \
                 FROM cartage.pipeline";
    shops.target.batch_execute(other).await.unwrap();
    let refused = daemon::refusal(&config, &import);
    assert!(
        refused.contains("1 source rows have another key"),
        "{refused}"
    );
    assert_eq!(number(&shops.target, known).await, 1);
    let gone = "DELETE FROM cartage.key_map";
    shops.target.batch_execute(gone).await.unwrap();

    let said = daemon::command(&config, &import);
    let taken = format!("{keys} allocated keys are the file's.");
    assert!(said.contains(&taken), "{said}");
    let daemon = follow(&config, &shops).await;
    assert_eq!(there(&shops).await, before, "{}", daemon.log());
    assert_eq!(number(&shops.target, known).await, keys);
    // A row that is new gets a key of its own.
    shops
        .source
        .batch_execute("INSERT INTO basket VALUES (960, 7, 'later')")
        .await
        .unwrap();
    let mut daemon = daemon;
    settled(&mut daemon, &shops).await;
    assert_eq!(number(&shops.target, known).await, keys + 1);
    let verified = daemon::json(&config, &["verify", "--json"]);
    assert_eq!(verified["equal"], 121, "{verified}");
    daemon.stop().await;
}

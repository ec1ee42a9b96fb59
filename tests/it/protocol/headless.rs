//! Carts without a header row: with which row they begin, and with which they end.

use std::path::PathBuf;

use tempfile::TempDir;

use super::standstill::wait;
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::folder::Scenario;
use crate::scenario::play::{configure, load};
use crate::scenario::servers::{Shops, number};
use crate::scenario::settled::{backfilled, settled};

/// Lines of which two at a time are a cart, and a table that says whether cartage may read.
struct Lines {
    shops: Shops,
    config: PathBuf,
    _folder: TempDir,
}

impl Lines {
    async fn open(name: &str) -> Self {
        let scenario = Scenario::load("carts_without_header_finished");
        let name = format!("headless_{name}");
        let scenario = Scenario {
            name: name.clone(),
            ..scenario
        };
        let shops = load(&scenario, &name).await;
        let busy = "CREATE TABLE busy (n integer); INSERT INTO busy VALUES (0)";
        shops.source.batch_execute(busy).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let guard = "[refresh]\nguard = { sql = \"SELECT n FROM busy\", max = 0 }\n";
        let text = scenario
            .config
            .replace("[cart]", &format!("{guard}\n[cart]"));
        let config = configure(&scenario, &text, &shops, folder.path());
        command(&config, &["setup", "--yes"]);
        Self {
            shops,
            config,
            _folder: folder,
        }
    }

    async fn old_shop(&self, sql: &str) {
        self.shops.source.batch_execute(sql).await.unwrap();
    }

    async fn count(&self, sql: &str) -> i64 {
        number(&self.shops.target, sql).await
    }

    async fn until(&self, daemon: &Daemon, sql: &str) {
        let sql = format!("SELECT coalesce(({sql}), false)::integer::bigint");
        wait(&sql, || daemon.log(), async || self.count(&sql).await == 1).await;
    }
}

#[tokio::test]
async fn a_first_row_in_the_log_is_not_taken_for_all_of_its_cart() {
    let lines = Lines::open("first_row").await;
    lines.old_shop("UPDATE busy SET n = 1").await;
    let mut daemon = Daemon::start(&lines.config);
    // Two lines of it are in the source, and nobody has read them yet.
    lines
        .old_shop("INSERT INTO line VALUES (903, 3, 's', 'third', 3)")
        .await;
    // It is read soon after: the wish may be gone again before it is looked for.
    let wished_or_read = "SELECT EXISTS (SELECT FROM cartage.wish WHERE cart = '3|s') \
         OR EXISTS (SELECT FROM cartage.ledger WHERE cart = '3|s')";
    lines.until(&daemon, wished_or_read).await;
    let written = lines.count("SELECT count(*) FROM entry").await;
    assert!(written == 0 || written == 3, "{written} rows of one cart");
    lines.old_shop("UPDATE busy SET n = 0").await;
    backfilled(&mut daemon, &lines.shops.target).await;
    settled(&mut daemon, &lines.shops).await;
    let entries = "SELECT count(*) FROM entry JOIN basket ON token = basket WHERE customer = 3";
    assert_eq!(lines.count(entries).await, 3);
    daemon.stop().await;
}

#[tokio::test]
async fn a_cart_ends_with_its_last_row_and_begins_again_with_the_next() {
    let lines = Lines::open("last_row").await;
    let mut daemon = Daemon::start(&lines.config);
    backfilled(&mut daemon, &lines.shops.target).await;
    lines.old_shop("DELETE FROM line WHERE id = 41").await;
    settled(&mut daemon, &lines.shops).await;
    let baskets = "SELECT count(*) FROM basket WHERE customer = 4";
    assert_eq!(lines.count(baskets).await, 1);
    lines.old_shop("DELETE FROM line WHERE id = 42").await;
    settled(&mut daemon, &lines.shops).await;
    assert_eq!(lines.count(baskets).await, 0, "{}", daemon.log());
    // Of a cart whose last row is gone all is known: nothing has to be read for the next one.
    lines.old_shop("UPDATE busy SET n = 1").await;
    lines
        .old_shop("INSERT INTO line VALUES (904, 4, 's', 'again', 4)")
        .await;
    lines
        .until(&daemon, "SELECT entries = 1 FROM basket WHERE customer = 4")
        .await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_row_that_comes_to_a_cart_nobody_knows_brings_it_to_be_read() {
    let lines = Lines::open("arrival").await;
    lines.old_shop("UPDATE busy SET n = 1").await;
    let mut daemon = Daemon::start(&lines.config);
    let joined = "UPDATE line SET customer = 6 WHERE customer = 5";
    lines.old_shop(joined).await;
    // It has what came, until it is read.
    let entries = "SELECT count(*) FROM entry JOIN basket ON token = basket WHERE customer = 6";
    lines
        .until(&daemon, &format!("SELECT ({entries}) = 2"))
        .await;
    let wished = "SELECT EXISTS (SELECT FROM cartage.wish WHERE cart = '6|s')";
    lines.until(&daemon, wished).await;
    lines.old_shop("UPDATE busy SET n = 0").await;
    backfilled(&mut daemon, &lines.shops.target).await;
    settled(&mut daemon, &lines.shops).await;
    assert_eq!(lines.count(entries).await, 4);
    daemon.stop().await;
}

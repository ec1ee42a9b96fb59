//! A source row has one key of the target's sequence, wherever cartage is killed.

use super::stall::Stall;
use crate::scenario::daemon::Daemon;
use crate::scenario::servers::rows;

const OPTIONS: &str = "SELECT line_id, label FROM";

#[tokio::test]
async fn a_key_that_was_taken_before_a_kill_is_the_rows_after_it() {
    let stall = Stall::changed(
        "allocated",
        &[
            (
                "CREATE TABLE cart_option (\n    id integer PRIMARY KEY",
                "CREATE TABLE cart_option (\n    id serial PRIMARY KEY",
            ),
            (
                "id      = { key = \"id\" }\n  line_id = \"line_id\"",
                "id      = { allocated = true }\n  line_id = \"line_id\"",
            ),
        ],
    )
    .await;
    stall.follow().await.stop().await;
    let known = "SELECT count(*) FROM cartage.key_map";
    let before = stall.count(known).await;
    let switches = [("CARTAGE_KILL", "lane.keys-allocated@1")];
    let killed = Daemon::start_with(&stall.config, &switches);
    stall
        .old_shop("INSERT INTO options VALUES (7111, 71, 'blue')")
        .await;
    killed.killed().await;
    assert_eq!(stall.count(known).await, before + 1, "it is in the map");
    let there = "SELECT count(*) FROM cart_option WHERE label = 'blue'";
    assert_eq!(stall.count(there).await, 0, "and in no table");
    let taken = "SELECT max(value) FROM cartage.key_map";
    let key = stall.count(taken).await;

    let mut daemon = Daemon::start(&stall.config);
    stall.settled(&mut daemon).await;
    let has = "SELECT id::bigint FROM cart_option WHERE label = 'blue'";
    assert_eq!(stall.count(has).await, key, "{}", daemon.log());
    assert_eq!(stall.count(known).await, before + 1);
    let old = format!(
        "{OPTIONS} options JOIN lines ON lines.id = line_id JOIN orders ON orders.id = order_id \
         WHERE status = 'open'"
    );
    let source = rows(&stall.shops.source, &old, "source").await;
    let target = rows(
        &stall.shops.target,
        &format!("{OPTIONS} cart_option"),
        "target",
    )
    .await;
    assert_eq!(source, target, "{}", daemon.log());
    daemon.stop().await;
}

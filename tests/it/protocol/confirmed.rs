//! Rules 1 and 3, hazards 4 and 10: what is told to the source as safe.

use cartage::cart::key::CartKey;
use cartage::lanes::item::lane_of;

use super::stall::Stall;
use super::standstill::wait;
use crate::scenario::daemon::Daemon;
use crate::scenario::servers::connect;

/// What this change made the daemon say is said: it was sent, and feedback came well after it.
async fn fed_back(stall: &Stall, daemon: &Daemon) {
    let slot = stall.slot();
    let of = |what: &str| {
        format!(
            "SELECT {what} FROM pg_stat_replication r JOIN pg_replication_slots s \
             ON s.active_pid = r.pid WHERE s.slot_name = '{slot}'"
        )
    };
    let source = &stall.shops.source;
    let goal = text(source, "SELECT pg_current_wal_flush_lsn()::text").await;
    stall
        .until_old(daemon, &of(&format!("sent_lsn >= '{goal}'::pg_lsn")))
        .await;
    let now = text(source, "SELECT clock_timestamp()::text").await;
    let later = format!("reply_time > '{now}'::timestamptz + interval '500 ms'");
    stall.until_old(daemon, &of(&later)).await;
}

async fn text(client: &tokio_postgres::Client, sql: &str) -> String {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// The lane waits for a row that the new backend has locked; the log goes on, with keepalives.
#[tokio::test]
async fn what_is_not_durable_is_not_confirmed() {
    let stall = Stall::open("confirmed").await;
    let mut daemon = stall.follow().await;
    let backend = connect(&stall.shops.target_url).await;
    backend
        .batch_execute("BEGIN; SELECT FROM cart WHERE id = 7 FOR UPDATE")
        .await
        .unwrap();
    let before = text(
        &stall.shops.source,
        "SELECT pg_current_wal_flush_lsn()::text",
    )
    .await;
    stall
        .old_shop("UPDATE orders SET note = 'changed' WHERE id = 7")
        .await;
    fed_back(&stall, &daemon).await;
    let confirmed = format!(
        "SELECT (confirmed_flush_lsn <= '{before}'::pg_lsn)::integer::bigint \
         FROM pg_replication_slots WHERE slot_name = '{}'",
        stall.slot()
    );
    let safe = crate::scenario::servers::number(&stall.shops.source, &confirmed).await;
    daemon.kill();
    backend.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(
        safe, 1,
        "the slot stands behind a change that is not durable"
    );
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// The log before this point is confirmed.
fn confirmed(stall: &Stall, lsn: &str, column: &str) -> String {
    format!(
        "SELECT {column} >= '{lsn}'::pg_lsn FROM pg_replication_slots WHERE slot_name = '{}'",
        stall.slot()
    )
}

/// The lane has nothing to tell of it: keepalives alone say how far the log has come, and that is
/// behind the change that the lane is still busy with.
#[tokio::test]
async fn a_keepalive_confirms_nothing_that_is_in_flight() {
    let stall = Stall::open("keepalive").await;
    let mut daemon = stall.follow().await;
    let backend = connect(&stall.shops.target_url).await;
    backend
        .batch_execute("BEGIN; SELECT FROM cart WHERE id = 7 FOR UPDATE")
        .await
        .unwrap();
    stall
        .old_shop("UPDATE orders SET note = 'changed' WHERE id = 7")
        .await;
    let after = text(
        &stall.shops.source,
        "SELECT pg_current_wal_flush_lsn()::text",
    )
    .await;
    stall
        .old_shop("CREATE TABLE elsewhere AS SELECT generate_series(1, 1000)")
        .await;
    fed_back(&stall, &daemon).await;
    let passed = confirmed(&stall, &after, "confirmed_flush_lsn");
    let row = stall.shops.source.query_one(&passed, &[]).await.unwrap();
    let passed: bool = row.get(0);
    daemon.kill();
    backend.batch_execute("ROLLBACK").await.unwrap();
    assert!(!passed, "a change that is not durable was confirmed");
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// One of two lanes waits for a lock while the other one is busy.
#[tokio::test]
async fn a_busy_lane_does_not_confirm_for_its_neighbour() {
    let stall = Stall::changed("neighbour", &[("lanes = 1", "lanes = 2")]).await;
    let lane = |cart: &str| lane_of(&CartKey::of([cart]), 2);
    let others = ["1", "2", "3", "4", "5", "6", "8", "9"];
    let other = others.iter().find(|cart| lane(cart) != lane("7")).unwrap();
    let mut daemon = stall.follow().await;
    let backend = connect(&stall.shops.target_url).await;
    backend
        .batch_execute("BEGIN; SELECT FROM cart WHERE id = 7 FOR UPDATE")
        .await
        .unwrap();
    stall
        .old_shop("UPDATE orders SET note = 'changed' WHERE id = 7")
        .await;
    let after = text(
        &stall.shops.source,
        "SELECT pg_current_wal_flush_lsn()::text",
    )
    .await;
    stall
        .old_shop(&format!(
            "UPDATE orders SET note = 'busy' WHERE id = {other}"
        ))
        .await;
    stall
        .until(
            &daemon,
            &format!("SELECT note = 'busy' FROM cart WHERE id = {other}"),
        )
        .await;
    fed_back(&stall, &daemon).await;
    let passed = confirmed(&stall, &after, "confirmed_flush_lsn");
    let row = stall.shops.source.query_one(&passed, &[]).await.unwrap();
    let passed: bool = row.get(0);
    daemon.kill();
    backend.batch_execute("ROLLBACK").await.unwrap();
    assert!(!passed, "a change that is not durable was confirmed");
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// Another database, and tables that are not ours, write; our carts are idle.
#[tokio::test]
async fn the_log_of_others_is_let_go() {
    let stall = Stall::changed("idle", &[("lanes = 1", "lanes = 2")]).await;
    let daemon = stall.follow().await;
    let write = "CREATE TABLE IF NOT EXISTS elsewhere (x text); TRUNCATE elsewhere; \
                 INSERT INTO elsewhere SELECT repeat('x', 100) FROM generate_series(1, 5000)";
    let neighbour = connect(&stall.shops.source_url.replace("stall_idle", "postgres")).await;
    neighbour.batch_execute(write).await.unwrap();
    stall.old_shop(write).await;
    let goal = text(
        &stall.shops.source,
        "SELECT pg_current_wal_flush_lsn()::text",
    )
    .await;
    stall
        .until_old(&daemon, &confirmed(&stall, &goal, "confirmed_flush_lsn"))
        .await;
    // Where the server may recycle its log moves on with a record of what is running.
    let until = async || {
        neighbour.batch_execute("CHECKPOINT").await.unwrap();
        let row = stall
            .shops
            .source
            .query_one(&confirmed(&stall, &goal, "restart_lsn"), &[])
            .await
            .unwrap();
        row.get::<_, bool>(0)
    };
    wait("restart_lsn to follow", || daemon.log(), until).await;
    daemon.stop().await;
}

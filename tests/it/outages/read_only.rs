//! The new shop's database stops taking writes, or has no connection left, for a while.

use std::fs;
use std::time::{Duration, Instant};

use cartage::demo::cluster::{Options, Shutdown};
use tokio_postgres::Client;

use super::pair::{Pair, assert_equal, logged};
use super::seller::Seller;
use crate::scenario::daemon::Daemon;
use crate::scenario::settled::{backfilled, settled};

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_takes_no_writes_is_waited_for() {
    let mut pair = Pair::open(Options::default(), Options::default()).await;
    let mut daemon = Daemon::start(&pair.config());
    let shops = pair.shops().await;
    backfilled(&mut daemon, &shops.target).await;
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    seller.sells(10).await;
    let hosts = format!("127.0.0.1:{}", pair.target.port());

    // For the whole server, which concerns open sessions too.
    let from = daemon.log().len();
    for sql in [
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    ] {
        shops.target.batch_execute(sql).await.unwrap();
    }
    logged(&mut daemon, "target: cannot execute UPDATE in a read-only transaction: The database takes no \
         writes: default_transaction_read_only is on, or it is a standby in failover; starting again", from).await;
    let said = format!(
        "target: {hosts} accepts no writes: default_transaction_read_only is on there for the whole \
         server; turn it off, or wait until somebody does; starting again"
    );
    logged(&mut daemon, &said, from).await;
    for sql in [
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    ] {
        shops.target.batch_execute(sql).await.unwrap();
    }
    settled(&mut daemon, &shops).await;

    // For the database, which new sessions learn.
    let from = daemon.log().len();
    shops
        .target
        .batch_execute("ALTER DATABASE shop SET default_transaction_read_only = on")
        .await
        .unwrap();
    cut(&shops.target).await;
    let said = format!(
        "target: {hosts} accepts no writes: default_transaction_read_only is on there for the \
         database shop; turn it off, or wait until somebody does; starting again"
    );
    logged(&mut daemon, &said, from).await;
    let admin = pair.target.client("postgres").await.unwrap();
    admin
        .batch_execute("ALTER DATABASE shop RESET default_transaction_read_only")
        .await
        .unwrap();
    settled(&mut daemon, &pair.shops().await).await;

    // It comes back as a standby, and is promoted later.
    let from = daemon.log().len();
    pair.target.stop(Shutdown::Fast).await.unwrap();
    let signal = pair.target.data().join("standby.signal");
    fs::write(&signal, "").unwrap();
    let owner = fs::metadata(pair.target.data()).unwrap();
    std::os::unix::fs::chown(
        &signal,
        Some(std::os::unix::fs::MetadataExt::uid(&owner)),
        Some(std::os::unix::fs::MetadataExt::gid(&owner)),
    )
    .unwrap();
    pair.target.resume().await.unwrap();
    let said = format!(
        "target: {hosts} is a standby and accepts no writes; name the primary, or wait for the \
         failover; starting again"
    );
    logged(&mut daemon, &said, from).await;
    pair.target.promote().await.unwrap();
    seller.sells(10).await;
    seller.stop().await;

    let shops = pair.shops().await;
    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_a_free_connection_is_waited_for() {
    let target = Options::default()
        .setting("max_connections", "20")
        .setting("superuser_reserved_connections", "0")
        .setting("max_wal_senders", "2");
    let pair = Pair::open(Options::default(), target).await;
    let mut daemon = Daemon::start(&pair.config());
    let shops = pair.shops().await;
    backfilled(&mut daemon, &shops.target).await;
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    seller.sells(10).await;

    // Every connection that the daemon loses somebody else takes, until it says that it has none.
    let from = daemon.log().len();
    let said = format!(
        "target: 127.0.0.1:{} refused the connection: sorry, too many clients already (SQLSTATE \
         53300): That server has no connection left for us; end sessions that nobody needs, or raise \
         the limit; starting again",
        pair.target.port()
    );
    let mut others = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(40);
    while !daemon.log()[from..].contains(&said) {
        assert!(daemon.alive(), "the daemon ended\n{}", daemon.log());
        assert!(
            Instant::now() < deadline,
            "waited for the daemon to be without a connection\n{}",
            daemon.log()
        );
        while let Ok(client) = pair.target.client("shop").await {
            others.push(client);
        }
        cut(&shops.target).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(others);
    seller.sells(10).await;
    seller.stop().await;

    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

/// Ends the daemon's sessions.
async fn cut(target: &Client) {
    target
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name LIKE 'cartage%'",
        )
        .await
        .unwrap();
}

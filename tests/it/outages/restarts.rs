//! Servers that are restarted, one by one and together.

use std::time::{Duration, Instant};

use cartage::demo::cluster::{Options, Shutdown};

use tokio_postgres::Client;

use super::pair::{Pair, assert_equal};
use super::seller::Seller;
use crate::scenario::daemon::Daemon;
use crate::scenario::servers::number;
use crate::scenario::settled::{backfilled, settled};

#[tokio::test(flavor = "multi_thread")]
async fn restarts_of_either_server_are_survived() {
    let mut pair = Pair::open(Options::default(), Options::default()).await;
    let mut daemon = Daemon::start(&pair.config());
    backfilled(&mut daemon, &pair.shops().await.target).await;
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    seller.sells(20).await;

    for how in [Shutdown::Fast, Shutdown::Immediate] {
        pair.source.restart(how).await.unwrap();
        seller.sells(20).await;
        pair.target.restart(how).await.unwrap();
        seller.sells(20).await;
        settled(&mut daemon, &pair.shops().await).await;
    }
    let (source, target) = (&mut pair.source, &mut pair.target);
    let (one, other) = tokio::join!(
        source.restart(Shutdown::Immediate),
        target.restart(Shutdown::Immediate)
    );
    one.and(other).unwrap();
    seller.sells(20).await;
    seller.stop().await;

    let shops = pair.shops().await;
    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

/// A server that is shut down waits for its walsenders until all is confirmed that they have sent.
/// What is stuck in front of the new shop must not hold up the old one.
#[tokio::test(flavor = "multi_thread")]
async fn the_old_server_can_be_stopped_while_the_new_one_is_stuck() {
    let mut pair = Pair::open(Options::default(), Options::default()).await;
    let mut daemon = Daemon::start(&pair.config());
    let shops = pair.shops().await;
    backfilled(&mut daemon, &shops.target).await;
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    let blocker = pair.target.client("shop").await.unwrap();
    blocker
        .batch_execute("BEGIN; LOCK TABLE cart_line IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    seller.sells(20).await;
    seller.stop().await;
    // The lane is stuck, and nobody has anything to ask the old server any more.
    awaited(
        &shops.target,
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
         AND application_name LIKE 'cartage lane%'",
    )
    .await;
    awaited(
        &shops.source,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cartage refresh'
         AND state = 'idle' AND state_change < now() - interval '1 second'",
    )
    .await;

    let begun = Instant::now();
    pair.source.stop(Shutdown::Fast).await.unwrap();
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(5),
        "the old server took {took:?} to stop"
    );

    blocker.batch_execute("COMMIT").await.unwrap();
    pair.source.resume().await.unwrap();
    let shops = pair.shops().await;
    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

/// Waits until the query counts something.
async fn awaited(client: &Client, sql: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while number(client, sql).await == 0 {
        assert!(Instant::now() < deadline, "waited for {sql}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! Both servers are away for longer: the daemon keeps trying, ever more slowly, and says so.

use std::time::{Duration, Instant};

use cartage::demo::cluster::{Options, Shutdown};

use super::pair::{Pair, assert_equal};
use super::seller::Seller;
use crate::scenario::daemon::Daemon;
use crate::scenario::settled::{backfilled, settled};
use crate::scenario::size::size;

/// Long enough for the pauses to have grown; a minute in the long run.
fn outage() -> Duration {
    Duration::from_secs(size(8, 60))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_outlasts_both_servers() {
    let mut pair = Pair::open(Options::default(), Options::default()).await;
    let mut daemon = Daemon::start(&pair.config());
    backfilled(&mut daemon, &pair.shops().await.target).await;
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    seller.sells(20).await;

    let from = daemon.log().len();
    let (source, target) = (&mut pair.source, &mut pair.target);
    let (one, other) = tokio::join!(
        source.stop(Shutdown::Immediate),
        target.stop(Shutdown::Immediate)
    );
    one.and(other).unwrap();
    let end = Instant::now() + outage();
    while Instant::now() < end {
        assert!(daemon.alive(), "the daemon gave up\n{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let pauses = pauses(&daemon.log()[from..]);
    assert!(pauses.len() >= 4, "{pauses:?}");
    assert!(pauses[0] <= 150, "{pauses:?}");
    assert!(pauses.last() > Some(&1000), "they do not grow: {pauses:?}");
    assert!(pauses.iter().all(|p| *p <= 15_000), "{pauses:?}");
    let refused = format!(
        "source: cannot reach 127.0.0.1:{}: Connection refused (os error 111); is the server up, and \
         the address right?; starting again",
        pair.source.port()
    );
    assert!(daemon.log().contains(&refused), "{}", daemon.log());

    // Before the source there is nothing to be read; after it there is nowhere to put it.
    pair.source.resume().await.unwrap();
    seller.sells(20).await;
    pair.target.resume().await.unwrap();
    seller.sells(20).await;
    seller.stop().await;
    let shops = pair.shops().await;
    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

/// What the daemon says it waits before each attempt, in milliseconds.
fn pauses(log: &str) -> Vec<u64> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|line| line["pause_ms"].as_u64())
        .collect()
}

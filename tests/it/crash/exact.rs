//! One lane and batches of one: each transaction of the storefront that changes a cart is one
//! effect, however often the daemon is killed around it.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cartage::switch::Place;
use fastrand::Rng;

use super::judge::{judge, settle};
use super::process::Visit;
use super::stand::Stand;
use super::storefront::{Habits, Storefront};
use super::tally::Tally;

const PLACES: &[(Place, u64)] = &[
    (Place::Decoded, 60),
    (Place::LedgerRead, 60),
    (Place::BeforeCommit, 60),
    (Place::CommitSent, 60),
    (Place::AfterCommit, 60),
    (Place::BeforeFeedback, 15),
    (Place::AfterFeedback, 15),
];

pub async fn play(pair: &str, seed: u64, rounds: u64) -> Tally {
    let mut rng = Rng::with_seed(seed);
    let mut stand = Stand::new("crash_exact", pair, 1, 1).await;
    let url = stand.shops.source.url.clone();
    let storefront = Storefront::open(&url, seed, Habits::Plain, 120).await;
    // A read folds what happened before it into one effect: all are read before the shop sells.
    let alone = storefront.shared.gate.write().await;
    stand.must(&["setup", "--yes"]).await;
    let mut daemon = stand.start(&["run"], None);
    settle(&stand, &mut daemon).await;
    daemon.kill();
    drop(daemon);
    storefront.shared.backfilled.store(true, Ordering::Relaxed);
    drop(alone);
    for _ in 0..rounds {
        let mut places = PLACES.to_vec();
        rng.shuffle(&mut places);
        for (place, visits) in places {
            let nth = rng.u64(1..=visits);
            let mut daemon = stand.start(&["run"], Some(Visit { place, nth }));
            storefront.open_for(80);
            let provoke = async || {
                storefront.assert_open();
                storefront.open_for(2);
            };
            daemon.dies(provoke).await;
            drop(daemon);
            let mut daemon = stand.start(&["run"], None);
            tokio::time::sleep(Duration::from_millis(rng.u64(..1_000))).await;
            daemon.kill();
            drop(daemon);
            stand.tally.random += 1;
        }
        judge(&stand, &storefront, &BTreeSet::new(), true).await;
    }
    storefront.close().await;
    stand.must(&["teardown", "--yes"]).await;
    stand.count();
    stand.tally
}

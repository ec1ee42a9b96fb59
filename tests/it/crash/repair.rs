//! `setup`, `checkpoint set` and `teardown`, killed at each of their places: the next one, or the
//! daemon, goes on from what was stored. The old shop sells all the while.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cartage::config::Kind;
use cartage::switch::Place;
use fastrand::Rng;

use super::judge::judge;
use super::process::Visit;
use super::stand::Stand;
use super::storefront::{Habits, Storefront};
use super::tally::Tally;
use crate::scenario::play::no_trace;

const SETUP: &[&str] = &["setup", "--yes"];
const TEARDOWN: &[&str] = &["teardown", "--yes"];
const DEADLINE: Duration = Duration::from_secs(120);

/// What is broken for a setup to mend it.
#[derive(Clone, Copy, Debug)]
enum Damage {
    TableUnpublished,
    PublicationDropped,
    SlotDropped,
    SlotAdvanced,
}

use Damage::{PublicationDropped, SlotAdvanced, SlotDropped, TableUnpublished};

/// Played in each run.
const ALWAYS: &[(Damage, Place)] = &[
    (TableUnpublished, Place::LackStored),
    (TableUnpublished, Place::PublicationMade),
    (TableUnpublished, Place::RefreshBegun),
    (PublicationDropped, Place::OldSlotDropped),
    (PublicationDropped, Place::SlotMade),
    (SlotDropped, Place::StartedOver),
];
/// One of them is drawn, and all are played in a run of several rounds.
const ELSE: &[(Damage, Place)] = &[
    (TableUnpublished, Place::StateStored),
    (PublicationDropped, Place::LackStored),
    (PublicationDropped, Place::PublicationMade),
    (PublicationDropped, Place::StartedOver),
    (PublicationDropped, Place::StateStored),
    (SlotDropped, Place::SlotMade),
    (SlotAdvanced, Place::StartedOver),
];

pub async fn play(pair: &str, seed: u64, rounds: u64) -> Tally {
    let mut rng = Rng::with_seed(seed);
    let mut stand = Stand::new("crash_repair", pair, 2, 200).await;
    let url = stand.shops.source.url.clone();
    let storefront = Storefront::open(&url, seed, Habits::All, 120).await;
    first_setup(&stand, &storefront, &mut rng).await;
    let mut cases = ALWAYS.to_vec();
    match rounds {
        1 => cases.push(ELSE[rng.usize(..ELSE.len())]),
        _ => cases.extend(ELSE),
    }
    rng.shuffle(&mut cases);
    for (damage, place) in cases {
        mended(&stand, &storefront, damage, place).await;
    }
    mended_by_hand(&stand, &storefront).await;
    moved_back(&stand, &storefront).await;
    torn_down(&stand, &storefront, &mut rng).await;
    storefront.close().await;
    stand.count();
    stand.tally
}

/// Each setup comes one step further than the one before.
async fn first_setup(stand: &Stand, storefront: &Storefront, rng: &mut Rng) {
    if stand.shops.target.kind == Kind::Mysql {
        let (place, nth) = (Place::TableMade, rng.u64(1..9));
        stand.killed_at(SETUP, Visit { place, nth }).await;
    }
    for place in [
        Place::Migrated,
        Place::Registered,
        Place::PublicationMade,
        Place::SlotMade,
        Place::CheckpointMade,
        Place::StateStored,
    ] {
        stand.killed(SETUP, place).await;
        storefront.sells(3).await;
    }
    stand.must(SETUP).await;
    compare(stand, storefront).await;
}

async fn mended(stand: &Stand, storefront: &Storefront, damage: Damage, place: Place) {
    println!("{damage:?}, killed at {}", place.name());
    damaged(stand, storefront, damage).await;
    stand.killed(SETUP, place).await;
    storefront.sells(5).await;
    stand.must(SETUP).await;
    compare(stand, storefront).await;
}

/// The daemon has seen that a table was not published, an operator mends it and starts the daemon,
/// which is killed when it has begun to read all carts again.
async fn mended_by_hand(stand: &Stand, storefront: &Storefront) {
    damaged(stand, storefront, TableUnpublished).await;
    let status = stand.command(&["run"]).await;
    assert_eq!(status.code(), Some(4), "{}", stand.log());
    storefront.sells(5).await;
    let sql = format!("ALTER PUBLICATION {} ADD TABLE lines", stand.slot());
    stand.shops.source.session.run(&sql).await.unwrap();
    stand.killed(&["run"], Place::RereadBegun).await;
    compare(stand, storefront).await;
}

/// The checkpoint is moved back as far as the slot's log goes.
async fn moved_back(stand: &Stand, storefront: &Storefront) {
    let confirmed = confirmed(stand).await;
    stand.killed(&["run"], Place::AfterCommit).await;
    free(stand).await;
    stand
        .killed(
            &["checkpoint", "set", &confirmed, "--yes"],
            Place::CheckpointMoved,
        )
        .await;
    compare(stand, storefront).await;
}

/// As long as the pipeline's row is there, setup makes all of it again.
async fn torn_down(stand: &Stand, storefront: &Storefront, rng: &mut Rng) {
    for place in [Place::SlotDropped, Place::PublicationDropped] {
        lost(storefront);
        free(stand).await;
        stand.killed(TEARDOWN, place).await;
        storefront.sells(5).await;
        stand.must(SETUP).await;
        compare(stand, storefront).await;
    }
    free(stand).await;
    stand.killed(TEARDOWN, Place::RowsRemoved).await;
    if stand.shops.target.kind == Kind::Mysql {
        let (place, nth) = (Place::TableDropped, rng.u64(1..10));
        stand.killed_at(TEARDOWN, Visit { place, nth }).await;
    }
    stand.must(TEARDOWN).await;
    no_trace(&stand.shops.source, &stand.slot()).await;
    no_trace(&stand.shops.target, &stand.slot()).await;
}

async fn damaged(stand: &Stand, storefront: &Storefront, damage: Damage) {
    free(stand).await;
    lost(storefront);
    let name = stand.slot();
    let sql = match damage {
        TableUnpublished => format!("ALTER PUBLICATION {name} DROP TABLE lines"),
        PublicationDropped => format!("DROP PUBLICATION {name}"),
        SlotDropped => format!("SELECT pg_drop_replication_slot('{name}')"),
        SlotAdvanced => {
            storefront.sells(10).await;
            format!("SELECT pg_replication_slot_advance('{name}', pg_current_wal_flush_lsn())")
        }
    };
    stand.shops.source.session.run(&sql).await.unwrap();
    storefront.sells(15).await;
}

/// A cart whose whole life falls into a time whose log is lost never comes to the new shop.
fn lost(storefront: &Storefront) {
    storefront.shared.backfilled.store(false, Ordering::Relaxed);
}

async fn compare(stand: &Stand, storefront: &Storefront) {
    judge(stand, storefront, &BTreeSet::new(), false).await;
    storefront.shared.backfilled.store(true, Ordering::Relaxed);
}

async fn confirmed(stand: &Stand) -> String {
    let sql = format!(
        "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '{}'",
        stand.slot()
    );
    stand.shops.source.rows(&sql, "the slot").await.remove(0)
}

/// Waits until the server has noticed that the daemon was killed.
async fn free(stand: &Stand) {
    let sql = format!(
        "SELECT active FROM pg_replication_slots WHERE slot_name = '{}' AND active",
        stand.slot()
    );
    let deadline = Instant::now() + DEADLINE;
    while !stand.shops.source.rows(&sql, "the slot").await.is_empty() {
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} for the server to notice a kill"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

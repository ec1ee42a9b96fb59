//! A daemon that follows MySQL or MariaDB is killed again and again while the shop sells, and while
//! either server dies once itself and the source rotates its log: nothing is lost, and nothing done
//! twice.
//!
//! `CARTAGE_SEED` replays what was drawn; when it happens still depends on the machine.
//! `CARTAGE_CRASH_ROUNDS` says how often each place of the daemon has its turn.

mod stand;
mod storefront;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cartage::config::Kind;
use cartage::demo::mysql::Programs;
use cartage::switch::Place;
use fastrand::Rng;

use self::stand::Stand;
use self::storefront::Storefront;
use crate::crash::mortal::Death;
use crate::crash::process::Visit;
use crate::crash::{rounds, seed};

/// What makes the daemon come to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provocation {
    /// The storefront does.
    Sales,
    /// All carts are read again.
    Refresh,
    /// The details of all carts are truncated.
    Truncate,
    /// Lines that the new shop refuses.
    Poison,
}

use Provocation::{Poison, Refresh, Sales, Truncate};

/// With the visits among which the one that kills is drawn.
const PLACES: &[(Place, Provocation, u64)] = &[
    (Place::Decoded, Sales, 40),
    (Place::LedgerRead, Sales, 30),
    (Place::BeforeCommit, Sales, 30),
    (Place::CommitSent, Sales, 30),
    (Place::AfterCommit, Sales, 30),
    (Place::WishCommitted, Sales, 3),
    (Place::WishGranted, Sales, 3),
    (Place::MeetingBegun, Sales, 3),
    (Place::MeetingDone, Sales, 3),
    (Place::BeforeTakeOver, Sales, 1),
    (Place::TakenOver, Sales, 1),
    (Place::Remembered, Sales, 2),
    (Place::Grouped, Sales, 1),
    (Place::PieceDealt, Sales, 1),
    (Place::WindowOpened, Refresh, 4),
    (Place::SnapshotTaken, Refresh, 4),
    (Place::ChunkRead, Refresh, 4),
    (Place::CloseAsked, Refresh, 4),
    (Place::WindowDealt, Refresh, 4),
    (Place::ChunkDurable, Refresh, 4),
    (Place::CursorAdvanced, Refresh, 4),
    (Place::StageWalked, Refresh, 2),
    (Place::StageDone, Refresh, 2),
    (Place::TruncateBegun, Truncate, 1),
    (Place::TruncateChunk, Truncate, 2),
    (Place::Held, Poison, 1),
    (Place::PartCommitted, Poison, 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_into_postgres() {
    play(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_into_mysql() {
    play(Kind::Mysql).await;
}

async fn play(target: Kind) {
    let (seed, rounds) = (seed(), rounds());
    for programs in Programs::all().unwrap() {
        println!("{:?} to {target:?}: CARTAGE_SEED={seed}", programs.flavor);
        between(programs, target, seed, rounds).await;
    }
}

async fn between(programs: Programs, target: Kind, seed: u64, rounds: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut stand = Stand::new(programs, target, &mut rng).await;
    stand.cartage.bounds = "in-memory=40,cleared=100";
    let storefront = Storefront::open(&stand.source.url, seed).await;
    stand.set_up(&mut rng).await;
    for _ in 0..rounds {
        round(&mut stand, &storefront, &mut rng).await;
        stand.judge(&storefront).await;
    }
    let begin = stand.source.end().await;
    storefront.sells(60).await;
    stand.judge(&storefront).await;
    stand.moves_back(begin).await;
    stand.judge(&storefront).await;
    storefront.sells(60).await;
    stand.loses_its_log(&storefront).await;
    stand.judge(&storefront).await;
    println!(
        "{} transactions of the shop",
        storefront.shared.committed.load(Ordering::Relaxed)
    );
    storefront.close().await;
    stand.tear_down(&mut rng).await;
    stand.tally.read(&stand.cartage.places());
    let never = match target {
        Kind::Postgres => &[Place::TableMade, Place::TableDropped][..],
        Kind::Mysql => &[],
    };
    stand.tally.judge(&[never, ELSEWHERE].concat(), rounds);
}

async fn round(stand: &mut Stand, storefront: &Storefront, rng: &mut Rng) {
    let mut places = PLACES.to_vec();
    rng.shuffle(&mut places);
    let mut deaths = deaths(rng);
    for (at, (place, provocation, visits)) in places.into_iter().enumerate() {
        if provocation == Refresh {
            stand.cartage.must(&["refresh", "--all"]).await;
        }
        let nth = rng.u64(1..=visits);
        let looks = Cell::new(0_u64);
        storefront.open_for(80);
        let provoke = async || {
            storefront.assert_open();
            storefront.open_for(2);
            match (provocation, looks.replace(looks.get() + 1)) {
                (Truncate, look) if look % 100 == 40 => storefront.truncate(&stand.source).await,
                (Poison, look) if look % 40 == 20 => storefront.poison(&stand.source).await,
                _ => {}
            }
        };
        let mut daemon = stand.cartage.start(&["run"], Some(Visit { place, nth }));
        daemon.dies(provoke).await;
        storefront.mend(&stand.source).await;
        if at % 3 == 1 {
            let rotate = stand.source.session.run("FLUSH BINARY LOGS").await;
            rotate.unwrap();
        }
        if rng.bool() {
            let mut daemon = stand.cartage.start(&["run"], None);
            tokio::time::sleep(Duration::from_millis(rng.u64(100..900))).await;
            daemon.kill();
            stand.tally.random += 1;
        }
        storefront.open_for(60);
        match deaths.remove(&at) {
            Some(Some(how)) => stand.target_dies(how, rng, storefront).await,
            Some(None) => stand.source_dies(rng).await,
            None => {}
        }
    }
}

/// After which of the kills a server dies: the target's, or the source's.
fn deaths(rng: &mut Rng) -> BTreeMap<usize, Option<Death>> {
    let other = Death::ALL[rng.usize(..Death::ALL.len())];
    let mut moments: Vec<usize> = (0..PLACES.len()).collect();
    rng.shuffle(&mut moments);
    let deaths = [Some(Death::Unheard), Some(other), None];
    moments.into_iter().zip(deaths).collect()
}

/// Places of a Postgres source, those to which the crash matrix alone makes the daemon come, and those
/// of `conflicts::resolve`, `protocol::allocated`, `verify` and `synthetic`.
const ELSEWHERE: &[Place] = &[
    Place::TakeRead,
    Place::Taken,
    Place::RepairRead,
    Place::Repaired,
    Place::KeysAllocated,
    Place::SyntheticBegun,
    Place::SyntheticMade,
    Place::SyntheticChanged,
    Place::SyntheticRemoved,
    Place::BeforeFeedback,
    Place::AfterFeedback,
    Place::HandedOver,
    Place::MappingBegun,
    Place::MappingTouched,
    Place::RereadBegun,
    Place::OldSlotDropped,
    Place::LackStored,
    Place::PublicationMade,
    Place::SlotMade,
    Place::RefreshBegun,
    Place::SlotDropped,
    Place::PublicationDropped,
    Place::VerifyNoted,
    Place::VerifyStage,
];

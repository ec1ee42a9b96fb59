//! The daemon under a storefront that does everything: killed at each place that it comes to while
//! it follows, refreshes, changes its mapping, and meets carts that do not fit.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cartage::switch::Place;
use fastrand::Rng;

use super::judge::judge;
use super::mortal::Death;
use super::process::Visit;
use super::stand::{Stand, UPPER};
use super::storefront::{Habits, Storefront};
use super::tally::Tally;

/// What makes the daemon come to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provocation {
    /// The storefront does.
    Sales,
    /// All carts are read again.
    Refresh,
    /// The perks of all carts are truncated.
    Truncate,
    /// All open carts change in one transaction.
    Announcement,
    /// Lines that the new shop refuses.
    Poison,
    /// A cart is sold in the new shop.
    Sale,
    /// The mapping has changed.
    Mapping,
}

const DEADLINE: Duration = Duration::from_secs(300);

use Provocation::{Announcement, Mapping, Poison, Refresh, Sale, Sales, Truncate};

/// With the visits among which the one that kills is drawn.
const PLACES: &[(Place, Provocation, u64)] = &[
    (Place::Decoded, Sales, 60),
    (Place::LedgerRead, Sales, 40),
    (Place::BeforeCommit, Sales, 40),
    (Place::CommitSent, Sales, 40),
    (Place::AfterCommit, Sales, 40),
    (Place::BeforeFeedback, Sales, 15),
    (Place::AfterFeedback, Sales, 15),
    (Place::WishCommitted, Sales, 3),
    (Place::WishGranted, Sales, 3),
    (Place::MeetingBegun, Sales, 4),
    (Place::MeetingDone, Sales, 4),
    (Place::BeforeTakeOver, Sales, 1),
    (Place::TakenOver, Sales, 1),
    (Place::WindowOpened, Refresh, 5),
    (Place::SnapshotTaken, Refresh, 5),
    (Place::ChunkRead, Refresh, 5),
    (Place::CloseAsked, Refresh, 5),
    (Place::WindowDealt, Refresh, 5),
    (Place::ChunkDurable, Refresh, 4),
    (Place::CursorAdvanced, Refresh, 4),
    (Place::StageWalked, Refresh, 2),
    (Place::StageDone, Refresh, 2),
    (Place::TruncateBegun, Truncate, 1),
    (Place::TruncateChunk, Truncate, 2),
    (Place::Grouped, Announcement, 1),
    (Place::PieceDealt, Announcement, 1),
    (Place::Held, Poison, 2),
    (Place::PartCommitted, Poison, 2),
    (Place::HandedOver, Sale, 1),
    (Place::MappingStored, Mapping, 1),
    (Place::MappingBegun, Mapping, 1),
    (Place::MappingInForce, Mapping, 1),
    // How many chunks there are depends on how much was sold.
    (Place::MappingTouched, Mapping, 1),
];

pub async fn play(pair: &str, seed: u64, rounds: u64) -> Tally {
    let mut rng = Rng::with_seed(seed);
    let mut stand = Stand::mortal("crash_load", pair, 4, 200).await;
    stand.bound("in-memory=40,cleared=100");
    let url = stand.shops.source.url.clone();
    let storefront = Storefront::open(&url, seed, Habits::All, 180).await;
    let mut sold = Sold::default();
    stand.must(&["setup", "--yes"]).await;
    stand.killed(&["run"], Place::BackfillBegun).await;
    for _ in 0..rounds {
        let mut places = PLACES.to_vec();
        rng.shuffle(&mut places);
        let mut deaths = deaths(&mut rng);
        for (at, (place, provocation, visits)) in places.into_iter().enumerate() {
            let nth = rng.u64(1..=visits);
            let kill = Visit { place, nth };
            match provocation {
                Mapping => {
                    // A walk that is still going on would bring the new mapping along, and a change
                    // that no daemon has made yet would be taken back.
                    walked(&stand, &storefront).await;
                    stand.upper = !stand.upper;
                    stand.configure();
                }
                Refresh => stand.must(&["refresh", "--all"]).await,
                Sale => sold.sell(&stand, &storefront).await,
                Sales | Truncate | Announcement | Poison => {}
            }
            storefront.open_for(80);
            let looks = Cell::new(0_u64);
            let provoke = async || {
                storefront.assert_open();
                storefront.open_for(2);
                let look = looks.replace(looks.get() + 1);
                match provocation {
                    Poison if look.is_multiple_of(40) => {
                        storefront.shared.poison.store(2, Ordering::Relaxed)
                    }
                    Truncate if look % 100 == 40 => {
                        storefront.truncate(&stand.shops.source.session).await;
                    }
                    Announcement if look % 100 == 40 => {
                        let note = format!("sale {look}");
                        storefront
                            .announce(&stand.shops.source.session, &note)
                            .await;
                    }
                    _ => {}
                }
            };
            stand.start(&["run"], Some(kill)).dies(provoke).await;
            if rng.bool() {
                let mut daemon = stand.start(&["run"], None);
                tokio::time::sleep(Duration::from_millis(rng.u64(..1_000))).await;
                daemon.kill();
                drop(daemon);
                stand.tally.random += 1;
            }
            if let Some(how) = deaths.remove(&at) {
                let sales = async || {
                    storefront.assert_open();
                    storefront.open_for(2);
                };
                stand.target_dies(how, &mut rng, sales).await;
            }
            note_backfill(&stand, &storefront).await;
            if at == PLACES.len() / 2 {
                judge(&stand, &storefront, &sold.carts, false).await;
            }
        }
        judge(&stand, &storefront, &sold.carts, false).await;
        sold.are_as_they_were(&stand).await;
    }
    storefront.close().await;
    stand.must(&["teardown", "--yes"]).await;
    stand.count();
    stand.tally
}

/// How the target's server dies, and after which of the kills: unheard each time.
fn deaths(rng: &mut Rng) -> BTreeMap<usize, Death> {
    let other = Death::ALL[rng.usize(..Death::ALL.len())];
    let mut moments: Vec<usize> = (0..PLACES.len()).collect();
    rng.shuffle(&mut moments);
    moments.into_iter().zip([Death::Unheard, other]).collect()
}

/// Lets the daemon put the mapping in force that it is configured with, and finish its walks.
async fn walked(stand: &Stand, storefront: &Storefront) {
    let other = if stand.upper { "NOT LIKE" } else { "LIKE" };
    let sql = format!(
        "SELECT (SELECT count(*) FROM cartage.refresh_run WHERE finished_at IS NULL)
              + (SELECT count(*) FROM cartage.pipeline AS this
                 JOIN cartage.mapping AS in_force ON in_force.id = this.mapping
                 WHERE in_force.config {other} '%{UPPER}%')"
    );
    let mut daemon = stand.start(&["run"], None);
    let deadline = Instant::now() + DEADLINE;
    while stand.shops.target.number(&sql).await > 0 {
        storefront.assert_open();
        daemon.assert_alive();
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} for the walks to end\n{}",
            stand.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    daemon.kill();
}

async fn note_backfill(stand: &Stand, storefront: &Storefront) {
    let sql = "SELECT count(*) FROM cartage.refresh_run
               WHERE kind = 'backfill' AND finished_at IS NOT NULL";
    if stand.shops.target.number(sql).await > 0 {
        storefront.shared.backfilled.store(true, Ordering::Relaxed);
    }
}

/// Carts that the new shop has sold, in which the old shop had no part any more.
#[derive(Default)]
struct Sold {
    carts: BTreeSet<i64>,
    as_sold: Vec<String>,
}

impl Sold {
    /// A cart comes to the new shop, is bought there, and then changed in the old one.
    async fn sell(&mut self, stand: &Stand, storefront: &Storefront) {
        let (cart, line) = (storefront.shared.number(), storefront.shared.number());
        let source = &stand.shops.source.session;
        source
            .run(&format!(
                "BEGIN; INSERT INTO carts VALUES ({cart}, 'sold-{cart}', NULL, 'EUR');
                 INSERT INTO lines VALUES ({line}, {cart}, 'SKU-1', 1, 2.5); COMMIT"
            ))
            .await
            .unwrap();
        self.carts.insert(cart);
        let mut daemon = stand.start(&["run"], None);
        let there = format!("SELECT count(*) FROM cart_line WHERE source_id = {line}");
        while stand.shops.target.number(&there).await == 0 {
            daemon.assert_alive();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        daemon.kill();
        let target = &stand.shops.target.session;
        target
            .run(&format!(
                "UPDATE cart SET completed_at = now(), version = version + 1 WHERE source_id = {cart}"
            ))
            .await
            .unwrap();
        source
            .run(&format!("UPDATE lines SET quantity = 2 WHERE id = {line}"))
            .await
            .unwrap();
        self.as_sold.extend(look(stand, cart).await);
    }

    async fn are_as_they_were(&self, stand: &Stand) {
        let mut now = Vec::new();
        for cart in &self.carts {
            now.extend(look(stand, *cart).await);
        }
        assert_eq!(self.as_sold, now, "what the new shop sold was changed");
    }
}

async fn look(stand: &Stand, cart: i64) -> Vec<String> {
    let header = format!("SELECT * FROM cart WHERE source_id = {cart}");
    let lines = format!(
        "SELECT cart_line.* FROM cart_line JOIN cart ON cart.id = cart_id
         WHERE cart.source_id = {cart}"
    );
    let mut rows = stand.shops.target.rows(&header, "a sold cart").await;
    assert_eq!(rows.len(), 1, "sold carts of this number: {rows:?}");
    rows.extend(stand.shops.target.rows(&lines, "its lines").await);
    rows
}

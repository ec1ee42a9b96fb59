//! `cartage demo --drift`: carts of the new shop are changed behind cartage's back while customers of
//! both shops write and the daemon is killed. What `cartage verify` finds is held against what was done,
//! and what its repair leaves against what both shops' customers meant.

mod cast;
mod injector;
mod judge;
mod kinds;
mod new_shop;
mod old_shop;
mod repair;
pub mod report;
mod stage;
mod verification;

use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, interval, sleep};

pub use self::injector::flipped;
pub use self::verification::named;

use self::cast::{Cast, Known, deal};
use self::injector::Injector;
use self::kinds::Kind;
use self::new_shop::Customers;
use self::report::{Report, Run};
use self::stage::{Kills, Stage};
use super::DemoError;
use super::comparison::sabotage;
use super::daemon::Daemon;
use super::screen::Screen;
use super::shops::{Ground, Shops};
use super::storefront::{Pace, Storefront};
use super::watch::Watch;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;

/// What to show.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program to run as daemon: usually this one.
    pub program: PathBuf,
    pub ground: Ground,
    pub carts: u32,
    /// Carts that are to drift, one drift each.
    pub drifts: u32,
    /// Of the old shop's customers.
    pub pace: Pace,
    /// For which carts drift while both shops are open.
    pub open_for: Duration,
    /// One more row is changed after the repair, which the judge must see.
    pub sabotage: bool,
}

/// All differences, however many there are.
const ALL: [&str; 3] = ["--json", "--limit", "1000000"];
/// How long bought and deleted carts may take to leave the new shop.
const LEAVING: Duration = Duration::from_secs(60);
/// Between two visits of one customer to the new shop.
const PAUSE: Duration = Duration::from_millis(40);
/// So often the daemon is killed while it is verified, or repairs: in between the log must get on.
const AT_WORK: Kills = Kills {
    every: Duration::from_millis(1_500),
    most: 3,
};

/// Runs the demo; the shops are left running, quiet, for who wants to look at them.
pub async fn run(plan: &Plan, screen: &Screen) -> Result<(Report, Shops), DemoError> {
    let started = Instant::now();
    let seed = plan.pace.seed;
    screen.step(&format!(
        "{}, and an old shop with {} carts (seed {seed})",
        plan.ground, plan.carts
    ));
    let shops = Shops::open(plan.ground.clone(), plan.carts).await?;
    let old = shops.old.session().await?;
    let mut rng = Rng::with_seed(seed);
    let cast = deal(live_carts(&old).await?, plan.drifts as usize, &mut rng);
    let storefront = Storefront::over(&shops, plan.pace, &cast.moving).await?;
    screen.step("The storefront is open; `cartage setup`, then `cartage run`");
    let daemon = Daemon::set_up(plan.program.clone(), &shops.configuration()).await?;
    let watch = Watch::open(&shops).await?;
    let mut stage = Stage::new(watch, daemon, screen, storefront, rng);
    stage.daemon.start()?;
    stage
        .until("the backfill to end", |sight| sight.backfill_finished)
        .await?;

    let mut injector = Injector::new(shops.new.session().await?, seed);
    leave(&mut stage, &cast, &old, &mut injector).await?;
    screen.step("The new shop is open too, and carts drift behind cartage's back");
    let newcomers = Customers::open(&shops.new, &cast.new, seed, PAUSE, false).await?;
    let kills = Kills {
        every: plan.open_for / 4,
        most: 4,
    };
    let drifting = drift(plan.open_for, &cast, &old, &mut injector);
    stage.amid_kills(kills, drifting).await?;
    for drift in cast.drifting.iter().filter(|drift| drift.returns) {
        old_shop::note(&old, &drift.carts[0]).await?;
    }

    let injected = injector.noted();
    screen.step(&format!(
        "{} carts have drifted: `cartage verify`, while customers write",
        injected.len()
    ));
    let before = stage.transactions();
    let verification = stage.ask("verify", &ALL)?;
    let (verified, kills_in_verification) = stage.amid_kills(AT_WORK, verification).await?;
    let transactions_in_verification = stage.transactions() - before;
    let found = verification::hold_against(injected, &verified);
    found
        .examples
        .iter()
        .for_each(|example| screen.step(example));

    screen.step(&format!(
        "{} carts were found; `cartage verify --repair --yes`",
        found.found
    ));
    let visited = cast.drifting.iter().filter(|drift| drift.visited);
    let visited: Vec<Known> = visited.flat_map(|drift| drift.carts.clone()).collect();
    let visitors = Customers::open(&shops.new, &visited, seed ^ 1, PAUSE, true).await?;
    let command = stage.ask("verify", &repair::ARGUMENTS)?;
    let session = shops.new.session().await?;
    let repairing = async move {
        command.await?;
        repair::finished(&session).await
    };
    let ((), kills_in_repair) = stage.amid_kills(AT_WORK, repairing).await?;

    screen.step("Both shops close; the daemon applies the rest and is asked to stop");
    let mut written = newcomers.close().await?;
    written.extend(visitors.close().await?);
    stage.close_storefront().await?;
    stage.drain().await?;
    stage.daemon.terminate().await?;
    let new = stage.watch.new_shop();
    if plan.sabotage {
        let changed = sabotage(new).await?;
        screen.step(&format!(
            "Sabotage: {changed} line of the new shop changed behind cartage's back"
        ));
    }
    screen.step("Every cart of both shops is read, and compared in every column");
    let carts = [&*cast.new, &*visited].concat();
    let judgement = judge::judge(&old, new, injected, &carts, &written).await?;
    let examples = &judgement.comparison.examples;
    examples.iter().for_each(|example| screen.step(example));
    let run = Run {
        injected,
        verified: &verified,
        found,
        repaired: repair::outcome(new).await?,
        judgement,
        written: &written,
        kills: stage.kills,
        kills_in_verification,
        kills_in_repair,
        transactions: stage.transactions(),
        transactions_in_verification,
        took: started.elapsed(),
    };
    Ok((Report::new(run, plan, &shops), shops))
}

async fn live_carts(old: &Target) -> Result<Vec<Known>, TargetError> {
    let sql = "SELECT orders.id, token, count(line_items.id)
               FROM orders LEFT JOIN line_items ON order_id = orders.id
               WHERE state = 'cart' AND token NOT LIKE 'probe-%'
               GROUP BY orders.id, token ORDER BY orders.id";
    let rows = old.query(sql, &[]).await?;
    let known = |row: &Row| {
        Ok(Known {
            id: row.get(0)?,
            token: row.get(1)?,
            lines: row.get(2)?,
        })
    };
    rows.iter().map(known).collect()
}

/// Some carts are bought or deleted in the old shop, and cartage brings that over, before they come
/// back in the new one.
async fn leave(
    stage: &mut Stage<'_>,
    cast: &Cast,
    old: &Target,
    injector: &mut Injector,
) -> Result<(), DemoError> {
    let of = |kind: Kind| {
        let drifting = cast.drifting.iter().filter(move |drift| drift.kind == kind);
        drifting.flat_map(|drift| &drift.carts)
    };
    let all = cast.drifting.iter().flat_map(|drift| &drift.carts);
    injector.meet(all).await?;
    injector.keep(of(Kind::RevivedDeleted)).await?;
    for cart in of(Kind::ReopenedEnded) {
        old_shop::buy(old, cart).await?;
    }
    for cart in of(Kind::RevivedDeleted) {
        old_shop::delete(old, cart).await?;
    }
    stage.catch_up().await?;
    // Of MySQL a deleted cart is read before it is given up, which may come after its commit.
    let begun = Instant::now();
    let (bought, deleted) = (of(Kind::ReopenedEnded), of(Kind::RevivedDeleted));
    let (bought, deleted): (Vec<_>, Vec<_>) = (bought.collect(), deleted.collect());
    while injector.are_live(&bought, &deleted).await? {
        if begun.elapsed() > LEAVING {
            return Err(DemoError::Deadline("carts to leave the new shop"));
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Lets all drift that is to, spread over the time. Customers of the old shop come by at carts of the new
/// one meanwhile.
async fn drift(
    within: Duration,
    cast: &Cast,
    old: &Target,
    injector: &mut Injector,
) -> Result<(), DemoError> {
    let pause = within / (cast.drifting.len().max(1) as u32);
    let mut ticks = interval(pause.max(Duration::from_millis(1)));
    for (n, drift) in cast.drifting.iter().enumerate() {
        ticks.tick().await;
        injector.inject(drift).await?;
        if let Some(cart) = cast.new.get(n).filter(|_| n % 3 == 0) {
            old_shop::address(old, cart).await?;
        }
    }
    Ok(())
}

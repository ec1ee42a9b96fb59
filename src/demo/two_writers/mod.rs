//! `cartage demo --two-writers`: customers of the old and of the new shop change the same carts, while
//! the daemon between them merges and is killed.

mod choice;
mod evidence;
mod judge;
mod new_shop;
mod old_shop;
pub mod report;
mod trouble;
mod writers;

use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep};

use self::report::{Report, Run};
use self::trouble::Trouble;
use self::writers::{Side, Writers};
use super::DemoError;
use super::daemon::Daemon;
use super::kind::Kind;
use super::run::Patience;
use super::screen::Screen;
use super::shops::{Ground, Shops};
use super::watch::{Sight, Watch};
use crate::params;

/// What to show.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program to run as daemon: usually this one.
    pub program: PathBuf,
    pub ground: Ground,
    /// Carts that customers of both shops change.
    pub hot_carts: u32,
    pub seed: u64,
    /// Transactions per second in either shop.
    pub rate: u32,
    /// Changes of a quantity in either shop, at least.
    pub changes: u64,
    /// How long the shops stay open, at least.
    pub open_for: Duration,
    pub kills: u32,
    pub sabotage: bool,
    /// The new shop locks rows in another order than cartage, and breaks some of its writes off.
    pub trouble: bool,
}

/// Carts `1..=hot` and `hot + 1..=hot + edges`.
#[derive(Debug, Clone, Copy)]
pub struct Carts {
    hot: i64,
    edges: i64,
}

const EDGES: i64 = 60;
const DEADLINE: Duration = Duration::from_secs(90);
/// However slow the machine, the shops are open no longer than this.
const LONGEST: Duration = Duration::from_secs(1_200);
/// Log that must be waiting before a kill counts as one with lag.
const LAG_TO_KILL_IN: u64 = 8 * 1024;

#[derive(Debug, Clone, Copy, Default)]
pub struct Kills {
    pub total: u32,
    pub with_lag: u32,
}

/// Runs the demo; the shops are left running, quiet, for who wants to look at them.
pub async fn run(plan: &Plan, screen: &Screen) -> Result<(Report, Shops), DemoError> {
    let started = Instant::now();
    let carts = Carts {
        hot: i64::from(plan.hot_carts),
        edges: EDGES,
    };
    screen.step(&format!(
        "{}, and an old shop with {} hot carts (seed {})",
        plan.ground, plan.hot_carts, plan.seed
    ));
    let shops = open(plan, carts).await?;
    let configuration = shops.configured(include_str!("pipeline.toml"));
    let daemon = Daemon::set_up(plan.program.clone(), &configuration).await?;
    let mut stage = Stage {
        watch: Watch::open(&shops).await?,
        daemon,
        screen,
        kills: Kills::default(),
        transactions: 0,
    };
    stage.daemon.start()?;
    stage
        .until("the backfill to end", |sight| sight.backfill_finished)
        .await?;
    screen.step("Both shops are open, and their customers change the same carts");
    let trouble = match plan.trouble {
        true => Some(Trouble::begin(&shops, carts, plan.seed).await?),
        false => None,
    };
    let opened = Instant::now();
    let (seed, rate) = (plan.seed, plan.rate);
    let old = Writers::open(Side::Old, &shops.old, carts, seed, rate).await?;
    let new = Writers::open(Side::New, &shops.new, carts, seed, rate).await?;
    stage.kill_until_enough(plan, opened, &old, &new).await?;
    screen.step("Both shops close; the daemon merges the rest and is asked to stop");
    let (old, new) = (old.close().await?, new.close().await?);
    let troubles = match trouble {
        Some(trouble) => Some(trouble.end().await?),
        None => None,
    };
    let opened_for = opened.elapsed();
    stage.drain().await?;
    stage.daemon.terminate().await?;

    let Stage { watch, kills, .. } = stage;
    if plan.sabotage {
        let changed = judge::sabotage(watch.new_shop(), carts).await?;
        screen.step(&format!(
            "Sabotage: {changed} line of the new shop changed behind cartage's back"
        ));
    }
    screen.step("What customers meant in both shops is added up, and compared with every cart");
    let judgement = judge::judge(watch.old_shop(), watch.new_shop(), carts).await?;
    for example in &judgement.examples {
        screen.step(example);
    }
    let run = Run {
        judgement,
        evidence: evidence::read(watch.new_shop()).await?,
        kills,
        old: &old,
        new: &new,
        troubles,
        opened_for,
        took: started.elapsed(),
    };
    Ok((Report::new(run, plan, &shops), shops))
}

async fn open(plan: &Plan, carts: Carts) -> Result<Shops, DemoError> {
    let shops = Shops::start(plan.ground.clone()).await?;
    let (tables, data) = match shops.old.about.kind {
        Kind::Postgres => (
            include_str!("postgres/old_shop.sql"),
            include_str!("postgres/old_shop_data.sql"),
        ),
        Kind::Mariadb | Kind::Mysql => (
            include_str!("mysql/old_shop.sql"),
            include_str!("mysql/old_shop_data.sql"),
        ),
    };
    shops.old.run(tables).await?;
    let all = (carts.hot + carts.edges).to_string();
    shops.old.run(&data.replace("$CARTS", &all)).await?;
    let tables = match shops.new.about.kind {
        Kind::Postgres => include_str!("postgres/new_shop.sql"),
        Kind::Mariadb | Kind::Mysql => include_str!("mysql/new_shop.sql"),
    };
    shops.new.run(tables).await?;
    Ok(shops)
}

struct Stage<'a> {
    watch: Watch,
    daemon: Daemon,
    screen: &'a Screen,
    kills: Kills,
    /// Of both shops, as last seen.
    transactions: u64,
}

impl Stage<'_> {
    /// Kills the daemon so often while both shops do what they were to do. Every other
    /// time customers hurry first, so that there is lag; and now and then it is down for a while.
    async fn kill_until_enough(
        &mut self,
        plan: &Plan,
        opened: Instant,
        old: &Writers,
        new: &Writers,
    ) -> Result<(), DemoError> {
        let mut rng = Rng::with_seed(plan.seed);
        let enough = |kills: Kills| {
            kills.total >= plan.kills
                && opened.elapsed() >= plan.open_for
                && old.tally().changes().min(new.tally().changes()) >= plan.changes
        };
        let calm = plan.open_for / (plan.kills + 2);
        while !enough(self.kills) {
            if opened.elapsed() > LONGEST {
                return Err(DemoError::Deadline(
                    "enough changes in both shops; give a higher --rate or fewer --transactions",
                ));
            }
            let end = Instant::now() + calm.mul_f64(0.5 + rng.f64() / 2.0);
            while Instant::now() < end && !enough(self.kills) {
                self.transactions = old.tally().transactions() + new.tally().transactions();
                self.glance().await?;
                sleep(Duration::from_millis(50)).await;
            }
            if self.kills.total >= plan.kills {
                continue;
            }
            if self.kills.total % 2 == 1 {
                old.hurry();
                new.hurry();
                let begin = Instant::now();
                self.until("the log to grow", |sight| {
                    sight.lag() > LAG_TO_KILL_IN || begin.elapsed() > Duration::from_secs(2)
                })
                .await?;
            }
            self.kill(Duration::from_millis(rng.u64(0..600))).await?;
        }
        Ok(())
    }

    async fn kill(&mut self, down: Duration) -> Result<(), DemoError> {
        let before = self.watch.look().await?;
        self.daemon.kill().await?;
        // What counts is what the dead daemon had not made durable of the log as it was before.
        let after = self.watch.look().await?;
        let lag = before.written.saturating_sub(after.applied);
        self.kills.total += 1;
        self.kills.with_lag += u32::from(lag > LAG_TO_KILL_IN);
        self.screen.step(&format!(
            "SIGKILL {lag} bytes behind the old shop's log, and down for {} ms",
            down.as_millis()
        ));
        sleep(down).await;
        self.daemon.start()
    }

    /// Waits until all of the old shop's log is in the new one, and no cart waits to be read or tried.
    async fn drain(&mut self) -> Result<(), DemoError> {
        let end = self.watch.written().await?;
        let mut held_since = None;
        let mut patience = Patience::new(DEADLINE);
        loop {
            self.watch.tick().await?;
            let sight = self.glance().await?;
            if sight.applied >= end && sight.wishes == 0 {
                // What is held now was set aside while it was written; it is tried again by itself.
                let since = *held_since.get_or_insert_with(Instant::now);
                let held = self.watch.new_shop();
                let held: i64 = held
                    .one("SELECT count(*) FROM cartage.held", params![])
                    .await?
                    .get(0)?;
                if held == 0 || since.elapsed() > DEADLINE {
                    return Ok(());
                }
            } else if patience.is_over(&sight) {
                return Err(DemoError::Deadline(
                    "the daemon to apply the rest of the log",
                ));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn until(
        &mut self,
        what: &'static str,
        met: impl Fn(&Sight) -> bool,
    ) -> Result<Sight, DemoError> {
        let mut patience = Patience::new(DEADLINE);
        loop {
            let sight = self.glance().await?;
            if met(&sight) {
                return Ok(sight);
            }
            if patience.is_over(&sight) {
                return Err(DemoError::Deadline(what));
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    async fn glance(&mut self) -> Result<Sight, DemoError> {
        self.daemon.check_alive()?;
        let sight = self.watch.look().await?;
        self.screen.live(&sight, self.transactions);
        Ok(sight)
    }
}

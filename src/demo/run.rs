//! The demo from beginning to end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::DemoError;
use super::comparison::{compare, sabotage};
use super::daemon::Daemon;
use super::probe::{Condition, Probe};
use super::report::{Kills, Report, Stretch};
use super::screen::Screen;
use super::shops::{Ground, Shops};
use super::storefront::{Pace, Storefront};
use super::watch::{Sight, Watch};

/// What to show.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program to run as daemon: usually this one.
    pub program: PathBuf,
    pub ground: Ground,
    pub carts: u32,
    pub pace: Pace,
    /// How many the storefront commits, at least.
    pub transactions: u64,
    /// How long the storefront stays open, at least.
    pub open_for: Duration,
    pub sabotage: bool,
}

const BACKFILL_DEADLINE: Duration = Duration::from_secs(90);
const CATCH_UP_DEADLINE: Duration = Duration::from_secs(60);
const KILLS_WITH_LAG: u32 = 3;
const KILL_ATTEMPTS: u32 = 6;
/// Calm between two kills, in which the steady delay is measured.
const CALM: Duration = Duration::from_secs(4);
/// Log that must be waiting before a kill counts as one with lag.
const LAG_TO_KILL_IN: u64 = 8 * 1024;

/// Runs the demo; the shops are left running, quiet, for who wants to look at them.
pub async fn run(plan: &Plan, screen: &Screen) -> Result<(Report, Shops), DemoError> {
    let started = Instant::now();
    screen.step(&format!(
        "{}, and an old shop with {} carts (seed {})",
        plan.ground, plan.carts, plan.pace.seed
    ));
    let shops = Shops::open(plan.ground.clone(), plan.carts).await?;
    let storefront = Storefront::open(&shops, plan.pace).await?;
    let opened = Instant::now();
    screen.step("The storefront is open; `cartage setup`, then `cartage run`");
    let daemon = Daemon::set_up(plan.program.clone(), &shops.configuration()).await?;
    let condition = Arc::new(Condition::new());
    let probe = Probe::start(&shops, Arc::clone(&condition)).await?;
    let mut stage = Stage {
        watch: Watch::open(&shops).await?,
        daemon,
        storefront: &storefront,
        condition,
        screen,
        kills: Kills::default(),
    };

    stage.daemon.start()?;
    stage.kill_in_backfill().await?;
    let backfilled = stage.finish_backfill().await?;
    let following = Instant::now();
    let mut attempts = 0;
    while stage.kills.with_lag < KILLS_WITH_LAG && attempts < KILL_ATTEMPTS {
        attempts += 1;
        stage.calm(CALM).await?;
        stage.kill_with_lag().await?;
    }
    stage
        .calm(plan.open_for.saturating_sub(opened.elapsed()))
        .await?;
    stage.enough(plan.transactions).await?;

    screen.step("The storefront closes; the daemon applies the rest and is asked to stop");
    stage.condition.set_steady(false);
    probe.stop_writing().await;
    let Stage {
        watch,
        daemon,
        kills,
        ..
    } = &mut stage;
    let (kills, opened_for) = (*kills, opened.elapsed());
    let transactions = storefront.transactions();
    let end = drain(watch, daemon, screen, storefront).await?;
    let followed_for = following.elapsed();
    daemon.terminate().await?;

    if plan.sabotage {
        let changed = sabotage(watch.new_shop()).await?;
        screen.step(&format!(
            "Sabotage: {changed} line of the new shop changed behind cartage's back"
        ));
    }
    screen.step("Every cart of both shops is read, and compared in every column");
    let comparison = compare(watch.old_shop(), watch.new_shop()).await?;
    for example in &comparison.examples {
        screen.step(example);
    }
    let report = Report::new(
        comparison,
        kills,
        probe.delays().await,
        transactions,
        [
            Stretch::new(
                "backfill",
                backfilled.backfilled_rows,
                backfilled.backfill_seconds,
            ),
            Stretch::new(
                "stream",
                end.rows_applied - backfilled.rows_applied,
                followed_for.as_secs_f64(),
            ),
        ],
        end.rows_applied,
        opened_for,
        started.elapsed(),
        plan,
        &shops,
    );
    Ok((report, shops))
}

/// Waits until all that the old shop's log holds is in the new one.
async fn drain(
    watch: &Watch,
    daemon: &mut Daemon,
    screen: &Screen,
    storefront: Storefront,
) -> Result<Sight, DemoError> {
    let transactions = storefront.close().await?;
    let end = watch.written().await?;
    let mut patience = Patience::new(CATCH_UP_DEADLINE);
    loop {
        watch.tick().await?;
        let sight = watch.look().await?;
        screen.live(&sight, transactions);
        if sight.applied >= end && sight.wishes == 0 {
            return Ok(sight);
        }
        daemon.check_alive()?;
        if patience.is_over(&sight) {
            return Err(DemoError::Deadline(
                "the daemon to apply the rest of the log and to read what it wished",
            ));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// A wait is in vain once nothing has moved for its time: a slow machine is no failure.
pub(super) struct Patience {
    within: Duration,
    begun: Instant,
    moved: Instant,
    last: (i64, i64, i64),
}

impl Patience {
    /// What moves without an end is not what was waited for.
    const LONGEST: u32 = 10;

    pub(super) fn new(within: Duration) -> Self {
        let now = Instant::now();
        Self {
            within,
            begun: now,
            moved: now,
            last: (0, 0, 0),
        }
    }

    pub(super) fn is_over(&mut self, sight: &Sight) -> bool {
        let now = (sight.backfilled_rows, sight.rows_applied, sight.wishes);
        if std::mem::replace(&mut self.last, now) != now {
            self.moved = Instant::now();
        }
        self.moved.elapsed() > self.within || self.begun.elapsed() > self.within * Self::LONGEST
    }
}

struct Stage<'a> {
    watch: Watch,
    daemon: Daemon,
    storefront: &'a Storefront,
    condition: Arc<Condition>,
    screen: &'a Screen,
    kills: Kills,
}

impl Stage<'_> {
    async fn kill_in_backfill(&mut self) -> Result<(), DemoError> {
        let sight = self
            .until("the backfill to begin", BACKFILL_DEADLINE, |sight| {
                sight.in_backfill() || sight.backfill_finished
            })
            .await?;
        if sight.backfill_finished {
            self.screen
                .step("The backfill was over before it could be killed");
            return Ok(());
        }
        self.daemon.kill().await?;
        let after = self.watch.look().await?;
        self.kills.total += 1;
        self.kills.in_backfill += u32::from(after.in_backfill());
        self.screen.step(&format!(
            "SIGKILL in the backfill, {} carts done; it goes on where it was",
            after.backfilled
        ));
        self.daemon.start()
    }

    async fn finish_backfill(&mut self) -> Result<Sight, DemoError> {
        let sight = self
            .until("the backfill to end", BACKFILL_DEADLINE, |sight| {
                sight.backfill_finished
            })
            .await?;
        self.screen.step(&format!(
            "The backfill has ended, {} carts in {:.1} s; cartage follows",
            sight.backfilled, sight.backfill_seconds
        ));
        self.catch_up().await?;
        Ok(sight)
    }

    /// Many carts expire at once, and while their changes are on the way the daemon is killed.
    async fn kill_with_lag(&mut self) -> Result<(), DemoError> {
        self.condition.set_steady(false);
        self.storefront.expire();
        let begin = Instant::now();
        let before = self
            .until("the log to grow", CATCH_UP_DEADLINE, |sight| {
                sight.lag() > LAG_TO_KILL_IN || begin.elapsed() > Duration::from_secs(2)
            })
            .await?;
        self.daemon.kill().await?;
        // What counts is what the dead daemon had not made durable of the log as it was before.
        let after = self.watch.look().await?;
        let lag = before.written.saturating_sub(after.applied);
        self.kills.total += 1;
        self.kills.with_lag += u32::from(lag > 0);
        self.screen
            .step(&format!("SIGKILL {lag} bytes behind the old shop's log"));
        self.daemon.start()?;
        self.catch_up().await
    }

    /// Waits until the daemon passes the end of a log that goes on growing, within a moment.
    async fn catch_up(&mut self) -> Result<(), DemoError> {
        for _ in 0..5 {
            let begin = Instant::now();
            let end = self.watch.written().await?;
            self.until("the daemon to catch up", CATCH_UP_DEADLINE, |sight| {
                sight.applied >= end
            })
            .await?;
            if begin.elapsed() < Duration::from_millis(250) {
                break;
            }
        }
        self.condition.set_steady(true);
        Ok(())
    }

    async fn calm(&mut self, time: Duration) -> Result<(), DemoError> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.glance().await?;
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn enough(&mut self, transactions: u64) -> Result<(), DemoError> {
        let deadline = Instant::now() + CATCH_UP_DEADLINE;
        while self.storefront.transactions() < transactions {
            if Instant::now() > deadline {
                return Err(DemoError::Deadline(
                    "enough transactions; give a higher --rate or fewer --transactions",
                ));
            }
            self.calm(Duration::from_millis(200)).await?;
        }
        Ok(())
    }

    async fn until(
        &mut self,
        what: &'static str,
        within: Duration,
        met: impl Fn(&Sight) -> bool,
    ) -> Result<Sight, DemoError> {
        let mut patience = Patience::new(within);
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
        self.screen.live(&sight, self.storefront.transactions());
        Ok(sight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_move_is_waited_for_in_vain() {
        let within = Duration::from_millis(40);
        let mut patience = Patience::new(within);
        let mut sight = Sight::default();
        for _ in 0..6 {
            std::thread::sleep(within / 2);
            sight.backfilled_rows += 1;
            assert!(!patience.is_over(&sight));
        }
        std::thread::sleep(within * 2);
        assert!(patience.is_over(&sight));
        let mut endless = Patience::new(within);
        std::thread::sleep(within * Patience::LONGEST);
        sight.rows_applied += 1;
        std::thread::sleep(within / 8);
        assert!(endless.is_over(&sight));
    }
}

//! The old shop comes first: how fast carts may be read, and when reading has to wait.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::config;
use crate::source::change::Lsn;
use crate::source::{AskError, Source};
use crate::switch::{self, Bound, Mutant};

/// No window opens while the reader is further behind than this.
const MAX_LAG: u64 = 256 << 20;

/// Whose rates they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Refresh,
    Reconcile,
}

impl Of {
    fn section(self) -> &'static str {
        match self {
            Of::Refresh => "[refresh]",
            Of::Reconcile => "[reconcile]",
        }
    }

    /// Rows a second; `usual` where none are given, and none where it reads as fast as it can.
    fn rate(self, rates: &config::Rates, usual: Option<u64>) -> Option<u64> {
        let given = self.rates(rates).rows_per_second;
        given.or(usual).filter(|rate| *rate > 0)
    }

    fn rates(self, rates: &config::Rates) -> &config::Refresh {
        match self {
            Of::Refresh => &rates.refresh,
            Of::Reconcile => &rates.reconcile.rates,
        }
    }
}

/// Spends a budget of rows a second, and asks the source whether it is too busy.
#[derive(Debug)]
pub struct Throttle {
    /// They can change while reading goes on.
    settings: watch::Receiver<config::Rates>,
    of: Of,
    /// The rate where none is given.
    usual: Option<u64>,
    /// When the rows read so far are paid for.
    due: Instant,
    /// The rate at which that was reckoned.
    reckoned: Option<u64>,
}

impl Throttle {
    pub fn new(settings: watch::Receiver<config::Rates>, of: Of) -> Self {
        Self {
            settings,
            of,
            usual: None,
            due: Instant::now(),
            reckoned: None,
        }
    }

    /// The same, with a rate for where none is given.
    pub fn or_at(self, rate: u64) -> Self {
        Self {
            usual: Some(rate),
            ..self
        }
    }

    pub fn chunk_carts(&self) -> usize {
        self.of.rates(&self.settings.borrow()).chunk_carts.max(1)
    }

    /// How often a lookup that found nothing is asked again for a cart; zero means never.
    pub fn ask_again(&self) -> Duration {
        self.of.rates(&self.settings.borrow()).ask_again
    }

    /// Windows whose carts may be on their way through the lanes.
    pub fn parallel(&self) -> usize {
        self.of.rates(&self.settings.borrow()).parallel.max(1)
    }

    /// Rows were read: the next chunk is due when they are paid for.
    pub fn spend(&mut self, rows: u64) {
        self.reckoned = self.of.rate(&self.settings.borrow(), self.usual);
        if let Some(rate) = self.reckoned {
            let cost = Duration::from_secs_f64(rows as f64 / rate as f64);
            self.due = self.due.max(Instant::now()) + cost;
        }
    }

    /// Waits until the rows that were read are paid for; answers how long. At another rate nothing is
    /// owed of what was reckoned at the former one.
    pub async fn rest(&mut self) -> Duration {
        let begun = Instant::now();
        let (of, usual, reckoned) = (self.of, self.usual, self.reckoned);
        let settings = &mut self.settings;
        let another = async {
            let is_another = |rates: &config::Rates| of.rate(rates, usual) != reckoned;
            settings.wait_for(is_another).await.is_ok()
        };
        if self.due > begun {
            tokio::select! {
                () = sleep_until(self.due) => {}
                true = another => self.due = Instant::now(),
            }
        }
        begun.elapsed()
    }

    /// Why the source is too busy to be read now.
    pub async fn objection(&self, source: &Source) -> Result<Option<String>, AskError> {
        let settings = self.of.rates(&self.settings.borrow()).clone();
        if let Some(most) = settings.max_active {
            let active = source.active_sessions().await?;
            if active > i64::from(most) {
                return Ok(Some(format!(
                    "{active} sessions of the source are active, more than max_active = {most}"
                )));
            }
        }
        if let Some(most) = settings.max_replica_lag {
            let lag = source.standby_lag().await?;
            if lag.is_some_and(|lag| lag > most.as_secs_f64()) {
                return Ok(Some(format!(
                    "a standby of the source replays {:.1} s late, more than max_replica_lag",
                    lag.unwrap_or_default()
                )));
            }
        }
        if let Some((sql, most)) = &settings.guard {
            let value = source.number(sql).await?;
            if value.is_none_or(|value| value > *most) {
                return Ok(Some(format!(
                    "the query of {} guard gives more than {most}",
                    self.of.section()
                )));
            }
        }
        Ok(None)
    }
}

/// Says how far the reader is behind, where a window over so much log would keep too much.
pub async fn too_far_behind(source: &Source, delivered: Lsn) -> Result<Option<String>, AskError> {
    let lag = source.behind(delivered).await?;
    let most = switch::bound(Bound::Lag, MAX_LAG);
    let far = lag > most && !switch::mutant(Mutant::LagUnbounded);
    Ok(far.then(|| format!("the log is {} MiB behind", lag >> 20)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn rates(rows_per_second: u64) -> config::Rates {
        let text = include_str!("../../config/example.toml");
        let config = Config::parse(text, Path::new("example.toml")).expect("it is valid");
        let mut rates = config.rates();
        rates.refresh.rows_per_second = Some(rows_per_second);
        rates
    }

    #[tokio::test]
    async fn another_rate_is_not_waited_for_at_the_former_one() {
        let (tell, settings) = watch::channel(rates(1));
        let mut throttle = Throttle::new(settings, Of::Refresh);
        throttle.spend(3_600);
        let resting = tokio::spawn(async move { throttle.rest().await });
        tokio::task::yield_now().await;
        assert!(!resting.is_finished());
        // The same rate said again changes nothing.
        tell.send_replace(rates(1));
        tokio::task::yield_now().await;
        assert!(!resting.is_finished());
        tell.send_replace(rates(1_000));
        let rested = resting.await.expect("it rests");
        assert!(rested < Duration::from_secs(60), "{rested:?}");
    }
}

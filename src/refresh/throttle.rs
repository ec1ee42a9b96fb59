//! The old shop comes first: how fast carts may be read, and when reading has to wait.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

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
}

impl Throttle {
    pub fn new(settings: watch::Receiver<config::Rates>, of: Of) -> Self {
        Self {
            settings,
            of,
            usual: None,
            due: Instant::now(),
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
        let rate = self.of.rates(&self.settings.borrow()).rows_per_second;
        if let Some(rate) = rate.or(self.usual).filter(|rate| *rate > 0) {
            let cost = Duration::from_secs_f64(rows as f64 / rate as f64);
            self.due = self.due.max(Instant::now()) + cost;
        }
    }

    /// How long the rate makes the next chunk wait.
    pub fn pause(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
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

//! The old shop comes first: how fast carts may be read, and when reading has to wait.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_postgres::Client;

use super::read::ReadError;
use crate::config;
use crate::source::change::Lsn;
use crate::switch::{self, Bound, Mutant};

/// No window opens while the reader is further behind than this.
const MAX_LAG: u64 = 256 << 20;

/// Spends a budget of rows a second, and asks the source whether it is too busy.
#[derive(Debug)]
pub struct Throttle {
    /// They can change while reading goes on.
    settings: watch::Receiver<config::Refresh>,
    /// When the rows read so far are paid for.
    due: Instant,
}

impl Throttle {
    pub fn new(settings: watch::Receiver<config::Refresh>) -> Self {
        Self {
            settings,
            due: Instant::now(),
        }
    }

    pub fn chunk_carts(&self) -> usize {
        self.settings.borrow().chunk_carts.max(1)
    }

    /// Windows whose carts may be on their way through the lanes.
    pub fn parallel(&self) -> usize {
        self.settings.borrow().parallel.max(1)
    }

    /// Rows were read: the next chunk is due when they are paid for.
    pub fn spend(&mut self, rows: u64) {
        let rate = self.settings.borrow().rows_per_second;
        if let Some(rate) = rate.filter(|rate| *rate > 0) {
            let cost = Duration::from_secs_f64(rows as f64 / rate as f64);
            self.due = self.due.max(Instant::now()) + cost;
        }
    }

    /// How long the rate makes the next chunk wait.
    pub fn pause(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    /// Why the source is too busy to be read now.
    pub async fn objection(
        &self,
        source: &Client,
    ) -> Result<Option<String>, tokio_postgres::Error> {
        let settings = self.settings.borrow().clone();
        if let Some(most) = settings.max_active {
            let active: i64 = source
                .query_one(
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' \
                     AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
                    &[],
                )
                .await?
                .get(0);
            if active > i64::from(most) {
                return Ok(Some(format!(
                    "{active} sessions of the source are active, more than max_active = {most}"
                )));
            }
        }
        if let Some(most) = settings.max_replica_lag {
            let lag: Option<f64> = source
                .query_one(
                    "SELECT extract(epoch FROM max(replay_lag))::float8 FROM pg_stat_replication",
                    &[],
                )
                .await?
                .get(0);
            if lag.is_some_and(|lag| lag > most.as_secs_f64()) {
                return Ok(Some(format!(
                    "a standby of the source replays {:.1} s late, more than max_replica_lag",
                    lag.unwrap_or_default()
                )));
            }
        }
        if let Some((sql, most)) = &settings.guard {
            // Whatever numeric type it has.
            let sql = format!("SELECT guard.value::float8 FROM ({sql}) AS guard(value)");
            let value: Option<f64> = source.query_one(&sql, &[]).await?.get(0);
            if value.is_none_or(|value| value > *most) {
                return Ok(Some(format!(
                    "the query of [refresh] guard gives more than {most}"
                )));
            }
        }
        Ok(None)
    }
}

/// Says how far the reader is behind, where a window over so much log would keep too much.
pub async fn too_far_behind(source: &Client, delivered: Lsn) -> Result<Option<String>, ReadError> {
    let sql = "SELECT pg_current_wal_lsn()::text";
    let row = source.query_one(sql, &[]).await?;
    let end: Lsn = row
        .get::<_, &str>(0)
        .parse()
        .map_err(|_| ReadError::Answer)?;
    let lag = end.0.saturating_sub(delivered.0);
    let most = switch::bound(Bound::Lag, MAX_LAG);
    let far = lag > most && !switch::mutant(Mutant::LagUnbounded);
    Ok(far.then(|| format!("the log is {} MiB behind", lag >> 20)))
}

//! What the control tables and the old shop's log tell about the daemon, as any DBA could ask.

use super::DemoError;
use super::shops::Shops;
use crate::source::change::Lsn;
use crate::source::mysql::identity;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Words;

/// Looks at both ends.
pub struct Watch {
    old: Target,
    new: Target,
}

/// Where the daemon is.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    pub phase: String,
    /// Everything up to here is durable in the new shop.
    pub applied: u64,
    /// End of the old shop's log.
    pub written: u64,
    pub rows_applied: i64,
    /// Carts that are to be read again: their changes are durable as wishes, not yet as rows.
    pub wishes: i64,
    /// Carts and source rows that the backfill has done, and how many carts there are.
    pub backfilled: i64,
    pub backfilled_rows: i64,
    pub backfill_total: i64,
    pub backfill_finished: bool,
    /// Seconds from its start to its end, or to now.
    pub backfill_seconds: f64,
}

impl Sight {
    /// Bytes of the old shop's log that are not yet in the new one.
    pub fn lag(&self) -> u64 {
        self.written.saturating_sub(self.applied)
    }

    pub fn in_backfill(&self) -> bool {
        self.backfilled > 0 && !self.backfill_finished
    }
}

impl Watch {
    pub async fn open(shops: &Shops) -> Result<Self, DemoError> {
        Ok(Watch {
            old: shops.old.session().await?,
            new: shops.new.session().await?,
        })
    }

    pub async fn look(&self) -> Result<Sight, DemoError> {
        // The new shop first: then the lag can only be seen too large, by what was written since.
        let row = self.new.one(sight(), &[]).await?;
        Ok(Sight {
            phase: row.get(0)?,
            applied: row.get::<Option<Lsn>>(1)?.map_or(0, |lsn| lsn.0),
            written: self.written().await?,
            rows_applied: row.get(2)?,
            backfilled: row.get(3)?,
            backfilled_rows: row.get(4)?,
            backfill_total: row.get(5)?,
            backfill_finished: row.get(6)?,
            backfill_seconds: row.get(7)?,
            wishes: row.get(8)?,
        })
    }

    /// The end of the old shop's log.
    pub async fn written(&self) -> Result<u64, DemoError> {
        match &self.old {
            Target::Postgres(_) => {
                let row = self.old.one("SELECT pg_current_wal_lsn()", &[]).await?;
                Ok(row.get::<Lsn>(0)?.0)
            }
            Target::Mysql(session) => {
                let end = session
                    .alone(|state| Box::pin(async { Ok(identity::end(&mut state.session).await) }));
                Ok(end.await??.at.0)
            }
        }
    }

    /// Writes something into the old shop's log that belongs to no cart, so that an idle log still
    /// has an end beyond the last cart's commit. That of MySQL ends with a commit anyway.
    pub async fn tick(&self) -> Result<(), TargetError> {
        match &self.old {
            Target::Postgres(_) => self
                .old
                .execute("SELECT pg_logical_emit_message(true, 'demo', '')", &[])
                .await
                .map(drop),
            Target::Mysql(_) => Ok(()),
        }
    }

    pub fn new_shop(&self) -> &Target {
        &self.new
    }

    pub fn old_shop(&self) -> &Target {
        &self.old
    }
}

fn sight() -> Words<'static> {
    let words = |integer: &str, seconds: &str| {
        format!(
            "SELECT pipeline.phase,
                    (SELECT min(lsn) FROM cartage.checkpoint),
                    (SELECT CAST(coalesce(sum(rows_applied), 0) AS {integer}) FROM cartage.checkpoint),
                    coalesce(refresh.carts_done, 0),
                    coalesce(refresh.rows_done, 0),
                    coalesce(refresh.carts_total, 0),
                    refresh.finished_at IS NOT NULL,
                    coalesce({seconds}, 0),
                    (SELECT count(*) FROM cartage.wish)
             FROM cartage.pipeline AS pipeline
             LEFT JOIN cartage.refresh_run AS refresh
                 ON refresh.pipeline = pipeline.id AND refresh.kind = 'backfill'
             ORDER BY coalesce(refresh.id, 0) DESC LIMIT 1"
        )
    };
    let end = "coalesce(refresh.finished_at, CURRENT_TIMESTAMP(6))";
    let postgres = format!("extract(epoch FROM {end} - refresh.started_at)::float8");
    let mysql = format!("TIMESTAMPDIFF(MICROSECOND, refresh.started_at, {end}) / 1e6");
    Words::each(
        words("bigint", &postgres),
        words("SIGNED", &mysql).replace("cartage.", "cartage_"),
    )
}

//! What the control tables and the old shop's log tell about the daemon, as any DBA could ask.

use tokio_postgres::types::PgLsn;
use tokio_postgres::{Client, Error};

use super::cluster::ClusterError;
use super::shops::Shops;

/// Looks at both ends.
pub struct Watch {
    old: Client,
    new: Client,
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
    pub async fn open(shops: &Shops) -> Result<Self, ClusterError> {
        Ok(Watch {
            old: shops.old_client().await?,
            new: shops.new_client().await?,
        })
    }

    pub async fn look(&self) -> Result<Sight, Error> {
        // The new shop first: then the lag can only be seen too large, by what was written since.
        let row = self
            .new
            .query_one(
                "SELECT pipeline.phase,
                        (SELECT min(lsn) FROM cartage.checkpoint),
                        (SELECT coalesce(sum(rows_applied), 0)::int8 FROM cartage.checkpoint),
                        coalesce(refresh.carts_done, 0),
                        coalesce(refresh.rows_done, 0),
                        coalesce(refresh.carts_total, 0),
                        refresh.finished_at IS NOT NULL,
                        coalesce(extract(epoch FROM
                            coalesce(refresh.finished_at, now()) - refresh.started_at), 0)::float8,
                        (SELECT count(*) FROM cartage.wish)
                 FROM cartage.pipeline
                 LEFT JOIN cartage.refresh_run AS refresh
                     ON refresh.pipeline = pipeline.id AND refresh.kind = 'backfill'
                 ORDER BY refresh.id DESC NULLS LAST LIMIT 1",
                &[],
            )
            .await?;
        Ok(Sight {
            phase: row.try_get(0)?,
            applied: row.try_get::<_, Option<PgLsn>>(1)?.map_or(0, u64::from),
            written: self.written().await?,
            rows_applied: row.try_get(2)?,
            backfilled: row.try_get(3)?,
            backfilled_rows: row.try_get(4)?,
            backfill_total: row.try_get(5)?,
            backfill_finished: row.try_get(6)?,
            backfill_seconds: row.try_get(7)?,
            wishes: row.try_get(8)?,
        })
    }

    /// The end of the old shop's log.
    pub async fn written(&self) -> Result<u64, Error> {
        let row = self
            .old
            .query_one("SELECT pg_current_wal_lsn()", &[])
            .await?;
        row.try_get::<_, PgLsn>(0).map(u64::from)
    }

    /// Writes something into the old shop's log that belongs to no cart, so that an idle log still
    /// has an end beyond the last cart's commit.
    pub async fn tick(&self) -> Result<(), Error> {
        self.old
            .execute("SELECT pg_logical_emit_message(true, 'demo', '')", &[])
            .await
            .map(drop)
    }

    pub fn new_shop(&self) -> &Client {
        &self.new
    }

    pub fn old_shop(&self) -> &Client {
        &self.old
    }
}

//! The replication slot: where the source keeps its log for this pipeline.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::PgLsn;
use tokio_postgres::{Client, Error};

use crate::source::change::Lsn;
use crate::source::standing::{Kept, Pressure, Standing};

/// What `pg_replication_slots` says of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub name: String,
    /// None for a physical slot.
    pub plugin: Option<String>,
    pub database: Option<String>,
    /// The walsender that reads it.
    pub active_pid: Option<i32>,
    pub restart: Option<Lsn>,
    pub confirmed: Option<Lsn>,
    pub wal_status: Option<String>,
    /// Bytes that may still be written before the slot is in danger; none means no limit.
    pub safe_wal_size: Option<i64>,
    /// Why the server gave it up.
    pub lost: Option<String>,
}

impl Slot {
    /// Bytes of log that are kept for it, where the log ends at `end`.
    pub fn retained(&self, end: Lsn) -> Option<u64> {
        self.restart.map(|restart| end.0.saturating_sub(restart.0))
    }

    pub fn pressure(&self, end: Lsn) -> Pressure {
        if self.wal_status.as_deref() == Some("unreserved") {
            return Pressure::Unreserved;
        }
        let retained = self
            .retained(end)
            .and_then(|bytes| i64::try_from(bytes).ok());
        match (retained, self.safe_wal_size) {
            (Some(retained), Some(left)) if left < retained.saturating_add(left) / 4 => {
                Pressure::Low
            }
            _ => Pressure::None,
        }
    }
}

/// Where the log ends that the source has written so far.
pub async fn end_of_log(source: &Client) -> Result<Lsn, Error> {
    let row = source
        .query_one("SELECT pg_catalog.pg_current_wal_lsn()", &[])
        .await?;
    Ok(Lsn(row.try_get::<_, PgLsn>(0)?.into()))
}

/// The name of a pipeline's slot, and of its publication too.
pub fn name_of(pipeline: &str) -> String {
    format!("cartage_{}", pipeline.replace('-', "_"))
}

pub async fn find(source: &Client, name: &str) -> Result<Option<Slot>, Error> {
    // `conflicting` came with 16 and `invalidation_reason` with 17; wal_status is there in all.
    let sql = "
        SELECT s.slot_name::text, s.plugin::text, s.database::text, s.active_pid, s.restart_lsn,
               s.confirmed_flush_lsn, s.wal_status, s.safe_wal_size,
               coalesce(pg_catalog.to_jsonb(s) ->> 'invalidation_reason',
                        CASE WHEN (pg_catalog.to_jsonb(s) ->> 'conflicting')::boolean
                             THEN 'conflict with recovery'
                             WHEN s.wal_status = 'lost' THEN 'wal_removed' END) AS lost
        FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1::text";
    let Some(row) = source.query_opt(sql, &[&name]).await? else {
        return Ok(None);
    };
    let lsn = |column| -> Result<Option<Lsn>, Error> {
        Ok(row
            .try_get::<_, Option<PgLsn>>(column)?
            .map(|lsn| Lsn(lsn.into())))
    };
    Ok(Some(Slot {
        name: row.try_get("slot_name")?,
        plugin: row.try_get("plugin")?,
        database: row.try_get("database")?,
        active_pid: row.try_get("active_pid")?,
        restart: lsn("restart_lsn")?,
        confirmed: lsn("confirmed_flush_lsn")?,
        wal_status: row.try_get("wal_status")?,
        safe_wal_size: row.try_get("safe_wal_size")?,
        lost: row.try_get("lost")?,
    }))
}

/// What the source says of its log and of the slot, where the pipeline has one.
pub async fn standing(source: &Client, name: Option<&str>) -> Result<Standing, Error> {
    let end = end_of_log(source).await?;
    let mut answer = Standing {
        position: Some(end.0),
        slot: name.map(str::to_owned),
        ..Standing::default()
    };
    let Some(name) = name else {
        return Ok(answer);
    };
    let slot = find(source, name).await?;
    answer.slot_there = Some(slot.is_some());
    if let Some(slot) = slot {
        answer.slot_pid = slot.active_pid;
        answer.retained_bytes = slot.retained(end);
        answer.headroom_bytes = slot.safe_wal_size;
        answer.pressure = slot.pressure(end);
        answer.wal_status = slot.wal_status;
        if slot.active_pid.is_none() {
            answer.idle_seconds = idle_seconds(source, &slot.name).await?;
        }
        answer.slot_lost = slot.lost;
    }
    Ok(answer)
}

/// Until a slot that nobody reads is given up for that. `inactive_since` came with 17, the timeout
/// with 18; where either is missing, there is no such limit.
async fn idle_seconds(source: &Client, name: &str) -> Result<Option<f64>, Error> {
    let sql = "
        SELECT (t.seconds - extract(epoch FROM pg_catalog.now() - i.since))::float8
        FROM (SELECT setting::numeric * CASE unit WHEN 'min' THEN 60 WHEN 'ms' THEN 0.001 ELSE 1 END
                     AS seconds
              FROM pg_catalog.pg_settings WHERE name = 'idle_replication_slot_timeout') t,
             (SELECT (pg_catalog.to_jsonb(s) ->> 'inactive_since')::timestamptz AS since
              FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1::text) i
        WHERE t.seconds > 0 AND i.since IS NOT NULL";
    match source.query_opt(sql, &[&name]).await? {
        Some(row) => Ok(Some(row.try_get::<_, f64>(0)?.max(0.0))),
        None => Ok(None),
    }
}

/// The log from the slot's confirmed position on; none where there is no slot.
pub async fn kept(source: &Client, name: &str) -> Result<Option<Kept>, Error> {
    let Some(slot) = find(source, name).await? else {
        return Ok(None);
    };
    let reader = slot.active_pid.map(|pid| {
        format!("the replication slot {name} is in use by the process {pid} of the source")
    });
    Ok(Some(Kept {
        from: slot.confirmed,
        end: end_of_log(source).await?,
        reader,
    }))
}

/// Makes the slot and answers the point at which it begins. It waits for every transaction that
/// is open now to end (manual, 49.2.2). From Postgres 17 on a standby keeps a copy of it.
pub async fn create(source: &Client, name: &str) -> Result<Lsn, Error> {
    let version: i32 = server_version(source).await?;
    let sql = if version >= 170_000 {
        "SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot(
             $1::text::name, 'pgoutput', false, false, true)"
    } else {
        "SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot(
             $1::text::name, 'pgoutput', false)"
    };
    let row = source.query_one(sql, &[&name]).await?;
    Ok(Lsn(row.try_get::<_, PgLsn>(0)?.into()))
}

/// Whether the slot's log can be decoded with this publication, which must have been there at each
/// change of it. A log that is too long to be tried in seconds is taken for a good one: the daemon
/// says where it fails.
pub async fn decodable(source: &Client, slot: &str, publication: &str) -> Result<bool, Error> {
    const LIMIT: &str = "SET statement_timeout = '20s'";
    let sql = "
        SELECT count(*) FROM pg_catalog.pg_logical_slot_peek_binary_changes(
            $1::text::name, NULL, NULL, 'proto_version', '1', 'publication_names', $2::text)";
    let names = super::tables::quoted_name(publication);
    source.batch_execute(LIMIT).await?;
    let peeked = source.query_one(sql, &[&slot, &names]).await;
    source.batch_execute("RESET statement_timeout").await?;
    match peeked {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_OBJECT) => Ok(false),
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => Ok(true),
        other => other.map(|_| true),
    }
}

/// False where there is no such slot. A slot that is being read is an error of the server's.
pub async fn drop(source: &Client, name: &str) -> Result<bool, Error> {
    let sql = "
        SELECT pg_catalog.pg_drop_replication_slot(slot_name)
        FROM pg_catalog.pg_replication_slots WHERE slot_name = $1::text";
    Ok(!source.query(sql, &[&name]).await?.is_empty())
}

/// As in `150018`.
pub async fn server_version(client: &Client) -> Result<i32, Error> {
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::integer";
    client.query_one(sql, &[]).await?.try_get(0)
}

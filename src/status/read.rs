//! Asking both ends: the target first, so that the lag can only be seen too large.

use std::collections::BTreeMap;

use super::{Applied, Blocked, Carts, Status, Walk};
use crate::mysql::connect::Flavor;
use crate::params;
use crate::source::Source;
use crate::source::change::Lsn;
use crate::source::standing::Standing;
use crate::target::control::pipeline::PipelineRow;
use crate::target::control::synthetic;
use crate::target::error::TargetError;
use crate::target::mysql;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::Words;

/// Seconds for which a wait for a lock is nothing to speak of.
const LOCK_PATIENCE: f64 = 5.0;

/// One look, as cheap for a large shop as for a small one. `source` is none where it could not be
/// reached.
pub async fn look(
    target: &Target,
    source: Result<&Source, &str>,
    pipeline: &PipelineRow,
) -> Result<Status, TargetError> {
    let row = target.one(lanes(), params![pipeline.id]).await?;
    let mut status = Status {
        pipeline: pipeline.name.clone(),
        spelling: pipeline.spelling(),
        phase: pipeline.phase.clone(),
        stopped_reason: pipeline.stopped_reason.clone(),
        applied: Applied {
            position: row.get::<Option<Lsn>>(0)?.map(|lsn| lsn.0),
            lanes: row.get(1)?,
            commit_age: row.get(2)?,
            quiet_seconds: row.get(3)?,
        },
        patches: row.get(4)?,
        rows_applied: row.get(5)?,
        conflicts: row.get(6)?,
        late: row.get(7)?,
        merged_items: row.get(14)?,
        merge_conflicts: row.get(15)?,
        holds: holds(target, pipeline.id).await?,
        wishes: row.get(8)?,
        waived: pipeline.waived,
        blocked: blocked(target).await?,
        carts: Carts {
            mirrored: row.get(9)?,
            merged: row.get(10)?,
            held: row.get(11)?,
            ended: row.get(12)?,
            handed_over: row.get(13)?,
        },
        walk: walk(target, pipeline.id).await?,
        synthetic: synthetic::last(target, pipeline.id).await?,
        parity: super::parity::read(target, pipeline.id).await?,
        ..Status::default()
    };
    status.source = match source {
        Err(why) => unreachable(pipeline, why),
        // A source that goes away between two looks is unreachable, not an error of the command.
        Ok(source) => source
            .standing(pipeline, status.applied.position.map(Lsn))
            .await
            .unwrap_or_else(|why| unreachable(pipeline, &why.to_string())),
    };
    Ok(status)
}

/// The carts that are held now, by reason: they are few.
async fn holds(target: &Target, pipeline: i32) -> Result<BTreeMap<String, i64>, TargetError> {
    let sql = "SELECT reason, count(*) FROM cartage.held WHERE pipeline = $1 GROUP BY reason";
    let mut holds: BTreeMap<String, i64> = BTreeMap::new();
    for reason in ["conflict", "constraint", "lookup", "unmappable"] {
        holds.insert(reason.to_owned(), 0);
    }
    for row in target.query(sql, params![pipeline]).await? {
        holds.insert(row.get(0)?, row.get(1)?);
    }
    Ok(holds)
}

fn unreachable(pipeline: &PipelineRow, why: &str) -> Standing {
    Standing {
        unreachable: Some(why.to_owned()),
        slot: pipeline.slot.clone(),
        ..Standing::default()
    }
}

/// What the lanes have done, and how long ago.
fn lanes() -> Words<'static> {
    let sql = |since: &dyn Fn(&str) -> String, whole: &str| {
        let sums = |names: &[&str]| {
            let sum = |name: &&str| format!("CAST(coalesce(sum({name}), 0) AS {whole})");
            names.iter().map(sum).collect::<Vec<_>>().join(", ")
        };
        format!(
            "SELECT min(lsn), count(*), {}, {}, {}, \
                    (SELECT count(*) FROM cartage.wish WHERE pipeline = $1), {} \
             FROM cartage.checkpoint WHERE pipeline = $1",
            since("max(commit_time)"),
            since("min(updated_at)"),
            sums(&["patches", "rows_applied", "conflicts", "late"]),
            sums(&[
                "mirror",
                "merged",
                "held",
                "ended",
                "handed_over",
                "merged_items",
                "merge_conflicts",
            ]),
        )
    };
    Words::each(
        sql(&|time| seconds_postgres(time, "now()"), "bigint"),
        sql(&|time| seconds_mysql(time, "now(6)"), "signed").replace("cartage.", "cartage_"),
    )
}

fn seconds_postgres(from: &str, to: &str) -> String {
    format!("extract(epoch FROM {to} - {from})::float8")
}

fn seconds_mysql(from: &str, to: &str) -> String {
    format!("timestampdiff(MICROSECOND, {from}, {to}) / 1e6")
}

/// A lane that waits for a lock of the target.
async fn blocked(target: &Target) -> Result<Option<Blocked>, TargetError> {
    let row = match target {
        Target::Postgres(client) => {
            let row = client.query_opt(BLOCKED, &[&LOCK_PATIENCE]).await?;
            row.map(Row::Postgres)
        }
        Target::Mysql(session) => blocked_mysql(session).await?.map(Row::Mysql),
    };
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Blocked {
        by: row.get(0)?,
        seconds: row.get(1)?,
    }))
}

/// Sessions of one role see each other without further privileges.
const BLOCKED: &str = "
    SELECT (pg_blocking_pids(pid))[1], extract(epoch FROM now() - state_change)::float8
    FROM pg_stat_activity a
    WHERE datname = current_database() AND usename = current_user
      AND wait_event_type = 'Lock' AND state_change < now() - $1 * interval '1 second'
      AND (application_name LIKE 'cartage lane %'
           OR application_name = current_setting('application_name'))
    ORDER BY state_change LIMIT 1";

/// There, sessions have no name that could be asked for: those of our user in our database are taken
/// for lanes. They see each other; but which of them wait for a lock on a row, and in MariaDB for
/// whom, only a user with PROCESS may know. A wait for a lock on a whole table is a thread's state.
/// What is told is how long the statement has run, for the moment at which it began to wait is given
/// in the server's own time zone.
async fn blocked_mysql(session: &mysql::Session) -> Result<Option<mysql_async::Row>, TargetError> {
    let by = match session.flavor {
        Flavor::MariaDb => {
            "(SELECT max(b.trx_mysql_thread_id) FROM information_schema.innodb_lock_waits w \
              JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id \
              WHERE w.requesting_trx_id = t.trx_id)"
        }
        Flavor::MySql => "NULL",
    };
    let waits = |by: &str, rows: &str, locked: &str| {
        format!(
            "SELECT {by}, p.time + 0e0 FROM information_schema.processlist p {rows} \
             WHERE p.user = substring_index(user(), '@', 1) AND p.db = database() \
               AND p.id <> connection_id() AND p.command IN ('Query', 'Execute') \
               AND p.time >= {LOCK_PATIENCE} AND (p.state LIKE 'Waiting for%lock'{locked}) \
             ORDER BY p.time DESC LIMIT 1"
        )
    };
    let first = async |sql| Ok(session.query(sql, Vec::new()).await?.into_iter().next());
    let trx = "LEFT JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id";
    let all = waits(by, trx, " OR t.trx_state = 'LOCK WAIT'");
    match first(all).await {
        Err(TargetError::Mysql(mysql_async::Error::Server(error))) if error.code == NO_PROCESS => {
            first(waits("NULL", "", "")).await
        }
        answer => answer,
    }
}

/// ER_SPECIFIC_ACCESS_DENIED_ERROR.
const NO_PROCESS: u16 = 1227;

/// The oldest walk that goes on; where none does, the last reading of all carts.
async fn walk(target: &Target, pipeline: i32) -> Result<Option<Walk>, TargetError> {
    let sql = |seconds: &str, table: &str| {
        format!(
            "SELECT kind, carts_done, carts_total, rows_done, waiting, finished_at IS NOT NULL, \
                    {seconds} FROM {table} \
             WHERE pipeline = $1 AND (finished_at IS NULL OR kind IN ('backfill', 'all')) \
             ORDER BY finished_at IS NOT NULL, \
                      CASE WHEN finished_at IS NULL THEN id ELSE -id END LIMIT 1"
        )
    };
    let words = Words::each(
        sql(
            &seconds_postgres("started_at", "coalesce(finished_at, now())"),
            "cartage.refresh_run",
        ),
        sql(
            &seconds_mysql("started_at", "coalesce(finished_at, now(6))"),
            "cartage_refresh_run",
        ),
    );
    let Some(row) = target.first(words, params![pipeline]).await? else {
        return Ok(None);
    };
    Ok(Some(Walk {
        kind: row.get(0)?,
        done: row.get(1)?,
        total: row.get(2)?,
        rows: row.get(3)?,
        waiting: row.get(4)?,
        finished: row.get(5)?,
        seconds: row.get(6)?,
    }))
}

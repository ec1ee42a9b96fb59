//! Asking both ends: the target first, so that the lag can only be seen too large.

use tokio_postgres::types::PgLsn;
use tokio_postgres::{Client, Error};

use super::{Applied, Blocked, Carts, Status, Walk};
use crate::source::Source;
use crate::source::change::Lsn;
use crate::source::standing::Standing;
use crate::target::control::pipeline::PipelineRow;

/// Seconds for which a wait for a lock is nothing to speak of.
const LOCK_PATIENCE: f64 = 5.0;

/// One look, as cheap for a large shop as for a small one. `source` is none where it could not be
/// reached.
pub async fn look(
    target: &Client,
    source: Result<&Source, &str>,
    pipeline: &PipelineRow,
) -> Result<Status, Error> {
    let row = target
        .query_one(
            "SELECT min(lsn), count(*), \
                    extract(epoch FROM now() - max(commit_time))::float8, \
                    extract(epoch FROM now() - min(updated_at))::float8, \
                    coalesce(sum(patches), 0)::bigint, coalesce(sum(rows_applied), 0)::bigint, \
                    coalesce(sum(conflicts), 0)::bigint, coalesce(sum(late), 0)::bigint, \
                    (SELECT count(*) FROM cartage.wish WHERE pipeline = $1), \
                    coalesce(sum(mirror), 0)::bigint, coalesce(sum(merged), 0)::bigint, \
                    coalesce(sum(held), 0)::bigint, coalesce(sum(ended), 0)::bigint, \
                    coalesce(sum(handed_over), 0)::bigint \
             FROM cartage.checkpoint WHERE pipeline = $1",
            &[&pipeline.id],
        )
        .await?;
    let mut status = Status {
        pipeline: pipeline.name.clone(),
        spelling: pipeline.spelling(),
        phase: pipeline.phase.clone(),
        stopped_reason: pipeline.stopped_reason.clone(),
        applied: Applied {
            position: row.try_get::<_, Option<PgLsn>>(0)?.map(u64::from),
            lanes: row.try_get(1)?,
            commit_age: row.try_get(2)?,
            quiet_seconds: row.try_get(3)?,
        },
        patches: row.try_get(4)?,
        rows_applied: row.try_get(5)?,
        conflicts: row.try_get(6)?,
        late: row.try_get(7)?,
        wishes: row.try_get(8)?,
        waived: pipeline.waived,
        blocked: blocked(target).await?,
        carts: Carts {
            mirrored: row.try_get(9)?,
            merged: row.try_get(10)?,
            held: row.try_get(11)?,
            ended: row.try_get(12)?,
            handed_over: row.try_get(13)?,
        },
        walk: walk(target, pipeline.id).await?,
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

fn unreachable(pipeline: &PipelineRow, why: &str) -> Standing {
    Standing {
        unreachable: Some(why.to_owned()),
        slot: pipeline.slot.clone(),
        ..Standing::default()
    }
}

/// A lane that waits for a lock of the target. Sessions of one role see each other without further
/// privileges.
async fn blocked(target: &Client) -> Result<Option<Blocked>, Error> {
    let row = target
        .query_opt(
            "SELECT (pg_blocking_pids(pid))[1], extract(epoch FROM now() - state_change)::float8 \
             FROM pg_stat_activity a \
             WHERE datname = current_database() AND usename = current_user \
               AND wait_event_type = 'Lock' AND state_change < now() - $1 * interval '1 second' \
               AND (application_name LIKE 'cartage lane %' \
                    OR application_name = current_setting('application_name')) \
             ORDER BY state_change LIMIT 1",
            &[&LOCK_PATIENCE],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Blocked {
        by: row.try_get(0)?,
        seconds: row.try_get(1)?,
    }))
}

/// The oldest walk that goes on; where none does, the last reading of all carts.
async fn walk(target: &Client, pipeline: i32) -> Result<Option<Walk>, Error> {
    let row = target
        .query_opt(
            "SELECT kind, carts_done, carts_total, rows_done, waiting, finished_at IS NOT NULL, \
                    extract(epoch FROM coalesce(finished_at, now()) - started_at)::float8 \
             FROM cartage.refresh_run \
             WHERE pipeline = $1 AND (finished_at IS NULL OR kind IN ('backfill', 'all')) \
             ORDER BY finished_at IS NOT NULL, \
                      CASE WHEN finished_at IS NULL THEN id ELSE -id END LIMIT 1",
            &[&pipeline],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Walk {
        kind: row.try_get(0)?,
        done: row.try_get(1)?,
        total: row.try_get(2)?,
        rows: row.try_get(3)?,
        waiting: row.try_get(4)?,
        finished: row.try_get(5)?,
        seconds: row.try_get(6)?,
    }))
}

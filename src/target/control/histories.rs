//! What was verified and repaired, by age: letting go of runs that nobody asks for any more, piece by
//! piece, so that nobody waits for it. The latest run of either is kept.

use std::time::Duration;

use super::conflicts::at_once;
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Words;

/// Deletes what is older, so many rows at once. Answers how many went; less than [`at_once`] means
/// that the rest is kept.
pub async fn purge(target: &Target, pipeline: i32, keep: Duration) -> Result<u64, TargetError> {
    let went = repairs(target, pipeline, keep).await?;
    if went >= at_once() {
        return Ok(went);
    }
    Ok(went + verifications(target, pipeline, keep).await?)
}

/// A run's carts go first: they hold what undoing it needs.
async fn repairs(target: &Target, pipeline: i32, keep: Duration) -> Result<u64, TargetError> {
    let at_once = at_once();
    let carts = Words::each(
        format!(
            "DELETE FROM cartage.repair_cart WHERE (run, cart) IN (SELECT c.run, c.cart \
             FROM cartage.repair_cart c JOIN cartage.repair_run r ON r.id = c.run \
             WHERE r.pipeline = $1 AND r.finished_at < now() - $2::float8 * interval '1 second' \
             AND c.state <> 'asked' ORDER BY c.run, c.cart LIMIT {at_once})"
        ),
        format!(
            "DELETE FROM cartage_repair_cart WHERE state <> 'asked' AND run IN \
             (SELECT r.id FROM cartage_repair_run r WHERE r.pipeline = $1 \
              AND r.finished_at < CURRENT_TIMESTAMP(6) - INTERVAL $2 SECOND) \
             ORDER BY run, cart LIMIT {at_once}"
        ),
    );
    let age = keep.as_secs_f64();
    let went = target.execute(carts, params![pipeline, age]).await?;
    if went >= at_once {
        return Ok(went);
    }
    let latest = latest(target, "cartage.repair_run", pipeline).await?;
    let bare = "NOT EXISTS (SELECT 1 FROM cartage.repair_cart c \
                WHERE c.run = cartage.repair_run.id)";
    Ok(went + runs(target, ("repair_run", bare), pipeline, latest, age).await?)
}

/// Carts that no whole verification has met since are told no longer; those that a run has still to
/// look at are.
async fn verifications(target: &Target, pipeline: i32, keep: Duration) -> Result<u64, TargetError> {
    let at_once = at_once();
    let open = "run NOT IN (SELECT r.id FROM cartage.verify_run r \
                WHERE r.pipeline = $1 AND r.finished_at IS NULL)";
    let carts = Words::each(
        format!(
            "DELETE FROM cartage.verify_cart WHERE pipeline = $1 AND cart IN (SELECT cart \
             FROM cartage.verify_cart WHERE pipeline = $1 AND {open} \
             AND looked_at < now() - $2::float8 * interval '1 second' LIMIT {at_once})"
        ),
        format!(
            "DELETE FROM cartage_verify_cart WHERE pipeline = $1 \
             AND looked_at < CURRENT_TIMESTAMP(6) - INTERVAL $2 SECOND AND {} \
             ORDER BY cart LIMIT {at_once}",
            open.replace("cartage.", "cartage_")
        ),
    );
    let age = keep.as_secs_f64();
    let went = target.execute(carts, params![pipeline, age]).await?;
    if went >= at_once {
        return Ok(went);
    }
    let latest = latest(target, "cartage.verify_run", pipeline).await?;
    Ok(went + runs(target, ("verify_run", "1 = 1"), pipeline, latest, age).await?)
}

async fn latest(target: &Target, table: &str, pipeline: i32) -> Result<i32, TargetError> {
    let sql = format!(
        "SELECT coalesce(max(id), 0) FROM {table} WHERE pipeline = $1 AND finished_at IS NOT NULL"
    );
    target.one(sql.as_str(), params![pipeline]).await?.get(0)
}

/// Runs that ended longer ago, but the latest, as far as they meet a condition.
async fn runs(
    target: &Target,
    (table, condition): (&str, &str),
    pipeline: i32,
    latest: i32,
    age: f64,
) -> Result<u64, TargetError> {
    let at_once = at_once();
    let words = Words::each(
        format!(
            "DELETE FROM cartage.{table} WHERE id IN (SELECT id FROM cartage.{table} \
             WHERE pipeline = $1 AND id < $2 \
             AND finished_at < now() - $3::float8 * interval '1 second' AND {condition} \
             ORDER BY id LIMIT {at_once})"
        ),
        format!(
            "DELETE FROM cartage_{table} WHERE pipeline = $1 AND id < $2 \
             AND finished_at < CURRENT_TIMESTAMP(6) - INTERVAL $3 SECOND AND {} \
             ORDER BY id LIMIT {at_once}",
            condition.replace("cartage.", "cartage_")
        ),
    );
    target.execute(words, params![pipeline, latest, age]).await
}

//! Verifications as the control tables have them, so that one that was cut short goes on where it was.

use std::time::Duration;

use super::beyond::Tally;
use super::notes;
use super::order::{By, Scope};
use super::report::Report;
use crate::cart::key::CartKey;
use crate::params;
use crate::source::change::Lsn;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::Words;

/// Finished runs that are kept.
const KEPT: i32 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The carts of the source.
    Source,
    /// Those of the ledger that are not live in the source.
    Ledger,
}

impl Stage {
    pub(super) fn name(self) -> &'static str {
        match self {
            Stage::Source => "source",
            Stage::Ledger => "ledger",
        }
    }
}

/// A run that is not finished.
#[derive(Clone, Debug)]
pub struct Unfinished {
    pub id: i32,
    pub kind: String,
    pub asked: Option<String>,
    pub mapping: i32,
    pub start: Lsn,
    pub stage: Stage,
    pub cursor: Option<CartKey>,
    pub total: Option<i64>,
    /// What it had counted.
    pub(super) report: Report,
}

impl Unfinished {
    /// Whether it looks at what `scope` would.
    pub fn is_of(&self, scope: &Scope) -> bool {
        self.kind == scope.name() && self.asked == scope.asked()
    }
}

/// MySQL wants some names of columns quoted, and has JSON as text.
pub(super) fn words(sql: &str) -> Words<'static> {
    let plain = sql
        .replace("{by}", "by")
        .replace("{cursor}", "cursor")
        .replace("{findings}", "r.findings::text");
    let quoted = sql
        .replace("{by}", "`by`")
        .replace("{cursor}", "`cursor`")
        .replace("{findings}", "r.findings")
        .replace("cartage.", "cartage_");
    Words::each(plain, quoted)
}

/// Begins a run. One of the same kind and maker that was not finished is given up for it. A run of few
/// carts has them written down with it: whoever goes on with it looks at these and no others.
pub(super) async fn begin(
    control: &Target,
    pipeline: i32,
    by: By,
    (scope, carts): (&Scope, &[CartKey]),
    mapping: i32,
    start: Lsn,
) -> Result<i32, TargetError> {
    control.run("BEGIN").await?;
    match begin_now(control, pipeline, by, (scope, carts), mapping, start).await {
        Ok(run) => control.run("COMMIT").await.map(|()| run),
        Err(why) => {
            // The first error says what was wrong.
            let _ = control.run("ROLLBACK").await;
            Err(why)
        }
    }
}

async fn begin_now(
    control: &Target,
    pipeline: i32,
    by: By,
    (scope, carts): (&Scope, &[CartKey]),
    mapping: i32,
    start: Lsn,
) -> Result<i32, TargetError> {
    let give_up = words(
        "UPDATE cartage.verify_run SET stage = 'given_up', waiting = NULL, \
         finished_at = CURRENT_TIMESTAMP(6) \
         WHERE pipeline = $1 AND {by} = $2 AND kind = $3 AND finished_at IS NULL",
    );
    control
        .execute(give_up, params![pipeline, by.name(), scope.name()])
        .await?;
    let insert = words(
        "INSERT INTO cartage.verify_run (pipeline, {by}, kind, asked, mapping, start_lsn) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    );
    let (by, asked) = (by.name(), scope.asked());
    let id = control
        .insert(
            insert,
            params![pipeline, by, scope.name(), asked, mapping, start],
        )
        .await?;
    control
        .execute(
            "DELETE FROM cartage.verify_run WHERE pipeline = $1 AND id < $2 \
             AND finished_at IS NOT NULL",
            params![pipeline, id - KEPT],
        )
        .await?;
    notes::ask(control, pipeline, id, carts).await?;
    Ok(id)
}

/// The latest run of this maker that is not finished.
pub async fn unfinished(
    control: &Target,
    pipeline: i32,
    by: By,
) -> Result<Option<Unfinished>, TargetError> {
    let sql = words(
        "SELECT r.id, r.kind, r.asked, r.mapping, r.start_lsn, r.stage, r.cursor, r.carts_total, \
             r.rows_done, r.equal, r.missing, r.extra, r.different, r.pending, r.held, r.merged, \
             r.stale_lookups, r.worked_seconds, r.waited_seconds, r.written, {findings} \
         FROM cartage.verify_run AS r \
         WHERE r.pipeline = $1 AND r.{by} = $2 AND r.finished_at IS NULL \
         ORDER BY r.id DESC LIMIT 1",
    );
    let row = control.first(sql, params![pipeline, by.name()]).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Unfinished, TargetError> {
    let count = |at: usize| -> Result<u64, TargetError> {
        Ok(u64::try_from(row.get::<i64>(at)?).unwrap_or_default())
    };
    let seconds = |at: usize| -> Result<Duration, TargetError> {
        let seconds: f64 = row.get(at)?;
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    };
    let cursor: Option<String> = row.get(6)?;
    let findings: Option<String> = row.get(20)?;
    let mut beyond = Tally::default();
    beyond.take_up(&findings.unwrap_or_default());
    Ok(Unfinished {
        id: row.get(0)?,
        kind: row.get(1)?,
        asked: row.get(2)?,
        mapping: row.get(3)?,
        start: row.get(4)?,
        stage: match row.get::<String>(5)?.as_str() {
            "ledger" => Stage::Ledger,
            _ => Stage::Source,
        },
        cursor: cursor.as_deref().map(CartKey::stored),
        total: row.get(7)?,
        report: Report {
            run: Some(row.get(0)?),
            resumed: true,
            rows: count(8)?,
            equal: count(9)?,
            missing: count(10)?,
            extra: count(11)?,
            different: count(12)?,
            pending: count(13)?,
            held: count(14)?,
            merged: count(15)?,
            stale_lookups: count(16)?,
            worked: seconds(17)?,
            waited: seconds(18)?,
            written: count(19)?,
            beyond,
            ..Report::default()
        },
    })
}

/// How many seconds ago a run of this maker began last, whatever became of it.
pub async fn last_begun(
    control: &Target,
    pipeline: i32,
    by: By,
) -> Result<Option<f64>, TargetError> {
    let sql = Words::each(
        "SELECT extract(epoch FROM clock_timestamp() - max(started_at))::double precision \
         FROM cartage.verify_run WHERE pipeline = $1 AND by = $2",
        "SELECT CAST(TIMESTAMPDIFF(MICROSECOND, max(started_at), CURRENT_TIMESTAMP(6)) / 1e6 \
         AS DOUBLE) FROM cartage_verify_run WHERE pipeline = $1 AND `by` = $2",
    );
    control.one(sql, params![pipeline, by.name()]).await?.get(0)
}

pub(super) async fn total(
    control: &Target,
    run: i32,
    total: Option<i64>,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.verify_run SET carts_total = $2 WHERE id = $1";
    control.execute(sql, params![run, total]).await?;
    Ok(())
}

pub(super) async fn waits(
    control: &Target,
    run: i32,
    why: Option<&str>,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.verify_run SET waiting = $2, updated_at = CURRENT_TIMESTAMP(6) \
               WHERE id = $1";
    control.execute(sql, params![run, why]).await?;
    Ok(())
}

/// Where a run stands now.
pub(super) async fn advance(
    control: &Target,
    run: i32,
    (stage, cursor): (Stage, Option<&CartKey>),
    report: &Report,
) -> Result<(), TargetError> {
    let sql = words(
        "UPDATE cartage.verify_run SET stage = $2, {cursor} = $3, carts_done = $4, \
             rows_done = $5, equal = $6, missing = $7, extra = $8, different = $9, pending = $10, \
             held = $11, merged = $12, stale_lookups = $13, worked_seconds = $14, \
             waited_seconds = $15, written = $16, findings = $17, updated_at = CURRENT_TIMESTAMP(6) \
         WHERE id = $1",
    );
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    control
        .execute(
            sql,
            params![
                run,
                stage.name(),
                cursor.map(CartKey::as_str),
                count(report.looked_at()),
                count(report.rows),
                count(report.equal),
                count(report.missing),
                count(report.extra),
                count(report.different),
                count(report.pending),
                count(report.held),
                count(report.merged),
                count(report.stale_lookups),
                report.worked.as_secs_f64(),
                report.waited.as_secs_f64(),
                count(report.written),
                report.beyond.kept(),
            ],
        )
        .await?;
    Ok(())
}

pub(super) async fn finish(control: &Target, run: i32) -> Result<(), TargetError> {
    let sql = words(
        "UPDATE cartage.verify_run SET stage = 'done', {cursor} = NULL, waiting = NULL, \
         finished_at = CURRENT_TIMESTAMP(6), updated_at = CURRENT_TIMESTAMP(6) WHERE id = $1",
    );
    control.execute(sql, params![run]).await?;
    Ok(())
}

//! Walks over all carts, kept in `cartage.refresh_run` so that a killed daemon goes on at its last
//! chunk.

use crate::cart::key::CartKey;
use crate::params;
use crate::source::change::Lsn;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::{Param, Words};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first reading of all live carts.
    Backfill,
    /// All carts again: after a lost slot, or because it was asked for.
    All,
    /// The mapping changed: all carts of the ledger from their images.
    Mapping,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Backfill => "backfill",
            Kind::All => "all",
            Kind::Mapping => "mapping",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Kind::Backfill, Kind::All, Kind::Mapping]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    fn first_stage(self) -> Stage {
        match self {
            Kind::Backfill | Kind::All => Stage::Read,
            Kind::Mapping => Stage::Sweep,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The live carts of the source, in the order of their keys.
    Read,
    /// The carts of the ledger that were not met.
    Sweep,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Stage::Read => "read",
            Stage::Sweep => "sweep",
        }
    }
}

/// An unfinished run.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: i32,
    pub kind: Kind,
    pub stage: Stage,
    pub start: Lsn,
    pub cursor: Option<CartKey>,
    pub total: Option<i64>,
}

/// Begins a run. One of the same kind that is still going on is finished by the new one, which
/// begins later and walks all carts.
pub async fn begin(
    target: &Target,
    pipeline: i32,
    kind: Kind,
    start: Lsn,
) -> Result<(), TargetError> {
    // The new one first: cut short in between, there are two, and none is missing.
    target
        .execute(
            "INSERT INTO cartage.refresh_run (pipeline, kind, stage, start_lsn) \
             VALUES ($1, $2, $3, $4)",
            params![pipeline, kind.name(), kind.first_stage().name(), start],
        )
        .await?;
    // MySQL reads no table that it updates, unless through a table of its own.
    target
        .execute(
            "UPDATE cartage.refresh_run SET finished_at = CURRENT_TIMESTAMP(6) \
             WHERE pipeline = $1 AND kind = $2 AND finished_at IS NULL AND id < \
                 (SELECT newest.id FROM (SELECT max(id) AS id FROM cartage.refresh_run \
                                         WHERE pipeline = $1 AND kind = $2) AS newest)",
            params![pipeline, kind.name()],
        )
        .await?;
    Ok(())
}

/// The oldest unfinished run.
pub async fn active(target: &Target, pipeline: i32) -> Result<Option<Run>, TargetError> {
    let row = target
        .first(
            "SELECT r.id, r.kind, r.stage, r.start_lsn, r.cursor, r.carts_total \
             FROM cartage.refresh_run r WHERE r.pipeline = $1 AND r.finished_at IS NULL \
             ORDER BY r.id LIMIT 1",
            params![pipeline],
        )
        .await?;
    match row {
        Some(row) => run(&row),
        None => Ok(None),
    }
}

fn run(row: &Row) -> Result<Option<Run>, TargetError> {
    let Some(kind) = Kind::parse(&row.get::<String>(1)?) else {
        return Ok(None);
    };
    let cursor: Option<String> = row.get(4)?;
    Ok(Some(Run {
        id: row.get(0)?,
        kind,
        stage: match row.get::<String>(2)?.as_str() {
            "read" => Stage::Read,
            _ => Stage::Sweep,
        },
        start: row.get(3)?,
        cursor: cursor.as_deref().map(CartKey::stored),
        total: row.get(5)?,
    }))
}

/// Whether the pipeline was ever read whole, or is being read.
pub async fn any_backfill(target: &Target, pipeline: i32) -> Result<bool, TargetError> {
    target
        .one(
            "SELECT EXISTS (SELECT 1 FROM cartage.refresh_run \
             WHERE pipeline = $1 AND kind IN ('backfill', 'all'))",
            params![pipeline],
        )
        .await?
        .get(0)
}

/// Whether a walk over all carts is not through.
pub async fn any_unfinished(target: &Target, pipeline: i32) -> Result<bool, TargetError> {
    target
        .one(
            "SELECT EXISTS (SELECT 1 FROM cartage.refresh_run WHERE pipeline = $1 \
             AND finished_at IS NULL)",
            params![pipeline],
        )
        .await?
        .get(0)
}

/// The run's reads begin here.
pub async fn set_start(target: &Target, run: i32, start: Lsn) -> Result<(), TargetError> {
    target
        .execute(
            "UPDATE cartage.refresh_run SET start_lsn = $2 WHERE id = $1",
            params![run, start],
        )
        .await?;
    Ok(())
}

/// A chunk is durable: the run goes on after it.
pub async fn advance(
    target: &Target,
    run: i32,
    cursor: &CartKey,
    carts: i64,
    rows: i64,
) -> Result<(), TargetError> {
    let sql = with_cursor(
        "UPDATE cartage.refresh_run SET {cursor} = $2, carts_done = carts_done + $3, \
         rows_done = rows_done + $4, waiting = NULL WHERE id = $1",
    );
    target
        .execute(sql, params![run, cursor.as_str(), carts, rows])
        .await?;
    Ok(())
}

pub async fn set_total(target: &Target, run: i32, total: Option<i64>) -> Result<(), TargetError> {
    target
        .execute(
            "UPDATE cartage.refresh_run SET carts_total = $2 WHERE id = $1",
            params![run, total],
        )
        .await?;
    Ok(())
}

/// Why the run waits; none when it goes on.
pub async fn waits(target: &Target, run: i32, why: Option<&str>) -> Result<(), TargetError> {
    let sql = Words::each(
        "UPDATE cartage.refresh_run SET waiting = $2 \
         WHERE id = $1 AND waiting IS DISTINCT FROM $2",
        "UPDATE cartage_refresh_run SET waiting = $2 WHERE id = $1 AND NOT (waiting <=> $2)",
    );
    target.execute(sql, params![run, why]).await?;
    Ok(())
}

/// The stage is through: on to the next, or done.
pub async fn next_stage(target: &Target, run: &Run) -> Result<(), TargetError> {
    let sweeps = run.stage == Stage::Read && run.kind == Kind::All;
    let sql = match sweeps {
        true => with_cursor(
            "UPDATE cartage.refresh_run SET stage = 'sweep', {cursor} = NULL, waiting = NULL \
             WHERE id = $1",
        ),
        false => Words::from(
            "UPDATE cartage.refresh_run SET finished_at = CURRENT_TIMESTAMP(6), waiting = NULL \
             WHERE id = $1",
        ),
    };
    target.execute(sql, params![run.id]).await?;
    Ok(())
}

/// MySQL wants the column's name quoted where it does not follow a table's.
fn with_cursor(sql: &str) -> Words<'static> {
    Words::each(
        sql.replace("{cursor}", "cursor"),
        sql.replace("{cursor}", "`cursor`")
            .replace("cartage.", "cartage_"),
    )
}

/// The next carts of the ledger that a sweep has to look at.
pub async fn sweep(
    target: &Target,
    pipeline: i32,
    run: &Run,
    mapping: i32,
    limit: i64,
) -> Result<Vec<CartKey>, TargetError> {
    let (condition, than) = match run.kind {
        Kind::Mapping => ("mapping <> $4", Param::from(mapping)),
        Kind::Backfill | Kind::All => (
            "(refreshed IS NULL OR refreshed < $4)",
            Param::from(run.start),
        ),
    };
    let sql = format!(
        "SELECT cart FROM cartage.ledger WHERE pipeline = $1 AND cart > $2 AND {condition} \
         AND state <> 'handed_over' ORDER BY cart LIMIT $3"
    );
    let after = run.cursor.as_ref().map_or("", CartKey::as_str);
    let rows = target
        .query(sql.as_str(), params![pipeline, after, limit, than])
        .await?;
    rows.iter()
        .map(|row| Ok(CartKey::stored(&row.get::<String>(0)?)))
        .collect()
}

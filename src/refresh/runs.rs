//! Walks over all carts, kept in `cartage.refresh_run` so that a killed daemon goes on at its last
//! chunk.

use tokio_postgres::{Client, Row};

use crate::cart::key::CartKey;
use crate::source::change::Lsn;

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
    client: &Client,
    pipeline: i32,
    kind: Kind,
    start: Lsn,
) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "WITH former AS (UPDATE cartage.refresh_run SET finished_at = now() \
                 WHERE pipeline = $1 AND kind = $2::text AND finished_at IS NULL) \
             INSERT INTO cartage.refresh_run (pipeline, kind, stage, start_lsn) \
             VALUES ($1, $2::text, $3::text, $4::text::pg_lsn)",
            &[
                &pipeline,
                &kind.name(),
                &kind.first_stage().name(),
                &start.to_string(),
            ],
        )
        .await?;
    Ok(())
}

/// The oldest unfinished run.
pub async fn active(client: &Client, pipeline: i32) -> Result<Option<Run>, tokio_postgres::Error> {
    let row = client
        .query_opt(
            "SELECT id, kind, stage, start_lsn::text, cursor, carts_total \
             FROM cartage.refresh_run WHERE pipeline = $1 AND finished_at IS NULL \
             ORDER BY id LIMIT 1",
            &[&pipeline],
        )
        .await?;
    Ok(row.as_ref().and_then(run))
}

fn run(row: &Row) -> Option<Run> {
    Some(Run {
        id: row.get(0),
        kind: Kind::parse(row.get(1))?,
        stage: match row.get::<_, &str>(2) {
            "read" => Stage::Read,
            _ => Stage::Sweep,
        },
        start: row.get::<_, &str>(3).parse().ok()?,
        cursor: row.get::<_, Option<&str>>(4).map(CartKey::stored),
        total: row.get(5),
    })
}

/// Whether the pipeline was ever read whole, or is being read.
pub async fn any_backfill(client: &Client, pipeline: i32) -> Result<bool, tokio_postgres::Error> {
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM cartage.refresh_run \
             WHERE pipeline = $1 AND kind IN ('backfill', 'all'))",
            &[&pipeline],
        )
        .await?;
    Ok(row.get(0))
}

/// The run's reads begin here.
pub async fn set_start(client: &Client, run: i32, start: Lsn) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "UPDATE cartage.refresh_run SET start_lsn = $2::text::pg_lsn WHERE id = $1",
            &[&run, &start.to_string()],
        )
        .await?;
    Ok(())
}

/// A chunk is durable: the run goes on after it.
pub async fn advance(
    client: &Client,
    run: i32,
    cursor: &CartKey,
    carts: i64,
    rows: i64,
) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "UPDATE cartage.refresh_run SET cursor = $2::text, carts_done = carts_done + $3, \
             rows_done = rows_done + $4, waiting = NULL WHERE id = $1",
            &[&run, &cursor.as_str(), &carts, &rows],
        )
        .await?;
    Ok(())
}

pub async fn set_total(
    client: &Client,
    run: i32,
    total: Option<i64>,
) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "UPDATE cartage.refresh_run SET carts_total = $2 WHERE id = $1",
            &[&run, &total],
        )
        .await?;
    Ok(())
}

/// Why the run waits; none when it goes on.
pub async fn waits(
    client: &Client,
    run: i32,
    why: Option<&str>,
) -> Result<(), tokio_postgres::Error> {
    client
        .execute(
            "UPDATE cartage.refresh_run SET waiting = $2::text \
             WHERE id = $1 AND waiting IS DISTINCT FROM $2::text",
            &[&run, &why],
        )
        .await?;
    Ok(())
}

/// The stage is through: on to the next, or done.
pub async fn next_stage(client: &Client, run: &Run) -> Result<(), tokio_postgres::Error> {
    let sweeps = run.stage == Stage::Read && run.kind == Kind::All;
    let sql = match sweeps {
        true => {
            "UPDATE cartage.refresh_run SET stage = 'sweep', cursor = NULL, waiting = NULL \
             WHERE id = $1"
        }
        false => "UPDATE cartage.refresh_run SET finished_at = now(), waiting = NULL WHERE id = $1",
    };
    client.execute(sql, &[&run.id]).await?;
    Ok(())
}

/// The next carts of the ledger that a sweep has to look at.
pub async fn sweep(
    client: &Client,
    pipeline: i32,
    run: &Run,
    mapping: i32,
    limit: i64,
) -> Result<Vec<CartKey>, tokio_postgres::Error> {
    let condition = match run.kind {
        Kind::Mapping => "mapping <> $5::integer AND state <> 'handed_over'",
        Kind::Backfill | Kind::All => {
            "$5::integer IS NOT NULL AND state <> 'handed_over' \
             AND (refreshed IS NULL OR refreshed < $4::text::pg_lsn)"
        }
    };
    let sql = format!(
        "SELECT cart FROM cartage.ledger WHERE pipeline = $1 AND cart > $2::text AND {condition} \
         AND $4::text IS NOT NULL ORDER BY cart LIMIT $3"
    );
    let after = run.cursor.as_ref().map_or("", CartKey::as_str);
    let rows = client
        .query(
            &sql,
            &[&pipeline, &after, &limit, &run.start.to_string(), &mapping],
        )
        .await?;
    Ok(rows.iter().map(|row| CartKey::stored(row.get(0))).collect())
}

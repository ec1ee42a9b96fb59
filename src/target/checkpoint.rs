//! Checkpoints: who may write, and up to where each lane is durable.

use tokio_postgres::{Client, Row};

use crate::source::change::{Lsn, Position};
use crate::switch::{self, Mutant};

/// A position read back from, or just committed to, a checkpoint row: the only thing that may be
/// told to the source as safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Durable(Position);

impl Durable {
    pub fn position(self) -> Position {
        self.0
    }

    /// Only for the writer, right after its commit was acknowledged.
    pub(super) fn committed(position: Position) -> Self {
        Self(position)
    }
}

/// What the daemon holds after taking a pipeline over.
#[derive(Clone, Debug)]
pub struct Taken {
    pub epoch: i64,
    /// The least position of all lanes: where reading begins.
    pub start: Durable,
}

/// Takes the pipeline over: bumps the epoch, which makes the next transaction of any former owner
/// fail, and cuts the lanes anew. Waits for a former owner's open transaction, which holds its row.
/// A daemon that has owned it already names its epoch; None: another one came since.
pub async fn take_over(
    tx: &Client,
    pipeline: i32,
    lanes: usize,
    owned: Option<i64>,
) -> Result<Option<Taken>, tokio_postgres::Error> {
    let owned = owned.filter(|_| !switch::mutant(Mutant::TakeBack));
    let lanes = i32::try_from(lanes).unwrap_or(i32::MAX);
    // After an error the session is given up, and its transaction with it.
    tx.batch_execute("BEGIN").await?;
    let row = tx
        .query_opt(
            "UPDATE cartage.pipeline SET epoch = epoch + 1, stopped_reason = NULL \
             WHERE id = $1 AND epoch = coalesce($2::bigint, epoch) RETURNING epoch",
            &[&pipeline, &owned],
        )
        .await?;
    let Some(row) = row else {
        tx.batch_execute("ROLLBACK").await?;
        return Ok(None);
    };
    let epoch: i64 = row.get(0);
    // Every row is locked before the least is taken: a zombie's last commit counts.
    tx.execute(
        "UPDATE cartage.checkpoint SET epoch = $2 WHERE pipeline = $1",
        &[&pipeline, &epoch],
    )
    .await?;
    let least = tx
        .query_one(
            "SELECT lsn::text, seq FROM cartage.checkpoint WHERE pipeline = $1 \
             ORDER BY checkpoint.lsn, checkpoint.seq LIMIT 1",
            &[&pipeline],
        )
        .await?;
    let start = position(&least, 0);
    let count: i64 = tx
        .query_one(
            "SELECT count(*) FROM cartage.checkpoint WHERE pipeline = $1",
            &[&pipeline],
        )
        .await?
        .get(0);
    if count != i64::from(lanes) {
        tx.execute(&fold_counters(), &[&pipeline, &lanes]).await?;
        // Carts change lanes with the number of lanes, so all lanes begin at the least position.
        tx.execute(
            "UPDATE cartage.checkpoint SET lsn = $2::text::pg_lsn, seq = $3 WHERE pipeline = $1",
            &[&pipeline, &start.lsn.to_string(), &i64::from(start.seq)],
        )
        .await?;
        tx.execute(
            "INSERT INTO cartage.checkpoint (pipeline, lane, epoch, lsn, seq) \
             SELECT $1, lane, $2, $3::text::pg_lsn, $4 FROM generate_series(0, $5 - 1) AS lane \
             ON CONFLICT DO NOTHING",
            &[
                &pipeline,
                &epoch,
                &start.lsn.to_string(),
                &i64::from(start.seq),
                &lanes,
            ],
        )
        .await?;
    }
    tx.batch_execute("COMMIT").await?;
    Ok(Some(Taken {
        epoch,
        start: Durable(start),
    }))
}

/// What a lane has counted; the sums over all lanes count.
const COUNTERS: [&str; 9] = [
    "patches",
    "rows_applied",
    "conflicts",
    "late",
    "mirror",
    "merged",
    "handed_over",
    "held",
    "ended",
];

/// Drops the lanes that are too many, and gives what they counted to the first.
fn fold_counters() -> String {
    let list = |each: &dyn Fn(&str) -> String| COUNTERS.map(each).join(", ");
    format!(
        "WITH former AS (DELETE FROM cartage.checkpoint WHERE pipeline = $1 AND lane >= $2 \
                         RETURNING {}), \
              sums AS (SELECT {} FROM former) \
         UPDATE cartage.checkpoint c SET {} FROM sums WHERE c.pipeline = $1 AND c.lane = 0",
        list(&|c| c.to_owned()),
        list(&|c| format!("coalesce(sum({c}), 0) AS {c}")),
        list(&|c| format!("{c} = c.{c} + sums.{c}")),
    )
}

/// A lane's own row, if it still belongs to this epoch.
pub async fn read(
    client: &Client,
    pipeline: i32,
    lane: i32,
    epoch: i64,
) -> Result<Option<Durable>, tokio_postgres::Error> {
    let row = client
        .query_opt(
            "SELECT lsn::text, seq FROM cartage.checkpoint \
             WHERE pipeline = $1 AND lane = $2 AND epoch = $3",
            &[&pipeline, &lane, &epoch],
        )
        .await?;
    Ok(row.map(|row| Durable(position(&row, 0))))
}

/// A position from an `lsn::text` column and the `seq` column after it.
pub(super) fn position(row: &Row, at: usize) -> Position {
    let lsn: &str = row.get(at);
    let seq: i64 = row.get(at + 1);
    Position {
        lsn: lsn.parse().unwrap_or(Lsn(0)),
        seq: u32::try_from(seq).unwrap_or(u32::MAX),
    }
}

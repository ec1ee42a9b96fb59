//! Checkpoints: who may write, and up to where each lane is durable.

use super::error::TargetError;
use super::row::Row;
use super::session::Target;
use super::words::Words;
use crate::params;
use crate::source::change::Position;
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
    target: &Target,
    pipeline: i32,
    lanes: usize,
    owned: Option<i64>,
) -> Result<Option<Taken>, TargetError> {
    let owned = owned.filter(|_| !switch::mutant(Mutant::TakeBack));
    let lanes = i32::try_from(lanes).unwrap_or(i32::MAX);
    // After an error the session is given up, and its transaction with it.
    target.run("BEGIN").await?;
    let sql = "UPDATE cartage.pipeline SET epoch = epoch + 1, stopped_reason = NULL \
               WHERE id = $1 AND epoch = coalesce($2, epoch)";
    if target.execute(sql, params![pipeline, owned]).await? == 0 {
        target.run("ROLLBACK").await?;
        return Ok(None);
    }
    let sql = "SELECT epoch FROM cartage.pipeline WHERE id = $1";
    let epoch: i64 = target.one(sql, params![pipeline]).await?.get(0)?;
    // Every row is locked before the least is taken: a zombie's last commit counts.
    let sql = "UPDATE cartage.checkpoint SET epoch = $2 WHERE pipeline = $1";
    target.execute(sql, params![pipeline, epoch]).await?;
    let sql = "SELECT lsn, seq FROM cartage.checkpoint WHERE pipeline = $1 \
               ORDER BY lsn, seq LIMIT 1";
    let start = position(&target.one(sql, params![pipeline]).await?, 0)?;
    let sql = "SELECT count(*) FROM cartage.checkpoint WHERE pipeline = $1";
    let count: i64 = target.one(sql, params![pipeline]).await?.get(0)?;
    if count != i64::from(lanes) {
        fold_counters(target, pipeline, lanes).await?;
        // Carts change lanes with the number of lanes, so all lanes begin at the least position.
        let sql = "UPDATE cartage.checkpoint SET lsn = $2, seq = $3 WHERE pipeline = $1";
        target
            .execute(sql, params![pipeline, start.lsn, start.seq])
            .await?;
        let missing = Words::each(
            "INSERT INTO cartage.checkpoint (pipeline, lane, epoch, lsn, seq) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            "INSERT INTO cartage_checkpoint (pipeline, lane, epoch, lsn, seq) \
             VALUES ($1, $2, $3, $4, $5) ON DUPLICATE KEY UPDATE lane = lane",
        );
        for lane in 0..lanes {
            let params = params![pipeline, lane, epoch, start.lsn, start.seq];
            target.execute(missing.clone(), params).await?;
        }
    }
    target.run("COMMIT").await?;
    Ok(Some(Taken {
        epoch,
        start: Durable(start),
    }))
}

/// What a lane has counted; the sums over all lanes count.
const COUNTERS: [&str; 11] = [
    "patches",
    "rows_applied",
    "conflicts",
    "late",
    "merged_items",
    "merge_conflicts",
    "mirror",
    "merged",
    "handed_over",
    "held",
    "ended",
];

/// Drops the lanes that are too many, and gives what they counted to the first.
async fn fold_counters(target: &Target, pipeline: i32, lanes: i32) -> Result<(), TargetError> {
    let list = |each: &dyn Fn(&str) -> String| COUNTERS.map(each).join(", ");
    let former = "FROM cartage.checkpoint WHERE pipeline = $1 AND lane >= $2";
    let sums = list(&|c| format!("coalesce(sum({c}), 0) AS {c}"));
    let sets = list(&|c| format!("{c} = c.{c} + sums.{c}"));
    let folded = format!(
        "UPDATE cartage.checkpoint AS c SET {sets} FROM (SELECT {sums} {former}) AS sums \
         WHERE c.pipeline = $1 AND c.lane = 0"
    );
    // The table that is updated can be read by a derived table, and by no subquery.
    let sets = list(&|c| format!("c.{c} = c.{c} + sums.{c}"));
    let there = format!(
        "UPDATE cartage_checkpoint AS c JOIN (SELECT {sums} {}) AS sums SET {sets} \
         WHERE c.pipeline = $1 AND c.lane = 0",
        former.replace("cartage.", "cartage_")
    );
    let words = Words::each(folded, there);
    target.execute(words, params![pipeline, lanes]).await?;
    let sql = "DELETE FROM cartage.checkpoint WHERE pipeline = $1 AND lane >= $2";
    target.execute(sql, params![pipeline, lanes]).await?;
    Ok(())
}

/// A lane's own row, if it still belongs to this epoch.
pub async fn read(
    target: &Target,
    pipeline: i32,
    lane: i32,
    epoch: i64,
) -> Result<Option<Durable>, TargetError> {
    let sql = "SELECT lsn, seq FROM cartage.checkpoint \
               WHERE pipeline = $1 AND lane = $2 AND epoch = $3";
    let row = target.first(sql, params![pipeline, lane, epoch]).await?;
    row.map(|row| Ok(Durable(position(&row, 0)?))).transpose()
}

/// A position from an `lsn` column and the `seq` column after it.
fn position(row: &Row, at: usize) -> Result<Position, TargetError> {
    Ok(Position {
        lsn: row.get(at)?,
        seq: u32::try_from(row.get::<i64>(at + 1)?).unwrap_or(u32::MAX),
    })
}

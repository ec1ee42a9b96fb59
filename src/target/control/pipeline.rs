//! The pipeline's own row, and the checkpoint that it has from its first day.

use std::fmt;
use std::io::Read;

use crate::params;
use crate::source::Spelling;
use crate::source::change::Lsn;
use crate::source::identity::Lineage;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::Words;

/// A row of `cartage.pipeline`.
#[derive(Clone, Debug)]
pub struct PipelineRow {
    pub id: i32,
    pub name: String,
    pub phase: String,
    pub epoch: i64,
    pub source_system: Option<String>,
    pub source_timeline: Option<i32>,
    pub slot: Option<String>,
    pub publication: Option<String>,
    pub publication_state: Option<serde_json::Value>,
    pub ids_secret: Option<IdsSecret>,
    /// Of the key under which identifiers were first made.
    pub ids_fingerprint: Option<String>,
    pub mapping: Option<i32>,
    pub purge_horizon: Option<Lsn>,
    pub waived: i64,
    pub stopped_reason: Option<String>,
}

impl PipelineRow {
    /// How positions in its source's log are written for people.
    pub fn spelling(&self) -> Spelling {
        Spelling::of(self.publication_state.as_ref())
    }
}

/// The key of `keyed_id` and `uuid_v5`; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct IdsSecret(pub Vec<u8>);

impl IdsSecret {
    /// 32 bytes of the operating system's randomness.
    pub fn generate() -> std::io::Result<Self> {
        let mut bytes = vec![0; 32];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for IdsSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What `setup` knows of the source when it makes the row.
#[derive(Clone, Debug)]
pub struct NewPipeline<'a> {
    pub name: &'a str,
    pub lineage: &'a Lineage,
    /// What the source keeps for it, where its kind keeps something.
    pub slot: Option<&'a str>,
    pub publication: Option<&'a str>,
    pub ids_secret: Option<&'a IdsSecret>,
}

/// Whether the control tables are there at all.
pub async fn installed(target: &Target) -> Result<bool, TargetError> {
    let words = Words::each(
        "SELECT pg_catalog.to_regclass('cartage.pipeline') IS NOT NULL",
        "SELECT count(*) > 0 FROM information_schema.tables
         WHERE table_schema = database() AND table_name = 'cartage_pipeline'",
    );
    target.one(words, params![]).await?.get(0)
}

pub async fn load(target: &Target, name: &str) -> Result<Option<PipelineRow>, TargetError> {
    let columns = "id, name, phase, epoch, source_system, source_timeline, slot, publication,
                   publication_state, ids_secret, ids_fingerprint, mapping, purge_horizon,
                   waived, stopped_reason";
    let here = columns.replace("publication_state", "CAST(publication_state AS text)");
    let words = Words::each(
        format!("SELECT {here} FROM cartage.pipeline WHERE name = $1"),
        format!("SELECT {columns} FROM cartage_pipeline WHERE name = $1"),
    );
    let row = target.first(words, params![name]).await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<PipelineRow, TargetError> {
    let state: Option<String> = row.get(8)?;
    Ok(PipelineRow {
        id: row.get(0)?,
        name: row.get(1)?,
        phase: row.get(2)?,
        epoch: row.get(3)?,
        source_system: row.get(4)?,
        source_timeline: row.get(5)?,
        slot: row.get(6)?,
        publication: row.get(7)?,
        // It was written from JSON, so it parses.
        publication_state: state.and_then(|text| serde_json::from_str(&text).ok()),
        ids_secret: row.get::<Option<Vec<u8>>>(9)?.map(IdsSecret),
        ids_fingerprint: row.get(10)?,
        mapping: row.get(11)?,
        purge_horizon: row.get(12)?,
        waived: row.get(13)?,
        stopped_reason: row.get(14)?,
    })
}

/// Makes the row where it is missing; one that exists keeps its secret.
pub async fn create(target: &Target, new: &NewPipeline<'_>) -> Result<(), TargetError> {
    let secret = new.ids_secret.map(|s| s.0.as_slice());
    let row = "(name, source_system, source_timeline, slot, publication, ids_secret)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let words = Words::each(
        format!("INSERT INTO cartage.pipeline {row} ON CONFLICT (name) DO NOTHING"),
        format!("INSERT INTO cartage_pipeline {row} ON DUPLICATE KEY UPDATE id = id"),
    );
    let (system, timeline) = (new.lineage.system.as_str(), new.lineage.timeline);
    let params = params![
        new.name,
        system,
        timeline,
        new.slot,
        new.publication,
        secret
    ];
    target.execute(words, params).await?;
    Ok(())
}

/// From now on identifiers are made under the key of this fingerprint. The first one stays.
pub async fn set_ids_fingerprint(
    target: &Target,
    pipeline: i32,
    fingerprint: &str,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.pipeline SET ids_fingerprint = $2 \
               WHERE id = $1 AND ids_fingerprint IS NULL";
    target.execute(sql, params![pipeline, fingerprint]).await?;
    Ok(())
}

/// Removes the row and with it every other control row of the pipeline. False where there was none.
pub async fn delete(target: &Target, name: &str) -> Result<bool, TargetError> {
    let sql = "DELETE FROM cartage.pipeline WHERE name = $1";
    Ok(target.execute(sql, params![name]).await? > 0)
}

/// How many pipelines write into this database.
pub async fn count(target: &Target) -> Result<i64, TargetError> {
    let sql = "SELECT count(*) FROM cartage.pipeline";
    target.one(sql, params![]).await?.get(0)
}

pub async fn set_publication_state(
    target: &Target,
    pipeline: i32,
    state: &serde_json::Value,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.pipeline SET publication_state = $2 WHERE id = $1";
    let params = params![pipeline, state.to_string()];
    target.execute(sql, params).await?;
    Ok(())
}

/// The same by the daemon that owns the pipeline, and by no other.
pub async fn remember(
    target: &Target,
    pipeline: i32,
    epoch: i64,
    state: &serde_json::Value,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.pipeline SET publication_state = $3 WHERE id = $1 AND epoch = $2";
    let params = params![pipeline, epoch, state.to_string()];
    target.execute(sql, params).await?;
    Ok(())
}

/// The servers that the pipeline reads: after a promotion their timeline is a later one.
pub async fn set_source(
    target: &Target,
    pipeline: i32,
    lineage: &Lineage,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.pipeline SET source_system = $2, source_timeline = $3 WHERE id = $1";
    let params = params![pipeline, &lineage.system, lineage.timeline];
    target.execute(sql, params).await?;
    Ok(())
}

/// The position up to which every lane is durable; none only before `setup` is through.
pub async fn checkpoint(target: &Target, pipeline: i32) -> Result<Option<Lsn>, TargetError> {
    let sql = "SELECT min(lsn) FROM cartage.checkpoint WHERE pipeline = $1";
    target.one(sql, params![pipeline]).await?.get(0)
}

/// The first checkpoint stands where the slot begins, so that a pipeline never is without one.
pub async fn create_checkpoint(target: &Target, pipeline: i32, at: Lsn) -> Result<(), TargetError> {
    let row = |pipelines: &str| format!("SELECT id, 0, epoch, $2 FROM {pipelines} WHERE id = $1");
    let words = Words::each(
        format!(
            "INSERT INTO cartage.checkpoint (pipeline, lane, epoch, lsn) {}
             ON CONFLICT (pipeline, lane) DO NOTHING",
            row("cartage.pipeline")
        ),
        format!(
            "INSERT INTO cartage_checkpoint (pipeline, lane, epoch, lsn) {}
             ON DUPLICATE KEY UPDATE lane = lane",
            row("cartage_pipeline")
        ),
    );
    target.execute(words, params![pipeline, at]).await?;
    Ok(())
}

/// Starts over at a new slot: what happened since the old checkpoint is in no log any more, so
/// every cart has to be read again. Taking the lanes over fences a daemon that still runs. A new state
/// of the source comes with it or not at all: next to the old checkpoint it would vouch for a log in
/// which that place is another one.
pub async fn restart_at(
    target: &Target,
    pipeline: i32,
    at: Lsn,
    lineage: &Lineage,
    state: Option<&serde_json::Value>,
) -> Result<(), TargetError> {
    target.run("BEGIN").await?;
    let begun = async {
        begin_anew(target, pipeline, at, lineage).await?;
        match state {
            Some(state) => set_publication_state(target, pipeline, state).await,
            None => Ok(()),
        }
    };
    match begun.await {
        Ok(()) => target.run("COMMIT").await,
        Err(error) => {
            // Where the connection is gone there is nothing to roll back.
            let _ = target.run("ROLLBACK").await;
            Err(error)
        }
    }
}

async fn begin_anew(
    target: &Target,
    pipeline: i32,
    at: Lsn,
    lineage: &Lineage,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.pipeline
               SET epoch = epoch + 1, source_system = $2, source_timeline = $3,
                   purge_horizon = $4, stopped_reason = NULL
               WHERE id = $1";
    let params = params![pipeline, &lineage.system, lineage.timeline, at];
    target.execute(sql, params).await?;
    let sql = "SELECT epoch FROM cartage.pipeline WHERE id = $1";
    let epoch: i64 = target.one(sql, params![pipeline]).await?.get(0)?;
    let sql = "UPDATE cartage.checkpoint SET epoch = $2, lsn = $3, seq = 0 WHERE pipeline = $1";
    target.execute(sql, params![pipeline, epoch, at]).await?;
    create_checkpoint(target, pipeline, at).await?;
    // Positions compare only within one log. What stands beyond its beginning is of another one, and
    // would have carts take what comes for applied, and the walk take them for met.
    let sql = "UPDATE cartage.ledger SET refreshed = NULL, lsn = least(lsn, $2), seq = 0
               WHERE pipeline = $1 AND (lsn >= $2 OR refreshed >= $2)";
    target.execute(sql, params![pipeline, at]).await?;
    let sql = "UPDATE cartage.refresh_run SET finished_at = CURRENT_TIMESTAMP(6), waiting = NULL
               WHERE pipeline = $1 AND finished_at IS NULL";
    target.execute(sql, params![pipeline]).await?;
    let sql = "INSERT INTO cartage.refresh_run (pipeline, kind, start_lsn) VALUES ($1, 'all', $2)";
    target.execute(sql, params![pipeline, at]).await?;
    Ok(())
}

/// Has every cart read again from the source; the run begins where the lanes stand.
pub async fn refresh_all(target: &Target, pipeline: i32) -> Result<(), TargetError> {
    let sql = "
        INSERT INTO cartage.refresh_run (pipeline, kind, start_lsn)
        SELECT $1, 'all', min(lsn) FROM cartage.checkpoint
        WHERE pipeline = $1 HAVING min(lsn) IS NOT NULL";
    target.execute(sql, params![pipeline]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_are_not_printed() {
        let (a, b) = (
            IdsSecret::generate().expect("urandom"),
            IdsSecret::generate().expect("urandom"),
        );
        assert_eq!(a.0.len(), 32);
        assert_ne!(a, b);
        assert_eq!(format!("{a:?}"), "(secret)");
    }
}

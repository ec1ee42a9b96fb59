//! The pipeline's own row, and the checkpoint that it has from its first day.

use std::fmt;
use std::io::Read;

use tokio_postgres::types::PgLsn;
use tokio_postgres::{Client, Error, Row, Transaction};

use crate::source::Spelling;
use crate::source::change::Lsn;
use crate::source::identity::Lineage;

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
pub async fn installed(target: &Client) -> Result<bool, Error> {
    let sql = "SELECT pg_catalog.to_regclass('cartage.pipeline') IS NOT NULL";
    target.query_one(sql, &[]).await?.try_get(0)
}

pub async fn load(target: &Client, name: &str) -> Result<Option<PipelineRow>, Error> {
    let sql = "
        SELECT id, name, phase, epoch, source_system, source_timeline, slot, publication,
               publication_state::text, ids_secret, ids_fingerprint, mapping, purge_horizon, waived, stopped_reason
        FROM cartage.pipeline WHERE name = $1";
    let row = target.query_opt(sql, &[&name]).await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<PipelineRow, Error> {
    let state: Option<&str> = row.try_get("publication_state")?;
    Ok(PipelineRow {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        phase: row.try_get("phase")?,
        epoch: row.try_get("epoch")?,
        source_system: row.try_get("source_system")?,
        source_timeline: row.try_get("source_timeline")?,
        slot: row.try_get("slot")?,
        publication: row.try_get("publication")?,
        // The server wrote it from jsonb, so it parses.
        publication_state: state.and_then(|text| serde_json::from_str(text).ok()),
        ids_secret: row
            .try_get::<_, Option<Vec<u8>>>("ids_secret")?
            .map(IdsSecret),
        ids_fingerprint: row.try_get("ids_fingerprint")?,
        mapping: row.try_get("mapping")?,
        purge_horizon: row.try_get::<_, Option<PgLsn>>("purge_horizon")?.map(lsn),
        waived: row.try_get("waived")?,
        stopped_reason: row.try_get("stopped_reason")?,
    })
}

/// Makes the row where it is missing; one that exists keeps its secret.
pub async fn create(target: &Client, new: &NewPipeline<'_>) -> Result<(), Error> {
    let secret = new.ids_secret.map(|s| s.0.as_slice());
    let sql = "
        INSERT INTO cartage.pipeline
            (name, source_system, source_timeline, slot, publication, ids_secret)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO NOTHING";
    target
        .execute(
            sql,
            &[
                &new.name,
                &new.lineage.system,
                &new.lineage.timeline,
                &new.slot,
                &new.publication,
                &secret,
            ],
        )
        .await?;
    Ok(())
}

/// From now on identifiers are made under the key of this fingerprint. The first one stays.
pub async fn set_ids_fingerprint(
    target: &Client,
    pipeline: i32,
    fingerprint: &str,
) -> Result<(), Error> {
    let sql = "UPDATE cartage.pipeline SET ids_fingerprint = $2::text \
               WHERE id = $1 AND ids_fingerprint IS NULL";
    target.execute(sql, &[&pipeline, &fingerprint]).await?;
    Ok(())
}

/// Removes the row and with it every other control row of the pipeline. False where there was none.
pub async fn delete(target: &Client, name: &str) -> Result<bool, Error> {
    let sql = "DELETE FROM cartage.pipeline WHERE name = $1";
    Ok(target.execute(sql, &[&name]).await? > 0)
}

/// How many pipelines write into this database.
pub async fn count(target: &Client) -> Result<i64, Error> {
    target
        .query_one("SELECT count(*) FROM cartage.pipeline", &[])
        .await?
        .try_get(0)
}

pub async fn set_publication_state(
    target: &Client,
    pipeline: i32,
    state: &serde_json::Value,
) -> Result<(), Error> {
    let sql = "UPDATE cartage.pipeline SET publication_state = $2::text::jsonb WHERE id = $1";
    target
        .execute(sql, &[&pipeline, &state.to_string()])
        .await?;
    Ok(())
}

/// The same by the daemon that owns the pipeline, and by no other.
pub async fn remember(
    target: &Client,
    pipeline: i32,
    epoch: i64,
    state: &serde_json::Value,
) -> Result<(), Error> {
    let sql = "UPDATE cartage.pipeline SET publication_state = $3::text::jsonb \
               WHERE id = $1 AND epoch = $2";
    target
        .execute(sql, &[&pipeline, &epoch, &state.to_string()])
        .await?;
    Ok(())
}

/// The servers that the pipeline reads: after a promotion their timeline is a later one.
pub async fn set_source(target: &Client, pipeline: i32, lineage: &Lineage) -> Result<(), Error> {
    let sql = "
        UPDATE cartage.pipeline SET source_system = $2, source_timeline = $3 WHERE id = $1";
    target
        .execute(sql, &[&pipeline, &lineage.system, &lineage.timeline])
        .await?;
    Ok(())
}

/// The position up to which every lane is durable; none only before `setup` is through.
pub async fn checkpoint(target: &Client, pipeline: i32) -> Result<Option<Lsn>, Error> {
    let sql = "SELECT min(lsn) FROM cartage.checkpoint WHERE pipeline = $1";
    let row = target.query_one(sql, &[&pipeline]).await?;
    Ok(row.try_get::<_, Option<PgLsn>>(0)?.map(lsn))
}

/// The first checkpoint stands where the slot begins, so that a pipeline never is without one.
pub async fn create_checkpoint(target: &Client, pipeline: i32, at: Lsn) -> Result<(), Error> {
    let sql = "
        INSERT INTO cartage.checkpoint (pipeline, lane, epoch, lsn)
        SELECT id, 0, epoch, $2 FROM cartage.pipeline WHERE id = $1
        ON CONFLICT (pipeline, lane) DO NOTHING";
    target
        .execute(sql, &[&pipeline, &PgLsn::from(at.0)])
        .await?;
    Ok(())
}

/// Starts over at a new slot: what happened since the old checkpoint is in no log any more, so
/// every cart has to be read again. Taking the lanes over fences a daemon that still runs.
pub async fn restart_at(
    target: &mut Client,
    pipeline: i32,
    at: Lsn,
    lineage: &Lineage,
) -> Result<(), Error> {
    let transaction: Transaction<'_> = target.transaction().await?;
    let at = PgLsn::from(at.0);
    let row = transaction
        .query_one(
            "UPDATE cartage.pipeline
             SET epoch = epoch + 1, source_system = $2, source_timeline = $3,
                 purge_horizon = $4, stopped_reason = NULL
             WHERE id = $1 RETURNING epoch",
            &[&pipeline, &lineage.system, &lineage.timeline, &at],
        )
        .await?;
    let epoch: i64 = row.try_get(0)?;
    transaction
        .execute(
            "UPDATE cartage.checkpoint SET epoch = $2, lsn = $3, seq = 0 WHERE pipeline = $1",
            &[&pipeline, &epoch, &at],
        )
        .await?;
    transaction
        .execute(
            "INSERT INTO cartage.checkpoint (pipeline, lane, epoch, lsn)
             SELECT $1, 0, $2, $3
             WHERE NOT EXISTS (SELECT FROM cartage.checkpoint WHERE pipeline = $1)",
            &[&pipeline, &epoch, &at],
        )
        .await?;
    // Positions compare only within one log. What stands beyond its beginning is of another one, and
    // would have carts take what comes for applied, and the walk take them for met.
    transaction
        .execute(
            "UPDATE cartage.ledger SET refreshed = NULL, lsn = least(lsn, $2), seq = 0
             WHERE pipeline = $1 AND (lsn >= $2 OR refreshed >= $2)",
            &[&pipeline, &at],
        )
        .await?;
    transaction
        .execute(
            "UPDATE cartage.refresh_run SET finished_at = now(), waiting = NULL
             WHERE pipeline = $1 AND finished_at IS NULL",
            &[&pipeline],
        )
        .await?;
    transaction
        .execute(
            "INSERT INTO cartage.refresh_run (pipeline, kind, start_lsn) VALUES ($1, 'all', $2)",
            &[&pipeline, &at],
        )
        .await?;
    transaction.commit().await
}

/// Has every cart read again from the source; the run begins where the lanes stand.
pub async fn refresh_all(target: &Client, pipeline: i32) -> Result<(), Error> {
    let sql = "
        INSERT INTO cartage.refresh_run (pipeline, kind, start_lsn)
        SELECT $1, 'all', min(lsn) FROM cartage.checkpoint
        WHERE pipeline = $1 HAVING min(lsn) IS NOT NULL";
    target.execute(sql, &[&pipeline]).await?;
    Ok(())
}

fn lsn(value: PgLsn) -> Lsn {
    Lsn(value.into())
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

//! The checkpoint's rows as they are shown, kept in a file, and moved.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::keys::{self, Keys};
use crate::params;
use crate::source::change::{Lsn, Position};
use crate::target::control::mapping_row;
use crate::target::control::pipeline::PipelineRow;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Words;

/// A lane's row.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    pub lane: i32,
    pub lsn: String,
    pub seq: u32,
    /// When it last committed, as text.
    pub updated_at: String,
}

impl Lane {
    pub fn position(&self) -> Position {
        Position {
            // What is no position stands before all others: it is refused as out of reach.
            lsn: self.lsn.parse().unwrap_or_default(),
            seq: self.seq,
        }
    }
}

/// What `checkpoint export` prints.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    pub format: u32,
    pub pipeline: String,
    pub source_system: Option<String>,
    pub source_timeline: Option<i32>,
    pub slot: Option<String>,
    pub publication: Option<String>,
    /// Fingerprint of the mapping in force.
    pub mapping: Option<String>,
    pub lanes: Vec<Lane>,
    /// The generated key of `keyed_id` and `uuid_v5`, in base64.
    pub ids_secret: Option<String>,
    /// The keys that the target has allocated to source rows.
    #[serde(default, skip_serializing_if = "Keys::is_empty")]
    pub key_map: Keys,
}

impl Export {
    pub const FORMAT: u32 = 1;

    pub fn secret(&self) -> Result<Option<Vec<u8>>, &'static str> {
        let decode = |text: &String| BASE64.decode(text.as_bytes());
        self.ids_secret
            .as_ref()
            .map(decode)
            .transpose()
            .map_err(|_| "the file's ids_secret is not base64")
    }

    pub fn least(&self) -> Option<Lsn> {
        self.lanes.iter().map(|lane| lane.position().lsn).min()
    }
}

pub async fn export(target: &Target, pipeline: &PipelineRow) -> Result<Export, TargetError> {
    let mapping = match pipeline.mapping {
        Some(id) => mapping_row::by_id(target, id).await?,
        None => None,
    };
    Ok(Export {
        format: Export::FORMAT,
        pipeline: pipeline.name.clone(),
        source_system: pipeline.source_system.clone(),
        source_timeline: pipeline.source_timeline,
        slot: pipeline.slot.clone(),
        publication: pipeline.publication.clone(),
        mapping: mapping.map(|row| row.hash),
        lanes: lanes(target, pipeline.id).await?,
        ids_secret: pipeline
            .ids_secret
            .as_ref()
            .map(|secret| BASE64.encode(&secret.0)),
        key_map: keys::read(target, pipeline.id).await?,
    })
}

pub async fn lanes(target: &Target, pipeline: i32) -> Result<Vec<Lane>, TargetError> {
    let sql = Words::each(
        "SELECT lane, lsn, seq, to_char(updated_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') \
         FROM cartage.checkpoint WHERE pipeline = $1 ORDER BY lane",
        "SELECT lane, lsn, seq, date_format(updated_at, '%Y-%m-%dT%H:%i:%sZ') \
         FROM cartage_checkpoint WHERE pipeline = $1 ORDER BY lane",
    );
    let rows = target.query(sql, params![pipeline]).await?;
    rows.iter()
        .map(|row| {
            Ok(Lane {
                lane: row.get(0)?,
                lsn: row.get::<Lsn>(1)?.to_string(),
                seq: u32::try_from(row.get::<i64>(2)?).unwrap_or(u32::MAX),
                updated_at: row.get(3)?,
            })
        })
        .collect()
}

/// Sets the key of ids while no cart was written under another. False where one was.
pub async fn put_secret(
    target: &Target,
    pipeline: i32,
    secret: &[u8],
) -> Result<bool, TargetError> {
    let changed = target
        .execute(
            "UPDATE cartage.pipeline SET ids_secret = $2, ids_fingerprint = NULL WHERE id = $1 \
             AND NOT EXISTS (SELECT 1 FROM cartage.ledger WHERE pipeline = $1)",
            params![pipeline, secret],
        )
        .await?;
    Ok(changed > 0)
}

/// Moves every lane. The new epoch fences a daemon that was missed, and waits for its open
/// transaction (protocol rule 4).
pub async fn move_to(target: &Target, pipeline: i32, to: Lsn) -> Result<(), TargetError> {
    target.run("BEGIN").await?;
    match move_lanes(target, pipeline, to).await {
        Ok(()) => target.run("COMMIT").await,
        Err(error) => {
            // Where the connection is gone there is nothing to roll back.
            let _ = target.run("ROLLBACK").await;
            Err(error)
        }
    }
}

async fn move_lanes(target: &Target, pipeline: i32, to: Lsn) -> Result<(), TargetError> {
    target
        .execute(
            "UPDATE cartage.pipeline SET epoch = epoch + 1 WHERE id = $1",
            params![pipeline],
        )
        .await?;
    let epoch: i64 = target
        .one(
            "SELECT epoch FROM cartage.pipeline WHERE id = $1",
            params![pipeline],
        )
        .await?
        .get(0)?;
    target
        .execute(
            "UPDATE cartage.checkpoint SET epoch = $2, lsn = $3, seq = 0 WHERE pipeline = $1",
            params![pipeline, epoch, to],
        )
        .await?;
    Ok(())
}

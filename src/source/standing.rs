//! Where the source stands: how far its log goes, what of it is kept for this pipeline, and who reads
//! it.

use super::change::Lsn;
use super::error::AskError;
use super::mysql;
use super::postgres::{slot, traces};
use super::session::Source;
use crate::config::Config;
use crate::target::control::pipeline::PipelineRow;

/// How near the source is to giving up log that was not read yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    #[default]
    None,
    /// Less than a quarter of what the source keeps is left.
    Low,
    /// It goes with the server's next checkpoint (manual, pg_replication_slots, `wal_status`).
    Unreserved,
}

/// What the source says. What could not be measured, or is not known to its kind, is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Why it could not be asked.
    pub unreachable: Option<String>,
    /// The end of its log.
    pub position: Option<u64>,
    /// Bytes of log that are not applied, where they are no difference of positions.
    pub behind: Option<u64>,
    pub slot: Option<String>,
    /// Whether the slot is there; none where the source could not be asked.
    pub slot_there: Option<bool>,
    pub slot_lost: Option<String>,
    /// The walsender that reads it: a daemon is at work.
    pub slot_pid: Option<i32>,
    /// Log kept for us.
    pub retained_bytes: Option<u64>,
    /// Log that may still be written before the slot is in danger; none means no limit.
    pub headroom_bytes: Option<i64>,
    /// Seconds after which log is removed, read or not; none means never by its age.
    pub expires_seconds: Option<f64>,
    /// Until a slot that nobody reads is given up for that (Postgres 18,
    /// `idle_replication_slot_timeout`); none while it is read, or for ever.
    pub idle_seconds: Option<f64>,
    /// Log that is not applied is gone.
    pub log_lost: bool,
    /// `reserved`, `extended`, `unreserved` or `lost`.
    pub wal_status: Option<String>,
    pub pressure: Pressure,
}

/// The stretch of log in which a reader can begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Before this it was let go.
    pub from: Option<Lsn>,
    pub end: Lsn,
    /// Who reads it now.
    pub reader: Option<String>,
}

/// What a pipeline has left on the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// What removes it, a sentence for each.
    pub steps: Vec<String>,
    /// Why that is impossible now.
    pub busy: Option<String>,
}

/// Why no reader can begin anywhere.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(
        "the replication slot {0} is not on the source, so there is no log to begin in; \
         run: cartage setup"
    )]
    NoSlot(String),
}

impl Source {
    /// `applied` is how far everything is durable in the target.
    pub async fn standing(
        &self,
        pipeline: &PipelineRow,
        applied: Option<Lsn>,
    ) -> Result<Standing, AskError> {
        match self {
            Self::Postgres(client) => Ok(slot::standing(client, pipeline.slot.as_deref()).await?),
            Self::Mysql(session) => mysql::standing::look(session, applied).await,
        }
    }

    pub async fn kept(&self, config: &Config, pipeline: &PipelineRow) -> Result<Kept, KeptError> {
        match self {
            Self::Postgres(client) => {
                let name = match &pipeline.slot {
                    Some(name) => name.clone(),
                    None => slot::name_of(&pipeline.name),
                };
                let kept = slot::kept(client, &name).await.map_err(AskError::from)?;
                kept.ok_or(KeptError::NoSlot(name))
            }
            Self::Mysql(session) => Ok(mysql::standing::kept(session, config.server_id()).await?),
        }
    }

    /// What the pipeline has left there.
    pub async fn traces(&self, config: &Config) -> Result<Traces, AskError> {
        match self {
            Self::Postgres(client) => Ok(traces::find(client, &config.name).await?),
            Self::Mysql(session) => mysql::standing::traces(session, config.server_id()).await,
        }
    }

    pub async fn remove_traces(&self, pipeline: &str) -> Result<(), AskError> {
        match self {
            Self::Postgres(client) => Ok(traces::remove(client, pipeline).await?),
            Self::Mysql(_) => Ok(()),
        }
    }

    /// What is said once a pipeline is gone.
    pub fn farewell(&self) -> &'static str {
        match self {
            Self::Postgres(_) => {
                "Done. Replica identities that were widened for it stay as they are."
            }
            Self::Mysql(_) => "Done. The source was never written to.",
        }
    }
}

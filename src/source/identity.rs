//! Is this still the log that the checkpoint speaks of, and does it tell everything? Asked at every
//! start, before a byte is read, and again and again while the daemon runs.

use serde_json::Value;

use super::change::Lsn;
use super::error::{AskError, IdentityError};
use super::mysql::{self, trust};
use super::postgres::{headroom, identity, lineage, publication};
use super::session::Source;
use super::standing::Pressure;
use crate::cart::layout::Layout;
use crate::config::Endpoint;
use crate::target::control::pipeline::PipelineRow;

/// What it takes to open the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    Postgres { slot: String, publication: String },
    Mysql(mysql::trust::Origin),
}

/// The servers behind a connection that share one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    pub system: String,
    /// Where a log can branch, the branch that is written now.
    pub timeline: Option<i32>,
}

/// A source that may be read on from the checkpoint.
#[derive(Clone, Debug)]
pub struct Verified {
    pub lineage: Lineage,
    /// What of the log has not been let go begins here.
    pub kept_from: Lsn,
    /// To be stored with the pipeline, once `changes` are dealt with.
    pub state: Value,
    /// What may have changed unseen since the state was last stored.
    pub changes: Vec<Unseen>,
}

/// Something of which rows may have changed without a word in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The table that the mapping names, qualified; or what publishes it.
    pub object: String,
    pub what: String,
}

/// Whether all of the layout's tables come with the log.
#[derive(Debug)]
pub struct Published {
    /// To be stored with the pipeline, so that a later look finds what has changed meanwhile.
    pub state: Value,
    /// Something is left out.
    pub lack: Option<IdentityError>,
}

impl Source {
    pub async fn lineage(&self) -> Result<Lineage, IdentityError> {
        match self {
            Self::Postgres(client) => {
                let cluster = identity::cluster(client).await?;
                Ok(Lineage {
                    system: cluster.system,
                    timeline: Some(cluster.timeline),
                })
            }
            Self::Mysql(session) => Ok(Lineage {
                system: session.facts().await?.server,
                timeline: None,
            }),
        }
    }

    /// Compares the source with what the pipeline remembers of it.
    pub async fn verify(
        &self,
        pipeline: &PipelineRow,
        layout: &Layout,
    ) -> Result<Verified, IdentityError> {
        match self {
            Self::Postgres(client) => {
                let verified = identity::verify(client, pipeline, layout).await?;
                Ok(Verified {
                    lineage: Lineage {
                        system: verified.system,
                        timeline: Some(verified.timeline),
                    },
                    kept_from: verified.confirmed,
                    state: verified.publication_state,
                    changes: verified.changes,
                })
            }
            Self::Mysql(session) => trust::verify(session, pipeline, layout).await,
        }
    }

    /// Whether the log still holds all that comes after the checkpoint, the least position that is
    /// durable in the target, and goes on where that stands; answers how to open it there. The
    /// checkpoint has to be asked for after the source was verified: a daemon at work moves the
    /// checkpoint first and confirms it later, so that in this order they are never found the wrong
    /// way round.
    pub async fn goes_on(
        &self,
        endpoint: &Endpoint,
        pipeline: &PipelineRow,
        verified: &Verified,
        checkpoint: Lsn,
    ) -> Result<Channel, IdentityError> {
        match self {
            Self::Postgres(client) => {
                let (slot, publication) = identity::names(pipeline)?;
                identity::reaches_back(slot, verified.kept_from, checkpoint)?;
                let was = pipeline.source_timeline;
                let is = verified.lineage.timeline.unwrap_or_default();
                lineage::descends(client, endpoint, was, is, checkpoint).await?;
                Ok(Channel::Postgres {
                    slot: slot.to_owned(),
                    publication: publication.to_owned(),
                })
            }
            Self::Mysql(session) => trust::goes_on(session, pipeline, checkpoint).await,
        }
    }

    /// Whether the log, now that it is open, begins no later than was asked for: between the check
    /// and the start somebody may have moved or remade what keeps it, and then the server begins later
    /// without a word.
    pub async fn still_reaches(
        &self,
        pipeline: &PipelineRow,
        start: Lsn,
    ) -> Result<(), IdentityError> {
        match self {
            Self::Postgres(client) => {
                let (slot, _) = identity::names(pipeline)?;
                Ok(identity::still_reaches(client, slot, start).await?)
            }
            // A file that is gone is an error of the stream's.
            Self::Mysql(_) => Ok(()),
        }
    }

    /// Tables of which the log does not hold enough of the row before.
    pub async fn too_small(&self, layout: &Layout) -> Result<Vec<IdentityError>, IdentityError> {
        match self {
            Self::Postgres(client) => {
                let small = identity::too_small(client, layout).await?;
                Ok(small.into_iter().map(IdentityError::from).collect())
            }
            // How much of a row is logged is the server's setting, and the stream looks at every row.
            Self::Mysql(_) => Ok(Vec::new()),
        }
    }

    pub async fn published(
        &self,
        pipeline: &PipelineRow,
        layout: &Layout,
    ) -> Result<Published, IdentityError> {
        match self {
            Self::Postgres(client) => {
                let (_, publication) = identity::names(pipeline)?;
                let (state, lack) = identity::published(client, publication, layout).await?;
                Ok(Published {
                    state,
                    lack: lack.map(IdentityError::from),
                })
            }
            // All tables are in the log.
            Self::Mysql(_) => Ok(Published {
                state: pipeline.publication_state.clone().unwrap_or_default(),
                lack: None,
            }),
        }
    }

    /// What must not change unseen, as it is now, whole or not.
    pub async fn state(
        &self,
        pipeline: &PipelineRow,
        layout: &Layout,
    ) -> Result<Value, IdentityError> {
        match self {
            Self::Postgres(client) => {
                let (_, publication) = identity::names(pipeline)?;
                let state = publication::state(client, publication, layout).await;
                Ok(state.map_err(AskError::from)?)
            }
            Self::Mysql(_) => Ok(pipeline.publication_state.clone().unwrap_or_default()),
        }
    }

    /// What is different between two states.
    pub fn unseen(&self, before: &Value, after: &Value) -> Vec<Unseen> {
        match self {
            Self::Postgres(_) => publication::changes(before, after),
            // Whatever alters a table is in the log.
            Self::Mysql(_) => Vec::new(),
        }
    }

    /// How near the source is to letting go of log that was not read yet, `from` on. Says so in the log, once
    /// each time that it comes nearer than `before`.
    pub async fn headroom(
        &self,
        pipeline: &PipelineRow,
        from: Lsn,
        before: Pressure,
    ) -> Result<Pressure, IdentityError> {
        match self {
            Self::Postgres(client) => {
                let (slot, _) = identity::names(pipeline)?;
                Ok(headroom::look(client, slot, before).await?)
            }
            Self::Mysql(session) => trust::headroom(session, from, before).await,
        }
    }
}

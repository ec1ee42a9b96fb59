//! A lookout for what the log does not tell, at work even while the target is blocked: the slot and its
//! headroom (hazard 12), the publication and the replica identities (hazard 9), leaves that are
//! truncated or detached (protocol rule 18), and the schemas that the mapping was compiled against.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::Client;
use tracing::{info, warn};

use super::DaemonError;
use super::schema::{Shape, fit};
use crate::cart::layout::Layout;
use crate::config::Config;
use crate::lanes::reader::Progress;
use crate::refresh::runs::{self, Kind};
use crate::source::change::Lsn;
use crate::source::postgres::identity::{self, IdentityError};
use crate::source::postgres::slot::Pressure;
use crate::source::postgres::{publication, slot};
use crate::stop::told;
use crate::switch::{self, Bound, Place};
use crate::target::control::pipeline::{self, PipelineRow};

pub struct Lookout {
    pub config: Config,
    pub pipeline: PipelineRow,
    pub source: Arc<Client>,
    pub control: Arc<Client>,
    pub slot: String,
    pub publication: String,
    pub layout: Arc<Layout>,
    /// The published tables as they were when last looked at.
    pub state: serde_json::Value,
    /// What the mapping in force was compiled against.
    pub shape: Shape,
    pub pressure: Pressure,
    pub progress: watch::Receiver<Progress>,
    pub stop: watch::Receiver<bool>,
}

impl Lookout {
    /// Looks again and again until told to stop, or until something is found that stops the daemon.
    pub async fn run(mut self) -> Result<(), DaemonError> {
        let mut stop = self.stop.clone();
        let pause = u64::try_from(self.config.watch.every.as_millis()).unwrap_or(u64::MAX);
        let pause = Duration::from_millis(switch::bound(Bound::Watch, pause));
        loop {
            tokio::select! {
                () = told(&mut stop) => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
            tokio::select! {
                () = told(&mut stop) => return Ok(()),
                done = self.look() => done?,
            }
        }
    }

    async fn look(&mut self) -> Result<(), DaemonError> {
        self.slot().await?;
        // A table that is gone is missing from the publication too: the first is the cause.
        let live = fit(&self.config, &self.pipeline, &self.source, &self.control).await?;
        if live.shape != self.shape {
            return Err(DaemonError::SchemaMoved);
        }
        self.published().await?;
        let small = identity::too_small(&self.source, &self.layout).await?;
        match small.into_iter().next() {
            None => Ok(()),
            Some(error) => {
                self.read_all_again().await?;
                Err(error.into())
            }
        }
    }

    /// A slot that was lost stops the daemon at once; one that will be is warned of, once each time
    /// that it comes nearer.
    async fn slot(&mut self) -> Result<(), DaemonError> {
        let query = |error| DaemonError::from(IdentityError::Query(error));
        let end = slot::end_of_log(&self.source).await.map_err(query)?;
        let found = slot::find(&self.source, &self.slot).await.map_err(query)?;
        let slot = found.ok_or_else(|| IdentityError::SlotMissing(self.slot.clone()))?;
        if let Some(reason) = &slot.lost {
            let (slot, reason) = (self.slot.clone(), reason.clone());
            return Err(IdentityError::SlotLost { slot, reason }.into());
        }
        let before = std::mem::replace(&mut self.pressure, slot.pressure(end));
        let (retained, headroom) = (slot.retained(end), slot.safe_wal_size);
        match self.pressure {
            Pressure::None if before != Pressure::None => {
                info!(
                    slot = self.slot,
                    headroom, "the replication slot has room again"
                );
            }
            Pressure::Low if before < Pressure::Low => warn!(
                slot = self.slot,
                retained,
                headroom,
                "less than a quarter of the log that the source keeps for the replication slot is \
                 left (headroom, in bytes): it is given up after that; find out what holds the \
                 pipeline back, or raise max_slot_wal_keep_size on the source"
            ),
            Pressure::Unreserved if before < Pressure::Unreserved => warn!(
                slot = self.slot,
                retained,
                headroom,
                "the source gives the replication slot up at its next checkpoint (wal_status \
                 unreserved): raise max_slot_wal_keep_size there at once, and find out what holds \
                 the pipeline back"
            ),
            _ => {}
        }
        Ok(())
    }

    /// What may have changed unseen is read again; a publication that is not whole stops the daemon,
    /// and has all carts read again once it is.
    async fn published(&mut self) -> Result<(), DaemonError> {
        let query = IdentityError::Query;
        let found = publication::find(&self.source, &self.publication)
            .await
            .map_err(query)?
            .ok_or_else(|| IdentityError::PublicationMissing(self.publication.clone()))?;
        let state = publication::state(&self.source, &self.publication, &self.layout)
            .await
            .map_err(query)?;
        if let Err(narrow) = identity::complete(&self.publication, &found, &self.layout) {
            // Once it is mended, what is stored says that changes may have passed.
            pipeline::set_publication_state(&self.control, self.pipeline.id, &state)
                .await
                .map_err(DaemonError::Target)?;
            return Err(narrow.into());
        }
        let changes = publication::changes(&self.state, &state);
        if changes.is_empty() {
            return Ok(());
        }
        let at = self.progress.borrow().delivered;
        reread(&self.control, self.pipeline.id, &changes, &state, at)
            .await
            .map_err(DaemonError::Target)?;
        self.state = state;
        Ok(())
    }

    /// While the identity was too small, rows may have moved without a word of where they were. The
    /// log shows that of a table, but not of one of its partitions.
    async fn read_all_again(&self) -> Result<(), DaemonError> {
        let at = self.progress.borrow().delivered;
        runs::begin(&self.control, self.pipeline.id, Kind::All, at)
            .await
            .map_err(DaemonError::Target)
    }
}

/// Tables changed without a word in the log: all carts are read again, and the new state is kept
/// once that is durable.
pub async fn reread(
    control: &Client,
    pipeline: i32,
    changes: &[publication::Unseen],
    state: &serde_json::Value,
    at: Lsn,
) -> Result<(), tokio_postgres::Error> {
    for change in changes {
        warn!(
            object = change.object,
            what = change.what,
            "changes may have passed without a word in the log; reading all carts again"
        );
    }
    runs::begin(control, pipeline, Kind::All, at).await?;
    switch::place(Place::RereadBegun);
    pipeline::set_publication_state(control, pipeline, state).await
}

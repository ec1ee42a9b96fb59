//! Watching what the log does not tell: on partitioned tables a leaf's TRUNCATE or DETACH emits
//! nothing, and a table taken out of the publication falls silent (protocol rule 18, hazard 9).

use std::sync::Arc;

use tokio_postgres::Client;
use tracing::warn;

use super::refresher::RefreshError;
use super::runs::{self, Kind};
use crate::cart::layout::Layout;
use crate::source::change::Lsn;
use crate::source::postgres::identity::{self, IdentityError};
use crate::source::postgres::publication;
use crate::switch::{self, Place};
use crate::target::control::pipeline;

/// The published tables as they were when last looked at.
pub struct PublicationWatch {
    pub name: String,
    pub layout: Arc<Layout>,
    pub state: serde_json::Value,
}

impl PublicationWatch {
    /// Compares with now. What may have changed unseen is read again; a table that is no longer
    /// published stops the daemon.
    pub async fn look(
        &mut self,
        source: &Client,
        control: &Client,
        pipeline: i32,
        at: Lsn,
    ) -> Result<(), RefreshError> {
        let query = IdentityError::Query;
        let found = publication::find(source, &self.name)
            .await
            .map_err(query)?
            .ok_or_else(|| IdentityError::PublicationMissing(self.name.clone()))?;
        let state = publication::state(source, &self.name, &self.layout)
            .await
            .map_err(query)?;
        if let Err(narrow) = identity::complete(&self.name, &found, &self.layout) {
            // Once it is mended, what is stored says that changes may have passed.
            pipeline::set_publication_state(control, pipeline, &state).await?;
            return Err(narrow.into());
        }
        let changes = publication::changes(&self.state, &state);
        if changes.is_empty() {
            return Ok(());
        }
        reread(control, pipeline, &changes, &state, at).await?;
        self.state = state;
        Ok(())
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
            table = change.table,
            what = change.what,
            "a table may have changed without a word in the log; reading all carts again"
        );
    }
    runs::begin(control, pipeline, Kind::All, at).await?;
    switch::place(Place::RereadBegun);
    pipeline::set_publication_state(control, pipeline, state).await
}

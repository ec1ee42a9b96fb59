//! A lookout for what the log does not tell, at work even while the target is blocked: the slot and its
//! headroom (hazard 12), the publication and the replica identities (hazard 9), leaves that are
//! truncated or detached (protocol rule 18), and the schemas that the mapping was compiled against.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::warn;

use super::DaemonError;
use super::outlook::Outlook;
use super::schema::{Shape, fit};
use super::unmapped::{Said, unmapped};
use crate::cart::layout::Layout;
use crate::config::Config;
use crate::lanes::reader::Progress;
use crate::mapping::compile::stored::StoredSchemas;
use crate::refresh::runs::{self, Kind};
use crate::source::Source;
use crate::source::change::Lsn;
use crate::source::identity::Unseen;
use crate::source::standing::Pressure;
use crate::stop::told;
use crate::switch::{self, Bound, Place};
use crate::target::control::pipeline::{self, PipelineRow};
use crate::target::error::TargetError;
use crate::target::session::Target;

pub struct Lookout {
    pub config: Config,
    pub pipeline: PipelineRow,
    pub source: Source,
    pub control: Target,
    pub layout: Arc<Layout>,
    /// The published tables as they were when last looked at.
    pub state: serde_json::Value,
    /// What the mapping in force was compiled against.
    pub shape: Shape,
    /// The schemas that were stored with it.
    pub stored: StoredSchemas,
    /// New columns that were named already.
    pub said: Said,
    pub pressure: Pressure,
    pub outlook: Outlook,
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
        let from = self.progress.borrow().confirmed;
        let pressure = self.source.headroom(&self.pipeline, from, self.pressure);
        self.pressure = pressure.await?;
        // Nothing is confirmed yet where the daemon has only just begun.
        if from != Lsn::default() {
            let look = self
                .outlook
                .look(&self.control, &self.source, &self.pipeline);
            look.await.map_err(DaemonError::Target)?;
        }
        // A table that is gone is missing from the publication too: the first is the cause.
        let live = fit(&self.config, &self.pipeline, &self.source, &self.control).await?;
        if live.shape != self.shape {
            return Err(DaemonError::SchemaMoved);
        }
        let (then, now) = (&self.stored, &live.compiled.schemas);
        self.said.say(unmapped(&self.config, then, now));
        self.published().await?;
        let small = self.source.too_small(&self.layout).await?;
        match small.into_iter().next() {
            None => Ok(()),
            Some(error) => {
                self.read_all_again().await?;
                Err(error.into())
            }
        }
    }

    /// What may have changed unseen is read again; a publication that is not whole stops the daemon,
    /// and has all carts read again once it is.
    async fn published(&mut self) -> Result<(), DaemonError> {
        let mut published = self.source.published(&self.pipeline, &self.layout).await?;
        if published.lack.is_some() {
            // A table may have had another name when we looked, or has it by now: what is stored must
            // still know it then.
            fit(&self.config, &self.pipeline, &self.source, &self.control).await?;
            published = self.source.published(&self.pipeline, &self.layout).await?;
        }
        let state = published.state;
        if let Some(lack) = published.lack {
            // Once it is mended, what is stored says that changes may have passed.
            pipeline::set_publication_state(&self.control, self.pipeline.id, &state)
                .await
                .map_err(DaemonError::Target)?;
            return Err(lack.into());
        }
        let changes = self.source.unseen(&self.state, &state);
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
    control: &Target,
    pipeline: i32,
    changes: &[Unseen],
    state: &serde_json::Value,
    at: Lsn,
) -> Result<(), TargetError> {
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

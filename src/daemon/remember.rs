//! What the daemon remembers of a source whose server remembers nothing of its readers: which
//! transactions were passed where everything is safe. It tells a log that was reset from one that
//! only looks like it.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::DaemonError;
use crate::stop::told;
use crate::switch::{self, Place};
use crate::target::control::pipeline;
use crate::target::session::Target;

/// It holds at or before every checkpoint, so it need not be the latest.
const PAUSE: Duration = Duration::from_secs(1);

pub struct Memory {
    pub control: Target,
    pub pipeline: i32,
    pub epoch: i64,
    pub latest: watch::Receiver<Option<Value>>,
    pub stop: watch::Receiver<bool>,
}

impl Memory {
    /// Stores it again and again, until told to stop. A daemon that was overtaken stores nothing more:
    /// the pipeline may have another source by now.
    pub async fn run(mut self) -> Result<(), DaemonError> {
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                () = told(&mut stop) => return Ok(()),
                changed = self.latest.changed() => if changed.is_err() {
                    return Ok(());
                },
            }
            let state = self.latest.borrow_and_update().clone();
            if let Some(state) = state {
                pipeline::remember(&self.control, self.pipeline, self.epoch, &state)
                    .await
                    .map_err(DaemonError::Target)?;
                switch::place(Place::Remembered);
            }
            tokio::select! {
                () = told(&mut stop) => return Ok(()),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

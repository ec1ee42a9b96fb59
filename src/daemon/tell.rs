//! The line that `systemctl status` shows while the pipeline runs: phase and lag, by the figures of
//! `cartage status`.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::notify::Notifier;
use crate::source::Source;
use crate::status;
use crate::target::control::pipeline;
use crate::target::error::TargetError;
use crate::target::session::Target;

const EVERY: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks over sessions that the reader has anyway.
pub struct Teller {
    pub source: Source,
    pub control: Target,
    pub pipeline: String,
}

impl Teller {
    pub async fn run(&self, notifier: &Notifier) -> Infallible {
        loop {
            let line = match timeout(PATIENCE, self.line()).await {
                Ok(Ok(line)) => line,
                Ok(Err(error)) => format!("running; {error}"),
                Err(_) => format!(
                    "running; source or target have not answered for {} s",
                    PATIENCE.as_secs()
                ),
            };
            notifier.status(&line);
            sleep(EVERY).await;
        }
    }

    async fn line(&self) -> Result<String, TargetError> {
        let Some(pipeline) = pipeline::load(&self.control, &self.pipeline).await? else {
            return Ok("running; the pipeline is no longer registered".to_owned());
        };
        let status = status::look(&self.control, Ok(&self.source), &pipeline).await?;
        Ok(status.line())
    }
}

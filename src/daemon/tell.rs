//! What the pipeline tells of itself while it runs: the line that `systemctl status` shows, and the
//! figures of `[metrics]`, both by the look of `cartage status`.

use std::convert::Infallible;
use std::time::Duration;

use metrics::gauge;
use tokio::time::{sleep, timeout};

use super::notify::Notifier;
use crate::metrics as figures;
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
        let _at_work = AtWork::begin();
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
        figures::tell(&status);
        Ok(status.line())
    }
}

/// Whoever scrapes is told whether the lanes are at work.
struct AtWork;

impl AtWork {
    fn begin() -> Self {
        gauge!("cartage_running").set(1.0);
        Self
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        gauge!("cartage_running").set(0.0);
    }
}

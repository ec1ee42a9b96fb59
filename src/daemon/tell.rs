//! The line that `systemctl status` shows while the pipeline runs: phase and lag, by the figures of
//! `cartage status`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use super::notify::Notifier;
use crate::postgres::fault;
use crate::source::Source;
use crate::status;
use crate::target::control::pipeline;

const EVERY: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks over sessions that the reader has anyway.
pub struct Teller {
    pub source: Source,
    pub control: Arc<Client>,
    pub pipeline: String,
}

impl Teller {
    pub async fn run(&self, notifier: &Notifier) -> Infallible {
        loop {
            let line = match timeout(PATIENCE, self.line()).await {
                Ok(Ok(line)) => line,
                Ok(Err(error)) => format!("running; {}", fault::describe(&error)),
                Err(_) => format!(
                    "running; source or target have not answered for {} s",
                    PATIENCE.as_secs()
                ),
            };
            notifier.status(&line);
            sleep(EVERY).await;
        }
    }

    async fn line(&self) -> Result<String, tokio_postgres::Error> {
        let Some(pipeline) = pipeline::load(&self.control, &self.pipeline).await? else {
            return Ok("running; the pipeline is no longer registered".to_owned());
        };
        let status = status::look(&self.control, Ok(&self.source), &pipeline).await?;
        Ok(status.line())
    }
}

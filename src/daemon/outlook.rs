//! Whether the log will be lost, looked at again and again: a warning once each time that it gets
//! worse, and two figures (hazard 12).

use tokio::time::Instant;
use tracing::warn;

use crate::forecast::{Speed, Verdict, Warned};
use crate::metrics;
use crate::source::Source;
use crate::source::change::Lsn;
use crate::status::{self, Status};
use crate::target::control::pipeline::PipelineRow;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// What was seen before.
#[derive(Default)]
pub struct Outlook {
    before: Option<(Status, Instant)>,
    speed: Option<Speed>,
    /// When nothing was left to apply.
    caught_up: Option<Instant>,
    warned: Warned,
}

impl Outlook {
    pub async fn look(
        &mut self,
        control: &Target,
        source: &Source,
        pipeline: &PipelineRow,
    ) -> Result<(), TargetError> {
        let status = status::look(control, Ok(source), pipeline).await?;
        let now = Instant::now();
        self.speed = self.measured(source, &status, now).await;
        if !status.is_behind() && status.lag_bytes().is_some() {
            self.caught_up = Some(now);
        }
        let caught_up = self.caught_up.map(|then| (now - then).as_secs_f64());
        let forecast = status.forecast_at(self.speed, caught_up);
        self.before = Some((status, now));
        metrics::tell_forecast(&forecast);
        if self.warned.worse(&forecast)
            && let Some(text) = forecast.text()
        {
            let remedy = match forecast.verdict {
                Some(Verdict::Tight) => "watch it: cartage status --watch",
                _ => {
                    "find out what holds the pipeline back (cartage status), or let the source keep \
                     more of its log"
                }
            };
            warn!(
                loss_seconds = forecast.loss_seconds,
                catch_up_seconds = forecast.catch_up_seconds,
                "{text}; {remedy}"
            );
        }
        Ok(())
    }

    /// Smoothed over the looks so far. What cannot be measured now is as it was.
    async fn measured(&self, source: &Source, status: &Status, now: Instant) -> Option<Speed> {
        let fresh = async {
            let (before, then) = self.before.as_ref()?;
            let written = source.behind(Lsn(before.source.position?)).await.ok()?;
            let seconds = (now - *then).as_secs_f64();
            Speed::between(written, before.lag_bytes()?, status.lag_bytes()?, seconds)
        };
        match fresh.await {
            Some(fresh) => Some(fresh.smoothed(self.speed)),
            None => self.speed,
        }
    }
}

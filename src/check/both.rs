//! What must agree between the two ends.

use std::time::SystemTime;

use super::CheckError;
use super::report::{End, Report};
use crate::params;
use crate::source::Source;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Words;

/// Seconds by which a clock may be off before lag in seconds and merges by time mislead.
const TOLERABLE_SKEW: f64 = 2.0;

pub async fn clocks(
    source: &Source,
    target: &Target,
    report: &mut Report,
) -> Result<(), CheckError> {
    let skews = [
        (skew(source.clock()).await?, End::Source),
        (skew(clock(target)).await?, End::Target),
    ];
    for (skew, end) in skews {
        let message = format!("{skew:+.1} s against this host");
        if skew.abs() <= TOLERABLE_SKEW {
            report.pass("clock skew", end, message);
        } else {
            let message =
                format!("{message}: lag in seconds is off by that; synchronise the clocks");
            report.warn("clock skew", end, message, None);
        }
    }
    Ok(())
}

async fn clock(target: &Target) -> Result<f64, TargetError> {
    let sql = Words::each(
        "SELECT extract(epoch FROM clock_timestamp())::float8",
        "SELECT 0e0 + unix_timestamp(now(6))",
    );
    target.one(sql, params![]).await?.get(0)
}

/// The middle of the question stands for the moment of the answer.
async fn skew<E>(there: impl Future<Output = Result<f64, E>>) -> Result<f64, E> {
    let seconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |d| d.as_secs_f64())
    };
    let before = SystemTime::now();
    let there = there.await?;
    let after = SystemTime::now();
    Ok(there - (seconds(before) + seconds(after)) / 2.0)
}

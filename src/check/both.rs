//! What must agree between the two ends.

use std::time::SystemTime;

use tokio_postgres::{Client, Error};

use super::report::{End, Report};

/// Seconds by which a clock may be off before lag in seconds and merges by time mislead.
const TOLERABLE_SKEW: f64 = 2.0;

pub async fn clocks(source: &Client, target: &Client, report: &mut Report) -> Result<(), Error> {
    for (client, end) in [(source, End::Source), (target, End::Target)] {
        let skew = skew(client).await?;
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

/// The middle of the question stands for the moment of the answer.
async fn skew(client: &Client) -> Result<f64, Error> {
    let seconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |d| d.as_secs_f64())
    };
    let before = SystemTime::now();
    let sql = "SELECT extract(epoch FROM clock_timestamp())::float8";
    let there: f64 = client.query_one(sql, &[]).await?.try_get(0)?;
    let after = SystemTime::now();
    Ok(there - (seconds(before) + seconds(after)) / 2.0)
}

//! How much of the log the server still keeps, and when it removes the file that we need.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;

use super::identity::{self, IdentityError};
use super::place::Place;
use crate::mysql::connect::{Flavor, Session};
use crate::source::change::Lsn;

/// The log from a position on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// Bytes from there to its end.
    pub retained: u64,
    /// The oldest file that is there.
    pub oldest: u32,
    /// The file we need is not.
    pub lost: bool,
    /// Files are removed so long after they were last written; none means never by age.
    pub expires: Option<Duration>,
    /// So long the file we need was last written ago, and the file after it is there.
    pub age: Option<Duration>,
    /// All files together may be so large; none means no limit (MariaDB's `max_binlog_total_size`,
    /// from 11.4 on, and Percona's `binlog_space_limit`).
    pub limit: Option<u64>,
    /// All files together.
    pub total: u64,
}

impl Headroom {
    /// Until the file is removed by its age. None where it is still being written, or for ever.
    pub fn left(&self) -> Option<Duration> {
        Some(self.expires?.saturating_sub(self.age?))
    }

    /// Bytes that may still be written before it is removed for the size of all.
    pub fn bytes_left(&self) -> Option<u64> {
        Some(self.limit?.saturating_sub(self.retained))
    }
}

/// Asks how it stands with the log from `from` on; `age` is how long ago the last transaction of
/// that file was committed, where the reader knows it.
pub async fn look(
    session: &mut Session,
    from: Lsn,
    age: Option<Duration>,
) -> Result<Headroom, IdentityError> {
    let place = Place::of(from).to_read();
    let files = identity::files(session).await?;
    let oldest = files.first().map_or(0, |(file, _)| *file);
    let later: u64 = files
        .iter()
        .filter(|(file, _)| *file > place.file)
        .map(|(_, length)| length)
        .sum();
    let here = files.iter().find(|(file, _)| *file == place.file);
    let here = here.map_or(0, |(_, length)| length.saturating_sub(place.offset));
    let is_last = files.last().is_none_or(|(file, _)| *file <= place.file);
    let limit = setting(session, &["max_binlog_total_size", "binlog_space_limit"]).await?;
    Ok(Headroom {
        retained: here + later,
        oldest,
        lost: place.file < oldest,
        expires: expires(session).await?,
        age: age.filter(|_| !is_last),
        limit: limit.filter(|bytes| *bytes > 0.0).map(|bytes| bytes as u64),
        total: files.iter().map(|(_, length)| length).sum(),
    })
}

/// Days in MariaDB and in MySQL before 8, seconds after; the later setting wins where it is set.
async fn expires(session: &mut Session) -> Result<Option<Duration>, IdentityError> {
    if session.server.flavor == Flavor::MySql {
        let purges = setting(session, &["binlog_expire_logs_auto_purge"]).await?;
        if purges == Some(0.0) {
            return Ok(None);
        }
    }
    let seconds = setting(session, &["binlog_expire_logs_seconds"]).await?;
    if let Some(seconds) = seconds.filter(|seconds| *seconds > 0.0) {
        return Ok(Some(Duration::from_secs_f64(seconds)));
    }
    let days = setting(session, &["expire_logs_days"]).await?;
    let days = days.filter(|days| *days > 0.0);
    Ok(days.map(|days| Duration::from_secs_f64(days * 86_400.0)))
}

/// The first of these that the server has.
async fn setting(session: &mut Session, names: &[&str]) -> Result<Option<f64>, IdentityError> {
    for name in names {
        let sql = "SHOW GLOBAL VARIABLES WHERE variable_name = ?";
        let row: Option<(String, String)> = session.conn.exec_first(sql, (name,)).await?;
        match row {
            Some((_, value)) if value == "ON" => return Ok(Some(1.0)),
            Some((_, value)) if value == "OFF" => return Ok(Some(0.0)),
            Some((_, value)) => return Ok(value.parse().ok()),
            None => {}
        }
    }
    Ok(None)
}

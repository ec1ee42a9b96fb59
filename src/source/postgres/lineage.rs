//! Whether the log that the source writes now is the one that was read: the server goes on where the
//! checkpoint stands, and has not branched off before it.

use tokio_postgres::Client;
use tokio_postgres::types::PgLsn;

use super::identity::IdentityError;
use crate::config::Endpoint;
use crate::postgres::wire::{ReplicationConnection, WireError};
use crate::source::change::Lsn;
use crate::switch::{self, Mutant};

/// `was` is the timeline that the pipeline has read, `is` the one that the source writes.
pub async fn descends(
    source: &Client,
    endpoint: &Endpoint,
    was: Option<i32>,
    is: i32,
    checkpoint: Lsn,
) -> Result<(), IdentityError> {
    if let Some(was) = was.filter(|was| *was < is) {
        let history = history(endpoint, is).await?;
        let Some(at) = left_at(&history, was) else {
            return Err(IdentityError::OtherBranch { was, is });
        };
        if at < checkpoint && !switch::mutant(Mutant::AnyTimeline) {
            return Err(IdentityError::Forked {
                was,
                is,
                at,
                checkpoint,
            });
        }
    }
    // What we were sent had been flushed before.
    let sql = "SELECT pg_catalog.pg_current_wal_flush_lsn()";
    let ends: PgLsn = source.query_one(sql, &[]).await?.try_get(0)?;
    let ends = Lsn(ends.into());
    match ends < checkpoint && !switch::mutant(Mutant::EndUnseen) {
        true => Err(IdentityError::Behind { ends, checkpoint }),
        false => Ok(()),
    }
}

/// A standby that is promoted begins a timeline at the end of what it had received. What the old
/// primary wrote after that point is not in its log; it writes other transactions under the same
/// positions, and a reader that is past the point would take them for read.
///
/// The point is in the timeline's history file, which the walsender shows to any role that may
/// replicate (manual, "Streaming Replication Protocol", `TIMELINE_HISTORY`).
async fn history(endpoint: &Endpoint, timeline: i32) -> Result<String, IdentityError> {
    let mut connection = ReplicationConnection::connect(endpoint, "history").await?;
    let rows = connection
        .simple_query(&format!("TIMELINE_HISTORY {timeline}"))
        .await
        .map_err(|error| match error {
            WireError::Server(error) => IdentityError::History { timeline, error },
            WireError::Io(error) => IdentityError::Broken(error),
        })?;
    // File name and content.
    let content = rows.into_iter().flatten().nth(1).flatten();
    Ok(content.unwrap_or_default())
}

/// Where a history leaves a timeline. Its lines are: timeline, the position at which it ends, and
/// why; comments begin with `#`.
fn left_at(history: &str, timeline: i32) -> Option<Lsn> {
    history.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let parent: i32 = fields.next()?.parse().ok()?;
        (parent == timeline).then(|| fields.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_says_where_each_timeline_was_left() {
        let history = "# by hand\n1\t0/3000158\tno recovery target specified\n\n\
                       2\t1/A0\tbefore 2026-01-01\n";
        assert_eq!(left_at(history, 1), Some(Lsn(0x0300_0158)));
        assert_eq!(left_at(history, 2), Some(Lsn(0x1_0000_00A0)));
        assert_eq!(left_at(history, 3), None);
        assert_eq!(left_at("1\n1 x\n", 1), None);
    }
}

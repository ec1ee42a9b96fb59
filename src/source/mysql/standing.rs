//! Where the binlog ends, and how much of it there is.

use std::cmp::Ordering;

use super::place::{FIRST, Place};
use super::session::Session;
use crate::source::change::Lsn;
use crate::source::error::AskError;
use crate::source::standing::{Kept, Standing, Traces};

pub async fn look(session: &Session, applied: Option<Lsn>) -> Result<Standing, AskError> {
    let end = session.end().await?;
    let mut standing = Standing {
        position: Some(end.0),
        ..Standing::default()
    };
    if let Some(applied) = applied {
        standing.behind = Some(behind(&session.files().await?, applied));
        // A setting that cannot be asked is not worth more than the rest.
        if let Ok(room) = session.headroom(applied).await {
            let left = room.bytes_left();
            standing.headroom_bytes = left.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
            standing.expires_seconds = room.expires.map(|expires| expires.as_secs_f64());
            standing.log_lost = room.lost;
        }
    }
    Ok(standing)
}

/// All files that the server still has.
pub async fn kept(session: &Session, server_id: u32) -> Result<Kept, AskError> {
    let files = session.files().await?;
    let from = files.first().map(|(file, _)| Place::at(*file, FIRST).lsn());
    Ok(Kept {
        from,
        end: session.end().await?,
        reader: session.reader(server_id).await?,
    })
}

/// Setup writes nothing there.
pub async fn traces(session: &Session, server_id: u32) -> Result<Traces, AskError> {
    let reader = session.reader(server_id).await?;
    Ok(Traces {
        steps: Vec::new(),
        busy: reader.map(|reader| {
            format!("a daemon runs: {reader}; stop it first: systemctl stop cartage")
        }),
    })
}

/// Bytes of log between a position and its end: positions of two files have no difference.
pub fn behind(files: &[(u32, u64)], position: Lsn) -> u64 {
    let place = Place::of(position);
    files
        .iter()
        .map(|(file, length)| match file.cmp(&place.file) {
            Ordering::Less => 0,
            Ordering::Equal => length.saturating_sub(place.offset),
            Ordering::Greater => *length,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_behind_is_counted_over_files() {
        let files = [(6, 900), (7, 1_000), (8, 300)];
        assert_eq!(behind(&files, Place::at(7, 400).lsn()), 900);
        assert_eq!(behind(&files, Place::at(8, 300).lsn()), 0);
        assert_eq!(behind(&files, Place::at(5, 4).lsn()), 2_200);
    }
}

//! The source's binlog as events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::consume_budget;
use tokio::time::Instant;
use uuid::Uuid;

use super::SourceError;
use super::decoder::{Decoder, Known, Step};
use super::dump::{Dump, WireError};
use super::feed::Feed;
use super::gtid::GtidSet;
use super::occupant;
use super::place::Place;
use super::refused::{self, Asked};
#[cfg(doc)]
use super::tables::LogTables;
use crate::config::Endpoint;
use crate::pulse::Pulse;
use crate::source::ahead::{self, Ahead};
use crate::source::change::{Event, Lsn};
use crate::source::stream::in_time;

/// How often an idle server says where its log ends. Windows close by it.
const HEARTBEAT: Duration = Duration::from_millis(250);
/// How far apart marks are that wait for their confirmation, and how many may.
const MARK_EVERY: Duration = Duration::from_millis(500);
const MARKS: usize = 256;

/// For the session that the log comes over: an hour of a slow pipeline is not the end of it, and
/// transaction ids come as they are (MariaDB's `@mariadb_slave_capability`, 4: all that there is).
const SETTINGS: &[&str] = &[
    "SET SESSION net_write_timeout = 2592000, net_read_timeout = 2592000",
    "SET @master_binlog_checksum = @@global.binlog_checksum",
    "SET @source_binlog_checksum = @@global.binlog_checksum",
    "SET @mariadb_slave_capability = 4",
];

/// What is to be read.
#[derive(Clone, Debug)]
pub struct Origin {
    /// By which the server tells replicas apart.
    pub server_id: u32,
    /// What the server shows of us among its replicas, behind our own name.
    pub host: String,
    /// Where reading begins: the border of a transaction.
    pub start: Lsn,
    pub known: Known,
    /// How long to wait for a reader of ours that is still there.
    pub patience: Duration,
}

/// A place that everything before is safe at, and which transactions those are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: Lsn,
    /// None where the server gives no ids, or those before the start are not known.
    pub passed: Option<GtidSet>,
    /// When the file of the log was begun, in seconds since 1970; a file of the same name with
    /// another birth is another file.
    pub born: Option<u32>,
    /// The fingerprint of the tables as they are there ([`LogTables::fingerprint`]).
    pub tables: Option<Arc<str>>,
}

/// A binlog being read. Dropping it ends the session.
pub struct LogStream {
    ahead: Ahead<WireError>,
    decoder: Decoder,
    asked: Asked,
    marks: Mutex<Marks>,
}

#[derive(Debug)]
struct Marks {
    confirmed: Lsn,
    /// The last one that is confirmed, and those that are not.
    safe: Option<Mark>,
    waiting: VecDeque<Mark>,
    made: Instant,
}

impl LogStream {
    /// Starts reading. Where the log is read under our number already, `waits` is told by whom.
    pub async fn open(
        endpoint: &Endpoint,
        origin: Origin,
        pulse: Pulse,
        waits: impl Fn(&str),
    ) -> Result<Self, SourceError> {
        occupant::gone(endpoint, origin.server_id, origin.patience, waits).await?;
        let place = Place::of(origin.start).to_read();
        let asked = Asked {
            server_id: origin.server_id,
            user: refused::user(endpoint),
            start: origin.known.base.show(origin.start).to_string(),
        };
        let mut dump = Dump::connect(endpoint, "log").await?;
        let limit = endpoint.connect_timeout;
        let started = in_time(limit, start(&mut dump, &origin, place)).await;
        started.map_err(|error| asked.refused(error))?;
        let (batches, budget, ahead) = ahead::channel();
        let feed = Feed {
            dump,
            batches,
            budget,
            patience: limit.max(HEARTBEAT * 4),
        };
        tokio::spawn(pulse.watch(feed.run()));
        let decoder = Decoder::new(origin.known.clone(), place);
        let mark = Mark {
            at: origin.start,
            passed: origin.known.passed.clone(),
            born: origin.known.born,
            tables: decoder.tables(),
        };
        Ok(Self {
            ahead,
            decoder,
            asked,
            marks: Mutex::new(Marks {
                confirmed: origin.start,
                safe: Some(mark),
                waiting: VecDeque::new(),
                made: Instant::now(),
            }),
        })
    }

    /// The next event. Cancel-safe.
    pub async fn next(&mut self) -> Result<Event, SourceError> {
        loop {
            // Much of a log may be of tables that nobody reads.
            consume_budget().await;
            match self.decoder.step()? {
                Step::Event(event) => {
                    if let Event::Commit { end } = event {
                        self.mark(end);
                    }
                    return Ok(event);
                }
                Step::More => continue,
                Step::Done => {}
            }
            if let Some(bytes) = self.ahead.take() {
                self.decoder.feed(bytes)?;
                continue;
            }
            if let Some(end) = self.decoder.take_passed() {
                self.mark(end);
                return Ok(Event::Keepalive { end });
            }
            match self.ahead.more().await {
                Some(Ok(())) => {}
                Some(Err(error)) => return Err(self.asked.refused(error)),
                None => {
                    return Err(SourceError::Lost {
                        cause: "the reader has ended".into(),
                    });
                }
            }
        }
    }

    /// Everything before `position` is safe; it never goes back.
    pub fn confirm(&self, position: Lsn) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.confirmed = marks.confirmed.max(position);
        let confirmed = marks.confirmed;
        while let Some(mark) = marks.waiting.pop_front_if(|mark| mark.at <= confirmed) {
            marks.safe = Some(mark);
        }
    }

    /// The last place at or before what is confirmed, to be stored beside it.
    pub fn safe(&self) -> Option<Mark> {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.safe.clone()
    }

    /// A server cannot be asked how far its log has come; it says so by itself when it is idle.
    pub fn ask(&self) {}

    /// Bytes read from the socket and not yet handed out.
    pub fn buffered(&self) -> usize {
        self.ahead.buffered()
    }

    fn mark(&mut self, at: Lsn) {
        let decoder = &self.decoder;
        let marks = self.marks.get_mut().unwrap_or_else(PoisonError::into_inner);
        if marks.made.elapsed() < MARK_EVERY || marks.waiting.len() >= MARKS {
            return;
        }
        marks.made = Instant::now();
        marks.waiting.push_back(Mark {
            at,
            passed: decoder.set().cloned(),
            born: decoder.born(),
            tables: decoder.tables(),
        });
    }
}

/// The server ends the older of two readers with the same one: as with their numbers.
fn uuid(server_id: u32) -> Uuid {
    const CARTAGE: u128 = 0x6361_7274_6167_8500_8000 << 48;
    Uuid::from_u128(CARTAGE | u128::from(server_id))
}

async fn start(dump: &mut Dump, origin: &Origin, place: Place) -> Result<(), WireError> {
    let beat = HEARTBEAT.as_nanos();
    for name in ["master", "source"] {
        dump.run(&format!("SET @{name}_heartbeat_period = {beat}"))
            .await?;
    }
    for setting in SETTINGS {
        dump.run(setting).await?;
    }
    // Without one MySQL before 8.0 lists its replicas in rows that lack a column.
    let uuid = uuid(origin.server_id);
    for name in ["slave", "replica"] {
        dump.run(&format!("SET @{name}_uuid = '{uuid}'")).await?;
    }
    let host = format!("{} {}", occupant::OURS, origin.host);
    dump.register(origin.server_id, host.trim_end()).await?;
    let file = origin.known.base.file(place.file);
    let offset = u32::try_from(place.offset).unwrap_or(u32::MAX);
    dump.start(origin.server_id, &file, offset).await
}

//! The source's log as events, and the position confirmed to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use super::SourceError;
use super::feed::Feed;
use super::pgoutput::Decoder;
use super::relation::LogTables;
use crate::cart::layout::Layout;
use crate::config::Endpoint;
use crate::postgres::connect::ConnectError;
use crate::postgres::url;
use crate::postgres::wire::{CopyStream, ReplicationConnection, WireError};
use crate::pulse::Pulse;
use crate::source::ahead::{self, Ahead};
use crate::source::change::{Event, Lsn};
use crate::source::stream::in_time;
use crate::switch::{self, Mutant};

/// Between two attempts at a slot that is active.
const SLOT_PAUSE: Duration = Duration::from_millis(500);

/// What is to be read.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    pub slot: &'a str,
    pub publication: &'a str,
    /// Where reading begins, or where the slot stands if that is later.
    pub start: Lsn,
    pub layout: Arc<Layout>,
    pub tables: LogTables,
    /// The end of the log when layout and types were read from the catalogs.
    pub compiled_at: Lsn,
    /// How long to wait for a slot that is active: a killed reader holds its slot until the server
    /// notices.
    pub patience: Duration,
}

/// A slot being read. Dropping it ends the session.
pub struct LogStream {
    ahead: Ahead<WireError>,
    decoder: Decoder,
    confirmed: watch::Sender<Lsn>,
    ask: Arc<Notify>,
    slot: String,
    publication: String,
}

impl LogStream {
    /// Starts reading. Where the slot is active, `waits` is told of its reader.
    pub async fn open(
        endpoint: &Endpoint,
        origin: Origin<'_>,
        pulse: Pulse,
        waits: impl Fn(u32),
    ) -> Result<Self, SourceError> {
        let Origin {
            slot,
            publication,
            start,
            patience,
            ..
        } = origin;
        let (copy, beat, pid) =
            start_when_free(endpoint, slot, publication, start, patience, waits).await?;
        let (batches, budget, ahead) = ahead::channel();
        let (confirmed, confirmed_seen) = watch::channel(start);
        let ask = Arc::new(Notify::new());
        let feed = Feed {
            copy,
            batches,
            budget,
            confirmed: confirmed_seen,
            ask: ask.clone(),
            beat,
            endpoint: endpoint.clone(),
            pid,
        };
        tokio::spawn(pulse.watch(feed.run()));
        Ok(Self {
            ahead,
            decoder: Decoder::new(origin.layout, origin.tables, origin.compiled_at),
            confirmed,
            ask,
            slot: slot.to_owned(),
            publication: publication.to_owned(),
        })
    }

    /// The next event. Cancel-safe.
    pub async fn next(&mut self) -> Result<Event, SourceError> {
        loop {
            while let Some(payload) = self.ahead.take() {
                let event = self.decoder.decode(&payload)?;
                if self.decoder.take_dropped_keepalive() {
                    self.ask.notify_one();
                }
                if let Some(event) = event {
                    return Ok(event);
                }
            }
            match self.ahead.more().await {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    return Err(SourceError::of_stream(error, &self.slot, &self.publication));
                }
                None => {
                    return Err(SourceError::Lost {
                        cause: "the reader has ended".into(),
                    });
                }
            }
        }
    }

    /// Tells the server that everything before `position` is safe; it never goes back.
    pub fn confirm(&self, position: Lsn) {
        self.confirmed.send_if_modified(|confirmed| {
            let forward = position > *confirmed;
            *confirmed = position.max(*confirmed);
            forward
        });
    }

    /// Asks for a keepalive now: it comes as [`Event::Keepalive`] after what is under way.
    pub fn ask(&self) {
        self.ask.notify_one();
    }

    /// Bytes read from the socket and not yet handed out.
    pub fn buffered(&self) -> usize {
        self.ahead.buffered()
    }
}

async fn start_when_free(
    endpoint: &Endpoint,
    slot: &str,
    publication: &str,
    start: Lsn,
    patience: Duration,
    waits: impl Fn(u32),
) -> Result<(CopyStream, Duration, i32), SourceError> {
    let deadline = Instant::now() + patience;
    let role = url::read(endpoint, "log").map_err(ConnectError::from)?;
    let role = role.get_user().unwrap_or_default();
    let mut warned = None;
    loop {
        let connected = ReplicationConnection::connect(endpoint, "log").await;
        let mut connection = connected.map_err(|e| SourceError::of_connect(e, role))?;
        let failed = |e| SourceError::of_start(e, slot, role);
        let limit = endpoint.connect_timeout;
        let (beat, pid) = in_time(limit, beat(&mut connection))
            .await
            .map_err(failed)?;
        let started = in_time(limit, connection.start(slot, publication, start)).await;
        match started.map_err(failed) {
            Ok(copy) => return Ok((copy, beat, pid)),
            Err(SourceError::SlotActive { pid, .. })
                if Instant::now() < deadline && !switch::mutant(Mutant::SlotImpatient) =>
            {
                if warned.replace(pid) != Some(pid) {
                    let seconds = patience.as_secs();
                    tracing::warn!(slot, pid, seconds, "the slot is in use; waiting for it");
                    waits(pid);
                }
                sleep(SLOT_PAUSE.min(deadline - Instant::now())).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A third of `wal_sender_timeout`, at most 10 s; 0 turns the timeout off. And the walsender's pid.
async fn beat(connection: &mut ReplicationConnection) -> Result<(Duration, i32), WireError> {
    const LONGEST: u64 = 10_000;
    let rows = connection
        .simple_query(
            "SELECT setting, pg_catalog.pg_backend_pid() FROM pg_catalog.pg_settings \
             WHERE name = 'wal_sender_timeout'",
        )
        .await?;
    let mut cells = rows.into_iter().flatten();
    let (timeout, pid) = (cells.next().flatten(), cells.next().flatten());
    let pid = pid.and_then(|pid| pid.parse().ok()).unwrap_or_default();
    let millis = match timeout.and_then(|t| t.parse::<u64>().ok()) {
        None | Some(0) => LONGEST,
        Some(timeout) => (timeout / 3).clamp(100, LONGEST),
    };
    Ok((Duration::from_millis(millis), pid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, Secret, Tls, TlsMode};
    use crate::demo::cluster::{Cluster, Options};
    use crate::pulse::Pulses;

    #[tokio::test]
    async fn a_slot_in_use_is_waited_for_and_its_reader_named() {
        let cluster = Cluster::start(Options::default()).await.expect("a server");
        let client = cluster.client("postgres").await.expect("a client");
        // Two statements: a slot cannot be made in a transaction that has written.
        for sql in [
            "CREATE PUBLICATION p",
            "SELECT pg_create_logical_replication_slot('cartage_42', 'pgoutput')",
        ] {
            client.batch_execute(sql).await.expect("a slot");
        }
        let endpoint = Endpoint {
            kind: Kind::Postgres,
            url: Secret(cluster.url("postgres")),
            password: None,
            tls: Tls {
                mode: TlsMode::Disable,
                ca: None,
                certificate: None,
                key: None,
            },
            connect_timeout: Duration::from_secs(10),
            application_name: None,
            time_zone: "UTC".into(),
            server_id: None,
        };
        let layout = Arc::new(Layout { tables: Vec::new() });
        let open = || {
            let pulse = Pulses::default().of("log");
            let origin = Origin {
                slot: "cartage_42",
                publication: "p",
                start: Lsn(0),
                layout: layout.clone(),
                tables: LogTables::default(),
                compiled_at: Lsn(0),
                patience: Duration::from_secs(60),
            };
            LogStream::open(&endpoint, origin, pulse, |_| ())
        };
        let holder = open().await.expect("a stream");
        let row = client
            .query_one("SELECT active_pid FROM pg_replication_slots", &[])
            .await
            .expect("the slot");
        let holder_pid = row.get::<_, i32>(0).unsigned_abs();

        let patience = Duration::from_millis(1200);
        let began = Instant::now();
        let told = std::sync::Mutex::new(Vec::new());
        let refused = start_when_free(&endpoint, "cartage_42", "p", Lsn(0), patience, |pid| {
            told.lock().expect("not poisoned").push(pid);
        });
        let refused = refused.await;
        assert!(began.elapsed() >= patience);
        assert_eq!(told.into_inner().expect("not poisoned"), [holder_pid]);
        match refused {
            Err(SourceError::SlotActive { slot, pid }) => {
                assert_eq!((slot.as_str(), pid), ("cartage_42", holder_pid));
            }
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("two readers"),
        }

        let (waiter, ()) = tokio::join!(open(), async {
            sleep(Duration::from_secs(1)).await;
            drop(holder);
        });
        waiter.expect("the slot, once free");
    }
}

//! Noticing a session whose other end has fallen silent although its connection stands: a hung
//! proxy, a frozen host, a disk that answers no more. TCP's own probes are then still answered.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::pin;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::warn;

use super::connect::{ConnectError, Session, attempt, open};
use super::url;
use crate::config::Endpoint;
use crate::tls;

/// Opens a session that ends once the server falls silent on it: whoever waits for an answer then
/// gets the error of a broken connection.
pub async fn watched(endpoint: &Endpoint, purpose: &str) -> Result<Arc<Client>, ConnectError> {
    Ok(begin(
        open(endpoint, purpose, false).await?,
        endpoint,
        purpose,
    ))
}

/// The same where writes must be accepted too.
pub async fn watched_to_write(
    endpoint: &Endpoint,
    purpose: &str,
) -> Result<Arc<Client>, ConnectError> {
    Ok(begin(
        open(endpoint, purpose, true).await?,
        endpoint,
        purpose,
    ))
}

fn begin(session: Session, endpoint: &Endpoint, purpose: &str) -> Arc<Client> {
    let Session {
        client,
        pid,
        driver,
    } = session;
    let client = Arc::new(client);
    let weak = Arc::downgrade(&client);
    tokio::spawn(watch(
        weak,
        endpoint.clone(),
        purpose.to_owned(),
        pid,
        driver,
    ));
    client
}

/// Asks nothing, every now and then; the question waits behind what the session is at. An answer
/// that is late is no sign as long as the server still works at it.
async fn watch(
    client: Weak<Client>,
    endpoint: Endpoint,
    purpose: String,
    pid: i32,
    connection: AbortHandle,
) {
    let patience = endpoint.connect_timeout;
    loop {
        sleep(patience).await;
        let Some(client) = client.upgrade() else {
            return;
        };
        let answer = client.simple_query("");
        pin!(answer);
        while timeout(patience, &mut answer).await.is_err() {
            if at_work(&endpoint, pid).await {
                continue;
            }
            // It may have come while we asked elsewhere.
            if timeout(patience / 4, &mut answer).await.is_ok() {
                break;
            }
            let silent_ms = (patience * 2).as_millis() as u64;
            warn!(
                session = purpose,
                silent_ms, "the server has fallen silent; giving the session up"
            );
            connection.abort();
            end(&endpoint, pid).await;
            return;
        }
        if client.is_closed() {
            return;
        }
    }
}

/// Whether the server is busy with what this session asked, rather than waiting for it to ask.
pub async fn at_work(endpoint: &Endpoint, pid: i32) -> bool {
    let sql = "
        SELECT state = 'active' AND coalesce(wait_event_type, '') NOT IN ('Client', 'Activity')
        FROM pg_catalog.pg_stat_activity WHERE pid = $1";
    ask(endpoint, pid, sql).await == Some(true)
}

/// Has the server end a session that was given up, so that what it holds, a row or the slot, is free
/// at once. Where the server cannot be reached either, its own timeouts do it later.
pub async fn end(endpoint: &Endpoint, pid: i32) {
    let sql = "
        SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
        WHERE pid = $1 AND usename = current_user";
    ask(endpoint, pid, sql).await;
}

/// Asks about a session in another one. None where there is no answer, or no such session.
async fn ask(endpoint: &Endpoint, pid: i32, sql: &str) -> Option<bool> {
    let config = url::read(endpoint, "lifeline").ok()?;
    let tls = MakeRustlsConnect::new(tls::client_config(&endpoint.tls).ok()?);
    for one in url::each(&config) {
        let asked = async {
            let session = attempt(&one, tls.clone(), false, longest_rest(endpoint)).await;
            let client = session.ok()?.client;
            client.query_opt(sql, &[&pid]).await.ok()
        };
        if let Ok(Some(row)) = timeout(endpoint.connect_timeout, asked).await {
            return row?.try_get(0).ok()?;
        }
    }
    None
}

/// How long a session may rest in the middle of a transaction before the server ends it: what it
/// had locked is then free for a successor, even if nobody tells the server that we are gone.
pub(super) fn longest_rest(endpoint: &Endpoint) -> Duration {
    endpoint.connect_timeout.saturating_mul(3)
}

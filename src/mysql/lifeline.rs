//! Noticing a session whose other end has fallen silent although its connection stands: a hung
//! proxy, a frozen host, a disk that answers no more. TCP's own probes are then still answered.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::connect::{Session, connect_to};
use super::url::Host;
use crate::config::Endpoint;

const PAUSE: Duration = Duration::from_secs(2);

pub struct Lifeline {
    endpoint: Endpoint,
    purpose: String,
    /// Which session it is, and of which of the URL's servers.
    host: Host,
    id: u32,
    over: AtomicBool,
}

impl Lifeline {
    pub fn of(session: &Session, endpoint: &Endpoint, purpose: &str) -> Self {
        Self {
            endpoint: endpoint.clone(),
            purpose: purpose.to_owned(),
            host: session.host.clone(),
            id: session.conn.id(),
            over: AtomicBool::new(false),
        }
    }

    /// The session is no more, or was given up: nothing may be asked in it.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    pub fn cut(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// Waits for an answer as long as the server works at it. None means that the session was given
    /// up, in the middle of an answer perhaps.
    pub async fn hold<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        let patience = self.endpoint.connect_timeout;
        let mut answer = pin!(answer);
        loop {
            if let Ok(answer) = timeout(patience, &mut answer).await {
                return Some(answer);
            }
            if self.at_work().await {
                continue;
            }
            // It may have come while we asked elsewhere, or stood between two statements.
            if let Ok(answer) = timeout(patience / 4, &mut answer).await {
                return Some(answer);
            }
            if self.at_work().await {
                continue;
            }
            let silent_ms = patience.as_millis() as u64;
            warn!(
                session = self.purpose,
                silent_ms, "the server has fallen silent; giving the session up"
            );
            self.cut();
            self.end().await;
            return None;
        }
    }

    /// Whether the server is busy with what this session asked, rather than waiting for it to ask or
    /// to take the answer.
    async fn at_work(&self) -> bool {
        let sql = format!(
            "SELECT command NOT IN ('Sleep', 'Killed') AND coalesce(state, '') NOT IN \
             ('Reading from net', 'Writing to net', 'Receiving from client', 'Sending to client') \
             FROM information_schema.processlist WHERE id = {}",
            self.id
        );
        self.ask(async |session: &mut Session| session.conn.query_first::<bool, _>(sql).await)
            .await
            .flatten()
            .unwrap_or(false)
    }

    /// Has the server end the session, so that the snapshot that it holds open is gone at once.
    async fn end(&self) {
        let sql = format!("KILL {}", self.id);
        self.ask(async |session: &mut Session| session.conn.query_drop(sql).await)
            .await;
    }

    /// Asks about the session in another one. None where there is no answer.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut Session) -> mysql_async::Result<T>,
    ) -> Option<T> {
        let asked = async {
            let session = connect_to(&self.endpoint, &self.host, "lifeline").await;
            let mut session = session.ok()?;
            let answer = question(&mut session).await.ok();
            drop(session.conn);
            answer
        };
        timeout(self.endpoint.connect_timeout, asked).await.ok()?
    }

    /// Between two looks at a session that has nothing to do.
    pub async fn pause(&self) {
        sleep(self.endpoint.connect_timeout.min(PAUSE)).await;
    }
}

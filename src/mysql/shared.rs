//! A session that several tasks ask: one at a time, and never left in the middle of an answer.

use std::fmt;
use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;
use mysql_async::prelude::Queryable as _;
use mysql_async::{DriverError, Error};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::connect::Session;
use super::lifeline::Lifeline;
use crate::config::Endpoint;

/// What is kept with a session: the session at least.
pub trait Keeps: Send + 'static {
    fn session(&mut self) -> &mut Session;
}

/// The session, and what is kept with it.
pub struct Shared<S> {
    state: Arc<Mutex<S>>,
    life: Option<Arc<Lifeline>>,
}

impl<S> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl<S: Keeps> Shared<S> {
    pub fn of(state: S) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
            life: None,
        }
    }

    /// The same for a session that ends once the server falls silent on it: whoever waits for an
    /// answer then gets the error of a broken connection.
    pub fn watched(mut state: S, endpoint: &Endpoint, purpose: &str) -> Self {
        let life = Arc::new(Lifeline::of(state.session(), endpoint, purpose));
        let state = Arc::new(Mutex::new(state));
        tokio::spawn(watch(Arc::downgrade(&state), life.clone()));
        Self {
            state,
            life: Some(life),
        }
    }

    /// Whether a watched session is no more. The driver does not look while nothing is asked.
    pub fn is_over(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.is_over())
    }

    /// Has work done in the session by a task of its own: whoever asks may stop waiting, and the
    /// connection must not be left in the middle of an answer.
    pub async fn alone<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'a> FnOnce(&'a mut S) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let mut state = self.lock().await;
        let life = self.life.clone();
        let done = tokio::spawn(async move { held(life.as_deref(), work(&mut state)).await });
        match done.await.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(done) => done,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(Err(_)) => Err(broken().into()),
        }
    }

    /// What is kept, until the guard is dropped; what is asked meanwhile goes through `hold`.
    pub async fn lock(&self) -> OwnedMutexGuard<S> {
        self.state.clone().lock_owned().await
    }

    /// Waits for work that was begun under `lock`. Who stops waiting ends the session: the connection
    /// may be in the middle of an answer.
    pub async fn hold<T, E: From<Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        held(self.life.as_deref(), work).await
    }
}

/// Waits for an answer of a session, which is over where it is watched and nobody waits any more.
async fn held<T, E: From<Error>>(
    life: Option<&Lifeline>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let Some(life) = life else {
        return work.await;
    };
    if life.is_over() {
        return Err(broken().into());
    }
    let mut waiting = Waiting { life, done: false };
    let done = life.hold(work).await;
    waiting.done = true;
    done.unwrap_or_else(|| Err(broken().into()))
}

struct Waiting<'a> {
    life: &'a Lifeline,
    done: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.life.cut();
        }
    }
}

/// Asks nothing, every now and then, of a session that nobody else asks.
async fn watch<S: Keeps>(session: Weak<Mutex<S>>, life: Arc<Lifeline>) {
    while !life.is_over() {
        life.pause().await;
        let Some(session) = session.upgrade() else {
            return;
        };
        // Whoever asks is told by the answer, or by its lack.
        let Ok(mut state) = session.try_lock() else {
            continue;
        };
        if !life.is_over() && !matches!(life.hold(state.session().conn.ping()).await, Some(Ok(())))
        {
            life.cut();
        }
    }
}

fn broken() -> Error {
    DriverError::ConnectionClosed.into()
}

//! What one contender took to do its work once.

use std::time::Instant;

use serde::Serialize;

use crate::server::{Server, Session};
use crate::shop::{MARKED, OldShop};
use crate::{Failed, LOOK, PATIENCE, Result, usage};

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Run {
    pub seconds: f64,
    /// CPU seconds of the source's server, of the process that applies, if that is known, and of the
    /// target's server; a worker inside the target's server is counted in both.
    pub source_cpu: f64,
    pub applier_cpu: Option<f64>,
    pub target_cpu: f64,
    /// Of the process that applies, if that is known.
    pub peak_mib: Option<f64>,
    /// Bytes that the target wrote into its log.
    pub target_log: u64,
}

/// The clock and the counters from just before a contender begins.
pub struct Watch<'a> {
    old: &'a Server,
    new: Option<(&'a Server, u64)>,
    cpu: [f64; 2],
    began: Instant,
}

impl<'a> Watch<'a> {
    pub async fn start(old: &'a Server, new: Option<&'a Server>) -> Result<Self> {
        old.settle().await?;
        if let Some(server) = new {
            server.settle().await?;
        }
        Self::at_once(old, new).await
    }

    /// The same, of servers that have been settled before and are at work.
    pub async fn at_once(old: &'a Server, new: Option<&'a Server>) -> Result<Self> {
        let new = match new {
            None => None,
            Some(server) => Some((server, server.logged().await?)),
        };
        let target_cpu = match new {
            None => 0.0,
            Some((server, _)) => server.cpu_seconds()?,
        };
        Ok(Self {
            old,
            cpu: [old.cpu_seconds()?, target_cpu],
            new,
            began: Instant::now(),
        })
    }

    /// `applier` is the process that applies, where there is one that began after the watch.
    pub async fn stop(self, applier: Option<u32>) -> Result<Run> {
        let mut run = Run {
            seconds: self.began.elapsed().as_secs_f64(),
            applier_cpu: applier.and_then(usage::cpu_seconds),
            peak_mib: applier.and_then(usage::peak_mib),
            source_cpu: self.old.cpu_seconds()? - self.cpu[0],
            ..Run::default()
        };
        if let Some((server, from)) = self.new {
            run.target_cpu = server.cpu_seconds()? - self.cpu[1];
            run.target_log = server.logged().await? - from;
        }
        Ok(run)
    }
}

/// Waits until a query counts all of the carts that are marked: `$TOKENS` in it are theirs.
pub async fn caught_up(session: &mut Session, sql: &str, old: &OldShop) -> Result<()> {
    let tokens: Vec<String> = old
        .marked
        .iter()
        .map(|token| format!("'{token}'"))
        .collect();
    let sql = sql.replace("$TOKENS", &tokens.join(", "));
    let deadline = Instant::now() + PATIENCE;
    while usize::try_from(session.number(&sql).await?) != Ok(MARKED) {
        if Instant::now() > deadline {
            return Err(Failed::because("the backlog was not caught up with"));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

//! How fast `cartage verify` compares carts that are equal, how much memory it takes for few and for
//! many, and how long the longest question is that it puts to the source.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::ours::Program;
use crate::report::Report;
use crate::server::{Server, Session};
use crate::shop::OldShop;
use crate::{Failed, Result, Size};

/// How often it is looked at what the source is asked.
const LOOK: Duration = Duration::from_millis(2);

/// One verification.
#[derive(Debug, Default, Serialize)]
pub struct Verification {
    pub carts: u64,
    /// Of the source; the target's are about as many.
    pub rows: u64,
    pub seconds: f64,
    /// CPU seconds of the command itself.
    pub cpu: f64,
    pub peak_mib: f64,
    /// The longest question to the source that was seen, in milliseconds.
    pub longest_ms: f64,
    pub differences: u64,
}

impl Verification {
    pub fn a_second(&self) -> f64 {
        self.rows as f64 / self.seconds
    }

    pub fn a_core(&self) -> f64 {
        self.rows as f64 / self.cpu
    }
}

/// A tenth of the carts, then all of them: the memory is to stay the same.
pub async fn run(size: Size, report: &mut Report) -> Result<()> {
    let all = crate::number("CARTAGE_BENCH_CARTS", 1_000_000u64)?;
    for carts in [all / 10, all] {
        let size = Size { carts, ..size };
        let old = OldShop::open(Server::postgres().await?, size).await?;
        let new = Server::postgres().await?;
        let program = Program::new(size.lanes)?;
        program.backfill(&old, &new).await?;
        let done = Arc::new(AtomicBool::new(false));
        let watched = tokio::spawn(longest(old.server.admin().await?, done.clone()));
        let verified = program.verify().await;
        done.store(true, Ordering::Relaxed);
        let mut verified = verified?;
        verified.longest_ms = watched.await??;
        if verified.carts != carts {
            return Err(Failed::because(format!(
                "{} of {carts} carts were verified as equal",
                verified.carts
            )));
        }
        report.verified(verified);
    }
    Ok(())
}

/// The longest that a session of cartage's was seen at one question.
async fn longest(mut admin: Session, done: Arc<AtomicBool>) -> Result<f64> {
    let sql =
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start) * 1e6), 0)::bigint
               FROM pg_stat_activity WHERE state = 'active' AND application_name LIKE 'cartage%'
               AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let mut longest = 0;
    while !done.load(Ordering::Relaxed) {
        longest = longest.max(admin.number(sql).await?);
        tokio::time::sleep(LOOK).await;
    }
    Ok(longest as f64 / 1_000.0)
}

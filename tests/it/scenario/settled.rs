//! Waiting until everything that the source has committed is durable in the target.

use std::time::{Duration, Instant};

use cartage::source::change::Lsn;

use super::daemon::Daemon;
use super::servers::Shops;
use super::session::Asked;
use super::size::size;

const LOOK: Duration = Duration::from_millis(25);

/// Waits until `done` finds nothing left to wait for; it names what it still awaits.
async fn until(daemon: &mut Daemon, done: impl AsyncFn() -> Option<String>) {
    let patience = Duration::from_secs(size(90, 1200));
    let deadline = Instant::now() + patience;
    while let Some(awaited) = done().await {
        assert!(
            daemon.alive(),
            "the daemon ended by itself while this was awaited: {awaited}\n{}",
            daemon.log()
        );
        assert!(
            Instant::now() < deadline,
            "waited {patience:?} for this: {awaited}\n{}",
            daemon.log()
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// The first backfill is over.
pub async fn backfilled(daemon: &mut Daemon, target: &impl Asked) {
    until(daemon, async || backfill(target).await).await;
}

/// All lanes have passed what the source has flushed by now, and no cart is still to be read.
pub async fn settled(daemon: &mut Daemon, shops: &Shops) {
    let goal: String = shops
        .source
        .query_one("SELECT pg_current_wal_flush_lsn()::text", &[])
        .await
        .unwrap()
        .get(0);
    arrived(daemon, &shops.target, goal.parse().unwrap()).await;
}

/// All lanes have passed this position, and no cart is still to be read.
pub async fn arrived(daemon: &mut Daemon, target: &impl Asked, goal: Lsn) {
    until(daemon, async || awaited(target, goal).await).await;
}

/// What is still to come before this position and all reads of carts are durable.
pub async fn awaited(target: &impl Asked, goal: Lsn) -> Option<String> {
    match backfill(target).await {
        None => behind(target, goal).await,
        awaited => awaited,
    }
}

async fn backfill(target: &impl Asked) -> Option<String> {
    // The control tables may not be read while setup's transaction is still to commit: there
    // are none yet, and that is an answer too.
    let rows = target
        .ask(
            "SELECT kind, stage, coalesce(waiting, 'nothing'), CASE WHEN finished_at IS NULL THEN 1 END
             FROM cartage.refresh_run ORDER BY id",
        )
        .await
        .unwrap();
    if rows.is_empty() {
        return Some("a backfill to begin".into());
    }
    let open = rows.into_iter().find(|row| row[3].is_some())?;
    let said: Vec<String> = open.into_iter().flatten().collect();
    Some(format!(
        "{} to end (stage {}, waits for {})",
        said[0], said[1], said[2]
    ))
}

async fn behind(target: &impl Asked, goal: Lsn) -> Option<String> {
    let lanes = target
        .number_of("SELECT count(*) FROM cartage.checkpoint")
        .await;
    if lanes == 0 {
        return Some("the lanes' first checkpoint".into());
    }
    // A position inside a transaction (seq > 0) is not past it.
    let goal = target.literal(goal);
    let sql = format!(
        "SELECT min(lsn), count(*) FROM cartage.checkpoint
         WHERE lsn < {goal} OR lsn = {goal} AND seq > 0"
    );
    let late = target.ask(&sql).await.unwrap().remove(0);
    if let [Some(least), Some(late)] = &late[..] {
        return Some(format!(
            "{late} of {lanes} lanes to pass {goal} (the last one is at {least})"
        ));
    }
    let wishes = target.number_of("SELECT count(*) FROM cartage.wish").await;
    (wishes > 0).then(|| format!("{wishes} carts to be read again"))
}

//! Waiting until everything that the source has committed is durable in the target.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::daemon::Daemon;
use super::servers::Shops;
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
pub async fn backfilled(daemon: &mut Daemon, target: &Client) {
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
    until(daemon, async || awaited(&shops.target, &goal).await).await;
}

/// What is still to come before this position and all reads of carts are durable.
pub async fn awaited(target: &Client, goal: &str) -> Option<String> {
    match backfill(target).await {
        None => behind(target, goal).await,
        awaited => awaited,
    }
}

async fn backfill(target: &Client) -> Option<String> {
    // The control tables may not be read while setup's transaction is still to commit: there
    // are none yet, and that is an answer too.
    let rows = target
        .query(
            "SELECT kind, stage, finished_at IS NULL AS open, coalesce(waiting, 'nothing') AS waiting
             FROM cartage.refresh_run ORDER BY id",
            &[],
        )
        .await
        .unwrap();
    if rows.is_empty() {
        return Some("a backfill to begin".into());
    }
    rows.iter()
        .find(|row| row.get::<_, bool>("open"))
        .map(|row| {
            let (kind, stage, waiting): (String, String, String) =
                (row.get("kind"), row.get("stage"), row.get("waiting"));
            format!("{kind} to end (stage {stage}, waits for {waiting})")
        })
}

async fn behind(target: &Client, goal: &str) -> Option<String> {
    // A position inside a transaction (seq > 0) is not past it.
    let sql = format!(
        "SELECT (SELECT count(*) FROM cartage.checkpoint),
                (SELECT count(*) FROM cartage.checkpoint
                  WHERE lsn < '{goal}'::pg_lsn OR (lsn = '{goal}'::pg_lsn AND seq > 0)),
                (SELECT min(lsn)::text FROM cartage.checkpoint),
                (SELECT count(*) FROM cartage.wish)"
    );
    let row = target.query_one(&sql, &[]).await.unwrap();
    let (lanes, late, least): (i64, i64, Option<String>) = (row.get(0), row.get(1), row.get(2));
    let wishes: i64 = row.get(3);
    if lanes == 0 {
        return Some("the lanes' first checkpoint".into());
    }
    if late > 0 {
        let least = least.unwrap_or_default();
        return Some(format!(
            "{late} of {lanes} lanes to pass {goal} (the last one is at {least})"
        ));
    }
    (wishes > 0).then(|| format!("{wishes} carts to be read again"))
}

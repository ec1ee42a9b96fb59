//! Answers that never come: the server has done what it was asked, and the connection ends, or
//! falls silent, before it can say so. Nothing may be lost or done twice.

mod proxy;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::crash::judge::{judge, settle};
use crate::crash::stand::Stand;
use crate::crash::storefront::{Habits, Storefront};
use Then::{Cut, CutInside, Silence};
use proxy::{At, Proxy, Then, Trap};

/// In which a silent connection must be noticed. The endpoints' `connect_timeout` is 1 s.
const NOTICED: Duration = Duration::from_secs(20);

/// Both ends, each with a proxy before it.
struct Ends {
    stand: Stand,
    source: Proxy,
    target: Proxy,
    storefront: Storefront,
}

impl Ends {
    async fn open(name: &str, habits: Habits, carts: usize) -> Self {
        let mut stand = Stand::new(name, "pp", 2, 50).await;
        let source = Proxy::before(port(&stand.shops.source.url)).await;
        let target = Proxy::before(port(&stand.shops.target.url)).await;
        stand.through(source.port, target.port);
        let url = stand.shops.source.url.clone();
        let storefront = Storefront::open(&url, 1, habits, carts).await;
        Self {
            stand,
            source,
            target,
            storefront,
        }
    }

    /// Runs a daemon until it has walked into the trap and works again.
    async fn survives(&self, proxy: &Proxy, trap: Trap) {
        proxy.set(trap);
        let restarts = self.restarts();
        self.storefront.open_for(40);
        let mut daemon = self.stand.start(&["run"], None);
        let provoke = async || {
            self.storefront.assert_open();
            self.storefront.open_for(2);
        };
        proxy.springs(provoke).await;
        let sprung = Instant::now();
        while self.restarts() == restarts {
            daemon.assert_alive();
            assert!(
                sprung.elapsed() < NOTICED,
                "{trap:?} was not noticed in {NOTICED:?}\n{}",
                self.stand.log()
            );
            self.storefront.open_for(1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("{trap:?} noticed after {:?}", sprung.elapsed());
        let epoch = self.epoch().await;
        while self.epoch().await == epoch {
            daemon.assert_alive();
            assert!(
                sprung.elapsed() < 2 * NOTICED,
                "after {trap:?} the daemon did not begin anew\n{}",
                self.stand.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        daemon.kill();
    }

    fn restarts(&self) -> usize {
        self.stand.whole_log().matches("starting again").count()
    }

    async fn epoch(&self) -> i64 {
        let sql = "SELECT epoch FROM cartage.pipeline";
        self.stand.shops.target.number(sql).await
    }

    async fn judge(&self, counts: bool) {
        judge(&self.stand, &self.storefront, &BTreeSet::new(), counts).await;
    }
}

fn port(url: &str) -> u16 {
    let address = url.split('@').nth(1).unwrap();
    let port = address.split([':', '/']).nth(1).unwrap();
    port.parse().unwrap()
}

fn trap(session: &'static str, at: At, then: Then) -> Trap {
    Trap { session, at, then }
}

const COMMIT: At = At::Done("COMMIT", "COMMIT");
const CURSOR: At = At::Done("carts_done = carts_done", "UPDATE");
const STAGE: At = At::Done("SET stage = 'sweep'", "UPDATE");
const FINISH: At = At::Done("SET finished_at = CURRENT_TIMESTAMP(6), waiting", "UPDATE");
const SNAPSHOT: At = At::Done("REPEATABLE READ", "BEGIN");
const ROWS: At = At::Done("COPY (", "COPY");

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_without_an_answer_is_done_once() {
    let ends = Ends::open("lost_cut", Habits::All, 90).await;
    ends.stand.must(&["setup", "--yes"]).await;
    for (proxy, it) in [
        (&ends.target, trap("cartage lane", COMMIT, Cut)),
        (&ends.target, trap("cartage lane", COMMIT, CutInside)),
        (&ends.target, trap("cartage control", COMMIT, Cut)),
        (&ends.target, trap("cartage refresh", CURSOR, Cut)),
        (&ends.source, trap("cartage log", At::Feedback, Cut)),
        (&ends.source, trap("cartage log", At::Change, Cut)),
        (&ends.source, trap("cartage log", At::Change, CutInside)),
        (&ends.source, trap("cartage refresh", SNAPSHOT, Cut)),
        (&ends.source, trap("cartage refresh", ROWS, CutInside)),
        (&ends.target, trap("cartage refresh", STAGE, Cut)),
        (&ends.target, trap("cartage refresh", FINISH, Cut)),
    ] {
        if it.session == "cartage refresh" {
            ends.stand.must(&["refresh", "--all"]).await;
        }
        ends.survives(proxy, it).await;
    }
    ends.judge(false).await;
    // With the shop at rest, lanes commit nothing but how far they are.
    let alone = ends.storefront.shared.gate.write().await;
    let mut daemon = ends.stand.start(&["run"], None);
    settle(&ends.stand, &mut daemon).await;
    daemon.kill();
    drop(daemon);
    ends.survives(&ends.target, trap("cartage lane", COMMIT, Cut))
        .await;
    drop(alone);
    ends.judge(false).await;
    ends.storefront.close().await;
}

/// With one lane and batches of one the version is the storefront's own count of effects.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_answer_counts_once() {
    let mut ends = Ends::open("lost_count", Habits::Plain, 60).await;
    ends.stand.exact();
    let alone = ends.storefront.shared.gate.write().await;
    ends.stand.must(&["setup", "--yes"]).await;
    let mut daemon = ends.stand.start(&["run"], None);
    settle(&ends.stand, &mut daemon).await;
    daemon.kill();
    drop(daemon);
    let backfilled = &ends.storefront.shared.backfilled;
    backfilled.store(true, Ordering::Relaxed);
    drop(alone);
    for then in [Cut, CutInside, Cut] {
        ends.survives(&ends.target, trap("cartage lane", COMMIT, then))
            .await;
    }
    ends.judge(true).await;
    ends.storefront.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_is_noticed_and_given_up() {
    let ends = Ends::open("lost_silent", Habits::All, 60).await;
    ends.stand.must(&["setup", "--yes"]).await;
    for (proxy, it) in [
        (&ends.target, trap("cartage lane", COMMIT, Silence)),
        // The server waits for the end of a transaction that nobody will end.
        (
            &ends.target,
            trap("cartage lane", At::Done("BEGIN", "BEGIN"), Silence),
        ),
        (&ends.target, trap("cartage refresh", CURSOR, Silence)),
        (&ends.source, trap("cartage refresh", SNAPSHOT, Silence)),
        (&ends.source, trap("cartage log", At::Change, Silence)),
        (&ends.source, trap("cartage log", At::Feedback, Silence)),
    ] {
        if it.session == "cartage refresh" {
            ends.stand.must(&["refresh", "--all"]).await;
        }
        ends.survives(proxy, it).await;
    }
    ends.judge(false).await;
    ends.storefront.close().await;
}

/// Each setup loses one answer, says so, and the next one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_setup_that_lost_an_answer_is_run_again() {
    let ends = Ends::open("lost_setup", Habits::All, 60).await;
    for (proxy, at) in [
        (
            &ends.target,
            At::Done("INSERT INTO cartage.pipeline", "INSERT"),
        ),
        (
            &ends.source,
            At::Done("CREATE PUBLICATION", "CREATE PUBLICATION"),
        ),
        (
            &ends.source,
            At::Done("pg_create_logical_replication_slot", "SELECT"),
        ),
        (
            &ends.target,
            At::Done("INSERT INTO cartage.checkpoint", "INSERT"),
        ),
        (&ends.target, At::Done("publication_state = $2", "UPDATE")),
    ] {
        proxy.set(trap("cartage setup", at, Cut));
        let status = ends.stand.command(&["setup", "--yes"]).await;
        assert!(proxy.has_sprung(), "setup never came to {at:?}");
        assert_eq!(status.code(), Some(1), "{at:?}\n{}", ends.stand.log());
        ends.storefront.sells(3).await;
    }
    ends.stand.must(&["setup", "--yes"]).await;
    ends.judge(false).await;

    // The walk over all carts is begun, and the setup that begins it does not know.
    let name = ends.stand.slot();
    let source = &ends.stand.shops.source.session;
    source
        .run(&format!("ALTER PUBLICATION {name} DROP TABLE lines"))
        .await
        .unwrap();
    ends.storefront.sells(10).await;
    for at in [
        At::Done("publication_state = $2", "UPDATE"),
        At::Done("ALTER PUBLICATION", "ALTER PUBLICATION"),
        At::Done("INSERT INTO cartage.refresh_run", "INSERT"),
    ] {
        let of_source = matches!(at, At::Done("ALTER PUBLICATION", _));
        let proxy = if of_source {
            &ends.source
        } else {
            &ends.target
        };
        proxy.set(trap("cartage setup", at, Cut));
        let status = ends.stand.command(&["setup", "--yes"]).await;
        assert!(proxy.has_sprung(), "setup never came to {at:?}");
        assert_eq!(status.code(), Some(1), "{at:?}\n{}", ends.stand.log());
    }
    ends.stand.must(&["setup", "--yes"]).await;
    ends.judge(false).await;
    ends.storefront.close().await;
}

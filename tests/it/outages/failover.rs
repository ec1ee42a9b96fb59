//! The old database is replaced: by its standby, with the slot or without, with all transactions or
//! not; or by an earlier state of itself.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cartage::demo::cluster::{Cluster, Options, Shutdown, Standby};
use tokio_postgres::Client;

use super::pair::{Pair, assert_equal, gave_up, logged};
use super::seller::Seller;
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::{Shops, number};
use crate::scenario::settled::{backfilled, settled};

/// An old shop with a standby, both in the URL, and the daemon at work.
struct Replicated {
    pair: Pair,
    standby: Cluster,
    daemon: Daemon,
    seller: Seller,
}

impl Replicated {
    async fn start(how: Standby) -> Self {
        // Cleaning up the catalogs is what a slot on a standby does not survive before 17.
        let source = Options::default()
            .setting("autovacuum", "off")
            .setting("wal_retrieve_retry_interval", "100ms");
        let mut pair = Pair::open(source, Options::default()).await;
        pair.source.stop(Shutdown::Fast).await.unwrap();
        let standby = Cluster::standby(&pair.source, how).await.unwrap();
        pair.source.resume().await.unwrap();
        let follower = standby.client("postgres").await.unwrap();
        receivers(&follower, 1).await;
        let (one, two) = (pair.source.port(), standby.port());
        pair.configure(
            &format!("url = \"postgres://postgres@127.0.0.1:{one},127.0.0.1:{two}/shop\""),
            &format!("url = \"{}\"", pair.target.url("shop")),
        );
        let mut daemon = Daemon::start(&pair.config());
        backfilled(&mut daemon, &pair.shops().await.target).await;
        let seller = Seller::start(vec![pair.source.url("shop"), standby.url("shop")]);
        seller.sells(20).await;
        Self {
            pair,
            standby,
            daemon,
            seller,
        }
    }

    /// Both shops, the old one where its standby is now.
    async fn shops(&self) -> Shops {
        Shops {
            source_url: self.standby.url("shop"),
            source: self.standby.client("shop").await.unwrap(),
            target_url: self.pair.target.url("shop"),
            target: self.pair.target.client("shop").await.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_with_the_slot_is_gone_on_with() {
    let mut it = Replicated::start(Standby::WithSlots).await;
    let before = it.pair.shops().await;
    settled(&mut it.daemon, &before).await;
    // In order: the primary waits for its standby to have all.
    it.pair.source.stop(Shutdown::Fast).await.unwrap();
    it.standby.promote().await.unwrap();
    it.seller.sells(20).await;
    let shops = it.shops().await;
    settled(&mut it.daemon, &shops).await;
    let timeline = "SELECT source_timeline::bigint FROM cartage.pipeline";
    let known = number(&shops.target, timeline).await;
    assert_eq!(known, 2, "{}", it.daemon.log());

    // The old primary comes back, and is the first in the URL.
    it.pair.source.resume().await.unwrap();
    cut(&shops.source).await;
    assert_eq!(
        gave_up(&mut it.daemon).await,
        "the source is on timeline 1 but this pipeline has already read timeline 2: it is the old \
         primary, come back after a failover, or it was restored to an earlier point; stop the old \
         primary and name the new one in [source] url; or, if this one is to stay, run: cartage setup, \
         which starts over here and reads every cart again (refresh --all)"
    );
    it.pair.source.stop(Shutdown::Fast).await.unwrap();
    it.daemon = Daemon::start(&it.pair.config());
    it.seller.sells(20).await;
    it.seller.stop().await;
    let shops = it.shops().await;
    settled(&mut it.daemon, &shops).await;
    assert_equal(&shops, &it.daemon).await;
    it.daemon.stop().await;
}

/// From Postgres 17 on the standby keeps the slot at hand by itself, if both servers are told to.
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_the_standby_synchronizes_is_gone_on_with() {
    let mut it = Replicated::start(Standby::Bare).await;
    if it.pair.source.version().await.unwrap() < 170_000 {
        // Past the test runner, which keeps what is printed by tests that pass.
        let mut screen = std::io::stderr();
        writeln!(screen, "NOT PLAYED: synchronized slots need Postgres 17").unwrap();
        it.seller.stop().await;
        return it.daemon.stop().await;
    }
    let primary = it.pair.source.client("postgres").await.unwrap();
    let standby = it.standby.client("postgres").await.unwrap();
    primary
        .batch_execute("SELECT pg_create_physical_replication_slot('follower', true)")
        .await
        .unwrap();
    for sql in [
        "ALTER SYSTEM SET primary_slot_name = 'follower'",
        "ALTER SYSTEM SET hot_standby_feedback = on",
        "ALTER SYSTEM SET sync_replication_slots = on",
        "SELECT pg_reload_conf()",
    ] {
        standby.batch_execute(sql).await.unwrap();
    }
    for sql in [
        "ALTER SYSTEM SET synchronized_standby_slots = 'follower'",
        "SELECT pg_reload_conf()",
    ] {
        primary.batch_execute(sql).await.unwrap();
    }
    it.seller.sells(20).await;
    let synchronized = "SELECT count(*) FROM pg_replication_slots
                        WHERE slot_name = 'cartage_outage' AND synced AND NOT temporary";
    let deadline = Instant::now() + Duration::from_secs(40);
    while number(&standby, synchronized).await == 0 {
        assert!(
            Instant::now() < deadline,
            "waited for the slot on the standby\n{}",
            it.standby.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    it.pair.source.stop(Shutdown::Immediate).await.unwrap();
    it.standby.promote().await.unwrap();
    it.seller.sells(20).await;
    it.seller.stop().await;
    let shops = it.shops().await;
    settled(&mut it.daemon, &shops).await;
    assert_equal(&shops, &it.daemon).await;
    it.daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_without_the_slot_wants_a_setup() {
    let mut it = Replicated::start(Standby::Bare).await;
    it.pair.source.stop(Shutdown::Fast).await.unwrap();
    logged(&mut it.daemon, "source: none of the hosts will do: ", 0).await;
    it.standby.promote().await.unwrap();
    assert_eq!(
        gave_up(&mut it.daemon).await,
        "the replication slot cartage_outage is not on the source; changes since the checkpoint are in \
         no log any more; run: cartage setup, which makes a new slot and reads every cart again \
         (refresh --all)"
    );
    it.seller.sells(20).await;
    set_up_again(it, "for it is not there any more").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_had_not_received_all_is_not_trusted() {
    let mut it = Replicated::start(Standby::WithSlots).await;
    let lagging = it.standby.client("postgres").await.unwrap();
    for sql in [
        "ALTER SYSTEM SET primary_conninfo = ''",
        "SELECT pg_reload_conf()",
    ] {
        lagging.batch_execute(sql).await.unwrap();
    }
    receivers(&lagging, 0).await;
    it.seller.sells(20).await;
    let before = it.pair.shops().await;
    settled(&mut it.daemon, &before).await;
    it.pair.source.stop(Shutdown::Immediate).await.unwrap();
    it.standby.promote().await.unwrap();
    // Its log may well be longer by now than what was read of the old one.
    it.seller.sells(40).await;
    let why = gave_up(&mut it.daemon).await;
    assert!(
        why.starts_with("the source was promoted to timeline 2 at 0/"),
        "{why}"
    );
    let rest = ": transactions of the old primary were lost in the failover, and are in the target; run: \
                cartage setup, which makes a new slot and reads every cart again (refresh --all)";
    assert!(
        why.contains(", and this pipeline had read timeline 1 up to 0/"),
        "{why}"
    );
    assert!(why.ends_with(rest), "{why}");
    let said = "for the source was promoted without the last of what was read from the old primary";
    set_up_again(it, said).await;
}

/// A snapshot of the storage is put back: the same system, the same timeline, an earlier position.
#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_state_of_the_source_is_not_trusted() {
    let mut pair = Pair::open(Options::default(), Options::default()).await;
    let (data, snapshot) = (
        pair.source.data(),
        pair.source.data().with_extension("snapshot"),
    );
    pair.source.stop(Shutdown::Fast).await.unwrap();
    copy(&data, &snapshot);
    pair.source.resume().await.unwrap();
    let mut daemon = Daemon::start(&pair.config());
    backfilled(&mut daemon, &pair.shops().await.target).await;
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    seller.sells(40).await;
    seller.stop().await;
    // A cart that will never have been, and that was read whole.
    let shops = pair.shops().await;
    let lost = "INSERT INTO orders VALUES (901, 'lost@example.org', 'EUR')";
    shops.source.batch_execute(lost).await.unwrap();
    // More than the restored server writes by itself before the daemon looks.
    let much = "SELECT pg_logical_emit_message(false, 'much', repeat('.', 4000000))";
    shops.source.batch_execute(much).await.unwrap();
    settled(&mut daemon, &shops).await;
    command(&pair.config(), &["refresh", "--wait", "901"]);
    let read = "SELECT count(*) FROM cartage.ledger WHERE cart = '901' AND refreshed IS NOT NULL";
    assert_eq!(number(&shops.target, read).await, 1);

    pair.source.stop(Shutdown::Immediate).await.unwrap();
    std::fs::remove_dir_all(&data).unwrap();
    copy(&snapshot, &data);
    pair.source.resume().await.unwrap();
    let why = gave_up(&mut daemon).await;
    assert!(why.starts_with("the source's log ends at 0/"), "{why}");
    let rest = ": the server was restored to an earlier state, and what it writes now would be taken for \
                read; run: cartage setup, which makes a new slot and reads every cart again (refresh --all)";
    assert!(why.ends_with(rest), "{why}");

    let said = command(&pair.config(), &["setup", "--yes"]);
    let step = "drop and create the replication slot cartage_outage, for the source was restored to an \
                earlier point";
    assert!(said.contains(step), "{said}");
    let mut daemon = Daemon::start(&pair.config());
    let mut seller = Seller::start(vec![pair.source.url("shop")]);
    seller.sells(10).await;
    seller.stop().await;
    let shops = pair.shops().await;
    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

/// Waits until a standby follows its primary, or does no more.
async fn receivers(standby: &Client, wanted: i64) {
    let streaming = "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'";
    let deadline = Instant::now() + Duration::from_secs(20);
    while number(standby, streaming).await != wanted {
        assert!(
            Instant::now() < deadline,
            "waited for {wanted} receivers on the standby"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the message advises, and then all is as it should be.
async fn set_up_again(mut it: Replicated, why: &str) {
    let said = command(&it.pair.config(), &["setup", "--yes"]);
    assert!(said.contains(why), "{said}");
    it.daemon = Daemon::start(&it.pair.config());
    it.seller.sells(20).await;
    let shops = it.shops().await;
    settled(&mut it.daemon, &shops).await;
    it.seller.sells(5).await;
    it.seller.stop().await;
    settled(&mut it.daemon, &shops).await;
    assert_equal(&shops, &it.daemon).await;
    it.daemon.stop().await;
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()
        .unwrap();
    assert!(done.success());
}

async fn cut(source: &Client) {
    source
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name LIKE 'cartage%'",
        )
        .await
        .unwrap();
}

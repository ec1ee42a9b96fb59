//! A source that gives the slot up because its log has grown too much (`max_slot_wal_keep_size`).

use cartage::demo::cluster::{Cluster, Options};
use rustix::process::Signal;

use super::ground::{Ground, warnings};
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::connect;

const KEEP: &str = "80MB";

struct Small {
    ground: Ground,
    _cluster: Cluster,
}

impl Small {
    /// A server that keeps five segments of log for a slot.
    async fn open(name: &str) -> (Self, Daemon) {
        let options = Options::default()
            .setting("max_slot_wal_keep_size", KEEP)
            // Checkpoints come only when the test asks for them.
            .setting("checkpoint_timeout", "1h");
        let cluster = Cluster::start(options).await.unwrap();
        let ground = Ground::on(&cluster, name).await;
        command(&ground.config, &["setup", "--yes"]);
        let daemon = ground.follow().await;
        let small = Self {
            ground,
            _cluster: cluster,
        };
        (small, daemon)
    }

    /// Fills segments of 16 MB.
    async fn write_log(&self, segments: usize) {
        for _ in 0..segments {
            self.ground
                .in_old("SELECT pg_logical_emit_message(false, 'x', 'x'); SELECT pg_switch_wal()")
                .await;
        }
    }

    fn status(&self) -> serde_json::Value {
        self.ground.status().1
    }

    /// The message, and the way back.
    async fn lost(&self, daemon: Option<&mut Daemon>) {
        let ground = &self.ground;
        let slot = &ground.slot;
        let message = match daemon {
            Some(daemon) => ground.stopped(daemon).await,
            None => ground.refused().await,
        };
        let begin = format!("the source gave the replication slot {slot} up (");
        assert!(message.starts_with(&begin), "{message}");
        let end = "): it removed log that had not been read; run: cartage setup, which makes a new \
                   slot and reads every cart again (refresh --all); a larger \
                   max_slot_wal_keep_size would have kept it";
        assert!(message.ends_with(end), "{message}");
        let status = self.status();
        assert_eq!(status["source"]["wal_status"], "lost", "{status}");
        let before = ground.count("SELECT count(*) FROM cart").await;
        command(&ground.config, &["setup", "--yes"]);
        assert_eq!(ground.count("SELECT count(*) FROM cart").await, before);
        ground.recovers().await.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_while_stopped_is_seen_coming_and_recovers() {
    let (small, daemon) = Small::open("faults_headroom_stopped").await;
    daemon.stop().await;
    small.ground.trade(1).await;
    small.write_log(2).await;
    let status = small.status();
    let bytes = |name: &str| status["source"][name].as_i64().unwrap();
    let (retained, headroom) = (bytes("retained_bytes"), bytes("headroom_bytes"));
    assert!(retained > 16 << 20, "{status}");
    assert!((16 << 20..80 << 20).contains(&headroom), "{status}");
    small.write_log(6).await;
    assert_eq!(small.status()["source"]["wal_status"], "unreserved");
    let (_, text, _) = small.ground.run(&["status"]);
    assert!(text.contains("IT GOES WITH THE NEXT CHECKPOINT"), "{text}");
    small.ground.in_old("CHECKPOINT").await;
    small.ground.trade(2).await;
    small.lost(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_while_the_daemon_is_frozen() {
    let (small, mut daemon) = Small::open("faults_headroom_frozen").await;
    daemon.signal(Signal::STOP);
    small.ground.trade(1).await;
    small.write_log(8).await;
    small.ground.in_old("CHECKPOINT").await;
    small.ground.trade(2).await;
    daemon.signal(Signal::CONT);
    small.lost(Some(&mut daemon)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_while_the_target_is_blocked_is_warned_of_twice_and_stops_at_once() {
    let (small, mut daemon) = Small::open("faults_headroom_blocked").await;
    let ground = &small.ground;
    let blocker = connect(&ground.shops.target_url).await;
    blocker
        .batch_execute("BEGIN; LOCK TABLE cart IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    ground.trade(1).await;
    small.write_log(5).await;
    daemon.says("less than a quarter of the log").await;
    small.write_log(3).await;
    daemon.says("wal_status unreserved").await;
    // Looking on does not repeat it.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let said = warnings(&daemon.log());
    let about = |part: &str| said.iter().filter(|w| w.contains(part)).count();
    assert_eq!(about("less than a quarter of the log"), 1, "{said:#?}");
    assert_eq!(about("wal_status unreserved"), 1, "{said:#?}");
    ground.in_old("CHECKPOINT").await;
    // The lock is still held: nothing that waits for the target keeps the daemon from ending.
    let code = daemon.ended().await.code();
    assert_eq!(code, Some(4), "{}", daemon.log());
    blocker.batch_execute("ROLLBACK").await.unwrap();
    ground.trade(2).await;
    small.lost(None).await;
}

/// The target stands still while the source writes: long before the slot is in danger, the daemon and
/// `status` say when it will be given up.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_forecast_from_the_rates() {
    let (small, mut daemon) = Small::open("faults_headroom_forecast").await;
    let ground = &small.ground;
    assert_eq!(small.status()["forecast"]["verdict"], "caught_up");
    let blocker = connect(&ground.shops.target_url).await;
    blocker
        .batch_execute("BEGIN; LOCK TABLE cart IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    ground.trade(1).await;
    let writer = connect(&ground.shops.source_url).await;
    let writing = tokio::spawn(async move {
        loop {
            let sql = "SELECT pg_logical_emit_message(false, 'x', repeat('x', 50000))";
            writer.batch_execute(sql).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    daemon
        .says("at the present rate the source gives the log up in")
        .await;
    daemon.says("catching up takes for ever").await;
    let status = small.status();
    let forecast = &status["forecast"];
    assert_eq!(forecast["verdict"], "too_late", "{status}");
    assert!(forecast["loss_seconds"].as_f64().unwrap() > 0.0, "{status}");
    assert!(forecast["catch_up_seconds"].is_null(), "{status}");
    assert!(
        status["throughput"]["source_bytes_per_second"]
            .as_f64()
            .unwrap()
            > 0.0
    );
    let (_, text, _) = ground.run(&["status"]);
    assert!(
        text.contains("forecast   at the present rate the source gives the log up in"),
        "{text}"
    );
    writing.abort();
    blocker.batch_execute("ROLLBACK").await.unwrap();
    ground.settle(&mut daemon).await;
    assert_eq!(small.status()["forecast"]["verdict"], "caught_up");
    daemon.stop().await;
}

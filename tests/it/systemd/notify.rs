//! The real daemon under a service manager: when it is ready, when it is alive, and what it says.

use std::fs;
use std::time::{Duration, Instant};

use cartage::config::Config;
use cartage::postgres::wire::ReplicationConnection;
use cartage::source::change::Lsn;

use super::socket::Manager;
use crate::protocol::shop::Shop;
use crate::scenario::daemon::unexpected;
use crate::scenario::servers::number;
use crate::scenario::settled::settled;

/// Long enough that a busy machine does not make a task look stuck.
const WATCHDOG: Duration = Duration::from_secs(8);

fn is_following(line: &str) -> bool {
    line.starts_with("STATUS=following, ") && line.ends_with(" behind")
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_means_that_the_log_is_read() {
    let shop = Shop::open("systemd_ready").await;
    let config = Config::load(&shop.config).unwrap();
    let slot = "cartage_systemd_ready";
    let mut holder = ReplicationConnection::connect(&config.source, "holder")
        .await
        .unwrap();
    let rows = holder.simple_query("SELECT pg_backend_pid()").await;
    let pid = rows.unwrap()[0][0].clone().unwrap();
    let held = holder.start(slot, slot, Lsn(0)).await.unwrap();

    let mut manager = Manager::new();
    let mut daemon = manager.start(&shop.config, WATCHDOG);
    let waiting = format!("STATUS=waiting: slot {slot} is in use by PID {pid}");
    manager
        .until(&daemon, &waiting, |line| line == waiting)
        .await;
    // It tries every half a second.
    manager.listen(Duration::from_millis(1500)).await;
    let begun = manager.told[0].0;
    assert_eq!(manager.count("READY=1", begun), 0, "{:#?}", manager.lines());

    drop(held);
    let freed = Instant::now();
    manager
        .until(&daemon, "READY=1", |line| line == "READY=1")
        .await;
    assert_eq!(manager.count("READY=1", freed), 1);
    manager
        .until(&daemon, "a backfill that is over", is_following)
        .await;
    settled(&mut daemon, &shop.shops).await;
    manager
        .until(&daemon, "a sign of life", |line| line == "WATCHDOG=1")
        .await;

    daemon.signal(rustix::process::Signal::TERM);
    manager
        .until(&daemon, "STOPPING=1", |line| line == "STOPPING=1")
        .await;
    // [apply] drain_timeout is 20 s, and some more.
    let told = manager.lines();
    assert!(told.contains(&"EXTEND_TIMEOUT_USEC=30000000"), "{told:#?}");
    assert!(told.iter().all(|l| !l.starts_with("MAINPID")), "{told:#?}");
    let deadline = Instant::now() + Duration::from_secs(30);
    while daemon.alive() {
        assert!(Instant::now() < deadline, "waited 30 s for its end");
        manager.listen(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_away_is_named_while_signs_of_life_go_on() {
    let shop = Shop::open("systemd_away").await;
    let text = fs::read_to_string(&shop.config).unwrap();
    let away = shop.config.with_file_name("away.toml");
    let nowhere = "postgres://nobody@127.0.0.1:1/nothing";
    fs::write(&away, text.replace(&shop.shops.source_url, nowhere)).unwrap();

    let mut manager = Manager::new();
    let daemon = manager.start(&away, Duration::from_secs(2));
    let waiting = manager
        .until(&daemon, "a source that is away", |line| {
            line.starts_with("STATUS=waiting: source: cannot reach 127.0.0.1:1")
        })
        .await;
    assert!(waiting.contains("Connection refused"), "{waiting}");
    let since = Instant::now();
    while manager.count("WATCHDOG=1", since) < 3 {
        manager
            .until(&daemon, "a sign of life", |line| line == "WATCHDOG=1")
            .await;
    }
    assert_eq!(manager.count("READY=1", manager.told[0].0), 0);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_at_a_lock_of_the_target_is_alive() {
    let shop = Shop::open("systemd_lock").await;
    let mut manager = Manager::new();
    // Half of it is less than what the lane waits for.
    let watchdog = Duration::from_secs(5);
    let mut daemon = manager.start(&shop.config, watchdog);
    settled(&mut daemon, &shop.shops).await;

    let holder = crate::scenario::servers::connect(&shop.shops.target_url).await;
    holder
        .batch_execute("BEGIN; SELECT FROM cart WHERE cart_id = 7 FOR UPDATE")
        .await
        .unwrap();
    let pid = number(&holder, "SELECT pg_backend_pid()::bigint").await;
    let since = Instant::now();
    shop.shops
        .source
        .batch_execute("UPDATE orders SET email = 'late@example.org' WHERE id = 7")
        .await
        .unwrap();
    let lock = format!("s for a lock in the target, held by PID {pid}");
    manager
        .until(&daemon, "the lock to be named", |line| {
            line.ends_with(&lock)
        })
        .await;
    while since.elapsed() < watchdog * 3 / 2 {
        manager
            .until(&daemon, "a sign of life", |line| line == "WATCHDOG=1")
            .await;
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    settled(&mut daemon, &shop.shops).await;
    shop.assert_equal(&daemon).await;
    let bad = unexpected(&daemon.log(), &[]);
    assert!(bad.is_empty(), "{bad:#?}");
    daemon.stop().await;
}

/// Each `md5(rpad(…))` costs about as much as all the rest of the daemon's work in this test, and
/// one expression has many of them: the lane does not come back from its mapping.
#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_computes_without_end_is_not_alive() {
    let shop = Shop::open("systemd_stuck").await;
    let mut endless = "email".to_owned();
    for _ in 0..20 {
        endless = format!("md5(rpad({endless}, 60000000, 'x'))");
    }
    let text = fs::read_to_string(&shop.config).unwrap();
    let expression = format!("\"case when email = 'endless' then {endless} else email end\"");
    let slow = text.replacen("\"email\"", &expression, 1);
    assert_ne!(slow, text);
    fs::write(&shop.config, slow).unwrap();

    let mut manager = Manager::new();
    let mut daemon = manager.start(&shop.config, WATCHDOG / 4);
    settled(&mut daemon, &shop.shops).await;
    shop.shops
        .source
        .batch_execute("UPDATE orders SET email = 'endless' WHERE id = 7")
        .await
        .unwrap();
    let stuck = manager
        .until(&daemon, "the stuck lane", |line| {
            line.starts_with("STATUS=stuck: lane ")
        })
        .await;
    assert!(stuck.ends_with(" s without a pause"), "{stuck}");
    let since = Instant::now();
    manager.listen(WATCHDOG / 4).await;
    assert_eq!(
        manager.count("WATCHDOG=1", since),
        0,
        "{:#?}",
        manager.lines()
    );
    // The other tasks are well, so the daemon itself could go on like this for long.
    assert!(daemon.alive(), "{}", daemon.log());
}

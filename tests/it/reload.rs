//! SIGHUP on the real daemon: what changes at once, what is named, and what is never logged.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::protocol::shop::Shop;
use crate::scenario::daemon::Daemon;
use crate::scenario::settled::settled;

const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until the daemon's log, from a place on, has this; returns the log up to now.
async fn logged(daemon: &mut Daemon, from: usize, what: &str) -> String {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let log = daemon.log();
        if log[from..].contains(what) {
            return log;
        }
        assert!(daemon.alive(), "the daemon ended\n{log}");
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} for {what:?}\n{log}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const READ: &str = "[refresh], [reconcile] and [log] were read again";

#[tokio::test(flavor = "multi_thread")]
async fn log_levels_change_and_what_cannot_is_named() {
    let shop = Shop::open("reload_levels").await;
    let text = fs::read_to_string(&shop.config).unwrap();
    let write = |more: &str| fs::write(&shop.config, text.replacen("[cart]", more, 1)).unwrap();
    let touch = |email: &str| format!("UPDATE orders SET email = '{email}' WHERE id = 7");
    let sell = async |email| {
        shop.shops
            .source
            .batch_execute(&touch(email))
            .await
            .unwrap()
    };
    write("[log]\nlevel = 'warn'\n[cart]");
    let mut daemon = Daemon::start(&shop.config);
    settled(&mut daemon, &shop.shops).await;
    assert_eq!(daemon.log(), "", "nothing is wrong");

    write("[log]\nlevel = 'warn,cartage=debug,cartage::lanes=info'\n[apply]\nlanes = 3\n[cart]");
    daemon.signal(Signal::HUP);
    let log = logged(&mut daemon, 0, READ).await;
    assert!(log.contains("the log level has changed"), "{log}");
    assert!(log.contains(r#""changed":"[apply]""#), "{log}");
    sell("one@example.org").await;
    settled(&mut daemon, &shop.shops).await;

    // Back to silence: not even that it was read again is told.
    write("[log]\nlevel = 'error'\n[cart]");
    daemon.signal(Signal::HUP);
    let sure = daemon.log().len();
    write("[log]\nlevel = 'loud'\n[cart]");
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.signal(Signal::HUP);
    let log = logged(&mut daemon, sure, "is not a level of logging").await;
    assert!(!log[sure..].contains(READ), "{log}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_level_shows_what_customers_wrote() {
    let shop = Shop::open("reload_values").await;
    shop.shops
        .target
        .batch_execute(
            "CREATE FUNCTION chatter() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE NOTICE 'email %', new.customer_email; RETURN new; END $$;
             CREATE TRIGGER chatter BEFORE INSERT OR UPDATE ON cart
             FOR EACH ROW EXECUTE FUNCTION chatter()",
        )
        .await
        .unwrap();
    let mut daemon = Daemon::start_with(&shop.config, &[("RUST_LOG", "trace")]);
    settled(&mut daemon, &shop.shops).await;
    let secret = "secret@example.org";
    let sql = format!("UPDATE orders SET email = '{secret}' WHERE id = 7");
    shop.shops.source.batch_execute(&sql).await.unwrap();
    settled(&mut daemon, &shop.shops).await;
    shop.assert_equal(&daemon).await;

    // What the environment says wins over the file.
    let text = fs::read_to_string(&shop.config).unwrap();
    let quiet = text.replacen("[cart]", "[log]\nlevel = 'error'\n[cart]", 1);
    fs::write(&shop.config, quiet).unwrap();
    daemon.signal(Signal::HUP);
    let log = logged(&mut daemon, 0, READ).await;
    assert!(log.contains("RUST_LOG decides what is logged"), "{log}");
    assert!(
        log.contains(r#""level":"DEBUG""#),
        "nothing was logged at DEBUG"
    );
    for part in [secret, "c8@example.org", "tokio_postgres"] {
        assert!(!log.contains(part), "the log has {part}");
    }
    daemon.stop().await;
}

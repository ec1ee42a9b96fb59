//! The daemon's own verification.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::stand::{CARTS, Stand};

/// Waits until this many are counted.
async fn until(stand: &mut Stand, sql: &str, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while stand.number(sql).await == 0 {
        assert!(
            stand.daemon.alive(),
            "the daemon ended\n{}",
            stand.daemon.log()
        );
        assert!(
            Instant::now() < deadline,
            "waited for {what}\n{}",
            stand.daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn verifies(pair: &str) {
    let mut stand = Stand::open("worker", pair, "\n[reconcile]\nevery = \"1s\"\n").await;
    let well = format!(
        "SELECT count(*) FROM cartage.verify_run WHERE stage = 'done' AND kind = 'full' \
         AND equal = {CARTS}"
    );
    until(&mut stand, &well, "a verification").await;
    stand
        .in_new("UPDATE cart SET customer_email = 'x' WHERE cart_id = 9")
        .await;
    let found =
        "SELECT count(*) FROM cartage.verify_cart WHERE cart = '9' AND verdict = 'different'";
    until(&mut stand, found, "the drift").await;
    stand
        .daemon
        .says("verified: the target is not as it should be")
        .await;
    assert!(
        !stand.daemon.log().contains("customer_email"),
        "values are nobody's in a log"
    );

    // Turned off while it runs.
    stand.reconfigure("every = \"1s\"", "every = \"1h\"");
    stand.daemon.signal(Signal::HUP);
    stand
        .daemon
        .says("[reconcile] and [log] were read again")
        .await;
    stand
        .in_old("UPDATE orders SET email = 'y' WHERE id = 10")
        .await;
    stand.settle().await;
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_verifies_by_itself() {
    for pair in ["pp", "mm"] {
        verifies(pair).await;
    }
}

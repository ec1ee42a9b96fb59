//! The daemon's own verification.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use super::stand::{CARTS, Stand};
use crate::scenario::daemon::Daemon;

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
    stand.reload("every = \"1s\"", "every = \"1h\"");
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

const DONE: &str = "SELECT count(*) FROM cartage.verify_run WHERE stage = 'done'";

async fn goes_on(pair: &str) {
    let switches = [
        ("CARTAGE_BOUND", "verify-chunk=20,verify-notes=0"),
        ("CARTAGE_KILL", "verify.noted@4"),
    ];
    let off = "\n[reconcile]\nrows_per_second = 1000000\n";
    let mut stand = Stand::open_with("killed", pair, off, &switches).await;
    stand.reload("[reconcile]", "[reconcile]\nevery = \"1h\"");
    let ended = stand.daemon.ended().await;
    assert_eq!(ended.signal(), Some(9), "{}", stand.daemon.log());
    let at = "SELECT carts_done FROM cartage.verify_run WHERE finished_at IS NULL";
    assert_eq!(stand.number(at).await, 80);

    // One that it has passed, and one that it has not come to.
    stand
        .in_new("UPDATE cart SET customer_email = 'x' WHERE cart_id IN (5, 150)")
        .await;
    stand.daemon = Daemon::start(&stand.config);
    until(&mut stand, DONE, "the rest of the verification").await;
    let found = "SELECT cart FROM cartage.verify_cart";
    assert_eq!(stand.texts(found).await, ["150"]);
    let once = format!(
        "SELECT count(*) FROM cartage.verify_run WHERE equal = {CARTS} - 1 AND different = 1 \
         AND carts_done = {CARTS} AND rows_done >= {CARTS} * 4"
    );
    assert_eq!(stand.number(&once).await, 1, "no cart is counted twice");
    let runs = "SELECT count(*) FROM cartage.verify_run";
    assert_eq!(stand.number(runs).await, 1, "it is one run");
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_goes_on_with_its_verification() {
    for pair in ["pp", "mm"] {
        goes_on(pair).await;
    }
}

/// At the rate of before, the second portion would be read after eighty seconds.
async fn takes_settings(pair: &str) {
    let slow = "\n[reconcile]\nevery = \"1h\"\nrows_per_second = 1\n";
    let bound = [("CARTAGE_BOUND", "verify-chunk=20,verify-notes=0")];
    let mut stand = Stand::open_with("settings", pair, slow, &bound).await;
    let begun = "SELECT count(*) FROM cartage.verify_run WHERE carts_done = 20";
    until(&mut stand, begun, "the first portion").await;
    stand.reload("rows_per_second = 1\n", "rows_per_second = 1000000\n");
    until(&mut stand, DONE, "the rest at another rate").await;

    // The interval, and what becomes of what is found.
    stand
        .in_new("UPDATE cart SET customer_email = 'x' WHERE cart_id = 9")
        .await;
    stand.reload("every = \"1h\"", "every = \"1s\"");
    let found = "SELECT count(*) FROM cartage.verify_cart WHERE cart = '9'";
    until(&mut stand, found, "a verification an hour early").await;
    let repairs = "SELECT count(*) FROM cartage.repair_run";
    assert_eq!(stand.number(repairs).await, 0, "nobody wants it");
    stand.reload("every = \"1s\"", "every = \"1s\"\nrepair = true");
    until(&mut stand, repairs, "a repair").await;
    stand.reload("repair = true", "repair = false");
    stand
        .daemon
        .says_again("[reconcile] and [log] were read again", 4)
        .await;
    // One that has just ended may still ask for what it found.
    let runs = stand.number(DONE).await;
    until(
        &mut stand,
        &format!("{DONE} AND id > {runs} + 1"),
        "two more",
    )
    .await;
    let asked = stand.number(repairs).await;
    let runs = stand.number(DONE).await;
    stand
        .in_new("UPDATE cart SET customer_email = 'y' WHERE cart_id = 10")
        .await;
    let more = format!("{DONE} AND id > {runs} + 1");
    until(&mut stand, &more, "two more verifications").await;
    let found = "SELECT count(*) FROM cartage.verify_cart WHERE cart = '10'";
    until(&mut stand, found, "what is not repaired").await;
    assert_eq!(stand.number(repairs).await, asked);

    // Off in the midst of a run, and on again.
    stand.reload("rows_per_second = 1000000\n", "rows_per_second = 1\n");
    stand
        .daemon
        .says_again("[reconcile] and [log] were read again", 5)
        .await;
    let begun = "SELECT count(*) FROM cartage.verify_run \
                 WHERE finished_at IS NULL AND carts_done BETWEEN 1 AND 140";
    until(&mut stand, begun, "one that is slow").await;
    let run = "SELECT max(id) FROM cartage.verify_run";
    let slow = stand.number(run).await;
    stand.reload("every = \"1s\"\nrepair = false\n", "");
    stand
        .daemon
        .says("the verification stops where it is")
        .await;
    stand.reload(
        "rows_per_second = 1\n",
        "rows_per_second = 1000000\nevery = \"1h\"\n",
    );
    until(
        &mut stand,
        &format!("{DONE} AND id = {slow}"),
        "the rest of it",
    )
    .await;
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_settings_change_while_it_works() {
    for pair in ["pp", "mm"] {
        takes_settings(pair).await;
    }
}

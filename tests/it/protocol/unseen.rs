//! Rule 16, hazard 6: a commit is in the log before any snapshot sees it; while a synchronous
//! standby is missing, for as long as it likes.

use super::stall::Stall;
use super::standstill::Unseen;
use crate::scenario::daemon::Daemon;

/// The old shop commits this, the daemon has it delivered, and no snapshot sees it.
async fn delivered_unseen(stall: &Stall, daemon: &Daemon, sql: &str) -> Unseen {
    let unseen = stall.unseen(sql).await;
    // Comes later in the log, and is there: so what came before was delivered.
    stall
        .old_shop("UPDATE orders SET note = 'passed' WHERE id = 1")
        .await;
    stall
        .until(daemon, "SELECT note = 'passed' FROM cart WHERE id = 1")
        .await;
    unseen
}

/// Cart 11 is not live, so the change of its line is let go; then the cart opens and is read.
#[tokio::test]
async fn a_change_let_go_is_not_lost_where_the_read_does_not_see_it() {
    let stall = Stall::open("let_go").await;
    let mut daemon = stall.follow().await;
    let change = "UPDATE lines SET qty = 99 WHERE id = 111";
    let unseen = delivered_unseen(&stall, &daemon, change).await;
    stall
        .old_shop("UPDATE orders SET status = 'open' WHERE id = 11")
        .await;
    stall.until_logged(&daemon, "are not visible yet").await;
    let early = stall.count("SELECT count(*) FROM cart WHERE id = 11").await;
    assert_eq!(early, 0, "read although a change was not visible yet");
    unseen.seen().await;
    stall.assert_equal(&mut daemon).await;
    let line = stall
        .count("SELECT qty::bigint FROM cart_line WHERE id = 111")
        .await;
    assert_eq!(line, 99);
    daemon.stop().await;
}

/// The same, the daemon being killed between the change and the opening: it must not forget what no
/// snapshot has seen.
#[tokio::test]
async fn a_restart_does_not_forget_a_change_that_no_snapshot_has_seen() {
    let stall = Stall::open("let_go_restart").await;
    let mut daemon = stall.follow().await;
    let change = "UPDATE lines SET qty = 99 WHERE id = 111";
    let unseen = delivered_unseen(&stall, &daemon, change).await;
    daemon.kill();
    stall
        .old_shop(
            "UPDATE orders SET status = 'open' WHERE id = 11;
             UPDATE orders SET note = 'again' WHERE id = 1",
        )
        .await;
    stall
        .until(&daemon, "SELECT note = 'again' FROM cart WHERE id = 1")
        .await;
    stall.until_logged(&daemon, "are not visible yet").await;
    unseen.seen().await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// The unseen transaction is itself the one that opens the cart: a read too early finds nothing, and
/// the wish would be fulfilled by it.
#[tokio::test]
async fn an_opening_that_no_snapshot_sees_is_waited_for() {
    let stall = Stall::open("opening").await;
    let mut daemon = stall.follow().await;
    let opening = "UPDATE orders SET status = 'open' WHERE id = 11";
    let unseen = delivered_unseen(&stall, &daemon, opening).await;
    stall.until_logged(&daemon, "are not visible yet").await;
    unseen.seen().await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// A cart of the target changes at once all the same: nothing but reads waits for the standby.
#[tokio::test]
async fn a_live_cart_does_not_wait_for_the_standby() {
    let stall = Stall::open("no_wait").await;
    let mut daemon = stall.follow().await;
    let unseen = stall
        .unseen("UPDATE lines SET qty = 99 WHERE id = 71")
        .await;
    stall
        .until(&daemon, "SELECT qty = 99 FROM cart_line WHERE id = 71")
        .await;
    let found = stall
        .shops
        .source
        .query_one("SELECT qty FROM lines WHERE id = 71", &[]);
    let seen: i32 = found.await.unwrap().get(0);
    assert_eq!(seen, 1, "the source shows it already");
    unseen.seen().await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

//! Rules 15 and 17, hazard 6: carts are read while their changes go on.

use super::stall::Stall;
use crate::scenario::servers::connect;

/// Every value that line 71 of the new shop ever had.
const AUDIT: &str = "
CREATE TABLE seen (n integer GENERATED ALWAYS AS IDENTITY, qty integer);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO seen (qty) VALUES (NEW.qty); RETURN NEW; END $$;
CREATE TRIGGER see AFTER INSERT OR UPDATE ON cart_line FOR EACH ROW
WHEN (NEW.id = 71) EXECUTE FUNCTION see()";

/// Values of a line whose quantity only grows in the old shop.
async fn assert_never_older(stall: &Stall) {
    let older = "SELECT count(*) FROM seen a JOIN seen b ON a.n < b.n AND a.qty > b.qty";
    let history = "SELECT coalesce(sum(qty * 10 ^ (n - 1)), 0)::bigint FROM seen";
    assert_eq!(
        stall.count(older).await,
        0,
        "an older value was written after a newer one: {}, to be read backwards",
        stall.count(history).await
    );
}

#[tokio::test]
async fn a_read_that_is_ahead_of_the_log_waits_for_it_and_is_written_once() {
    // Each change is a batch of its own: none is hidden by the next.
    let one_by_one = ("lanes = 1", "lanes = 1\nbatch_rows = 1");
    let stall = Stall::changed("window_ahead", &[one_by_one]).await;
    stall.new_shop(AUDIT).await;
    let mut daemon = stall.follow().await;
    let paused = stall.pause_log().await;
    stall
        .old_shop("UPDATE lines SET qty = 2 WHERE id = 71; UPDATE lines SET qty = 3 WHERE id = 71")
        .await;
    let since = stall.wish(7).await;
    stall.until_read(&daemon, &since).await;
    drop(paused);
    stall.assert_equal(&mut daemon).await;
    assert_never_older(&stall).await;
    daemon.stop().await;
}

/// The change is under way while the snapshot is taken, and commits before the log has come to
/// where that was.
#[tokio::test]
async fn a_change_that_the_snapshot_does_not_see_is_put_on_top_of_the_read() {
    let stall = Stall::open("window_behind").await;
    stall.new_shop(AUDIT).await;
    let mut daemon = stall.follow().await;
    let paused = stall.pause_log().await;
    let seller = connect(&stall.shops.source_url).await;
    seller
        .batch_execute("BEGIN; UPDATE lines SET qty = 2 WHERE id = 71")
        .await
        .unwrap();
    let since = stall.wish(7).await;
    stall.until_read(&daemon, &since).await;
    seller.batch_execute("COMMIT").await.unwrap();
    drop(paused);
    stall.assert_equal(&mut daemon).await;
    assert_never_older(&stall).await;
    daemon.stop().await;
}

/// A window that cannot close gives its changes up: they do not wait for it, and its carts are read
/// later.
#[tokio::test]
async fn a_window_that_keeps_too_much_gives_up_its_changes() {
    let stall = Stall::open("window_overflows").await;
    let mut daemon = stall.follow_with(&[("CARTAGE_BOUND", "kept=5")]).await;
    let unseen = stall
        .unseen("UPDATE orders SET note = 'let go' WHERE id = 12")
        .await;
    stall.wish(7).await;
    stall.until_logged(&daemon, "are not visible yet").await;
    stall
        .old_shop("UPDATE lines SET qty = 50 WHERE id = 72")
        .await;
    for n in 2..=8 {
        stall
            .old_shop(&format!("UPDATE orders SET note = 'note {n}' WHERE id = 7"))
            .await;
    }
    stall
        .until(&daemon, "SELECT note = 'note 8' FROM cart WHERE id = 7")
        .await;
    let kept = stall
        .count("SELECT qty::bigint FROM cart_line WHERE id = 72")
        .await;
    assert_eq!(kept, 50, "a change that the window had kept is lost");
    let wished = stall.count("SELECT count(*) FROM cartage.wish").await;
    assert_eq!(wished, 1, "it is still to be read");
    unseen.seen().await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

#[tokio::test]
async fn no_window_opens_while_the_log_is_too_far_behind() {
    let stall = Stall::open("window_lag").await;
    let mut daemon = stall.follow_with(&[("CARTAGE_BOUND", "lag=100000")]).await;
    let paused = stall.pause_log().await;
    stall
        .old_shop(
            "CREATE TABLE elsewhere AS SELECT repeat('x', 100) FROM generate_series(1, 10000);
             UPDATE orders SET note = 'far behind' WHERE id = 7",
        )
        .await;
    let since = stall.wish(7).await;
    stall
        .new_shop(
            "INSERT INTO cartage.refresh_run (pipeline, kind, start_lsn) \
             SELECT id, 'all', '0/0' FROM cartage.pipeline",
        )
        .await;
    stall
        .until(
            &daemon,
            "SELECT waiting LIKE 'the log is%' FROM cartage.refresh_run WHERE finished_at IS NULL",
        )
        .await;
    assert!(!stall.has_read(&since).await, "carts are read all the same");
    drop(paused);
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

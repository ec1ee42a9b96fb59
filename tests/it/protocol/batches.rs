//! Rules 1 and 2, hazard 1: a checkpoint passes nothing that is not done, and a restart in the
//! middle of a transaction skips nothing.

use super::stall::Stall;
use crate::scenario::daemon::Daemon;
use crate::scenario::servers::connect;

/// A batch is written in two halves, because one of its carts does not fit; the daemon dies between
/// the halves. The batch reaches past the change of all carts: a snapshot has seen that one while
/// the lane waited for a lock.
#[tokio::test]
async fn the_carts_that_fit_do_not_take_the_checkpoint_past_the_rest() {
    let stall = Stall::open("halves").await;
    stall.follow().await.stop().await;
    stall
        .new_shop("ALTER TABLE cart ADD CONSTRAINT refused CHECK (id <> 9) NOT VALID")
        .await;
    let backend = connect(&stall.shops.target_url).await;
    backend
        .batch_execute("BEGIN; SELECT FROM cart WHERE id = 1 FOR UPDATE")
        .await
        .unwrap();
    stall
        .old_shop("UPDATE orders SET note = 'waits' WHERE id = 1")
        .await;
    let switches = [("CARTAGE_KILL", "lane.after-commit@2")];
    let mut killed = Daemon::start_with(&stall.config, &switches);
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name LIKE 'cartage lane%' AND wait_event_type = 'Lock')";
    stall.until(&killed, waits).await;
    stall.old_shop("UPDATE orders SET email = 'ours'").await;
    stall.until_seen(&killed).await;
    stall
        .old_shop("UPDATE orders SET note = 'after' WHERE id = 2")
        .await;
    stall.until_seen(&killed).await;
    stall
        .old_shop("UPDATE orders SET note = 'after' WHERE id = 3")
        .await;
    backend.batch_execute("ROLLBACK").await.unwrap();
    assert!(killed.ended().await.code().is_none(), "{}", killed.log());
    let done = stall
        .count("SELECT count(*) FROM cart WHERE email = 'ours'")
        .await;
    assert!((1..9).contains(&done), "a part, not {done} of 9 carts");
    let mut daemon = Daemon::start(&stall.config);
    stall
        .until(
            &daemon,
            "SELECT count(*) = 8 FROM cart WHERE email = 'ours'",
        )
        .await;
    stall
        .new_shop("ALTER TABLE cart DROP CONSTRAINT refused")
        .await;
    stall
        .until(
            &daemon,
            "SELECT count(*) = 9 FROM cart WHERE email = 'ours'",
        )
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// What a cart should become is stored by the transaction that passes its change.
#[tokio::test]
async fn a_cart_that_does_not_fit_is_stored_with_the_checkpoint_that_passes_it() {
    let stall = Stall::open("stored_with").await;
    stall
        .new_shop(
            "CREATE TABLE noted (n integer GENERATED ALWAYS AS IDENTITY, what text, lsn pg_lsn, tx text);
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 INSERT INTO noted (what, lsn, tx)
                 VALUES (TG_TABLE_NAME, (to_jsonb(NEW) ->> 'lsn')::pg_lsn, pg_current_xact_id());
                 RETURN NEW;
             END $$;
             CREATE TRIGGER note AFTER INSERT OR UPDATE ON cartage.checkpoint
             FOR EACH ROW EXECUTE FUNCTION note();
             CREATE TRIGGER note AFTER INSERT ON cartage.held FOR EACH ROW EXECUTE FUNCTION note()",
        )
        .await;
    let mut daemon = stall.follow().await;
    stall
        .new_shop("ALTER TABLE cart ADD CONSTRAINT refused CHECK (id <> 9) NOT VALID")
        .await;
    let row = stall
        .shops
        .source
        .query_one("SELECT pg_current_wal_insert_lsn()::text", &[])
        .await
        .unwrap();
    let before: &str = row.get(0);
    stall.old_shop("UPDATE orders SET email = 'ours'").await;
    stall
        .until(
            &daemon,
            &format!("SELECT bool_or(lsn > '{before}') FROM noted"),
        )
        .await;
    let together = format!(
        "SELECT count(*) FROM noted h JOIN noted c USING (tx) WHERE h.what = 'held' AND c.n = \
         (SELECT min(n) FROM noted WHERE what = 'checkpoint' AND lsn > '{before}'::pg_lsn)"
    );
    assert_eq!(stall.count(&together).await, 1, "{}", daemon.log());
    stall
        .new_shop("ALTER TABLE cart DROP CONSTRAINT refused")
        .await;
    stall
        .until(
            &daemon,
            "SELECT count(*) = 9 FROM cart WHERE email = 'ours'",
        )
        .await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// A transaction that is dealt out in pieces, all of one commit LSN: cart 7 is in the first piece
/// and in the last, and the daemon dies after the first.
#[tokio::test]
async fn changes_that_share_a_commit_are_told_apart_after_a_restart() {
    let in_pieces = "lanes = 1\nbatch_rows = 1\ntransaction_rows = 4";
    let stall = Stall::changed("shared_commit", &[("lanes = 1", in_pieces)]).await;
    stall.follow().await.stop().await;
    stall
        .old_shop(
            "BEGIN; UPDATE orders SET email = 'first' WHERE id = 7;
             UPDATE lines SET qty = qty + 10 WHERE order_id <> 7;
             UPDATE orders SET email = 'last' WHERE id = 7; DELETE FROM lines WHERE id = 72; COMMIT",
        )
        .await;
    let switches = [("CARTAGE_KILL", "lane.after-commit@1")];
    let mut killed = Daemon::start_with(&stall.config, &switches);
    assert!(killed.ended().await.code().is_none(), "{}", killed.log());
    let halfway = "SELECT count(*) FROM cart WHERE id = 7 AND email = 'first'";
    assert_eq!(
        stall.count(halfway).await,
        1,
        "killed after the first piece"
    );
    let mut daemon = Daemon::start(&stall.config);
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

/// Two carts become live at once and are read one by one. The read of the first takes the
/// checkpoint past the change that is the cause of both; then the daemon dies.
#[tokio::test]
async fn a_wish_outlives_the_daemon_that_had_it() {
    let stall = Stall::changed(
        "wish_outlives",
        &[("chunk_carts = 1000", "chunk_carts = 1")],
    )
    .await;
    stall.follow().await.stop().await;
    stall
        .old_shop("UPDATE orders SET status = 'open' WHERE id IN (10, 11)")
        .await;
    let switches = [("CARTAGE_KILL", "lane.after-commit@2")];
    let mut killed = Daemon::start_with(&stall.config, &switches);
    assert!(killed.ended().await.code().is_none(), "{}", killed.log());
    let read = stall
        .count("SELECT count(*) FROM cart WHERE id IN (10, 11)")
        .await;
    assert_eq!(read, 1, "one is read\n{}", killed.log());
    let mut daemon = Daemon::start(&stall.config);
    stall.assert_equal(&mut daemon).await;
    assert_eq!(
        stall
            .count("SELECT count(*) FROM cart WHERE id IN (10, 11)")
            .await,
        2
    );
    daemon.stop().await;
}

//! A pipeline that is killed before anything has happened, or in the middle of its first reading.

use super::ground::Ground;
use crate::scenario::daemon::Daemon;

/// The checkpoint is there from setup on, and a killed backfill goes on where it was (hazard 14).
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_is_not_begun_again_by_each_start() {
    let ground = Ground::open("faults_beginnings").await;
    let checkpoint = "SELECT count(*) FROM cartage.checkpoint WHERE lsn > '0/0'";
    assert_eq!(ground.count(checkpoint).await, 1, "from setup on");
    let slow = "\n[refresh]\nchunk_carts = 5\nparallel = 1\nrows_per_second = 400\n";
    let text = std::fs::read_to_string(&ground.config).unwrap();
    std::fs::write(&ground.config, text + slow).unwrap();
    let mut daemon = Daemon::start(&ground.config);
    daemon.says("taken over").await;
    let mut done = 0;
    for _ in 0..6 {
        daemon.kill();
        let further = format!("SELECT (carts_done > {done})::int::bigint FROM cartage.refresh_run");
        ground
            .reaches("SELECT count(*) FROM cartage.refresh_run", 1, &daemon)
            .await;
        ground.reaches(&further, 1, &daemon).await;
        let now = ground
            .count("SELECT carts_done FROM cartage.refresh_run")
            .await;
        assert!(now > done, "{now} after {done}");
        done = now;
    }
    assert!(done < 200, "killed in the middle, not after {done} carts");
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    // Each kill may cost the chunk that was under way, and never more.
    let run = "SELECT carts_done FROM cartage.refresh_run WHERE kind = 'backfill' AND finished_at IS NOT NULL";
    assert_eq!(ground.count(run).await, 200);
    assert_eq!(
        ground
            .count("SELECT count(*) FROM cartage.refresh_run")
            .await,
        1
    );
    daemon.stop().await;
}

//! Control tables that another version of cartage has made.

use super::ground::{Ground, errors};
use crate::scenario::daemon::Daemon;

/// A daemon that is newer than the control tables says so before it reads them; `setup` brings them
/// up, and nothing that was committed meanwhile is lost.
#[tokio::test(flavor = "multi_thread")]
async fn control_tables_of_an_older_version_are_brought_up_by_setup() {
    let ground = Ground::open("faults_versions_older").await;
    ground.rest(ground.follow().await).await;
    ground
        .in_new(
            "ALTER TABLE cartage.verify_run DROP COLUMN written, DROP COLUMN findings;
             DELETE FROM cartage._sqlx_migrations WHERE version = 9",
        )
        .await;
    ground.trade(1).await;
    let says = "the control tables in the target are of an older cartage (they have migration 8, and \
                this version needs 9); run: cartage setup";
    says_so(&ground, says).await;
    let (code, out, log) = ground.run(&["setup", "--yes"]);
    assert_eq!(code, 0, "{out}{log}");
    ground.rest(ground.recovers().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_tables_of_a_newer_version_are_left_alone() {
    let ground = Ground::open("faults_versions_newer").await;
    ground.rest(ground.follow().await).await;
    ground
        .in_new(
            "INSERT INTO cartage._sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (99, 'later', true, '', 0)",
        )
        .await;
    ground.trade(1).await;
    let says = "the control tables in the target are of a newer cartage (they have migration 99, and \
                this version knows 9); run that version, or a later one";
    says_so(&ground, says).await;
    ground
        .in_new("DELETE FROM cartage._sqlx_migrations WHERE version = 99")
        .await;
    ground.rest(ground.recovers().await).await;
}

/// The daemon and `status`.
async fn says_so(ground: &Ground, says: &str) {
    let _ = std::fs::remove_file(ground.config.with_extension("log"));
    let mut daemon = Daemon::start(&ground.config);
    assert_eq!(daemon.ended().await.code(), Some(4), "{}", daemon.log());
    let log = daemon.log();
    assert_eq!(errors(&log), [says], "{log}");
    let (code, out, log) = ground.run(&["status"]);
    assert_eq!(code, 1, "{out}{log}");
    assert!(log.contains(says), "{out}{log}");
}

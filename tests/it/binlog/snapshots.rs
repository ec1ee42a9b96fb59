//! What a snapshot sees, and what it says that it sees.

use std::sync::Arc;

use cartage::demo::mysql::Options;
use cartage::source::change::Event;
use cartage::source::mysql::snapshot;
use cartage::source::snapshot::Snapshot;
use mysql_async::prelude::Queryable as _;

use super::stand::{all, mysql_without_ids, read};
use crate::mysql::{endpoint, marks};

#[tokio::test]
async fn a_snapshot_sees_what_it_says() {
    for stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        let mut stream = stand.open(start, known).await.unwrap();
        stand.run("INSERT INTO cart (id) VALUES (1)").await;
        let mut session = stand.session().await;
        let sees = snapshot::open(&mut session).await.unwrap();
        stand.run("INSERT INTO cart (id) VALUES (2)").await;
        let rows: Vec<u64> = session.conn.query("SELECT id FROM cart").await.unwrap();
        assert_eq!(rows, [1]);
        session.conn.query_drop("ROLLBACK").await.unwrap();
        let events = read(&mut stream, stand.end().await).await.unwrap();
        let mut seen = Vec::new();
        let mut gtid = None;
        for event in events {
            match event {
                Event::Begin { id, .. } => gtid = id.gtid,
                Event::Commit { end } => seen.push(match &sees {
                    Snapshot::Until(place) => end <= *place,
                    Snapshot::Passed(set, _) => gtid.is_some_and(|gtid| set.contains(&gtid)),
                    Snapshot::Postgres(_) => panic!("a snapshot of another kind"),
                }),
                _ => {}
            }
        }
        assert_eq!(seen, [true, false]);
    }
}

#[tokio::test]
async fn without_ids_all_that_was_logged_before_is_seen() {
    let Some(mut stand) = mysql_without_ids(Options::default()).await else {
        return;
    };
    let known = stand.known().await;
    let mut stream = stand.open(known.compiled_at, known).await.unwrap();
    let mut session = stand.session().await;
    stand.run("INSERT INTO cart (id) VALUES (1)").await;
    let sees = snapshot::open(&mut session).await.unwrap();
    stand.run("INSERT INTO cart (id) VALUES (2)").await;
    let rows: Vec<u64> = session.conn.query("SELECT id FROM cart").await.unwrap();
    session.conn.query_drop("ROLLBACK").await.unwrap();
    assert_eq!(rows, [1]);
    let events = read(&mut stream, stand.end().await).await.unwrap();
    let ids = events.iter().filter_map(|event| match event {
        Event::Begin { id, .. } => Some(id),
        _ => None,
    });
    let seen: Vec<bool> = ids.map(|id| id.is_anonymous() && sees.sees(id)).collect();
    assert_eq!(seen, [true, false]);

    stand.run("SET GLOBAL binlog_order_commits = OFF").await;
    let unordered = snapshot::open(&mut session).await.unwrap_err().to_string();
    assert!(
        unordered.ends_with("SET GLOBAL binlog_order_commits = ON"),
        "{unordered}"
    );
    stand.run("SET GLOBAL binlog_order_commits = ON").await;

    let modest = "modest@'127.0.0.1'";
    stand
        .run(&format!(
            "CREATE USER {modest}; GRANT SELECT, REPLICATION CLIENT ON *.* TO {modest}"
        ))
        .await;
    let url = format!("mysql://modest@127.0.0.1:{}/shop", stand.server.port());
    stand.endpoint = endpoint(url);
    let mut session = stand.session().await;
    let denied = snapshot::open(&mut session).await.unwrap_err().to_string();
    assert!(
        denied.contains("run on the source: GRANT FLUSH_OPTIMIZER_COSTS "),
        "{denied}"
    );
    stand
        .server
        .run(&format!(
            "GRANT {} ON *.* TO {modest}",
            marks(&stand.server).await
        ))
        .await
        .unwrap();
    let mut session = stand.session().await;
    assert!(matches!(
        snapshot::open(&mut session).await,
        Ok(Snapshot::Passed(..))
    ));
}

/// A server that syncs its log late hands a transaction out before it commits it.
#[tokio::test]
async fn without_ids_what_is_delivered_is_waited_for() {
    let late = Options::default()
        .setting("sync_binlog", "0")
        .setting("binlog_group_commit_sync_delay", "300000");
    let Some(stand) = mysql_without_ids(late).await else {
        return;
    };
    let stand = Arc::new(stand);
    let known = stand.known().await;
    let mut stream = stand.open(known.compiled_at, known).await.unwrap();
    let mut session = stand.session().await;
    let mut invisible = 0;
    for id in 1..=6 {
        let writer = stand.clone();
        let sql = format!("INSERT INTO cart (id) VALUES ({id})");
        let written = tokio::spawn(async move { writer.run(&sql).await });
        let begun = loop {
            if let Event::Begin { id, .. } = stream.next().await.unwrap() {
                break id;
            }
        };
        let rows = "SELECT id FROM cart";
        let naive: Vec<u64> = session.conn.query(rows).await.unwrap();
        invisible += u64::from(!naive.contains(&id));
        let sees = snapshot::open(&mut session).await.unwrap();
        let ours: Vec<u64> = session.conn.query(rows).await.unwrap();
        session.conn.query_drop("ROLLBACK").await.unwrap();
        assert!(sees.sees(&begun) && ours.contains(&id), "{ours:?}");
        written.await.unwrap();
    }
    assert!(invisible > 0, "each was visible before it was asked for");
}

//! What a snapshot sees, and what it says that it sees.

use cartage::demo::mysql::Options;
use cartage::source::change::Event;
use cartage::source::mysql::snapshot;
use cartage::source::snapshot::Snapshot;
use mysql_async::prelude::Queryable as _;

use super::stand::{all, read};

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
                    Snapshot::Passed(set) => gtid.is_some_and(|gtid| set.contains(&gtid)),
                    Snapshot::Postgres(_) => panic!("a snapshot of another kind"),
                }),
                _ => {}
            }
        }
        assert_eq!(seen, [true, false]);
    }
}

//! Forms that a log may have, and what comes in between while it is read.

use std::time::Duration;

use cartage::demo::mysql::Options;
use cartage::fault::Fault;
use cartage::source::mysql::{SourceError, headroom};
use mysql_async::prelude::Queryable as _;
use tokio::time::timeout;

use super::stand::{SERVER_ID, all, mariadb, mysql, read};

#[tokio::test]
async fn checksums_may_come_and_go() {
    for first in ["NONE", "CRC32"] {
        let options = Options::default().setting("binlog-checksum", first);
        for stand in all(&options).await {
            let heard = stand
                .hear(&[
                    "INSERT INTO cart (id) VALUES (1)",
                    "SET GLOBAL binlog_checksum = 'CRC32'",
                    "INSERT INTO cart (id) VALUES (2)",
                    "SET GLOBAL binlog_checksum = 'NONE'",
                    "INSERT INTO cart (id) VALUES (3)",
                    "FLUSH BINARY LOGS",
                    "SET GLOBAL binlog_checksum = 'CRC32'",
                    "INSERT INTO cart (id) VALUES (4)",
                ])
                .await;
            let heard = heard.unwrap();
            let rows = |n: &String| n.starts_with('+').then(|| n.clone());
            let rows: Vec<String> = heard.iter().filter_map(rows).collect();
            let all: Vec<String> = (1..5).map(|id| format!("+cart {id},null,null")).collect();
            assert_eq!(rows, all, "{first}");
        }
    }
}

/// Rows that are worth compressing.
const WIDE: &str = "INSERT INTO cart SELECT n, REPEAT('t', 40), 1, REPEAT('n', 2000) FROM hundred";

#[tokio::test]
async fn events_that_mariadb_has_compressed_are_read() {
    let options = Options::default()
        .setting("log-bin-compress", "ON")
        .setting("log-bin-compress-min-len", "10");
    let stand = mariadb(options).await;
    let heard = stand.hear(&[
        WIDE,
        "UPDATE cart SET total = 2",
        "DELETE FROM cart WHERE id < 50",
        "TRUNCATE TABLE /* a comment that is long enough to be compressed, too, one would say */ cart",
    ]).await;
    let heard = heard.unwrap();
    let count = |start: &str| heard.iter().filter(|told| told.starts_with(start)).count();
    assert_eq!(
        (
            count("+cart"),
            count("cart"),
            count("-cart"),
            count("truncate")
        ),
        (100, 100, 50, 1)
    );
    let token = "t".repeat(40);
    assert!(heard.contains(&format!("cart 7,{token},1.00 -> 7,{token},2.00")));
}

#[tokio::test]
async fn transactions_that_mysql_has_compressed_are_read() {
    let Some(stand) = mysql(Options::default()).await else {
        return;
    };
    let on = "SET SESSION binlog_transaction_compression = ON";
    let heard = stand
        .hear(&[
            &format!("{on}; BEGIN; {WIDE}; UPDATE cart SET total = 2; COMMIT"),
            &format!("{on}; INSERT INTO other VALUES (1, REPEAT('x', 5000))"),
            &format!("{on}; DELETE FROM cart WHERE id < 50"),
        ])
        .await;
    let heard = heard.unwrap();
    let count = |start: &str| heard.iter().filter(|told| told.starts_with(start)).count();
    assert_eq!(
        (
            count("begin"),
            count("+cart"),
            count("cart"),
            count("-cart"),
            count("commit")
        ),
        (2, 100, 100, 50, 2)
    );
}

#[tokio::test]
async fn ids_with_tags_are_read() {
    let Some(stand) = mysql(Options::default()).await else {
        return;
    };
    let known = stand.known().await;
    let start = known.compiled_at;
    let mut stream = stand.open(start, known).await.unwrap();
    stand
        .run("SET SESSION gtid_next = 'AUTOMATIC:shop'; INSERT INTO cart (id) VALUES (1)")
        .await;
    let facts = stand.facts().await;
    let events = read(&mut stream, facts.end).await.unwrap();
    let id = events.iter().find_map(|event| match event {
        cartage::source::change::Event::Begin { id, .. } => id.gtid,
        _ => None,
    });
    let id = id.expect("an id");
    assert!(id.to_string().ends_with(":shop:1"), "{id}");
    assert!(facts.passed.is_some_and(|passed| passed.contains(&id)));
}

#[tokio::test]
async fn a_killed_session_is_opened_again() {
    for stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        let mut stream = stand.open(start, known).await.unwrap();
        stream.next().await.unwrap();
        let mut conn = stand.server.conn(None).await.unwrap();
        let sql = "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'";
        let dump: Option<u64> = conn.query_first(sql).await.unwrap();
        conn.query_drop(format!("KILL {}", dump.expect("a dump")))
            .await
            .unwrap();
        let error = timeout(Duration::from_secs(20), async {
            loop {
                if let Err(error) = stream.next().await {
                    break error;
                }
            }
        });
        let error = error.await.expect("an end");
        assert_eq!(error.fault(), Fault::Retry, "{error}");
    }
}

#[tokio::test]
async fn a_second_reader_with_our_number_is_named() {
    for stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        let mut first = stand.open(start, known.clone()).await.unwrap();
        first.next().await.unwrap();
        // It waits for the other one to go, and then goes ahead.
        let mut second = stand.open(start, known).await.unwrap();
        let error = timeout(Duration::from_secs(20), async {
            loop {
                if let Err(error) = first.next().await {
                    break error;
                }
            }
        });
        let error = error.await.expect("an end");
        assert!(
            matches!(error, SourceError::ReplicaId { server_id, .. } if server_id == SERVER_ID),
            "{error}"
        );
        assert_eq!(error.fault(), Fault::Stop);
        second.next().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_kept_of_the_log_is_told() {
    for stand in all(&Options::default()).await {
        let start = stand.end().await;
        stand
            .run("INSERT INTO cart VALUES (1, 'a', 1, REPEAT('x', 5000)); FLUSH BINARY LOGS")
            .await;
        let mut session = stand.session().await;
        let age = Some(Duration::from_secs(3600));
        let days = match stand.is_mariadb() {
            true => "SET GLOBAL expire_logs_days = 2",
            false => "SET GLOBAL binlog_expire_logs_seconds = 172800",
        };
        stand.run(days).await;
        let room = headroom::look(&mut session, start, age).await.unwrap();
        assert!(!room.lost);
        assert!((5_000..20_000).contains(&room.retained), "{room:?}");
        assert_eq!(
            room.left(),
            Some(Duration::from_secs(47 * 3600)),
            "{room:?}"
        );
        let last = headroom::look(&mut session, stand.end().await, age)
            .await
            .unwrap();
        assert_eq!((last.retained, last.left()), (0, None));
        stand.purge().await;
        assert!(headroom::look(&mut session, start, age).await.unwrap().lost);
    }
}

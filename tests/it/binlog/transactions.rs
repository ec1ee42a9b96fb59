//! What transactions of all kinds look like.

use cartage::demo::mysql::Options;

use std::time::Duration;

use cartage::source::change::Event;
use tokio::time::{Instant, sleep};

use super::stand::{all, mysql_without_ids, read};

#[tokio::test]
async fn changes_stand_between_the_borders_of_their_transactions() {
    for stand in all(&Options::default()).await {
        let heard = stand.hear(&[
            "INSERT INTO cart (id, token, total) VALUES (1, 'a', 1.5), (18446744073709551615, NULL, -0.01)",
            "BEGIN; INSERT INTO item VALUES (1, 1, 2, 'x'); UPDATE item SET qty = 3; \
             DELETE FROM item; COMMIT",
            "INSERT INTO other VALUES (1, 'nobody reads this')",
            "BEGIN; INSERT INTO cart (id) VALUES (9); ROLLBACK",
            "UPDATE cart SET note = 'not mapped' WHERE id = 1",
        ]);
        assert_eq!(
            heard.await.unwrap(),
            [
                "begin",
                "+cart 1,a,1.50",
                "+cart 18446744073709551615,null,-0.01",
                "commit",
                "begin",
                "+item 1,1,2",
                "item 1,1,2 -> 1,1,3",
                "-item 1,1,3",
                "commit",
                "begin",
                "cart 1,a,1.50 -> 1,a,1.50",
                "commit"
            ]
        );
    }
}

#[tokio::test]
async fn tables_without_transactions_have_theirs_in_the_log() {
    for stand in all(&Options::default()).await {
        stand.run("ALTER TABLE item ENGINE=MyISAM").await;
        let update = "UPDATE item SET qty = 9 WHERE id = 1";
        // MySQL takes no transaction that has both kinds of tables, if it is to have an id.
        let mixed = match stand.is_mariadb() {
            true => format!("BEGIN; INSERT INTO cart (id) VALUES (1); {update}; ROLLBACK"),
            false => update.to_owned(),
        };
        let heard = stand
            .hear(&[
                "INSERT INTO item VALUES (1, 1, 2, NULL), (2, 1, 3, NULL)",
                &mixed,
                "DELETE FROM item WHERE id = 2",
            ])
            .await;
        let heard = heard.unwrap();
        let changes: Vec<&String> = heard.iter().filter(|told| told.contains("item")).collect();
        let all = [
            "+item 1,1,2",
            "+item 2,1,3",
            "item 1,1,2 -> 1,1,9",
            "-item 2,1,3",
        ];
        assert_eq!(changes, all);
        let borders = |border| heard.iter().filter(|told| *told == border).count();
        assert_eq!(borders("begin"), borders("commit"));
        // What the rollback took back is not there, or all carts are read again.
        let taken = heard.iter().position(|told| told == "+cart 1,null,null");
        let doubt = heard.iter().position(|told| told == "cart ?,?,? -> ?,?,?");
        assert!(taken.is_none() || doubt > taken, "{heard:?}");
    }
}

#[tokio::test]
async fn what_a_savepoint_takes_back_was_never_there() {
    for stand in all(&Options::default()).await {
        let heard = stand.hear(
            &["BEGIN; INSERT INTO cart (id) VALUES (1); SAVEPOINT here; \
             INSERT INTO cart (id) VALUES (2); ROLLBACK TO here; \
             INSERT INTO cart (id) VALUES (3); COMMIT"],
        );
        let heard = heard.await.unwrap();
        assert_eq!(
            heard,
            ["begin", "+cart 1,null,null", "+cart 3,null,null", "commit"]
        );
    }
}

#[tokio::test]
async fn prepared_transactions_come_with_their_verdict() {
    for stand in all(&Options::default()).await {
        let prepare = |xid: &str, id: u32| {
            format!(
                "XA START '{xid}'; INSERT INTO cart (id) VALUES ({id}); XA END '{xid}'; \
                 XA PREPARE '{xid}'"
            )
        };
        let known = stand.known().await;
        let start = known.compiled_at;
        let mut stream = stand.open(start, known).await.unwrap();
        stand.run(&prepare("a", 1)).await;
        stand.run(&prepare("b", 2)).await;
        stand.run("INSERT INTO cart (id) VALUES (3)").await;
        let between = stand.end().await;
        stand.run("XA ROLLBACK 'b'").await;
        stand.run("XA COMMIT 'a'").await;
        stand
            .run("XA START 'c'; INSERT INTO cart (id) VALUES (4); XA END 'c'; XA COMMIT 'c' ONE PHASE")
            .await;
        let end = stand.end().await;
        let heard = stand.tell(&read(&mut stream, end).await.unwrap());
        let one = |told: &'static str| ["begin", told, "commit"];
        let all = [
            one("+cart 3,null,null"),
            one("+cart 1,null,null"),
            one("+cart 4,null,null"),
        ];
        assert_eq!(heard, all.concat());

        // Whoever begins between the two does not know what was prepared: all carts are read again.
        drop(stream);
        let mut known = stand.known().await;
        known.before = Some(known.tables.clone());
        let mut stream = stand.open(between, known).await.unwrap();
        let heard = stand.tell(&read(&mut stream, end).await.unwrap());
        let doubt = "cart ?,?,? -> ?,?,?";
        let (told, rest) = heard.split_at(heard.len() - 3);
        assert_eq!(rest, one("+cart 4,null,null"));
        assert!(told.contains(&doubt.to_owned()), "{told:?}");
    }
}

/// Of a transaction that another session commits it is not known when it is visible.
#[tokio::test]
async fn prepared_transactions_without_ids_are_refused() {
    let Some(stand) = mysql_without_ids(Options::default()).await else {
        return;
    };
    let known = stand.known().await;
    let mut stream = stand.open(known.compiled_at, known).await.unwrap();
    stand
        .run("XA START 'a'; INSERT INTO other VALUES (1, 'a'); XA END 'a'; XA PREPARE 'a'")
        .await;
    stand.run("XA COMMIT 'a'").await;
    stand
        .run("XA START 'b'; INSERT INTO cart (id) VALUES (1); XA END 'b'; XA PREPARE 'b'")
        .await;
    stand.run("INSERT INTO cart (id) VALUES (2)").await;
    let events = read(&mut stream, stand.end().await).await.unwrap();
    assert_eq!(
        stand.tell(&events),
        ["begin", "+cart 2,null,null", "commit"]
    );
    let at = stand.facts().await;
    let at = at.base.show(at.end).to_string();
    stand.run("XA COMMIT 'b'").await;
    let refused = read(&mut stream, stand.end().await).await.unwrap_err();
    let message = refused.to_string();
    let begins = format!("the log has an XA transaction of mapped tables at {at}, ");
    assert!(message.starts_with(&begins), "{message}");
    assert!(message.contains("turn `gtid_mode` on"), "{message}");
}

#[tokio::test]
async fn truncate_is_heard_however_it_is_spelled() {
    for stand in all(&Options::default()).await {
        let heard = stand.hear(&[
            "TRUNCATE TABLE cart",
            "/* a */ truncate -- b\n `item`",
            "TRUNCATE other",
            "USE mysql; TRUNCATE TABLE shop . cart",
            "CREATE DATABASE elsewhere; USE elsewhere; CREATE TABLE cart (id INT); TRUNCATE cart",
        ]);
        let one = |table: &str| ["begin".into(), format!("truncate {table}"), "commit".into()];
        let all = [one("cart"), one("item"), one("cart")];
        assert_eq!(heard.await.unwrap(), all.concat());
    }
}

#[tokio::test]
async fn a_large_transaction_comes_in_small_pieces() {
    for stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        let mut stream = stand.open(start, known).await.unwrap();
        // 40 MB of log, and a session that would give up on a reader who is slow for a second.
        stand
            .server
            .run("SET GLOBAL net_write_timeout = 1")
            .await
            .unwrap();
        stand
            .run(
                "BEGIN; INSERT INTO cart SELECT n, 'x', 1, REPEAT('y', 1000) FROM ( \
                 SELECT a.n + 100 * b.n + 10000 * c.n AS n FROM hundred a, hundred b, \
                 (SELECT n FROM hundred WHERE n < 4) c) numbers; COMMIT",
            )
            .await;
        let deadline = Instant::now() + Duration::from_secs(20);
        while stream.buffered() < 1 << 20 {
            assert!(
                Instant::now() < deadline,
                "{} read ahead",
                stream.buffered()
            );
            sleep(Duration::from_millis(20)).await;
        }
        // Longer than the server's own patience.
        sleep(Duration::from_millis(2500)).await;
        assert!(stream.buffered() <= 3 << 20, "{}", stream.buffered());
        let end = stand.end().await;
        let (mut rows, mut borders) = (0, 0);
        loop {
            assert!(stream.buffered() <= 3 << 20, "{}", stream.buffered());
            match stream.next().await.unwrap() {
                Event::Change(_) => rows += 1,
                Event::Keepalive { end: at } if at >= end => break,
                Event::Commit { end: at } => {
                    borders += 1;
                    if at >= end {
                        break;
                    }
                }
                _ => {}
            }
        }
        assert_eq!((rows, borders), (40_000, 1));
    }
}

//! Where the log stands, and going on from there.

use cartage::demo::cluster::Shutdown;
use cartage::demo::mysql::Options;
use cartage::fault::Fault;
use cartage::mysql::connect::Flavor;
use cartage::source::change::Event;
use cartage::source::mysql::identity::{self, IdentityError, Remembered};
use cartage::source::mysql::place::Place;
use cartage::source::mysql::{Mark, SourceError};
use mysql_async::prelude::Queryable as _;

use super::stand::{Stand, all, mariadb, read};
use crate::mysql::forgets;

fn flavor(stand: &Stand) -> Flavor {
    stand.server.programs().flavor
}

#[tokio::test]
async fn reading_goes_on_from_every_border() {
    for stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        for id in 1..4 {
            stand
                .run(&format!("INSERT INTO cart (id) VALUES ({id})"))
                .await;
            stand
                .run("INSERT INTO other VALUES (1, 'x'); DELETE FROM other")
                .await;
            stand.run("FLUSH BINARY LOGS").await;
        }
        stand
            .run(
                "BEGIN; INSERT INTO cart (id) VALUES (5); INSERT INTO cart (id) VALUES (6); COMMIT",
            )
            .await;
        let end = stand.end().await;
        assert_eq!(Place::of(end).file, Place::of(start).file + 3);
        let mut stream = stand.open(start, known.clone()).await.unwrap();
        let events = read(&mut stream, end).await.unwrap();
        let told = stand.tell(&events);
        assert_eq!(told.iter().filter(|t| t.starts_with('+')).count(), 5);
        drop(stream);
        let borders = events
            .iter()
            .enumerate()
            .filter_map(|(i, event)| match event {
                Event::Commit { end } | Event::Keepalive { end } => Some((i, *end)),
                _ => None,
            });
        for (i, border) in borders {
            let mut stream = stand.open(border, known.clone()).await.unwrap();
            let rest = stand.tell(&read(&mut stream, end).await.unwrap());
            assert_eq!(rest, stand.tell(&events[i + 1..]), "{border}");
        }
    }
}

#[tokio::test]
async fn an_idle_log_says_where_it_ends() {
    for stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        let mut stream = stand.open(start, known).await.unwrap();
        assert_eq!(
            stream.next().await.unwrap(),
            Event::Keepalive { end: start }
        );
        stand.run("INSERT INTO other VALUES (1, 'x')").await;
        let end = stand.end().await;
        let events = read(&mut stream, end).await.unwrap();
        assert!(stand.tell(&events).is_empty());
        assert_eq!(events.last(), Some(&Event::Keepalive { end }));
    }
}

#[tokio::test]
async fn a_server_that_starts_again_is_read_on() {
    for mut stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        let mut stream = stand.open(start, known.clone()).await.unwrap();
        stand.run("INSERT INTO cart (id) VALUES (1)").await;
        let end = stand.end().await;
        read(&mut stream, end).await.unwrap();
        for how in [Shutdown::Fast, Shutdown::Immediate] {
            stand.server.restart(how).await.unwrap();
            let error = loop {
                match stream.next().await {
                    Ok(event) => assert!(matches!(event, Event::Keepalive { .. }), "{event:?}"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.fault(), Fault::Retry, "{error}");
            stream = stand.open(end, known.clone()).await.unwrap();
        }
        stand.run("INSERT INTO cart (id) VALUES (2)").await;
        let events = read(&mut stream, stand.end().await).await.unwrap();
        assert_eq!(
            stand.tell(&events),
            ["begin", "+cart 2,null,null", "commit"]
        );
    }
}

/// A server that goes down while it writes a transaction leaves a part of it in the log.
#[tokio::test]
async fn a_transaction_that_was_not_finished_is_taken_back() {
    for mut stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        stand
            .run(
                "BEGIN; INSERT INTO cart (id) VALUES (1); INSERT INTO cart (id) VALUES (2); COMMIT",
            )
            .await;
        let place = Place::of(stand.end().await);
        let file = stand.server.data().join(known.base.file(place.file));
        stand.server.stop(Shutdown::Fast).await.unwrap();
        // Without the commit.
        let log = std::fs::File::options().write(true).open(file).unwrap();
        log.set_len(place.offset - 31).unwrap();
        stand.server.resume().await.unwrap();
        stand.run("INSERT INTO cart (id) VALUES (3)").await;
        let mut stream = stand.open(start, known).await.unwrap();
        let events = read(&mut stream, stand.end().await).await.unwrap();
        let told = stand.tell(&events);
        let doubt = "cart ?,?,? -> ?,?,?";
        let (begun, rest) = told.split_at(told.len() - 3);
        assert_eq!(rest, ["begin", "+cart 3,null,null", "commit"], "{told:?}");
        assert_eq!(begun.last().map(String::as_str), Some("commit"), "{told:?}");
        assert_eq!(begun[begun.len() - 2], doubt, "{told:?}");
    }
}

#[tokio::test]
async fn a_log_that_is_gone_is_named() {
    for stand in all(&Options::default()).await {
        let known = stand.known().await;
        let start = known.compiled_at;
        stand.run("FLUSH BINARY LOGS").await;
        stand.purge().await;
        let facts = stand.facts().await;
        let error = identity::holds(&facts, start).unwrap_err();
        assert!(matches!(error, IdentityError::Purged { .. }), "{error}");
        let mut stream = stand.open(start, known.clone()).await.unwrap();
        let error = stream.next().await.unwrap_err();
        assert!(
            matches!(error, SourceError::Identity(IdentityError::Purged { .. })),
            "{error}"
        );
        assert_eq!(error.fault(), Fault::Stop);

        let place = Place::of(facts.end);
        let beyond = Place::at(place.file, place.offset + 100_000).lsn();
        let error = identity::holds(&facts, beyond).unwrap_err();
        assert!(matches!(error, IdentityError::Behind { .. }), "{error}");
        let mut stream = stand.open(beyond, known).await.unwrap();
        let error = stream.next().await.unwrap_err();
        assert!(
            matches!(error, SourceError::Identity(IdentityError::Behind { .. })),
            "{error}"
        );
    }
}

/// MariaDB's position of a server counts what it has applied as a replica and not logged. That is in no
/// log which we could read.
#[tokio::test]
async fn what_a_replica_has_applied_is_not_taken_for_logged() {
    let stand = mariadb(Options::default()).await;
    stand.run("INSERT INTO cart (id) VALUES (1)").await;
    let before = stand.facts().await.passed.unwrap();
    stand.run("SET GLOBAL gtid_slave_pos = '7-9-100'").await;
    let mut session = stand.session().await;
    let current = "SELECT @@global.gtid_current_pos";
    let current: Option<String> = session.conn.query_first(current).await.unwrap();
    assert!(current.unwrap().contains("7-9-100"));
    let facts = stand.facts().await;
    assert_eq!(facts.passed, Some(before));

    let known = stand.known().await;
    let mut stream = stand.open(facts.end, known).await.unwrap();
    stand.run("INSERT INTO cart (id) VALUES (2)").await;
    let events = read(&mut stream, stand.end().await).await.unwrap();
    assert_eq!(
        stand.tell(&events),
        ["begin", "+cart 2,null,null", "commit"]
    );
}

#[tokio::test]
async fn a_log_that_was_reset_is_not_taken_for_the_old_one() {
    for stand in all(&Options::default()).await {
        let mut known = stand.known().await;
        let start = known.compiled_at;
        let mut stream = stand.open(start, known.clone()).await.unwrap();
        stand.run("INSERT INTO cart (id) VALUES (1)").await;
        let end = stand.end().await;
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        let mark: Mark = loop {
            let event = stream.next().await.unwrap();
            if let Event::Commit { end } | Event::Keepalive { end } = event {
                stream.confirm(end);
            }
            match stream.safe() {
                Some(mark) if mark.at >= end => break mark,
                _ => assert!(tokio::time::Instant::now() < deadline, "no mark"),
            }
        };
        let facts = stand.facts().await;
        assert_eq!(mark.passed, facts.passed);
        let remembered = Remembered::of(&facts.server, &facts.base, &mark);
        identity::verify(&facts, flavor(&stand), &remembered, mark.at).unwrap();
        drop(stream);

        let other = Remembered {
            server: "x".into(),
            ..remembered.clone()
        };
        let error = identity::verify(&facts, flavor(&stand), &other, mark.at).unwrap_err();
        assert!(
            matches!(error, IdentityError::OtherServer { .. }),
            "{error}"
        );
        let other = Remembered {
            base: "x".into(),
            ..remembered.clone()
        };
        let error = identity::verify(&facts, flavor(&stand), &other, mark.at).unwrap_err();
        assert!(matches!(error, IdentityError::OtherLog { .. }), "{error}");

        // One file for each second, so that both have one of this number.
        let second = "DO SLEEP(1.1)";
        let reset = forgets(&stand.server).await;
        stand.run(&format!("{second}; {reset}")).await;
        let facts = stand.facts().await;
        let error = identity::verify(&facts, flavor(&stand), &remembered, mark.at).unwrap_err();
        assert!(matches!(error, IdentityError::Reset { .. }), "{error}");

        // Even once all numbers are as high as they were.
        while Place::of(stand.end().await).file < Place::of(mark.at).file {
            stand.run("FLUSH BINARY LOGS").await;
        }
        while stand.end().await <= mark.at {
            stand
                .run("REPLACE INTO other VALUES (1, CONCAT(RAND(), REPEAT('x', 1000)))")
                .await;
        }
        known.born = mark.born;
        let mut stream = stand.open(start, known).await.unwrap();
        let error = stream.next().await.unwrap_err();
        assert!(
            matches!(
                error,
                SourceError::Identity(IdentityError::OtherFile { .. })
            ),
            "{error}"
        );
    }
}

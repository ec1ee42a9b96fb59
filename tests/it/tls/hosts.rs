//! Several hosts in one URL: the first that is a primary is taken, whatever is wrong with the others.

use std::net::TcpListener;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use cartage::config::{Endpoint, TlsMode};
use cartage::demo::cluster::{Cluster, Options, Shutdown, Standby};
use cartage::postgres::connect::{connect, connect_to_write};
use cartage::postgres::fault::Fault;
use cartage::postgres::wire::ReplicationConnection;

use super::{endpoint, outcome};

fn at(ports: &[u16]) -> Endpoint {
    let hosts: Vec<String> = ports.iter().map(|p| format!("127.0.0.1:{p}")).collect();
    let url = format!("postgres://postgres@{}/postgres", hosts.join(","));
    Endpoint {
        connect_timeout: Duration::from_millis(1500),
        ..endpoint(url, TlsMode::Prefer, None)
    }
}

/// The ports that the two kinds of connection have ended at.
async fn reached(endpoint: &Endpoint) -> (String, String) {
    const PORT: &str = "SELECT inet_server_port()::text";
    let client = connect(endpoint, "test").await.unwrap();
    let mut log = ReplicationConnection::connect(endpoint, "test")
        .await
        .unwrap();
    let rows = log.simple_query(PORT).await.unwrap();
    let sql = client.query_one(PORT, &[]).await.unwrap().get(0);
    (sql, rows[0][0].clone().unwrap())
}

#[tokio::test]
async fn the_primary_is_found_among_others() {
    let mut primary = Cluster::start(Options::default()).await.unwrap();
    primary.stop(Shutdown::Fast).await.unwrap();
    let standby = Cluster::standby(&primary, Standby::Bare).await.unwrap();
    primary.resume().await.unwrap();
    // Nobody listens here once the listener is gone; one that never answers has it still.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = dead.local_addr().unwrap().port();
    drop(dead);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().port();
    let (first, second) = (primary.port(), standby.port());

    let here = (first.to_string(), first.to_string());
    for ports in [
        vec![gone, first],
        vec![second, first],
        vec![silent, first],
        vec![gone, silent, second, first],
        vec![first, second],
    ] {
        assert_eq!(reached(&at(&ports)).await, here, "{ports:?}");
    }

    let standing = format!(
        "127.0.0.1:{second} is a standby and accepts no writes; name the primary, or wait for the \
         failover"
    );
    assert_eq!(outcome(&at(&[second])).await, standing);
    let refused = |port: u16| {
        format!(
            "cannot reach 127.0.0.1:{port}: Connection refused (os error 111); is the server up, and \
             the address right?"
        )
    };
    assert_eq!(outcome(&at(&[gone])).await, refused(gone));
    let both = at(&[gone, second, silent]);
    assert_eq!(
        outcome(&both).await,
        format!(
            "none of the hosts will do: {}; {standing}; cannot reach 127.0.0.1:{silent}: no answer in \
             time; is the server up, and the address right?",
            refused(gone)
        )
    );
    let Err(error) = connect(&both, "test").await else {
        panic!("a session");
    };
    assert_eq!(error.fault(), Fault::Retry);

    // The standby is promoted: it is the one now.
    primary.stop(Shutdown::Immediate).await.unwrap();
    standby.promote().await.unwrap();
    let there = (second.to_string(), second.to_string());
    assert_eq!(reached(&at(&[first, second])).await, there);
}

#[tokio::test]
async fn a_host_that_may_come_back_is_reason_enough_to_wait() {
    let options = Options::default().hba("host all all 127.0.0.1/32 reject\n");
    let closed = Cluster::start(options).await.unwrap();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = dead.local_addr().unwrap().port();
    drop(dead);
    for (ports, fault) in [
        (vec![closed.port()], Fault::Stop),
        (vec![closed.port(), closed.port()], Fault::Stop),
        (vec![gone, closed.port()], Fault::Retry),
        (vec![closed.port(), gone], Fault::Retry),
    ] {
        let ends = at(&ports);
        let Err(sql) = connect(&ends, "test").await else {
            panic!("a session");
        };
        let Err(log) = ReplicationConnection::connect(&ends, "test").await else {
            panic!("a session");
        };
        assert_eq!(
            (sql.fault(), log.fault()),
            (fault, fault),
            "{ports:?}: {sql}"
        );
    }
}

/// A server that goes down may do so in the middle of a handshake: no reason to give up.
#[tokio::test]
async fn a_handshake_that_is_cut_is_tried_again() {
    for answer in [&b"S"[..], b"", b"E"] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = [0; 8];
                socket.read_exact(&mut request).await.unwrap();
                socket.write_all(answer).await.unwrap();
            }
        });
        let mut ends = at(&[port]);
        ends.tls.mode = TlsMode::Require;
        let Err(log) = ReplicationConnection::connect(&ends, "test").await else {
            panic!("a session");
        };
        assert_eq!(log.fault(), Fault::Retry, "{log}");
        let Err(sql) = connect(&ends, "test").await else {
            panic!("a session");
        };
        assert_eq!(sql.fault(), Fault::Retry, "{sql}");
    }
}

#[tokio::test]
async fn our_sessions_may_be_idle_however_long() {
    let options = Options::default().setting("idle_session_timeout", "5min");
    let cluster = Cluster::start(options).await.unwrap();
    let ends = at(&[cluster.port()]);
    let shown = "SHOW idle_session_timeout";
    let client = connect(&ends, "test").await.unwrap();
    let sql: String = client.query_one(shown, &[]).await.unwrap().get(0);
    let mut log = ReplicationConnection::connect(&ends, "test").await.unwrap();
    let rows = log.simple_query(shown).await.unwrap();
    assert_eq!((sql.as_str(), rows[0][0].as_deref()), ("0", Some("0")));
}

#[tokio::test]
async fn a_database_that_takes_no_writes_can_be_read() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let admin = cluster.client("postgres").await.unwrap();
    let ends = at(&[cluster.port()]);
    let hosts = format!("127.0.0.1:{}", cluster.port());
    for (sql, scope) in [
        (
            "ALTER ROLE postgres SET default_transaction_read_only = on",
            "the role postgres",
        ),
        (
            "ALTER DATABASE postgres SET default_transaction_read_only = on",
            "the database postgres",
        ),
        (
            "ALTER ROLE postgres IN DATABASE postgres SET default_transaction_read_only = on",
            "the role postgres in the database postgres",
        ),
    ] {
        admin.batch_execute(sql).await.unwrap();
        // The old shop is read and not written: it may well be frozen.
        assert_eq!(outcome(&ends).await, "plain");
        let Err(error) = connect_to_write(&ends, "test").await else {
            panic!("a session");
        };
        assert_eq!(
            error.to_string(),
            format!(
                "{hosts} accepts no writes: default_transaction_read_only is on there for {scope}; \
                 turn it off, or wait until somebody does"
            )
        );
        assert_eq!(error.fault(), Fault::Retry);
        admin
            .batch_execute(&sql.replace("SET", "RESET").replace(" = on", ""))
            .await
            .unwrap();
    }
    connect_to_write(&ends, "test").await.unwrap();
}

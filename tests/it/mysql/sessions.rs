//! Opening a session: what it is set to, and what is said where there is none.

use std::time::Duration;

use cartage::config::{Endpoint, Secret};
use cartage::mysql::connect::connect;
use cartage::mysql::fault::{Fault, describe, of};
use mysql_async::prelude::Queryable as _;

use super::{endpoint, servers, session};

#[tokio::test]
async fn a_session_does_not_depend_on_the_server_s_settings() {
    for server in servers() {
        let mut session = session(
            server,
            "settings",
            "CREATE TABLE t (c CHAR(5)); INSERT INTO t VALUES ('a')",
        )
        .await;
        let sql = "SELECT @@time_zone, @@character_set_results, @@sql_auto_is_null,
                          @@net_write_timeout, @@wait_timeout";
        let row: Option<(String, String, u64, u64, u64)> =
            session.conn.query_first(sql).await.unwrap();
        assert_eq!(
            row,
            Some(("+00:00".into(), "utf8mb4".into(), 0, 3600, 2_592_000))
        );
        let mode: Option<String> = session.conn.query_first("SELECT @@sql_mode").await.unwrap();
        let mode = mode.unwrap();
        assert!(mode.contains("STRICT_ALL_TABLES"), "{mode}");
        for other in ["PAD_CHAR", "ANSI_QUOTES", "NO_BACKSLASH"] {
            assert!(!mode.contains(other), "{mode}");
        }
        assert_eq!(session.database, "settings");
        assert_eq!(session.host.port, server.port());
        assert_eq!(session.server.flavor, server.programs().flavor);
    }
}

#[tokio::test]
async fn what_keeps_us_out_is_named() {
    for server in servers() {
        let port = server.port();
        server
            .run("CREATE USER IF NOT EXISTS shut@'127.0.0.1' IDENTIFIED BY 'sesame'")
            .await
            .unwrap();
        let said = async |url: String, password: Option<&str>| {
            let endpoint = Endpoint {
                password: password.map(|p| Secret(p.into())),
                ..endpoint(url)
            };
            let Err(error) = connect(&endpoint, "test").await else {
                panic!("a session")
            };
            assert!(!error.to_string().contains("sesame"), "{error}");
            (error.fault(), error.to_string())
        };
        let at = |user: &str, database: &str| format!("mysql://{user}@127.0.0.1:{port}/{database}");
        let (fault, message) = said(at("root", "nowhere"), None).await;
        let host = format!("127.0.0.1:{port}");
        assert_eq!(
            message,
            format!("{host} has no database \"nowhere\"; correct the endpoint's URL")
        );
        assert_eq!(fault, Fault::Stop);
        let (fault, message) = said(at("shut:sesame2", "mysql"), None).await;
        assert!(
            message.contains("refused the password of user \"shut\""),
            "{message}"
        );
        assert_eq!(fault, Fault::Stop);
        let (_, message) = said(at("shut", "mysql"), None).await;
        assert!(
            message.contains("asks for a password of user \"shut\""),
            "{message}"
        );
        let (fault, message) = said(at("shut", "mysql"), Some("sesame")).await;
        assert!(message.contains("does not let us in"), "{message}");
        assert_eq!(fault, Fault::Stop);
        // A port on which nobody listens.
        let (fault, message) = said("mysql://u@127.0.0.1:1/d".into(), None).await;
        assert!(message.contains("cannot reach 127.0.0.1:1"), "{message}");
        assert_eq!(fault, Fault::Retry);
    }
}

#[tokio::test]
async fn the_first_host_that_answers_is_taken() {
    // It takes connections, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    for server in servers() {
        let url = server.url("mysql");
        let hosts = format!("@127.0.0.1:1,127.0.0.1:{silent_port},127.0.0.1:");
        let endpoint = Endpoint {
            connect_timeout: Duration::from_secs(2),
            ..endpoint(url.replacen("@127.0.0.1:", &hosts, 1))
        };
        let session = connect(&endpoint, "test").await.unwrap();
        assert_eq!(session.host.port, server.port());
    }
    let url = format!("mysql://u@127.0.0.1:1,127.0.0.1:{silent_port}/d");
    let endpoint = Endpoint {
        connect_timeout: Duration::from_millis(300),
        ..endpoint(url)
    };
    let Err(error) = connect(&endpoint, "test").await else {
        panic!("a session")
    };
    assert_eq!(error.fault(), Fault::Retry);
    let message = error.to_string();
    assert!(
        message.starts_with("none of the hosts will do: "),
        "{message}"
    );
    assert!(message.contains("no answer in time"), "{message}");
}

#[tokio::test]
async fn what_a_server_says_is_judged() {
    for server in servers() {
        let mut one = session(
            server,
            "faults",
            "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL)",
        )
        .await;
        let mut other = connect(&endpoint(server.url("faults")), "test")
            .await
            .unwrap();
        let told = |error: mysql_async::Error| (of(&error), describe(&error));
        one.conn
            .query_drop("INSERT INTO t VALUES (1, 1), (2, 2)")
            .await
            .unwrap();
        let (fault, text) = told(
            one.conn
                .query_drop("INSERT INTO t VALUES (1, 4711)")
                .await
                .unwrap_err(),
        );
        assert_eq!(fault, Fault::Row);
        assert!(text.starts_with("error 1062 (23000): "), "{text}");
        let (fault, _) = told(
            one.conn
                .query_drop("INSERT INTO t VALUES (9, NULL)")
                .await
                .unwrap_err(),
        );
        assert_eq!(fault, Fault::Row);
        let (fault, text) = told(one.conn.query_drop("SELECT gone FROM t").await.unwrap_err());
        assert_eq!(fault, Fault::Stop);
        assert!(
            text.contains("compare the schema with the mapping"),
            "{text}"
        );
        // Each waits for the other's row.
        one.conn
            .query_drop("BEGIN; UPDATE t SET n = 3 WHERE id = 1")
            .await
            .unwrap();
        other
            .conn
            .query_drop("BEGIN; UPDATE t SET n = 3 WHERE id = 2")
            .await
            .unwrap();
        let (first, second) = tokio::join!(
            one.conn.query_drop("UPDATE t SET n = 4 WHERE id = 2"),
            other.conn.query_drop("UPDATE t SET n = 4 WHERE id = 1"),
        );
        let errors = [first.err(), second.err()];
        let deadlock = errors.into_iter().flatten().next().expect("a deadlock");
        assert_eq!(told(deadlock).0, Fault::Retry);
        // The session is ended from outside.
        let kill = format!("KILL {}", one.conn.id());
        server.run(&kill).await.unwrap();
        let (fault, _) = told(one.conn.query_drop("SELECT 1").await.unwrap_err());
        assert_eq!(fault, Fault::Retry);
    }
}

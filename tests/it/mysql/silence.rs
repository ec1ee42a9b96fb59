//! Watched sessions: one whose server has gone, or says nothing any more, ends.

use std::future::pending;
use std::io;
use std::time::Duration;

use cartage::config::Endpoint;
use cartage::fault::Fault;
use cartage::source::Source;
use mysql_async::prelude::Queryable as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::{endpoint, servers};

const PATIENCE: Duration = Duration::from_millis(600);
const DEADLINE: Duration = Duration::from_secs(15);

/// Stands before a server. In silence the connections that are open then stay open, and nothing
/// passes; later ones pass.
struct Proxy {
    port: u16,
    silences: watch::Sender<u32>,
}

impl Proxy {
    async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let silences = watch::Sender::new(0);
        let told = silences.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut silent = told.subscribe();
                silent.mark_unchanged();
                tokio::spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", server)).await?;
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::select! {
                        done = pass(from_client, to_server, silent.clone()) => done,
                        done = pass(from_server, to_client, silent) => done,
                    }
                });
            }
        });
        Self { port, silences }
    }

    fn fall_silent(&self) {
        self.silences.send_modify(|n| *n += 1);
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut silent: watch::Receiver<u32>,
) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let read = tokio::select! {
            biased;
            _ = silent.changed() => pending().await,
            read = from.read(&mut bytes) => read?,
        };
        if read == 0 {
            return Ok(());
        }
        to.write_all(&bytes[..read]).await?;
    }
}

fn impatient(url: String) -> Endpoint {
    Endpoint {
        connect_timeout: PATIENCE,
        ..endpoint(url)
    }
}

async fn ends(source: &Source, why: &str) {
    let ended = timeout(DEADLINE, source.ended()).await;
    assert!(ended.is_ok(), "the session did not end: {why}");
    assert_eq!(source.clock().await.unwrap_err().fault(), Fault::Retry);
}

#[tokio::test]
async fn a_session_ends_once_its_server_is_silent() {
    for server in servers() {
        let proxy = Proxy::before(server.port()).await;
        let direct = server.url("mysql");
        let url = direct.replace(&server.port().to_string(), &proxy.port.to_string());
        assert_ne!(url, direct);
        let asked = Source::watched(&impatient(url.clone()), "asked")
            .await
            .unwrap();
        let idle = Source::watched(&impatient(url), "idle").await.unwrap();

        // Work that takes long is waited for.
        let started = Instant::now();
        let slept = asked.number("SELECT sleep(2)").await.unwrap();
        assert_eq!(slept, Some(0.0));
        assert!(started.elapsed() > PATIENCE * 3);

        proxy.fall_silent();
        let answer = timeout(DEADLINE, asked.clock()).await;
        let answer = answer.expect("the question hangs on a silent server");
        assert_eq!(answer.unwrap_err().fault(), Fault::Retry);
        ends(&asked, "it was asked in silence").await;
        ends(&idle, "it had nothing to do in silence").await;

        // What was given up is not left on the server.
        let mut admin = server.conn(None).await.unwrap();
        let deadline = Instant::now() + DEADLINE;
        loop {
            let sql = "SELECT count(*) FROM information_schema.processlist
                       WHERE db = 'mysql' AND id <> connection_id()";
            let left: Option<u32> = admin.query_first(sql).await.unwrap();
            if left == Some(0) {
                break;
            }
            assert!(Instant::now() < deadline, "sessions are left: {left:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_session_ends_with_its_server_s_end_of_it() {
    for server in servers() {
        let made = "CREATE DATABASE IF NOT EXISTS session_ends";
        server.run(made).await.unwrap();
        let url = server.url("session_ends");
        let source = Source::watched(&impatient(url), "killed").await.unwrap();
        assert!(
            timeout(PATIENCE * 2, source.ended()).await.is_err(),
            "a good session is no end"
        );
        let mut admin = server.conn(None).await.unwrap();
        let sql = "SELECT id FROM information_schema.processlist WHERE db = 'session_ends'";
        let id: Option<u32> = admin.query_first(sql).await.unwrap();
        let kill = format!("KILL {}", id.unwrap());
        admin.query_drop(kill).await.unwrap();
        ends(&source, "it was killed").await;
    }
}

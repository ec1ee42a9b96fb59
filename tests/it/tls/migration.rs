//! A whole migration over verified TLS and SCRAM on both sides.

use std::fs;

use cartage::demo::cluster::{Options, PASSWORD};

use super::authority::Authority;
use crate::outages::pair::{Pair, assert_equal, gave_up};
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::servers::rows;
use crate::scenario::settled::{backfilled, settled};

#[tokio::test(flavor = "multi_thread")]
async fn carts_move_over_verified_tls() {
    let (old, new) = (Authority::new("old shop"), Authority::new("new shop"));
    let options = |authority: &Authority| {
        let shown = authority.issue("localhost");
        Options::default()
            .scram()
            .setting("ssl", "on")
            .file("server.crt", &shown.certificate)
            .file("server.key", &shown.key)
            .hba("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    };
    let pair = Pair::load(options(&old), options(&new)).await;
    fs::write(pair.folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
    let lines = |port: u16, authority: &Authority, more: &str| {
        format!(
            "url = \"postgres://postgres@localhost:{port}/shop?channel_binding=require\"
             password = {{ file = \"password\" }}
             tls = {{ mode = \"verify-full\", ca = \"{}\" }}
             {more}",
            authority.file().display()
        )
    };
    pair.configure(
        &lines(pair.source.port(), &old, ""),
        &lines(
            pair.target.port(),
            &new,
            "application_name = \"the new one\"",
        ),
    );
    command(&pair.config(), &["check"]);
    command(&pair.config(), &["setup", "--yes"]);
    // A name that is not in the certificate needs a human, and the reason is kept.
    let right = fs::read_to_string(pair.config()).unwrap();
    let port = pair.source.port();
    let wrong = right.replace(&format!("localhost:{port}"), &format!("127.0.0.1:{port}"));
    fs::write(pair.config(), wrong).unwrap();
    let why = gave_up(&mut Daemon::start(&pair.config())).await;
    assert_eq!(
        why,
        format!(
            "source: TLS with 127.0.0.1:{port} failed: the server's certificate is for another name \
             (DnsName(\"localhost\")); use such a name in the URL, or `tls.mode = \"verify-ca\"`"
        )
    );
    let stored = "SELECT phase, stopped_reason FROM cartage.pipeline";
    let shops = pair.shops().await;
    assert_eq!(
        rows(&shops.target, stored, "pipeline").await,
        [format!("stopped | {why}")]
    );
    fs::write(pair.config(), right).unwrap();

    let mut daemon = Daemon::start(&pair.config());
    backfilled(&mut daemon, &shops.target).await;
    shops
        .source
        .batch_execute(
            "UPDATE order_lines SET qty = qty + 1; DELETE FROM orders WHERE id % 10 = 0;
             INSERT INTO orders VALUES (900, 'new@example.org', 'USD')",
        )
        .await
        .unwrap();

    // Who is there, and how they came.
    const SESSIONS: &str = "
        SELECT DISTINCT a.backend_type, a.application_name, s.version
        FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.client_addr IS NOT NULL";
    assert_eq!(
        rows(&shops.source, SESSIONS, "source").await,
        [
            "client backend | cartage refresh | TLSv1.3",
            "client backend | cartage sql | TLSv1.3",
            "walsender | cartage log | TLSv1.3",
        ]
    );
    assert_eq!(
        rows(&shops.target, SESSIONS, "target").await,
        ["client backend | the new one | TLSv1.3"]
    );
    let senders = "SELECT application_name FROM pg_stat_replication";
    assert_eq!(
        rows(&shops.source, senders, "source").await,
        ["cartage log"]
    );

    settled(&mut daemon, &shops).await;
    assert_equal(&shops, &daemon).await;
    daemon.stop().await;
}

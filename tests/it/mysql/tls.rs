//! Each mode against servers with and without TLS: the same verdicts as for Postgres.

use std::path::Path;

use cartage::config::TlsMode::{self, Disable, Prefer, Require, VerifyCa, VerifyFull};
use cartage::config::{Endpoint, Tls};
use cartage::demo::mysql::{Options, Server};
use cartage::mysql::connect::{ConnectError, Flavor, connect};
use mysql_async::prelude::Queryable as _;

use crate::tls::authority::{Authority, Pem};

fn endpoint(url: &str, mode: TlsMode, ca: Option<&Path>) -> Endpoint {
    let tls = Tls {
        mode,
        ca: ca.map(Path::to_owned),
        certificate: None,
        key: None,
    };
    Endpoint {
        tls,
        ..super::endpoint(url.to_owned())
    }
}

/// `plain`, the version of TLS, or the message.
async fn outcome(endpoint: &Endpoint) -> String {
    let session: Result<_, ConnectError> = connect(endpoint, "test").await;
    match session {
        Ok(mut session) => {
            let sql = "SHOW SESSION STATUS LIKE 'Ssl_version'";
            let row: Option<(String, String)> = session.conn.query_first(sql).await.unwrap();
            match row.unwrap().1 {
                version if version.is_empty() => "plain".into(),
                version => version,
            }
        }
        Err(error) => error.to_string(),
    }
}

async fn server(shown: &Pem, ca: &Authority) -> Server {
    let options = Options::default()
        .file("server.crt", &shown.certificate)
        .file("server.key", &shown.key)
        .file("ca.crt", &ca.certificate)
        .setting("ssl_cert", "../server.crt")
        .setting("ssl_key", "../server.key")
        .setting("ssl_ca", "../ca.crt");
    Server::start(options).await.unwrap()
}

/// By its name, and by its address.
fn urls(server: &Server) -> (String, String) {
    let url = server.url("mysql");
    (url.replace("127.0.0.1", "localhost"), url)
}

#[tokio::test]
async fn each_mode_checks_what_it_says() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let server = server(&ours.issue("localhost"), &ours).await;
    let (name, address) = urls(&server);
    let (ca, strange) = (ours.file(), other.file());
    let at = |url: &str, mode, ca| endpoint(url, mode, ca);
    assert_eq!(outcome(&at(&address, Disable, None)).await, "plain");
    for mode in [Prefer, Require] {
        assert_eq!(outcome(&at(&address, mode, None)).await, "TLSv1.3");
        assert_eq!(outcome(&at(&address, mode, Some(&ca))).await, "TLSv1.3");
    }
    assert_eq!(outcome(&at(&address, VerifyCa, Some(&ca))).await, "TLSv1.3");
    assert_eq!(outcome(&at(&name, VerifyFull, Some(&ca))).await, "TLSv1.3");
    assert_eq!(
        outcome(&at(&address, VerifyFull, Some(&ca))).await,
        format!(
            "TLS with 127.0.0.1:{} failed: the server's certificate is for another name \
             (DnsName(\"localhost\")); use such a name in the URL, or `tls.mode = \"verify-ca\"`",
            server.port()
        )
    );
    for mode in [Prefer, Require, VerifyCa, VerifyFull] {
        assert_eq!(
            outcome(&at(&name, mode, Some(&strange))).await,
            format!(
                "TLS with localhost:{} failed: the server's certificate is not signed by an \
                 authority that we trust; name that authority's PEM file in `tls.ca`",
                server.port()
            ),
            "{mode:?}"
        );
    }
    // A public authority has not signed it either.
    let said = outcome(&at(&name, VerifyFull, None)).await;
    assert!(said.contains("tls.ca"), "{said}");
}

#[tokio::test]
async fn a_user_may_need_a_certificate_of_his_own() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let server = server(&ours.issue("localhost"), &ours).await;
    let user = "CREATE USER cert@'%' REQUIRE X509; GRANT ALL ON mysql.* TO cert@'%'";
    server.run(user).await.unwrap();
    let url = server.url("mysql").replace("root@", "cert@");
    let with = |pem: Option<Pem>| {
        let mut endpoint = endpoint(&url, Require, None);
        if let Some(pem) = pem {
            let (certificate, key) = pem.files(ours.folder.path(), "client");
            endpoint.tls.certificate = Some(certificate);
            endpoint.tls.key = Some(key);
        }
        endpoint
    };
    assert_eq!(outcome(&with(Some(ours.issue("cert")))).await, "TLSv1.3");
    let said = outcome(&with(None)).await;
    assert!(said.contains("`tls.certificate`"), "{said}");
    let said = outcome(&with(Some(other.issue("cert")))).await;
    assert!(said.contains("client certificate"), "{said}");
}

#[tokio::test]
async fn a_server_without_tls_is_taken_by_prefer_alone() {
    let server = Server::start(Options::default()).await.unwrap();
    if server.programs().flavor == Flavor::MySql {
        return; // it makes itself a certificate
    }
    let (name, _) = urls(&server);
    for mode in [Disable, Prefer] {
        assert_eq!(outcome(&endpoint(&name, mode, None)).await, "plain");
    }
    for mode in [Require, VerifyCa, VerifyFull] {
        let ours = Authority::new("ours");
        assert_eq!(
            outcome(&endpoint(&name, mode, Some(&ours.file()))).await,
            format!(
                "localhost:{} offers no TLS; turn it on there (`ssl_cert`, `ssl_key`), or set \
                 `tls.mode = \"prefer\"`",
                server.port()
            )
        );
    }
}

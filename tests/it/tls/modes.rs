//! Each mode against servers with and without TLS, with good certificates and bad ones.

use cartage::config::TlsMode::{self, Disable, Prefer, Require, VerifyCa, VerifyFull};
use cartage::demo::cluster::{Cluster, Options};

use cartage::target::control::migrate::migrate;

use super::authority::Authority;
use super::{endpoint, outcome, server};

/// The server, by its name and by its address.
fn urls(cluster: &Cluster) -> (String, String) {
    let url = cluster.url("postgres");
    (url.replace("127.0.0.1", "localhost"), url)
}

#[tokio::test]
async fn each_mode_checks_what_it_says() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let cluster = server(&ours.issue("localhost"), Options::default()).await;
    let (name, address) = urls(&cluster);
    let (ca, strange) = (ours.file(), other.file());
    let port = cluster.port();
    let good = "TLSv1.3".to_string();

    let at = |url: &String, mode, ca| endpoint(url.clone(), mode, ca);
    assert_eq!(outcome(&at(&address, Disable, None)).await, "plain");
    for mode in [Prefer, Require] {
        assert_eq!(outcome(&at(&address, mode, None)).await, good);
        assert_eq!(outcome(&at(&address, mode, Some(&ca))).await, good);
    }
    assert_eq!(outcome(&at(&address, VerifyCa, Some(&ca))).await, good);
    assert_eq!(outcome(&at(&name, VerifyFull, Some(&ca))).await, good);
    assert_eq!(
        outcome(&at(&address, VerifyFull, Some(&ca))).await,
        format!(
            "TLS with 127.0.0.1:{port} failed: the server's certificate is for another name \
             (DnsName(\"localhost\")); use such a name in the URL, or `tls.mode = \"verify-ca\"`"
        )
    );
    for mode in [Prefer, Require, VerifyCa, VerifyFull] {
        assert_eq!(
            outcome(&at(&name, mode, Some(&strange))).await,
            format!(
                "TLS with localhost:{port} failed: the server's certificate is not signed by an \
                 authority that we trust; name that authority's PEM file in `tls.ca`"
            ),
            "{mode:?}"
        );
    }
}

/// The control tables are made over a third kind of connection, which must be as careful.
#[tokio::test]
async fn migrations_check_the_same() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let cluster = server(&ours.issue("localhost"), Options::default()).await;
    let plain = Cluster::start(Options::default()).await.unwrap();
    let (name, address) = urls(&cluster);
    for mode in [Prefer, Require, VerifyCa, VerifyFull] {
        migrate(&endpoint(name.clone(), mode, Some(&ours.file())))
            .await
            .unwrap();
        let refused = migrate(&endpoint(name.clone(), mode, Some(&other.file()))).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("UnknownIssuer"), "{mode:?}: {error}");
    }
    for mode in [Disable, Prefer, Require] {
        migrate(&endpoint(address.clone(), mode, None))
            .await
            .unwrap();
    }
    let refused = migrate(&endpoint(address, VerifyFull, Some(&ours.file()))).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");

    let (name, _) = urls(&plain);
    for ca in [None, Some(ours.file())] {
        migrate(&endpoint(name.clone(), Prefer, ca.as_deref()))
            .await
            .unwrap();
        let refused = migrate(&endpoint(name.clone(), Require, ca.as_deref())).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("server does not support TLS"), "{error}");
    }
}

#[tokio::test]
async fn an_authority_of_the_same_name_is_another_one() {
    let (ours, namesake) = (Authority::new("ours"), Authority::new("ours"));
    let cluster = server(&ours.issue("localhost"), Options::default()).await;
    let (name, _) = urls(&cluster);
    let said = outcome(&endpoint(name, VerifyCa, Some(&namesake.file()))).await;
    assert!(
        said.contains("not signed by an authority that we trust"),
        "{said}"
    );
}

#[tokio::test]
async fn an_expired_certificate_is_said_to_be() {
    let ours = Authority::new("ours");
    let cluster = server(&ours.issue_expired("localhost"), Options::default()).await;
    let (name, _) = urls(&cluster);
    for mode in [VerifyCa, VerifyFull] {
        assert_eq!(
            outcome(&endpoint(name.clone(), mode, Some(&ours.file()))).await,
            format!(
                "TLS with localhost:{} failed: the server's certificate has expired; renew it on \
                 the server",
                cluster.port()
            )
        );
    }
    assert_eq!(outcome(&endpoint(name, Require, None)).await, "TLSv1.3");
}

#[tokio::test]
async fn a_server_without_tls_is_taken_by_prefer_alone() {
    let ours = Authority::new("ours");
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let (name, _) = urls(&cluster);
    let with = |mode: TlsMode| endpoint(name.clone(), mode, Some(&ours.file()));
    for mode in [Disable, Prefer] {
        assert_eq!(outcome(&with(mode)).await, "plain");
    }
    for mode in [Require, VerifyCa, VerifyFull] {
        assert_eq!(
            outcome(&with(mode)).await,
            format!(
                "localhost:{} offers no TLS; turn it on there (`ssl = on`), or set \
                 `tls.mode = \"prefer\"`",
                cluster.port()
            )
        );
    }
}

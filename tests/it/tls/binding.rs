//! SCRAM is bound to the TLS channel, so that somebody in between gets nowhere even with a
//! certificate that we trust.

use cartage::config::{Endpoint, Secret, TlsMode};
use cartage::demo::cluster::{Options, PASSWORD};

use super::authority::Authority;
use super::interceptor::{Interceptor, Manner};
use super::{endpoint, outcome, server};

#[tokio::test]
async fn the_channel_is_bound() {
    let ours = Authority::new("ours");
    let own = ours.issue("localhost");
    let cluster = server(&own, Options::default().scram()).await;
    let at = |port: u16, query: &str| Endpoint {
        password: Some(Secret(PASSWORD.into())),
        ..endpoint(
            format!("postgres://postgres@localhost:{port}/postgres{query}"),
            TlsMode::VerifyFull,
            Some(&ours.file()),
        )
    };
    let both = |mechanism| vec![mechanism; 2];

    // With the server's own certificate the digest is the server's: what is chosen can be read.
    let mirror = Interceptor::start(cluster.port(), &own, Manner::PassOn).await;
    assert_eq!(outcome(&at(mirror.port, "")).await, "TLSv1.3");
    assert_eq!(mirror.chosen(), both("SCRAM-SHA-256-PLUS"));
    let required = at(mirror.port, "?channel_binding=require");
    assert_eq!(outcome(&required).await, "TLSv1.3");
    assert_eq!(mirror.chosen(), both("SCRAM-SHA-256-PLUS"));

    let trusted = ours.issue("localhost");
    let thief = Interceptor::start(cluster.port(), &trusted, Manner::PassOn).await;
    let refused = |port: u16, message: &str| {
        format!(
            "localhost:{port} refused us because our TLS connection does not end there ({message}): \
             somebody in between reads it; connect to the server itself, or set \
             `channel_binding=disable` in the URL if that is a proxy of yours"
        )
    };
    assert_eq!(
        outcome(&at(thief.port, "")).await,
        refused(thief.port, "SCRAM channel binding check failed")
    );
    assert_eq!(thief.chosen(), both("SCRAM-SHA-256-PLUS"));
    // It is the binding that catches it, and nothing else.
    let unbound = at(thief.port, "?channel_binding=disable");
    assert_eq!(outcome(&unbound).await, "TLSv1.3");
    assert_eq!(thief.chosen(), both("SCRAM-SHA-256"));

    let hider = Interceptor::start(cluster.port(), &trusted, Manner::HidePlus).await;
    assert_eq!(
        outcome(&at(hider.port, "")).await,
        refused(hider.port, "SCRAM channel binding negotiation error")
    );
    let required = at(hider.port, "?channel_binding=require");
    assert_eq!(
        outcome(&required).await,
        format!(
            "localhost:{} could not authenticate: server did not use channel binding",
            hider.port
        )
    );
}

#[tokio::test]
async fn a_binding_that_is_required_leaves_no_other_way_in() {
    let ours = Authority::new("ours");
    let (trust, md5) = (
        "hostssl all all 127.0.0.1/32 trust",
        "hostssl all all 127.0.0.1/32 md5",
    );
    let bare = "hostssl all all 127.0.0.1/32 password";
    for hba in [trust, md5, bare] {
        let options = Options::default()
            .setting("password_encryption", "md5")
            .hba(&format!("{hba}\n"));
        let cluster = server(&ours.issue("localhost"), options).await;
        let admin = cluster.client("postgres").await.unwrap();
        admin
            .batch_execute(&format!("ALTER ROLE postgres PASSWORD '{PASSWORD}'"))
            .await
            .unwrap();
        let at = |query: &str| Endpoint {
            password: Some(Secret(PASSWORD.into())),
            ..endpoint(
                format!(
                    "postgres://postgres@localhost:{}/postgres{query}",
                    cluster.port()
                ),
                TlsMode::VerifyFull,
                Some(&ours.file()),
            )
        };
        assert_eq!(outcome(&at("")).await, "TLSv1.3", "{hba}");
        assert_eq!(
            outcome(&at("?channel_binding=require")).await,
            format!(
                "localhost:{} could not authenticate: server did not use channel binding",
                cluster.port()
            ),
            "{hba}"
        );
    }
}

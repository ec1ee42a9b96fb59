//! Servers that ask for our certificate.

use std::path::PathBuf;

use cartage::config::{Endpoint, TlsMode};
use cartage::demo::cluster::Options;

use super::authority::Authority;
use super::{endpoint, outcome, server};

#[tokio::test]
async fn our_certificate_is_shown_and_judged() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let options = Options::default()
        .setting("ssl_ca_file", "root.crt")
        .file("root.crt", &ours.certificate)
        .hba("hostssl all all 127.0.0.1/32 cert\n");
    let cluster = server(&ours.issue("localhost"), options).await;
    let port = cluster.port();
    let url = cluster.url("postgres").replace("127.0.0.1", "localhost");
    let bare = endpoint(url, TlsMode::VerifyFull, Some(&ours.file()));
    let folder = ours.folder.path();
    let showing = |certificate: &PathBuf, key: &PathBuf| {
        let mut tls = bare.tls.clone();
        tls.certificate = Some(certificate.clone());
        tls.key = Some(key.clone());
        Endpoint {
            tls,
            ..bare.clone()
        }
    };

    let (certificate, key) = ours.issue("postgres").files(folder, "postgres");
    assert_eq!(outcome(&showing(&certificate, &key)).await, "TLSv1.3");

    assert_eq!(
        outcome(&bare).await,
        format!(
            "localhost:{port} does not let us in: connection requires a valid client certificate; \
             look at its pg_hba.conf and the role"
        )
    );
    let (stranger, its_key) = other.issue("postgres").files(folder, "stranger");
    let (late, late_key) = ours.issue_expired("postgres").files(folder, "late");
    for (certificate, key, alert) in [
        (&stranger, &its_key, "UnknownCA"),
        (&late, &late_key, "CertificateExpired"),
    ] {
        assert_eq!(
            outcome(&showing(certificate, key)).await,
            format!(
                "TLS with localhost:{port} failed: the server does not accept our client \
                 certificate ({alert}); look at `tls.certificate`, and at ssl_ca_file on the server"
            )
        );
    }
    assert_eq!(
        outcome(&showing(&certificate, &its_key)).await,
        format!(
            "the client key {} is not that of the client certificate {}; give the key that the \
             certificate was made for",
            its_key.display(),
            certificate.display()
        )
    );
    assert_eq!(
        outcome(&showing(&certificate, &certificate)).await,
        format!(
            "cannot read the client key from {}: it holds no unencrypted private key",
            certificate.display()
        )
    );
    // A folder can be opened and not read, by root too.
    assert_eq!(
        outcome(&showing(&certificate, &folder.to_path_buf())).await,
        format!(
            "cannot read the client key from {}: I/O error: Is a directory (os error 21)",
            folder.display()
        )
    );
    let gone = folder.join("gone.crt");
    assert_eq!(
        outcome(&showing(&gone, &key)).await,
        format!(
            "cannot read the client certificate from {}: I/O error: No such file or directory (os \
             error 2)",
            gone.display()
        )
    );
}

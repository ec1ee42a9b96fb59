//! Encryption, and whom we trust: the ordinary sessions and the replication connection, which have
//! TLS and SCRAM of their own, must always come to the same verdict.

pub mod authority;
mod binding;
mod clients;
mod hosts;
mod interceptor;
mod migration;
mod modes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cartage::config::{Endpoint, Kind, Secret, Tls, TlsMode};
use cartage::demo::cluster::{Cluster, Options};
use cartage::postgres::connect::{ConnectError, connect};
use cartage::postgres::wire::ReplicationConnection;

use authority::Pem;

const SESSION: &str = "SELECT CASE WHEN ssl THEN version ELSE 'plain' END FROM pg_stat_ssl
                       WHERE pid = pg_backend_pid()";

/// A server that shows this certificate.
async fn server(shown: &Pem, options: Options) -> Cluster {
    let options = options
        .setting("ssl", "on")
        .file("server.crt", &shown.certificate)
        .file("server.key", &shown.key);
    Cluster::start(options).await.unwrap()
}

fn endpoint(url: String, mode: TlsMode, ca: Option<&Path>) -> Endpoint {
    Endpoint {
        kind: Kind::Postgres,
        url: Secret(url),
        password: None,
        tls: Tls {
            mode,
            ca: ca.map(PathBuf::from),
            certificate: None,
            key: None,
        },
        connect_timeout: Duration::from_secs(10),
        application_name: None,
        time_zone: "UTC".into(),
        server_id: None,
    }
}

/// What both kinds of connection come to: `plain`, the version of TLS, or the message.
async fn outcome(endpoint: &Endpoint) -> String {
    let sql = ordinary(endpoint).await.unwrap_or_else(|e| e.to_string());
    let log = replication(endpoint).await;
    assert_eq!(sql, log.unwrap_or_else(|e| e.to_string()));
    sql
}

async fn ordinary(endpoint: &Endpoint) -> Result<String, ConnectError> {
    let client = connect(endpoint, "test").await?;
    let row = client.query_one(SESSION, &[]).await.unwrap();
    Ok(row.get(0))
}

async fn replication(endpoint: &Endpoint) -> Result<String, ConnectError> {
    let mut connection = ReplicationConnection::connect(endpoint, "test").await?;
    connection.identify_system().await.unwrap();
    let rows = connection.simple_query(SESSION).await.unwrap();
    Ok(rows[0][0].clone().unwrap())
}

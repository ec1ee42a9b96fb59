//! The Postgres servers that all scenarios share, with two databases for each scenario.

use std::sync::OnceLock;

use cartage::demo::cluster::{Cluster, Options};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::folder::Side;

/// One server plays all old shops, the other one all new shops.
pub struct Servers {
    source: Cluster,
    target: Cluster,
}

/// Started by whoever comes first; a cluster goes with the process that started it.
pub fn shared() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(|| {
        // A runtime of its own: the caller may be inside one.
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let options = || Options::default().setting("max_replication_slots", "500");
                Servers {
                    source: Cluster::start(options().setting("max_wal_senders", "60"))
                        .await
                        .unwrap(),
                    target: Cluster::start(options()).await.unwrap(),
                }
            })
        })
        .join()
        .unwrap()
    })
}

/// The databases of one scenario.
pub struct Shops {
    pub source_url: String,
    pub target_url: String,
    pub source: Client,
    pub target: Client,
}

impl Servers {
    pub fn target(&self) -> &Cluster {
        &self.target
    }

    pub fn of(&self, side: Side) -> &Cluster {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

impl Shops {
    pub async fn create(database: &str) -> Self {
        let servers = shared();
        Self::between(&servers.source, &servers.target, database).await
    }

    /// A database of this name on either server.
    pub async fn between(source: &Cluster, target: &Cluster, database: &str) -> Self {
        for cluster in [source, target] {
            let admin = connect(&cluster.url("postgres")).await;
            admin
                .batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
                .await
                .unwrap();
            admin
                .batch_execute(&format!("CREATE DATABASE {database}"))
                .await
                .unwrap();
        }
        let (source_url, target_url) = (source.url(database), target.url(database));
        Self {
            source: connect(&source_url).await,
            target: connect(&target_url).await,
            source_url,
            target_url,
        }
    }
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The rows of a query as text, sorted: what an oracle compares.
pub async fn rows(client: &Client, sql: &str, what: &str) -> Vec<String> {
    let messages = client
        .simple_query(sql)
        .await
        .unwrap_or_else(|e| panic!("{what}: {e:?}"));
    let mut rows: Vec<String> = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|i| row.get(i).unwrap_or("NULL"))
                    .collect::<Vec<_>>()
                    .join(" | "),
            ),
            _ => None,
        })
        .collect();
    rows.sort();
    rows
}

/// One number.
pub async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

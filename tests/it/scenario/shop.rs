//! The two databases of one scenario, each on a server of its side's kind.

use cartage::config::Kind;
use cartage::demo::cluster::Cluster;
use cartage::demo::mysql::Server;
use cartage::demo::server::Throwaway;
use cartage::mysql::connect::connect;
use cartage::source::change::Lsn;
use cartage::source::mysql::identity;

use super::folder::Side;
use super::pair::Pair;
use super::servers::shared;
use super::session::{Asked, Printed, Session};
use crate::mysql;

pub struct Shop {
    pub kind: Kind,
    pub url: String,
    pub session: Session,
}

pub struct Shops {
    pub source: Shop,
    pub target: Shop,
}

impl Shops {
    pub async fn create(pair: Pair, database: &str) -> Self {
        Self {
            source: Shop::create(pair.source, Side::Source, database).await,
            target: Shop::create(pair.target, Side::Target, database).await,
        }
    }

    pub fn of(&self, side: Side) -> &Shop {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

impl Shop {
    /// A new database of this name.
    pub async fn create(kind: Kind, side: Side, database: &str) -> Self {
        if kind == Kind::Mysql {
            return Self::on(mysql::shops(side), database).await;
        }
        Self::within(shared().of(side), database).await
    }

    /// The same on a server of the test's own.
    pub async fn alone(server: &Throwaway, database: &str) -> Self {
        match server {
            Throwaway::Postgres(cluster) => Self::within(cluster, database).await,
            Throwaway::Mysql(server) => Self::on(server, database).await,
        }
    }

    async fn within(cluster: &Cluster, database: &str) -> Self {
        let admin = Session::open(Kind::Postgres, &cluster.url("postgres")).await;
        for sql in [
            format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
            format!("CREATE DATABASE {database}"),
        ] {
            admin.run(&sql).await.unwrap();
        }
        Self::at(Kind::Postgres, cluster.url(database)).await
    }

    pub async fn on(server: &Server, database: &str) -> Self {
        let made = format!(
            "DROP DATABASE IF EXISTS {database};
             CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        );
        server.run(&made).await.unwrap();
        Self::at(Kind::Mysql, server.url(database)).await
    }

    async fn at(kind: Kind, url: String) -> Self {
        Self {
            session: Session::open(kind, &url).await,
            kind,
            url,
        }
    }

    /// Takes a new session, the server of the former one having died.
    pub async fn reopen(&mut self) {
        self.session = self.visitor().await;
    }

    /// Another session there.
    pub async fn visitor(&self) -> Session {
        Session::open(self.kind, &self.url).await
    }

    /// The rows of a query as text, sorted: what an oracle compares.
    pub async fn rows(&self, sql: &str, what: &str) -> Vec<String> {
        let rows = self.session.ask(sql).await;
        let rows = rows.unwrap_or_else(|e| panic!("{what}: {e}"));
        let line = |row: &Printed| {
            let values: Vec<&str> = row.iter().map(|v| v.as_deref().unwrap_or("NULL")).collect();
            values.join(" | ")
        };
        let mut rows: Vec<String> = rows.iter().map(line).collect();
        rows.sort();
        rows
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.session.number_of(sql).await
    }

    /// How far its log goes now.
    pub async fn end(&self) -> Lsn {
        match self.kind {
            Kind::Postgres => {
                let sql = "SELECT pg_current_wal_flush_lsn()";
                let rows = self.session.ask(sql).await.unwrap();
                rows[0][0].as_deref().unwrap().parse().unwrap()
            }
            Kind::Mysql => {
                let endpoint = mysql::endpoint(self.url.clone());
                let mut session = connect(&endpoint, "test").await.unwrap();
                identity::facts(&mut session).await.unwrap().end
            }
        }
    }
}

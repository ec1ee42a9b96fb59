//! A throwaway server of any kind, asked alike.

use std::sync::Arc;
use std::time::Duration;

use super::DemoError;
use super::cluster::{Cluster, Shutdown};
use super::mysql;
use crate::config::{self, Endpoint, Secret, Tls, TlsMode};
use crate::mysql::connect::Flavor;
use crate::target::session::Target;
use crate::target::words::Words;

#[derive(Debug)]
pub enum Throwaway {
    Postgres(Cluster),
    Mysql(mysql::Server),
}

impl Throwaway {
    pub async fn create(&self, database: &str) -> Result<(), DemoError> {
        match self {
            Throwaway::Postgres(cluster) => {
                let admin = cluster.client("postgres").await?;
                let sql = format!("CREATE DATABASE {database}");
                admin.batch_execute(&sql).await.map_err(DemoError::from)
            }
            Throwaway::Mysql(server) => {
                let sql = format!("CREATE DATABASE {database} CHARACTER SET utf8mb4");
                Ok(server.run(&sql).await?)
            }
        }
    }

    /// Statements of a superuser, one or several.
    pub async fn run(&self, database: &str, sql: &str) -> Result<(), DemoError> {
        match self {
            Throwaway::Postgres(cluster) => {
                let client = cluster.client(database).await?;
                client.batch_execute(sql).await.map_err(DemoError::from)
            }
            Throwaway::Mysql(server) => {
                // What lets a query count on, which each kind has a name of its own for.
                let depth = match server.programs().flavor {
                    Flavor::MariaDb => "max_recursive_iterations",
                    Flavor::MySql => "cte_max_recursion_depth",
                };
                let sql = format!(
                    "USE {database}; SET time_zone = '+00:00', {depth} = 1000000000; {sql}"
                );
                Ok(server.run(&sql).await?)
            }
        }
    }

    /// A superuser's session.
    pub async fn session(&self, database: &str) -> Result<Target, DemoError> {
        match self {
            Throwaway::Postgres(cluster) => {
                let client = cluster.client(database).await?;
                Ok(Target::Postgres(Arc::new(client)))
            }
            Throwaway::Mysql(server) => {
                let endpoint = endpoint(server.url(database));
                Ok(Target::connect(&endpoint, "demo").await?)
            }
        }
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self, how: Shutdown) -> Result<(), DemoError> {
        match self {
            Throwaway::Postgres(cluster) => Ok(cluster.restart(how).await?),
            Throwaway::Mysql(server) => Ok(server.restart(how).await?),
        }
    }

    /// A connection URL over TCP, as superuser.
    pub fn url(&self, database: &str) -> String {
        match self {
            Throwaway::Postgres(cluster) => cluster.url(database),
            Throwaway::Mysql(server) => server.url(database),
        }
    }

    /// As the server spells it.
    pub async fn version(&self, database: &str) -> Result<String, DemoError> {
        let version = Words::each(
            "SELECT current_setting('server_version')",
            "SELECT version()",
        );
        let row = self.session(database).await?.one(version, &[]).await?;
        Ok(row.get(0)?)
    }
}

fn endpoint(url: String) -> Endpoint {
    Endpoint {
        kind: config::Kind::Mysql,
        url: Secret(url),
        password: None,
        tls: Tls {
            mode: TlsMode::Disable,
            ca: None,
            certificate: None,
            key: None,
        },
        connect_timeout: Duration::from_secs(10),
        application_name: None,
        time_zone: "UTC".into(),
        server_id: None,
    }
}

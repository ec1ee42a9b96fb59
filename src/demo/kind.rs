//! The kinds of server that a shop of the demo may live on.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

use super::binaries;
use super::cluster::{Cluster, ClusterError, Options};
use super::mysql;
use super::server::Throwaway;
use crate::mysql::connect::Flavor;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// PostgreSQL
    Postgres,
    /// MariaDB
    Mariadb,
    /// MySQL itself, not MariaDB
    Mysql,
}

/// A kind whose programs this machine has.
#[derive(Debug, Clone)]
pub enum Found {
    Postgres,
    Mysql(mysql::Programs),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Postgres => "PostgreSQL",
            Kind::Mariadb => "MariaDB",
            Kind::Mysql => "MySQL",
        })
    }
}

impl Kind {
    /// What the configuration calls it.
    pub fn configured(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::Mariadb | Kind::Mysql => "mysql",
        }
    }

    /// Looks for its programs; the error says how to get them.
    pub fn find(self) -> Result<Found, ClusterError> {
        match self {
            Kind::Postgres => binaries::folder().map(|_| Found::Postgres),
            Kind::Mariadb => mysql::Programs::of(Flavor::MariaDb).map(Found::Mysql),
            Kind::Mysql => mysql::Programs::of(Flavor::MySql).map(Found::Mysql),
        }
    }
}

impl Found {
    /// Starts a server for a shop. The number tells the two shops' servers apart.
    pub async fn start(self, number: u32) -> Result<Throwaway, ClusterError> {
        match self {
            Found::Postgres => Cluster::start(Options::default().own_identity())
                .await
                .map(Throwaway::Postgres),
            Found::Mysql(programs) => {
                let options = mysql::Options::default()
                    .server_id(number)
                    .setting("innodb_buffer_pool_size", "128M")
                    .with_ids(programs.flavor);
                mysql::Server::start_of(programs, options)
                    .await
                    .map(Throwaway::Mysql)
            }
        }
    }
}

//! A throwaway server of either family, and a session on it.

use cartage::demo::cluster::{self, Cluster};
use cartage::demo::mysql;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use tokio_postgres::Client;
use tokio_postgres::types::PgLsn;

use crate::{Failed, Result, usage};

pub enum Server {
    Postgres(Cluster),
    Mariadb(mysql::Server),
}

pub enum Session {
    Postgres(Client),
    Mariadb(Conn),
}

impl Server {
    /// With what is usual for a shop: commits are on disk, and the tables fit into memory.
    pub async fn postgres() -> Result<Self> {
        let options = cluster::Options::default()
            .own_identity()
            .fsync()
            .setting("shared_buffers", "256MB")
            .setting("max_wal_size", "8GB")
            .setting("checkpoint_timeout", "30min")
            // The launcher starts no second subscription within it (5 s by itself): native replication
            // would stand still where a run is short.
            .setting("wal_retrieve_retry_interval", "100ms");
        Ok(Self::Postgres(Cluster::start(options).await?))
    }

    /// The same; `logs` says whether it has a binary log, which MariaDB by itself has not.
    pub async fn mariadb(id: u32, logs: bool) -> Result<Self> {
        let options = mysql::Options::default()
            .server_id(id)
            .setting("innodb_buffer_pool_size", "512M")
            // Small enough to be written through before anything is timed: the first round through a
            // new log is slow, for its file system blocks are yet to be written.
            .setting("innodb_log_file_size", "64M")
            .setting("innodb_flush_log_at_trx_commit", "1")
            .setting("max_allowed_packet", "64M");
        let options = match logs {
            true => options,
            false => options.without_log(),
        };
        Ok(Self::Mariadb(mysql::Server::start(options).await?))
    }

    /// As the configuration names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Mariadb(_) => "mysql",
        }
    }

    pub fn url(&self, database: &str) -> String {
        match self {
            Self::Postgres(server) => server.url(database),
            Self::Mariadb(server) => server.url(database),
        }
    }

    pub async fn session(&self, database: &str) -> Result<Session> {
        Ok(match self {
            Self::Postgres(server) => Session::Postgres(server.client(database).await?),
            Self::Mariadb(server) => Session::Mariadb(server.conn(Some(database)).await?),
        })
    }

    /// A session of the database that each server has.
    pub async fn admin(&self) -> Result<Session> {
        self.session(match self {
            Self::Postgres(_) => "postgres",
            Self::Mariadb(_) => "mysql",
        })
        .await
    }

    /// A database that has only these tables.
    pub async fn empty(&self, name: &str, schema: &str) -> Result<Session> {
        self.discard(name).await?;
        let create = format!("CREATE DATABASE {name}");
        self.admin().await?.run(&create).await?;
        let mut session = self.session(name).await?;
        session.run(schema).await?;
        Ok(session)
    }

    /// A database like another that nobody uses.
    pub async fn copy(&self, from: &str, to: &str) -> Result<()> {
        match self {
            Self::Postgres(server) => {
                // From 15 on the other way would write the copy into the server's log.
                let strategy = match server.version().await? >= 150_000 {
                    true => " STRATEGY file_copy",
                    false => "",
                };
                self.discard(to).await?;
                let create = format!("CREATE DATABASE {to} TEMPLATE {from}{strategy}");
                self.admin().await?.run(&create).await
            }
            Self::Mariadb(_) => {
                let mut session = self.empty(to, "SET foreign_key_checks = OFF").await?;
                let tables = format!(
                    "SELECT table_name, '' FROM information_schema.tables
                     WHERE table_schema = '{from}'"
                );
                for (table, _) in session.pairs(&tables).await? {
                    let shown = format!("SHOW CREATE TABLE `{from}`.`{table}`");
                    let (_, create) = session.pairs(&shown).await?.remove(0);
                    session.run(&create).await?;
                    let fill = format!("INSERT INTO {table} SELECT * FROM `{from}`.`{table}`");
                    session.run(&fill).await?;
                }
                Ok(())
            }
        }
    }

    /// Drops a database, whose rows would be vacuumed or purged while the next contender works.
    pub async fn discard(&self, name: &str) -> Result<()> {
        let force = match self {
            Self::Postgres(_) => " WITH (FORCE)",
            Self::Mariadb(_) => "",
        };
        let drop = format!("DROP DATABASE IF EXISTS {name}{force}");
        self.admin().await?.run(&drop).await
    }

    /// Writes out what waits in memory, so that nobody pays for another.
    pub async fn settle(&self) -> Result<()> {
        match self {
            Self::Postgres(_) => self.admin().await?.run("CHECKPOINT").await,
            Self::Mariadb(_) => {
                let mut admin = self.admin().await?;
                let sql = "SELECT table_schema, table_name FROM information_schema.tables
                           WHERE engine = 'InnoDB' AND table_schema NOT IN ('mysql', 'sys')";
                let tables = admin.pairs(sql).await?;
                let names: Vec<_> = tables.iter().map(|(s, t)| format!("`{s}`.`{t}`")).collect();
                if !names.is_empty() {
                    // It writes the pages of these tables, which no other statement does at once.
                    let flush = format!("FLUSH LOCAL TABLES {} FOR EXPORT", names.join(", "));
                    admin.run(&flush).await?;
                    admin.run("UNLOCK TABLES").await?;
                }
                Ok(())
            }
        }
    }

    /// Bytes that it has written into its log so far: WAL, or InnoDB's log.
    pub async fn logged(&self) -> Result<u64> {
        match self {
            Self::Postgres(server) => position(&server.client("postgres").await?).await,
            Self::Mariadb(_) => {
                let sql = "SELECT CAST(variable_value AS SIGNED)
                           FROM information_schema.global_status
                           WHERE variable_name = 'Innodb_os_log_written'";
                let bytes = self.admin().await?.number(sql).await?;
                Ok(bytes.unsigned_abs())
            }
        }
    }

    pub fn cpu_seconds(&self) -> Result<f64> {
        // The first line of Postgres' file is the server's process (manual, "Database File Layout").
        let file = match self {
            Self::Postgres(server) => server.data().join("postmaster.pid"),
            Self::Mariadb(server) => server.data().with_file_name("pid"),
        };
        let text = std::fs::read_to_string(&file)?;
        let pid = text.lines().next().and_then(|l| l.trim().parse().ok());
        pid.and_then(usage::server_seconds).ok_or_else(|| {
            let file = file.display();
            Failed::because(format!("{file} names no process that runs"))
        })
    }
}

impl Session {
    /// One statement or several.
    pub async fn run(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Postgres(client) => client.batch_execute(sql).await?,
            Self::Mariadb(conn) => conn.query_drop(words(sql)).await?,
        }
        Ok(())
    }

    /// The only value of the only row: a big integer.
    pub async fn number(&mut self, sql: &str) -> Result<i64> {
        Ok(match self {
            Self::Postgres(client) => client.query_one(sql, &[]).await?.get(0),
            Self::Mariadb(conn) => {
                let row: Option<i64> = conn.query_first(words(sql)).await?;
                row.unwrap_or_default()
            }
        })
    }

    /// Rows of two texts.
    pub async fn pairs(&mut self, sql: &str) -> Result<Vec<(String, String)>> {
        Ok(match self {
            Self::Postgres(client) => {
                let rows = client.query(sql, &[]).await?;
                rows.iter().map(|row| (row.get(0), row.get(1))).collect()
            }
            Self::Mariadb(conn) => conn.query(words(sql)).await?,
        })
    }
}

/// Control tables are called `cartage.x` here.
fn words(sql: &str) -> String {
    sql.replace("cartage.", "cartage_")
}

pub async fn position(client: &Client) -> Result<u64> {
    let row = client
        .query_one("SELECT pg_current_wal_insert_lsn()", &[])
        .await?;
    Ok(row.get::<_, PgLsn>(0).into())
}

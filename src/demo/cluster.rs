//! A throwaway Postgres server: made in a temporary folder, gone without trace when dropped.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use cartage::demo::cluster::{Cluster, Options};
//!
//! let cluster = Cluster::start(Options::default().setting("max_wal_senders", "2")).await?;
//! let client = cluster.client("postgres").await?;
//! client.batch_execute("CREATE DATABASE shop").await?;
//! println!("{}", cluster.url("shop"));
//! # Ok(())
//! # }
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio_postgres::NoTls;

use super::binaries;
use super::options;
pub use super::options::Options;
use super::process::Process;
use super::template::{Folder, Template, copy};

/// The superuser of every cluster.
pub const USER: &str = "postgres";
/// Its password; asked for only with [`Options::scram`].
pub const PASSWORD: &str = "throwaway";

#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("{0}")]
    NoBinaries(String),
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("{program} failed: {output}")]
    Program { program: String, output: String },
    #[error("the throwaway server did not {what} within {seconds} s; its log ends with:\n{log}")]
    Deadline {
        what: &'static str,
        seconds: u64,
        log: String,
    },
    #[error("the throwaway server stopped at once; its log ends with:\n{log}")]
    Stopped { log: String },
    #[error("cannot connect to the throwaway server: {0}")]
    Connect(#[from] tokio_postgres::Error),
    #[error("the throwaway server: {0}")]
    Mysql(#[from] mysql_async::Error),
}

impl ClusterError {
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| ClusterError::Io { what, source }
    }
}

/// How a server is asked to stop (manual, "Shutting Down the Server").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Roll back what is open, write a checkpoint, wait for the walsenders.
    Fast,
    /// As in a crash; the next start recovers.
    Immediate,
}

/// What a standby is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standby {
    /// As `pg_basebackup` makes it: without the primary's replication slots.
    Bare,
    /// With a copy of them, which stays where it was.
    WithSlots,
}

/// A running server.
#[derive(Debug)]
pub struct Cluster {
    process: Process,
    scram: bool,
    programs: PathBuf,
    _template: Option<Arc<Template>>,
}

impl Cluster {
    /// Makes a cluster and waits until it answers.
    pub async fn start(options: Options) -> Result<Self, ClusterError> {
        let programs = binaries::folder()?;
        let account = binaries::account()?;
        let folder = Folder::new("server", account)?;
        let data = folder.path().join("data");
        let template = match options.own_identity {
            true => {
                Template::initdb(&programs, account, &data).await?;
                None
            }
            false => {
                let template = Template::shared(&programs, account).await?;
                template.copy_to(&data).await?;
                Some(template)
            }
        };
        options
            .configure(&data, folder.path(), account)
            .map_err(ClusterError::io("postgresql.conf"))?;
        let cluster = Cluster {
            process: Process::new(folder, account, Signal::QUIT),
            scram: options.asks_for_passwords(),
            programs,
            _template: template,
        };
        cluster.first_launch().await
    }

    /// Makes a standby of a cluster that is stopped, and waits until it answers. It follows its primary
    /// once that is resumed.
    pub async fn standby(of: &Cluster, how: Standby) -> Result<Self, ClusterError> {
        let account = of.process.account();
        let folder = Folder::new("server", account)?;
        let data = folder.path().join("data");
        copy(&of.data(), &data).await?;
        let lines = format!(
            "unix_socket_directories = '{}'\nprimary_conninfo = 'host={} port={} user={USER} dbname=postgres'\n",
            folder.path().display(),
            of.process.folder().display(),
            of.port()
        );
        options::begin_recovery(&data, &lines, how == Standby::Bare, account)
            .map_err(ClusterError::io("standby.signal"))?;
        let cluster = Cluster {
            process: Process::new(folder, account, Signal::QUIT),
            scram: of.scram,
            programs: of.programs.clone(),
            _template: None,
        };
        cluster.first_launch().await
    }

    /// Ends a standby's recovery: it becomes a primary, on the next timeline.
    pub async fn promote(&self) -> Result<(), ClusterError> {
        let client = self.client("postgres").await?;
        client.query_one("SELECT pg_promote()", &[]).await?;
        Ok(())
    }

    async fn first_launch(mut self) -> Result<Self, ClusterError> {
        let template = self._template.as_deref().map(Template::path);
        let start = async |process: &mut Process| launch(process, &self.programs).await;
        self.process
            .first_launch("data/postmaster.pid", template, "TCP/IP", start)
            .await?;
        Ok(self)
    }

    /// Starts the server again, on the same port, after [`Cluster::stop`].
    pub async fn resume(&mut self) -> Result<(), ClusterError> {
        launch(&mut self.process, &self.programs).await
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self, how: Shutdown) -> Result<(), ClusterError> {
        self.stop(how).await?;
        self.resume().await
    }

    /// Stops the server, and waits until it is gone. The data stay.
    pub async fn stop(&mut self, how: Shutdown) -> Result<(), ClusterError> {
        let by = match how {
            Shutdown::Fast => Signal::INT,
            Shutdown::Immediate => Signal::QUIT,
        };
        self.process.stop(by).await
    }

    /// A connection URL over TCP, as superuser.
    pub fn url(&self, database: &str) -> String {
        let password = match self.scram {
            true => format!(":{PASSWORD}"),
            false => String::new(),
        };
        format!(
            "postgres://{USER}{password}@127.0.0.1:{}/{database}",
            self.port()
        )
    }

    /// The TCP port; the same for the cluster's whole life.
    pub fn port(&self) -> u16 {
        self.process.port()
    }

    /// A superuser's connection through the socket in the cluster's own folder.
    pub async fn client(&self, database: &str) -> Result<tokio_postgres::Client, ClusterError> {
        client(&self.process, database).await
    }

    /// The server's version as a number, 150014 for 15.14.
    pub async fn version(&self) -> Result<u32, ClusterError> {
        let client = self.client("postgres").await?;
        let row = client
            .query_one("SELECT current_setting('server_version_num')::int4", &[])
            .await?;
        Ok(row.try_get::<_, i32>(0)?.unsigned_abs())
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.process.data()
    }

    /// The folder with the server's programs, for `psql` and the like.
    pub fn programs(&self) -> &Path {
        &self.programs
    }
}

async fn launch(process: &mut Process, programs: &Path) -> Result<(), ClusterError> {
    let mut command = Command::new(programs.join("postgres"));
    command
        .arg("-D")
        .arg(process.data())
        .args(["-c", &format!("port={}", process.port())]);
    // The socket in our own folder cannot be another server's, as a port could.
    let answers = async |process: &Process| client(process, "postgres").await.is_ok();
    process.launch(command, answers).await
}

async fn client(process: &Process, database: &str) -> Result<tokio_postgres::Client, ClusterError> {
    let (client, connection) = tokio_postgres::Config::new()
        .host_path(process.folder())
        .port(process.port())
        .user(USER)
        .dbname(database)
        .connect_timeout(Duration::from_secs(10))
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn starts_restarts_and_leaves_nothing() {
        let mut cluster = Cluster::start(Options::default().scram().setting("work_mem", "7MB"))
            .await
            .expect("start");
        assert!(cluster.version().await.expect("version") >= 140_000);
        let (client, connection) = tokio_postgres::connect(&cluster.url("postgres"), NoTls)
            .await
            .expect("connect with the password");
        tokio::spawn(connection);
        client
            .batch_execute("CREATE TABLE kept AS SELECT current_setting('work_mem') AS it")
            .await
            .expect("write");
        let wrong = cluster.url("postgres").replace(PASSWORD, "wrong");
        assert!(tokio_postgres::connect(&wrong, NoTls).await.is_err());

        cluster.restart(Shutdown::Immediate).await.expect("restart");
        let client = cluster.client("postgres").await.expect("connect");
        let row = client
            .query_one("SELECT it FROM kept", &[])
            .await
            .expect("read");
        assert_eq!(row.get::<_, String>(0), "7MB");

        let folder = cluster.process.folder().to_owned();
        let server = cluster.process.id().expect("running");
        drop(cluster);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{server}")).exists());
    }

    #[tokio::test]
    async fn two_at_once() {
        let (one, other) = tokio::join!(
            Cluster::start(Options::default()),
            Cluster::start(Options::default().own_identity()),
        );
        assert_ne!(one.expect("start").port(), other.expect("start").port());
    }
}

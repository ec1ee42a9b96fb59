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

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::NoTls;

use super::binaries::{self, Account};
use super::options;
pub use super::options::Options;
use super::template::{Folder, Template, copy};
use super::watchdog::watchdog;

/// The superuser of every cluster.
pub const USER: &str = "postgres";
/// Its password; asked for only with [`Options::scram`].
pub const PASSWORD: &str = "throwaway";

const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const PORT_ATTEMPTS: usize = 10;

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
    #[error("cannot connect to the throwaway server: {0}")]
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
    // Fields drop in this order: the watchdog must not see the server gone, nor the folder.
    watchdog: Option<Child>,
    server: Option<Child>,
    port: u16,
    scram: bool,
    programs: PathBuf,
    account: Option<Account>,
    _template: Option<Arc<Template>>,
    folder: Folder,
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
            watchdog: None,
            server: None,
            port: 0,
            scram: options.asks_for_passwords(),
            programs,
            account,
            _template: template,
            folder,
        };
        cluster.first_launch().await
    }

    /// Makes a standby of a cluster that is stopped, and waits until it answers. It follows its primary
    /// once that is resumed.
    pub async fn standby(of: &Cluster, how: Standby) -> Result<Self, ClusterError> {
        let folder = Folder::new("server", of.account)?;
        let data = folder.path().join("data");
        copy(&of.data(), &data).await?;
        let lines = format!(
            "unix_socket_directories = '{}'\nprimary_conninfo = 'host={} port={} user={USER} dbname=postgres'\n",
            folder.path().display(),
            of.folder.path().display(),
            of.port
        );
        options::begin_recovery(&data, &lines, how == Standby::Bare, of.account)
            .map_err(ClusterError::io("standby.signal"))?;
        let cluster = Cluster {
            watchdog: None,
            server: None,
            port: 0,
            scram: of.scram,
            programs: of.programs.clone(),
            account: of.account,
            _template: None,
            folder,
        };
        cluster.first_launch().await
    }

    /// Ends a standby's recovery: it becomes a primary, on the next timeline.
    pub async fn promote(&self) -> Result<(), ClusterError> {
        let client = self.client("postgres").await?;
        client.query_one("SELECT pg_promote()", &[]).await?;
        Ok(())
    }

    /// Takes a free port; the cluster keeps it for life.
    async fn first_launch(mut self) -> Result<Self, ClusterError> {
        let folder = self.folder.path();
        let mut folders = vec![folder];
        folders.extend(self._template.as_deref().map(Template::path));
        let watchdog = watchdog(&folder.join("data/postmaster.pid"), &folders)
            .map_err(ClusterError::io("cannot start sh"))?;
        self.watchdog = Some(watchdog);
        let mut attempts = 1;
        loop {
            self.port = free_port().map_err(ClusterError::io("cannot bind a port"))?;
            match self.launch().await {
                // Someone else took the port between our look and the server's.
                Err(ClusterError::Stopped { log })
                    if attempts < PORT_ATTEMPTS && log.contains("TCP/IP") =>
                {
                    attempts += 1;
                }
                outcome => return outcome.map(|()| self),
            }
        }
    }

    /// Starts the server again, on the same port, after [`Cluster::stop`].
    pub async fn resume(&mut self) -> Result<(), ClusterError> {
        self.launch().await
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self, how: Shutdown) -> Result<(), ClusterError> {
        self.stop(how).await?;
        self.launch().await
    }

    /// Stops the server, and waits until it is gone. The data stay.
    pub async fn stop(&mut self, how: Shutdown) -> Result<(), ClusterError> {
        let Some(server) = self.server.as_mut() else {
            return Ok(());
        };
        signal(
            server,
            match how {
                Shutdown::Fast => Signal::INT,
                Shutdown::Immediate => Signal::QUIT,
            },
        );
        let deadline = Instant::now() + STOP_DEADLINE;
        loop {
            if server
                .try_wait()
                .map_err(ClusterError::io("wait"))?
                .is_some()
            {
                self.server = None;
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.deadline("stop", STOP_DEADLINE));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A connection URL over TCP, as superuser.
    pub fn url(&self, database: &str) -> String {
        let password = match self.scram {
            true => format!(":{PASSWORD}"),
            false => String::new(),
        };
        format!(
            "postgres://{USER}{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// The TCP port; the same for the cluster's whole life.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A superuser's connection through the socket in the cluster's own folder.
    pub async fn client(&self, database: &str) -> Result<tokio_postgres::Client, ClusterError> {
        let (client, connection) = tokio_postgres::Config::new()
            .host_path(self.folder.path())
            .port(self.port)
            .user(USER)
            .dbname(database)
            .connect_timeout(Duration::from_secs(10))
            .connect(NoTls)
            .await?;
        tokio::spawn(connection);
        Ok(client)
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
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder with the server's programs, for `psql` and the like.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    async fn launch(&mut self) -> Result<(), ClusterError> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .map_err(ClusterError::io("the server's log"))?;
        let mut command = Command::new(self.programs.join("postgres"));
        command
            .arg("-D")
            .arg(self.data())
            .args(["-c", &format!("port={}", self.port)])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            // Ctrl-C on the terminal is for us; we stop the server in order.
            .process_group(0);
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        self.server = Some(
            command
                .spawn()
                .map_err(ClusterError::io("cannot start postgres"))?,
        );

        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if let Some(server) = self.server.as_mut()
                && server
                    .try_wait()
                    .map_err(ClusterError::io("wait"))?
                    .is_some()
            {
                self.server = None;
                return Err(ClusterError::Stopped {
                    log: self.log_tail(),
                });
            }
            // The socket in our own folder cannot be another server's, as a port could.
            if self.client("postgres").await.is_ok() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.deadline("start", START_DEADLINE));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn deadline(&self, what: &'static str, after: Duration) -> ClusterError {
        ClusterError::Deadline {
            what,
            seconds: after.as_secs(),
            log: self.log_tail(),
        }
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
        if let Some(mut server) = self.server.take() {
            signal(&server, Signal::QUIT);
            let deadline = Instant::now() + Duration::from_secs(10);
            while let Ok(None) = server.try_wait() {
                if Instant::now() > deadline {
                    let _ = server.kill();
                    let _ = server.wait();
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

pub(super) fn signal(process: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
        // The only failure is that the process has gone already, which `wait` will tell.
        let _ = kill_process(pid, signal);
    }
}

pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
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

        let folder = cluster.folder.path().to_owned();
        let server = cluster.server.as_ref().map(Child::id).expect("running");
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

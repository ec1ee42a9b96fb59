//! A throwaway MariaDB or MySQL server: made in a temporary folder, gone without trace when dropped.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use cartage::demo::mysql::{Options, Server};
//!
//! let server = Server::start(Options::default().setting("max_connections", "50")).await?;
//! server.run("CREATE DATABASE shop").await?;
//! println!("{}", server.url("shop"));
//! # Ok(())
//! # }
//! ```

mod options;
mod programs;
mod template;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use rustix::process::Signal;

use self::template::Template;
use super::binaries::{self, Account};
pub use super::cluster::{ClusterError, Shutdown};
use super::cluster::{free_port, signal};
use super::template::Folder;
use super::watchdog::watchdog;
pub use options::Options;
pub use programs::Programs;

/// The superuser of every server; it needs no password from this machine.
pub const USER: &str = "root";

const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const PORT_ATTEMPTS: usize = 10;

/// A running server.
#[derive(Debug)]
pub struct Server {
    // Fields drop in this order: the watchdog must not see the server gone, nor the folder.
    watchdog: Option<Child>,
    server: Option<Child>,
    port: u16,
    options: Options,
    programs: Programs,
    account: Option<Account>,
    _template: Arc<Template>,
    folder: Folder,
}

impl Server {
    /// Makes a server of the usual programs ([`Programs::usual`]) and waits until it answers.
    pub async fn start(options: Options) -> Result<Self, ClusterError> {
        Self::start_of(Programs::usual()?, options).await
    }

    pub async fn start_of(programs: Programs, options: Options) -> Result<Self, ClusterError> {
        let account = binaries::account()?;
        let folder = Folder::new("mysql", account)?;
        let template = Template::shared(&programs, account).await?;
        template.copy_to(&folder.path().join("data")).await?;
        options.write_files(folder.path(), account)?;
        let mut server = Server {
            watchdog: None,
            server: None,
            port: 0,
            options,
            programs,
            account,
            _template: template,
            folder,
        };
        let watchdog = watchdog(
            &server.folder.path().join("pid"),
            &[server.folder.path(), server._template.path()],
        );
        server.watchdog = Some(watchdog.map_err(ClusterError::io("cannot start sh"))?);
        let mut attempts = 1;
        loop {
            server.port = free_port().map_err(ClusterError::io("cannot bind a port"))?;
            match server.launch().await {
                // Someone else took the port between our look and the server's.
                Err(ClusterError::Stopped { log })
                    if attempts < PORT_ATTEMPTS && log.contains("TCP/IP port") =>
                {
                    attempts += 1;
                }
                outcome => return outcome.map(|()| server),
            }
        }
    }

    /// Starts the server again, on the same port, after [`Server::stop`].
    pub async fn resume(&mut self) -> Result<(), ClusterError> {
        self.launch().await
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self, how: Shutdown) -> Result<(), ClusterError> {
        self.stop(how).await?;
        self.launch().await
    }

    /// Stops the server, in order or by a kill, and waits until it is gone. The data stay.
    pub async fn stop(&mut self, how: Shutdown) -> Result<(), ClusterError> {
        let Some(server) = self.server.as_mut() else {
            return Ok(());
        };
        signal(
            server,
            match how {
                Shutdown::Fast => Signal::TERM,
                Shutdown::Immediate => Signal::KILL,
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

    /// What the next start is to have besides; see [`Options::setting`].
    pub fn set(&mut self, name: &str, value: &str) {
        self.options.set(name, value);
    }

    /// A connection URL over TCP, as superuser.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// The TCP port; the same for the server's whole life.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The data folder; the binary log lies in it too, as `binlog.000001` and so on.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A superuser's connection through the socket in the server's own folder. Without a database
    /// it is in none.
    pub async fn conn(&self, database: Option<&str>) -> Result<Conn, ClusterError> {
        let socket = self.folder.path().join("sock");
        let options = OptsBuilder::default()
            .socket(Some(socket.to_string_lossy()))
            .user(Some(USER))
            .db_name(database);
        Ok(Conn::new(options).await?)
    }

    /// Statements of a superuser, one or several.
    pub async fn run(&self, sql: &str) -> Result<(), ClusterError> {
        let mut conn = self.conn(None).await?;
        conn.query_drop(sql).await?;
        conn.disconnect().await?;
        Ok(())
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    async fn launch(&mut self) -> Result<(), ClusterError> {
        let folder = self.folder.path();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"))
            .map_err(ClusterError::io("the server's log"))?;
        let mut command = Command::new(&self.programs.server);
        command
            .args(self.options.arguments(folder, self.programs.flavor))
            .arg(format!("--port={}", self.port))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            // Ctrl-C on the terminal is for us; we stop the server in order.
            .process_group(0);
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        let what = format!("cannot start {}", self.programs.server.display());
        self.server = Some(command.spawn().map_err(ClusterError::io(what))?);

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
            if self.conn(None).await.is_ok() {
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

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
        if let Some(mut server) = self.server.take() {
            // Its data are thrown away with it, so nothing is lost by a kill.
            signal(&server, Signal::KILL);
            let deadline = Instant::now() + Duration::from_secs(10);
            while let Ok(None) = server.try_wait() {
                if Instant::now() > deadline {
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn starts_restarts_and_leaves_nothing() {
        let options = Options::default()
            .server_id(77)
            .setting("max_connections", "31");
        let mut server = Server::start(options).await.expect("start");
        server
            .run("CREATE DATABASE shop; CREATE TABLE shop.kept AS SELECT @@max_connections AS it")
            .await
            .expect("write");
        server.restart(Shutdown::Immediate).await.expect("restart");
        let url = server.url("shop");
        let mut conn = Conn::from_url(url).await.expect("connect over TCP");
        let row = conn
            .query_first("SELECT it, @@server_id, @@log_bin, @@binlog_format FROM kept")
            .await
            .expect("read");
        assert_eq!(row, Some((31, 77, 1, "ROW".to_owned())));
        server.restart(Shutdown::Fast).await.expect("restart");

        let folder = server.folder.path().to_owned();
        let process = server.server.as_ref().map(Child::id).expect("running");
        drop(server);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{process}")).exists());
    }

    #[tokio::test]
    async fn two_at_once_are_two() {
        let start = || Server::start(Options::default());
        let (one, other) = tokio::join!(start(), start());
        let (one, other) = (one.expect("start"), other.expect("start"));
        assert_ne!(one.port(), other.port());
        one.run("CREATE DATABASE only_here").await.expect("write");
        assert!(other.conn(Some("only_here")).await.is_err());
    }
}

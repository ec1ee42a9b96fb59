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

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use rustix::process::Signal;

use self::template::Template;
use super::binaries;
pub use super::cluster::{ClusterError, Shutdown};
use super::process::Process;
use super::template::Folder;
pub use options::Options;
pub use programs::Programs;

/// The superuser of every server; it needs no password from this machine.
pub const USER: &str = "root";

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Process,
    options: Options,
    programs: Programs,
    _template: Arc<Template>,
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
            // Its data are thrown away with it, so nothing is lost by a kill.
            process: Process::new(folder, account, Signal::KILL),
            options,
            programs,
            _template: template,
        };
        let template = Some(server._template.path());
        let start =
            async |process: &mut Process| launch(process, &server.programs, &server.options).await;
        let begun = server
            .process
            .first_launch("pid", template, "TCP/IP port", start);
        begun.await?;
        Ok(server)
    }

    /// Starts the server again, on the same port, after [`Server::stop`].
    pub async fn resume(&mut self) -> Result<(), ClusterError> {
        launch(&mut self.process, &self.programs, &self.options).await
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self, how: Shutdown) -> Result<(), ClusterError> {
        self.stop(how).await?;
        self.resume().await
    }

    /// Stops the server, in order or by a kill, and waits until it is gone. The data stay.
    pub async fn stop(&mut self, how: Shutdown) -> Result<(), ClusterError> {
        let by = match how {
            Shutdown::Fast => Signal::TERM,
            Shutdown::Immediate => Signal::KILL,
        };
        self.process.stop(by).await
    }

    /// What the next start is to have besides; see [`Options::setting`].
    pub fn set(&mut self, name: &str, value: &str) {
        self.options.set(name, value);
    }

    /// A connection URL over TCP, as superuser.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://{USER}@127.0.0.1:{}/{database}", self.port())
    }

    /// The TCP port; the same for the server's whole life.
    pub fn port(&self) -> u16 {
        self.process.port()
    }

    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The data folder; the binary log lies in it too, as `binlog.000001` and so on.
    pub fn data(&self) -> PathBuf {
        self.process.data()
    }

    /// A superuser's connection through the socket in the server's own folder. Without a database
    /// it is in none.
    pub async fn conn(&self, database: Option<&str>) -> Result<Conn, ClusterError> {
        conn(&self.process, database).await
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
        self.process.log()
    }
}

async fn launch(
    process: &mut Process,
    programs: &Programs,
    options: &Options,
) -> Result<(), ClusterError> {
    let mut command = Command::new(&programs.server);
    command
        .args(options.arguments(process.folder(), programs.flavor))
        .arg(format!("--port={}", process.port()));
    // The socket in our own folder cannot be another server's, as a port could.
    let answers = async |process: &Process| conn(process, None).await.is_ok();
    process.launch(command, answers).await
}

async fn conn(process: &Process, database: Option<&str>) -> Result<Conn, ClusterError> {
    let socket = process.folder().join("sock");
    let options = OptsBuilder::default()
        .socket(Some(socket.to_string_lossy()))
        .user(Some(USER))
        .db_name(database);
    Ok(Conn::new(options).await?)
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

        let folder = server.process.folder().to_owned();
        let process = server.process.id().expect("running");
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

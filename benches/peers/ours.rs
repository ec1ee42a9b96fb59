//! cartage, as its release binary.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use cartage::config::USUAL_BATCH_ROWS;
use cartage::demo::cluster::Cluster;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::delay::{self, Delay};
use crate::judge::{self, Counts};
use crate::run::{Run, Watch, caught_up};
use crate::server::{Server, Session};
use crate::shop::{DATABASE, MARK, OldShop};
use crate::verify::Verification;
use crate::{Failed, LOOK, PATIENCE, Result, last_lines, usage};

pub const BASE: &str = "cartage_base";
pub const CURRENT: &str = "cartage";
pub const SLOT: &str = "cartage_bench";

/// Its configuration and its log.
pub struct Program {
    folder: TempDir,
    pub lanes: usize,
    pub batch_rows: usize,
}

impl Program {
    pub fn new(lanes: usize) -> Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            lanes,
            batch_rows: USUAL_BATCH_ROWS,
        })
    }

    fn configure(&self, old: &OldShop, new: &Server, database: &str) -> Result<()> {
        let text = include_str!("shop/cartage.toml")
            .replace("$SOURCE_KIND", old.server.kind())
            .replace("$SOURCE", &old.server.url(DATABASE))
            .replace("$TARGET_KIND", new.kind())
            .replace("$TARGET", &new.url(database))
            .replace("$LANES", &self.lanes.to_string())
            .replace("$BATCH_ROWS", &self.batch_rows.to_string());
        Ok(std::fs::write(self.path("cartage.toml"), text)?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, arguments: &[&str]) -> Result<Child> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))?;
        let child = Command::new(env!("CARGO_BIN_EXE_cartage"))
            .arg("--config")
            .arg(self.path("cartage.toml"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok(child)
    }

    async fn ends(&self, mut child: Child) -> Result<()> {
        let status = tokio::time::timeout(PATIENCE, child.wait()).await??;
        match status.success() {
            true => Ok(()),
            false => Err(Failed::because(format!(
                "cartage ended with {status}: {}",
                self.log()
            ))),
        }
    }

    async fn stop(&self, child: Child) -> Result<()> {
        let pid = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM)?;
        }
        self.ends(child).await
    }

    fn log(&self) -> String {
        last_lines(&self.path("log"), 10)
    }

    /// Reads all carts into a database that the runs of [`Self::catch_up`] begin with.
    pub async fn backfill(&self, old: &OldShop, new: &Server) -> Result<Run> {
        let schema = match new {
            Server::Postgres(_) => include_str!("shop/postgres/new.sql"),
            Server::Mariadb(_) => include_str!("shop/mariadb/new.sql"),
        };
        // A database is a schema to MariaDB, and the control tables keep the names of schemas: the copy
        // is to be the one that is put away.
        let begun = match new {
            Server::Postgres(_) => BASE,
            Server::Mariadb(_) => CURRENT,
        };
        let mut session = new.empty(begun, schema).await?;
        old.drop_slot(SLOT).await?;
        self.configure(old, new, begun)?;
        self.ends(self.start(&["setup", "--yes"])?).await?;
        let watch = Watch::start(&old.server, Some(new)).await?;
        let daemon = self.start(&["run"])?;
        let pid = daemon.id();
        let deadline = Instant::now() + PATIENCE;
        let following = "SELECT count(*) FROM cartage.pipeline WHERE phase = 'following'";
        while session.number(following).await? == 0 {
            if Instant::now() > deadline {
                let said = self.log();
                return Err(Failed::because(format!("no end of the backfill: {said}")));
            }
            tokio::time::sleep(LOOK).await;
        }
        let run = watch.stop(pid).await?;
        self.stop(daemon).await?;
        match new {
            Server::Postgres(_) => session.run("VACUUM ANALYZE").await?,
            Server::Mariadb(_) => new.copy(CURRENT, BASE).await?,
        }
        Ok(run)
    }

    /// Compares all carts, of which a backfill has left both ends equal.
    pub async fn verify(&self) -> Result<Verification> {
        let output = self.path("verify.json");
        let mut child = Command::new(env!("CARGO_BIN_EXE_cartage"))
            .arg("--config")
            .arg(self.path("cartage.toml"))
            .args(["verify", "--json"])
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&output)?)
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (pid, mut found) = (child.id().unwrap_or_default(), Verification::default());
        // What it has used is known as long as it lives.
        while child.try_wait()?.is_none() {
            found.cpu = usage::cpu_seconds(pid).unwrap_or(found.cpu);
            found.peak_mib = usage::peak_mib(pid).unwrap_or(found.peak_mib);
            tokio::time::sleep(LOOK).await;
        }
        let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&output)?)?;
        let number = |name: &str| document[name].as_u64().unwrap_or_default();
        found.carts = number("equal");
        found.rows = number("rows");
        found.differences = number("different") + number("missing") + number("extra");
        found.seconds = document["seconds"].as_f64().unwrap_or_default();
        Ok(found)
    }

    /// What has been counted where each run of [`Self::catch_up`] begins.
    pub async fn begins(&self, new: &Server) -> Result<Counts> {
        judge::counts(&mut new.session(BASE).await?).await
    }

    /// A daemon that is to begin where the backlog does.
    async fn prepare(&self, old: &OldShop, new: &Server) -> Result<Session> {
        new.copy(BASE, CURRENT).await?;
        old.rewind(SLOT).await?;
        self.configure(old, new, CURRENT)?;
        new.session(CURRENT).await
    }

    async fn arrived(&self, old: &OldShop, session: &mut Session) -> Result<()> {
        let count =
            format!("SELECT count(*) FROM basket WHERE token IN ($TOKENS) AND state = '{MARK}'");
        let done = caught_up(session, &count, old).await;
        done.map_err(|error| Failed::because(format!("{error}: {}", self.log())))
    }

    pub async fn catch_up(&self, old: &OldShop, new: &Server) -> Result<Run> {
        let mut session = self.prepare(old, new).await?;
        let watch = Watch::start(&old.server, Some(new)).await?;
        let daemon = self.start(&["run"])?;
        let pid = daemon.id();
        self.arrived(old, &mut session).await?;
        let run = watch.stop(pid).await?;
        self.stop(daemon).await?;
        Ok(run)
    }

    /// The delays of a daemon that has caught up.
    pub async fn delays(
        &self,
        name: &str,
        old: &OldShop,
        new: &Server,
        cluster: &Cluster,
        rates: &[u64],
    ) -> Result<Vec<Delay>> {
        let mut session = self.prepare(old, new).await?;
        let daemon = self.start(&["run"])?;
        self.arrived(old, &mut session).await?;
        let client = cluster.client(CURRENT).await?;
        let visible = "SELECT token::text, state FROM basket
                       WHERE token = ANY ($1::text[]::uuid[])";
        let delays = delay::at_rates(name, old, &client, visible, rates).await?;
        self.stop(daemon).await?;
        Ok(delays)
    }
}

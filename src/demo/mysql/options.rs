//! What a throwaway server is told at each start.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::path::Path;

use super::ClusterError;
use crate::demo::binaries::Account;
use crate::mysql::connect::Flavor;

/// How the server is set up. The default suits a source: a binary log of whole rows.
#[derive(Debug, Clone)]
pub struct Options {
    server_id: u32,
    settings: Vec<(String, String)>,
    files: Vec<(String, String)>,
    log: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server_id: 1,
            settings: Vec::new(),
            files: Vec::new(),
            log: true,
        }
    }
}

impl Options {
    /// By which replicas tell servers apart; 1 unless given.
    pub fn server_id(mut self, id: u32) -> Self {
        self.server_id = id;
        self
    }

    /// An option of the server, without its dashes; later ones win.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Transactions have ids: MariaDB's always do, MySQL's only when told.
    pub fn with_ids(self, flavor: Flavor) -> Self {
        match flavor {
            Flavor::MariaDb => self,
            Flavor::MySql => self
                .setting("gtid_mode", "ON")
                .setting("enforce_gtid_consistency", "ON")
                // Before 5.7 there are no ids without it.
                .setting("loose_log_slave_updates", "ON"),
        }
    }

    /// A file that its owner alone may read, such as a key. It lies beside the data folder: a
    /// setting names it `../NAME`.
    pub fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.into(), content.into()));
        self
    }

    /// No binary log.
    pub fn without_log(mut self) -> Self {
        self.log = false;
        self
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.into(), value.into()));
    }

    pub(super) fn write_files(
        &self,
        folder: &Path,
        owner: Option<Account>,
    ) -> Result<(), ClusterError> {
        for (name, content) in &self.files {
            let path = folder.join(name);
            let failed = || ClusterError::io(path.display().to_string());
            let mut file = fs::File::options()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .map_err(failed())?;
            file.write_all(content.as_bytes()).map_err(failed())?;
            if let Some(owner) = owner {
                chown(&path, Some(owner.uid), Some(owner.gid)).map_err(failed())?;
            }
        }
        Ok(())
    }

    /// A kill loses nothing that was committed: the log and the redo log are written at each
    /// commit. A power cut may, which does not matter to a throwaway server.
    pub(super) fn arguments(&self, folder: &Path, flavor: Flavor) -> Vec<String> {
        let place = |name: &str| folder.join(name).display().to_string();
        let mut all = vec![
            "--no-defaults".to_owned(),
            format!("--datadir={}", place("data")),
            format!("--tmpdir={}", place("")),
            format!("--socket={}", place("sock")),
            format!("--pid-file={}", place("pid")),
            "--bind-address=127.0.0.1".into(),
            "--skip-name-resolve".into(),
            format!("--server-id={}", self.server_id),
            "--innodb-buffer-pool-size=32M".into(),
            "--innodb-flush-log-at-trx-commit=2".into(),
            "--sync-binlog=0".into(),
        ];
        match flavor {
            Flavor::MariaDb => all.push("--innodb-log-file-size=16M".into()),
            Flavor::MySql => all.push("--mysqlx=OFF".into()),
        }
        match self.log {
            true => all.extend([
                "--log-bin=binlog".into(),
                "--binlog-format=ROW".into(),
                "--binlog-row-image=FULL".into(),
            ]),
            false => all.push("--skip-log-bin".into()),
        }
        let settings = self.settings.iter();
        all.extend(settings.map(|(name, value)| format!("--{}={value}", name.replace('_', "-"))));
        all
    }
}

//! What a throwaway server's data folder is told before its first start.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::path::Path;

use super::binaries::Account;

/// How the server is set up. The default suits a source of logical replication.
#[derive(Debug, Clone, Default)]
pub struct Options {
    settings: Vec<(String, String)>,
    files: Vec<(String, String)>,
    hba: Option<String>,
    scram: bool,
    fsync: bool,
    pub(super) own_identity: bool,
}

impl Options {
    /// A line of `postgresql.conf`; later ones win.
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Ask for the password over TCP, instead of trusting everyone.
    pub fn scram(mut self) -> Self {
        self.scram = true;
        self
    }

    /// A file of the data folder that its owner alone may read, such as a key.
    pub fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.into(), content.into()));
        self
    }

    /// The lines of `pg_hba.conf` for TCP. The superuser's socket stays open.
    pub fn hba(mut self, lines: &str) -> Self {
        self.hba = Some(lines.into());
        self
    }

    /// Write durably; off by default, for a power cut does not matter to a throwaway server.
    pub fn fsync(mut self) -> Self {
        self.fsync = true;
        self
    }

    /// Run `initdb` for this cluster alone. Otherwise the clusters of one process are copies of
    /// one template, and share its system identifier.
    pub fn own_identity(mut self) -> Self {
        self.own_identity = true;
        self
    }

    pub(super) fn asks_for_passwords(&self) -> bool {
        self.scram
    }

    /// Writes the files of a new data folder.
    pub(super) fn configure(
        &self,
        data: &Path,
        sockets: &Path,
        account: Option<Account>,
    ) -> io::Result<()> {
        let fsync = if self.fsync { "on" } else { "off" };
        let defaults = [
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_permissions", "0700"),
            ("wal_level", "logical"),
            ("max_wal_senders", "20"),
            ("max_replication_slots", "20"),
            ("max_connections", "100"),
            ("shared_buffers", "64MB"),
            ("max_wal_size", "2GB"),
            ("fsync", fsync),
            ("full_page_writes", fsync),
            ("autovacuum_naptime", "5s"),
            ("log_min_messages", "warning"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
        ];
        let given = self.settings.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let sockets = sockets.to_string_lossy();
        let lines: String = [("unix_socket_directories", sockets.as_ref())]
            .into_iter()
            .chain(defaults)
            .chain(given)
            .map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")))
            .collect();
        // Written in place, so that the files keep the owner that initdb gave them.
        fs::write(data.join("postgresql.auto.conf"), lines)?;
        for (name, content) in &self.files {
            private(&data.join(name), content, account)?;
        }
        let over_tcp = if self.scram { "scram-sha-256" } else { "trust" };
        let lines = self.hba.clone().unwrap_or_else(|| {
        format!(
            "host all all 127.0.0.1/32 {over_tcp}\nhost replication all 127.0.0.1/32 {over_tcp}\n"
        )
    });
        fs::write(
            data.join("pg_hba.conf"),
            format!("local all all trust\nlocal replication all trust\n{lines}"),
        )
    }
}

/// Makes a copied data folder that of a standby. Later lines of `postgresql.auto.conf` win.
pub(super) fn begin_recovery(
    data: &Path,
    lines: &str,
    without_slots: bool,
    account: Option<Account>,
) -> io::Result<()> {
    fs::OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.auto.conf"))?
        .write_all(lines.as_bytes())?;
    let slots = data.join("pg_replslot");
    if without_slots {
        for slot in fs::read_dir(&slots)? {
            fs::remove_dir_all(slot?.path())?;
        }
    }
    match fs::remove_file(data.join("postmaster.pid")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    private(&data.join("standby.signal"), "", account)
}

/// A file that only the server may read. It may have to write it too.
fn private(path: &Path, content: &str, account: Option<Account>) -> io::Result<()> {
    fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?
        .write_all(content.as_bytes())?;
    match account {
        Some(account) => chown(path, Some(account.uid), Some(account.gid)),
        None => Ok(()),
    }
}

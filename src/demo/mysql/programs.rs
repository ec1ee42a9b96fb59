//! Where this machine keeps the programs of MariaDB or MySQL.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::ClusterError;
use crate::mysql::connect::Flavor;

/// A server's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    pub flavor: Flavor,
    pub server: PathBuf,
    /// What makes a data folder: MariaDB has a script for it, MySQL's server does it itself.
    pub installer: PathBuf,
}

impl Programs {
    /// `$CARTAGE_MYSQL_BIN`, a folder with `mariadbd` and `mariadb-install-db`, or with MySQL's
    /// `mysqld`; else Debian's MariaDB.
    pub fn usual() -> Result<Self, ClusterError> {
        if let Some(given) = std::env::var_os("CARTAGE_MYSQL_BIN") {
            let given = PathBuf::from(given);
            return Self::in_folders(&given, &given)
                .or_else(|| Self::mysql_in(&given))
                .ok_or_else(|| {
                    ClusterError::NoBinaries(format!(
                        "CARTAGE_MYSQL_BIN is {}, which holds neither mariadbd with \
                         mariadb-install-db nor mysqld",
                        given.display()
                    ))
                });
        }
        Self::debian().ok_or_else(|| {
            ClusterError::NoBinaries(
                "no MariaDB server (mariadbd, mariadb-install-db) on this machine; install the \
                 Debian packages `mariadb-server-core` and `mariadb-client-core`, or name the \
                 folder of a MariaDB or MySQL server in CARTAGE_MYSQL_BIN"
                    .into(),
            )
        })
    }

    /// Those of one kind: in `$CARTAGE_MYSQL_BIN`, else Debian's MariaDB, else what is on the path.
    /// Where a MariaDB is installed, `mysqld` may be another name of its server.
    pub fn of(flavor: Flavor) -> Result<Self, ClusterError> {
        let given = std::env::var_os("CARTAGE_MYSQL_BIN").map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let found = match flavor {
            Flavor::MariaDb => given
                .as_deref()
                .and_then(|folder| Self::in_folders(folder, folder))
                .or_else(Self::debian)
                .or_else(|| on_path.iter().find_map(|f| Self::in_folders(f, f))),
            Flavor::MySql => given
                .iter()
                .chain(&on_path)
                .filter_map(|folder| Self::mysql_in(folder))
                .find(Self::is_mysql),
        };
        found.ok_or_else(|| {
            let elsewhere = given.map_or(String::new(), |given| {
                format!(", nor in CARTAGE_MYSQL_BIN, {}", given.display())
            });
            ClusterError::NoBinaries(match flavor {
                Flavor::MariaDb => format!(
                    "no MariaDB server (mariadbd, mariadb-install-db) on this machine{elsewhere}; \
                     install the Debian packages `mariadb-server-core` and `mariadb-client-core`, \
                     or name the folder of its programs in CARTAGE_MYSQL_BIN"
                ),
                Flavor::MySql => format!(
                    "no MySQL server (a mysqld that is not MariaDB's) on the path{elsewhere}; \
                     unpack one from https://dev.mysql.com/downloads/mysql/, which Debian does not \
                     have, and name the folder of its mysqld in CARTAGE_MYSQL_BIN"
                ),
            })
        })
    }

    /// What the program says of itself.
    fn is_mysql(&self) -> bool {
        let said = Command::new(&self.server).arg("--version").output();
        said.is_ok_and(|said| {
            let text = String::from_utf8_lossy(&said.stdout);
            said.status.success() && text.contains("Ver ") && !text.contains("MariaDB")
        })
    }

    /// All that this machine has: Debian's MariaDB, and what `$CARTAGE_MYSQL_BIN` names.
    pub fn all() -> Result<Vec<Self>, ClusterError> {
        let mut all = vec![Self::usual()?];
        all.extend(Self::debian().filter(|debian| !all.contains(debian)));
        Ok(all)
    }

    fn debian() -> Option<Self> {
        Self::in_folders(Path::new("/usr/sbin"), Path::new("/usr/bin"))
    }

    fn in_folders(server: &Path, installer: &Path) -> Option<Self> {
        let found = Self {
            flavor: Flavor::MariaDb,
            server: server.join("mariadbd"),
            installer: installer.join("mariadb-install-db"),
        };
        (found.server.is_file() && found.installer.is_file()).then_some(found)
    }

    fn mysql_in(folder: &Path) -> Option<Self> {
        let server = folder.join("mysqld");
        server.is_file().then(|| Self {
            flavor: Flavor::MySql,
            installer: server.clone(),
            server,
        })
    }
}

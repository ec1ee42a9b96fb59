//! Where this machine keeps the Postgres server programs, and the user who may run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::ClusterError;

/// The folder that holds `initdb` and `postgres`: `$CARTAGE_PG_BIN`, else the newest of Debian's
/// `/usr/lib/postgresql/*/bin`, else what `pg_config` on the path says.
pub fn folder() -> Result<PathBuf, ClusterError> {
    if let Some(given) = std::env::var_os("CARTAGE_PG_BIN") {
        let given = PathBuf::from(given);
        return match complete(&given) {
            true => Ok(given),
            false => Err(ClusterError::NoBinaries(format!(
                "CARTAGE_PG_BIN is {}, which does not hold both initdb and postgres",
                given.display()
            ))),
        };
    }
    debian().or_else(pg_config).ok_or_else(|| {
        ClusterError::NoBinaries(
            "no PostgreSQL server programs (initdb, postgres) on this machine; install the Debian \
             package `postgresql`, or name their folder in CARTAGE_PG_BIN"
                .into(),
        )
    })
}

fn complete(folder: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

fn debian() -> Option<PathBuf> {
    fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let major: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .filter(|(_, folder)| complete(folder))
        .max()
        .map(|(_, folder)| folder)
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    complete(&folder).then_some(folder)
}

/// A user and group id.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

/// Whom to run a server as. Neither Postgres nor MySQL lets root run it, so root steps down to
/// `postgres`, or to `nobody` where that user does not exist.
pub fn account() -> Result<Option<Account>, ClusterError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").map_err(ClusterError::io("/etc/passwd"))?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| find(&passwd, name))
        .map(Some)
        .ok_or_else(|| {
            ClusterError::NoBinaries(
                "a database server cannot be run by root, and there is neither a user `postgres` nor `nobody`"
                    .into(),
            )
        })
}

fn find(passwd: &str, name: &str) -> Option<Account> {
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2).map(str::parse);
    Some(Account {
        uid: ids.next()?.ok()?,
        gid: ids.next()?.ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_an_account() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:103::/var/lib:/bin/bash\n";
        let account = find(passwd, "postgres").expect("listed");
        assert_eq!((account.uid, account.gid), (101, 103));
        assert!(find(passwd, "post").is_none());
    }
}

//! Brings the control tables to this version by the files under `migrations/`.

mod mysql;
mod postgres;

use std::cmp::Ordering;

use crate::config::{Endpoint, Kind};
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Words;

/// One step from version to version, the same for everybody once it is released.
struct File {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error(transparent)]
    Mysql(#[from] mysql::Error),
}

/// Makes what is missing, and runs the migrations that it has not had.
pub async fn migrate(target: &Endpoint) -> Result<(), Error> {
    match target.kind {
        Kind::Postgres => Ok(postgres::migrate(target).await?),
        Kind::Mysql => Ok(mysql::migrate(target).await?),
    }
}

/// The control tables are of another version than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    #[error(
        "the control tables in the target are of an older cartage (they have migration {there}, \
         and this version needs {needed}); run: cartage setup"
    )]
    Older { there: i64, needed: i64 },
    #[error(
        "the control tables in the target are of a newer cartage (they have migration {there}, and \
         this version knows {known}); run that version, or a later one"
    )]
    Newer { there: i64, known: i64 },
}

/// Whether the control tables, which are there, are those that this version works with.
pub async fn judge(target: &Target) -> Result<Option<Stale>, TargetError> {
    let words = Words::each(
        "SELECT coalesce(max(version), 0) FROM cartage._sqlx_migrations WHERE success",
        "SELECT coalesce(max(version), 0) FROM cartage_migrations",
    );
    let there = target.one(words, params![]).await?.get(0)?;
    let files = match target {
        Target::Postgres(_) => postgres::FILES,
        Target::Mysql(_) => mysql::FILES,
    };
    let needed = files.iter().map(|file| file.version).max().unwrap_or(0);
    Ok(match needed.cmp(&there) {
        Ordering::Equal => None,
        Ordering::Greater => Some(Stale::Older { there, needed }),
        Ordering::Less => Some(Stale::Newer {
            there,
            known: needed,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_is_embedded_in_order() {
        for (kind, files) in [("postgres", postgres::FILES), ("mysql", mysql::FILES)] {
            let folder = format!("{}/migrations/{kind}", env!("CARGO_MANIFEST_DIR"));
            let mut found: Vec<(String, String)> = std::fs::read_dir(folder)
                .expect("migrations")
                .map(|entry| {
                    let entry = entry.expect("entry");
                    let name = entry.file_name().to_string_lossy().into_owned();
                    (name, std::fs::read_to_string(entry.path()).expect("text"))
                })
                .collect();
            found.sort();
            let embedded: Vec<(String, String)> = files
                .iter()
                .map(|file| {
                    let name = format!("{:04}_{}.sql", file.version, file.name);
                    (name, file.sql.to_owned())
                })
                .collect();
            assert_eq!(found, embedded, "{kind}");
        }
    }
}

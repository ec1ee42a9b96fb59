//! Brings the control tables to this version by the files under `migrations/`.

mod mysql;
mod postgres;

use crate::config::{Endpoint, Kind};

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

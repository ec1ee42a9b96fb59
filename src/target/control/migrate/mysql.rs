//! The tables in MySQL and MariaDB, through a session like all our others.
//!
//! sqlx is not asked here. Without its RSA, which has an open advisory, it cannot log in by MySQL's
//! usual plugin where there is no TLS; its lock is none on MariaDB, where GET_LOCK knows no endless
//! wait; and a migration that was cut short it takes for broken until a human mends it, while ours can
//! be run again: each statement does nothing where it was done.

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use sha2::{Digest, Sha256};

use super::File;
use crate::config::Endpoint;
use crate::mysql::connect::{ConnectError, Flavor, Session, connect_to_write};
use crate::mysql::fault;
use crate::mysql::sql::{account, identifier};
use crate::switch::{self, Place};

pub(super) const FILES: &[File] = &[
    File {
        version: 1,
        name: "control",
        sql: include_str!("../../../../migrations/mysql/0001_control.sql"),
    },
    File {
        version: 2,
        name: "merge",
        sql: include_str!("../../../../migrations/mysql/0002_merge.sql"),
    },
    File {
        version: 3,
        name: "conflicts",
        sql: include_str!("../../../../migrations/mysql/0003_conflicts.sql"),
    },
    File {
        version: 4,
        name: "keys",
        sql: include_str!("../../../../migrations/mysql/0004_keys.sql"),
    },
    File {
        version: 5,
        name: "verify",
        sql: include_str!("../../../../migrations/mysql/0005_verify.sql"),
    },
    File {
        version: 6,
        name: "repair",
        sql: include_str!("../../../../migrations/mysql/0006_repair.sql"),
    },
    File {
        version: 7,
        name: "synthetic",
        sql: include_str!("../../../../migrations/mysql/0007_synthetic.sql"),
    },
    File {
        version: 8,
        name: "unanswered",
        sql: include_str!("../../../../migrations/mysql/0008_unanswered.sql"),
    },
    File {
        version: 9,
        name: "resumed",
        sql: include_str!("../../../../migrations/mysql/0009_resumed.sql"),
    },
];

/// Not sqlx' name: that table may be the new backend's own, in the same database.
const JOURNAL: &str = "
    CREATE TABLE IF NOT EXISTS cartage_migrations (
        version      bigint NOT NULL COMMENT 'Number of the migration',
        description  varchar(255) NOT NULL COMMENT 'Its name',
        checksum     varbinary(32) NOT NULL COMMENT 'SHA-256 of its text',
        installed_on timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'When it ran',
        PRIMARY KEY (version)
    ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin
    COMMENT='cartage: migrations of its control tables'";

/// The collations by which two texts are equal where their bytes are: each kind knows but its own.
const COLLATION: &str = "utf8mb4_0900_bin";
const COLLATION_OF_MARIADB: &str = "utf8mb4_nopad_bin";

/// What our user needs to make the tables, to change them later and to drop them in the end.
pub const PRIVILEGES: &str = "CREATE, ALTER, INDEX, REFERENCES, DROP";

/// How long another setup is waited for, in seconds.
const PATIENCE: u32 = 60;

/// ER_DUP_FIELDNAME.
const COLUMN_EXISTS: u16 = 1060;

/// ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR.
const DENIED: [u16; 2] = [1044, 1142];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot connect to the target for its migrations: {0}")]
    Connect(#[from] ConnectError),
    #[error("another setup works on the control tables of {0}; run this one again when it is done")]
    Busy(String),
    #[error(
        "may not make the control tables in the target: {message}; \
         whoever may grant it can: {grant}"
    )]
    Denied { message: String, grant: String },
    #[error(
        "the control tables were made by a newer cartage (they have migration {0}); \
         run that version, or a later one"
    )]
    Newer(i64),
    #[error(
        "migration {0} of the control tables was another one when it ran (cartage_migrations); \
         run the version of cartage that made them"
    )]
    Changed(i64),
    #[error("migration of the control tables failed: {}", fault::describe(.0))]
    Server(#[from] mysql_async::Error),
}

pub async fn migrate(target: &Endpoint) -> Result<(), Error> {
    let mut session = connect_to_write(target, "migrate").await?;
    let done = alone(&mut session).await;
    let done = match done {
        Err(Error::Server(error)) => Err(denied(&mut session, error).await),
        done => done,
    };
    // The lock ends with the session; how that ends tells nothing more.
    let _ = session.conn.disconnect().await;
    done
}

async fn alone(session: &mut Session) -> Result<(), Error> {
    // Locks are the server's, not the database's, and their names are short.
    let hash = Sha256::digest(&session.database);
    let lock = format!("cartage {}", data_encoding::HEXLOWER.encode(&hash[..16]));
    let took = (lock, PATIENCE);
    let took: Option<Option<i64>> = session
        .conn
        .exec_first("SELECT GET_LOCK(?, ?)", took)
        .await?;
    if took.flatten() != Some(1) {
        return Err(Error::Busy(session.database.clone()));
    }
    let flavor = session.server.flavor;
    let conn = &mut session.conn;
    // CREATE TABLE IF NOT EXISTS asks for CREATE even where the table exists.
    let exists = "SELECT 1 FROM information_schema.tables
                  WHERE table_schema = database() AND table_name = 'cartage_migrations'";
    if conn.query_first::<i64, _>(exists).await?.is_none() {
        conn.query_drop(spoken(JOURNAL, flavor)).await?;
    }
    let had = "SELECT version, checksum FROM cartage_migrations ORDER BY version";
    let had: Vec<(i64, Vec<u8>)> = conn.query(had).await?;
    for (version, checksum) in &had {
        let file = FILES.iter().find(|file| file.version == *version);
        let file = file.ok_or(Error::Newer(*version))?;
        if *checksum != file.checksum() {
            return Err(Error::Changed(*version));
        }
    }
    let is_new = |file: &&File| !had.iter().any(|(version, _)| *version == file.version);
    for file in FILES.iter().filter(is_new) {
        run(conn, flavor, file).await?;
    }
    Ok(())
}

/// Its row comes last: without it, all of the migration is done again.
async fn run(conn: &mut Conn, flavor: Flavor, file: &File) -> Result<(), mysql_async::Error> {
    for statement in statements(file.sql) {
        match conn.query_drop(spoken(statement, flavor)).await {
            // It was cut short after this one, which adds its columns all together.
            Err(mysql_async::Error::Server(error)) if error.code == COLUMN_EXISTS => {}
            done => done?,
        }
        switch::place(Place::TableMade);
    }
    let row = "INSERT INTO cartage_migrations (version, description, checksum) VALUES (?, ?, ?)";
    conn.exec_drop(row, (file.version, file.name, file.checksum()))
        .await
}

fn spoken(sql: &str, flavor: Flavor) -> String {
    match flavor {
        Flavor::MySql => sql.to_owned(),
        Flavor::MariaDb => sql.replace(COLLATION, COLLATION_OF_MARIADB),
    }
}

/// A statement ends where its line does.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n").filter(|part| !part.trim().is_empty())
}

impl File {
    /// Of the file, not of what a server is told: it stays where a database moves to another one.
    fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.sql).to_vec()
    }
}

async fn denied(session: &mut Session, error: mysql_async::Error) -> Error {
    let message = match &error {
        mysql_async::Error::Server(server) if DENIED.contains(&server.code) => {
            server.message.clone()
        }
        _ => return Error::Server(error),
    };
    let user: Result<Option<String>, _> = session.conn.query_first("SELECT current_user()").await;
    match user {
        Ok(user) => Error::Denied {
            message,
            grant: format!(
                "GRANT {PRIVILEGES} ON {}.* TO {}",
                identifier(&session.database),
                account(&user.unwrap_or_default())
            ),
        },
        Err(_) => Error::Server(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_can_be_repeated() {
        for file in FILES {
            for statement in statements(file.sql) {
                let code: Vec<&str> = statement
                    .lines()
                    .filter(|line| !line.starts_with("--") && !line.is_empty())
                    .collect();
                let first = code.first().unwrap_or(&"");
                if first.starts_with("ALTER TABLE cartage_") {
                    // What was done is known by the column, which is not added twice; what only
                    // says anew what a column is does nothing the second time.
                    let adds = |line: &&str| line.starts_with("    ADD COLUMN ");
                    let modifies = |line: &&str| line.starts_with("    MODIFY COLUMN ");
                    let repeatable = code.iter().any(adds) || code[1..].iter().all(modifies);
                    assert!(repeatable, "{first}");
                    continue;
                }
                // Rows that it has met once, it does not meet again.
                if first.starts_with("UPDATE cartage_") {
                    assert!(code[1..].iter().any(|line| line.ends_with("IS NULL")));
                    continue;
                }
                assert!(
                    first.starts_with("CREATE TABLE IF NOT EXISTS cartage_"),
                    "{first}"
                );
                let options = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4";
                assert!(statement.contains(options), "{first}");
                assert!(
                    !spoken(statement, Flavor::MariaDb).contains("0900"),
                    "{first}"
                );
            }
        }
        assert_eq!(statements(FILES[0].sql).count(), 9);
    }

    #[test]
    fn every_column_is_explained() {
        let made = FILES.iter().map(|file| file.sql).chain([JOURNAL]);
        let mut columns = 0;
        for line in made.flat_map(str::lines) {
            let line = line.trim_start();
            let line = line.strip_prefix("ADD COLUMN ").unwrap_or(line);
            let line = line.trim_start_matches('`');
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                assert!(line.contains(" COMMENT '"), "{line}");
                columns += 1;
            }
        }
        assert!(columns > 80, "{columns}");
    }
}

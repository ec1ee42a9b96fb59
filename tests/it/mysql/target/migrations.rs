//! The control tables: made once, by whoever comes first, and not by an older cartage.

use cartage::demo::mysql::Server;
use cartage::mysql::connect::{Flavor, Session, connect};
use cartage::target::control::migrate::migrate;
use mysql_async::prelude::Queryable as _;

use super::super::{endpoint, servers};

const TABLES: [&str; 15] = [
    "cartage_checkpoint",
    "cartage_conflict",
    "cartage_held",
    "cartage_ledger",
    "cartage_mapping",
    "cartage_migrations",
    "cartage_pipeline",
    "cartage_refresh_run",
    "cartage_repair_cart",
    "cartage_repair_run",
    "cartage_share",
    "cartage_synthetic",
    "cartage_verify_cart",
    "cartage_verify_run",
    "cartage_wish",
];

async fn empty(server: &Server, database: &str) -> Session {
    let made = format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}");
    server.run(&made).await.unwrap();
    connect(&endpoint(server.url(database)), "test")
        .await
        .unwrap()
}

async fn tables(session: &mut Session) -> Vec<String> {
    let sql = "SELECT table_name AS name FROM information_schema.tables
               WHERE table_schema = database() ORDER BY table_name";
    session.conn.query(sql).await.unwrap()
}

/// All that a change would change: what the tables are, and when their migrations ran.
async fn state(session: &mut Session) -> Vec<String> {
    let mut state = Vec::new();
    for table in tables(session).await {
        let sql = format!("SHOW CREATE TABLE {table}");
        let (_, sql): (String, String) = session.conn.query_first(sql).await.unwrap().unwrap();
        state.push(sql);
    }
    let ran = "SELECT CAST(installed_on AS char) FROM cartage_migrations";
    state.extend(session.conn.query::<String, _>(ran).await.unwrap());
    state
}

#[tokio::test]
async fn they_are_made_once_and_explained() {
    for server in servers() {
        let mut session = empty(server, "migrated").await;
        // The new backend may be migrated by sqlx itself.
        let theirs = "CREATE TABLE _sqlx_migrations (version int PRIMARY KEY)";
        session.conn.query_drop(theirs).await.unwrap();
        let target = endpoint(server.url("migrated"));
        migrate(&target).await.unwrap();
        session
            .conn
            .query_drop("DROP TABLE _sqlx_migrations")
            .await
            .unwrap();
        assert_eq!(tables(&mut session).await, TABLES);
        let made = state(&mut session).await;
        migrate(&target).await.unwrap();
        assert_eq!(state(&mut session).await, made);

        let silent = "
            SELECT concat(table_name, '.', column_name) FROM information_schema.columns
            WHERE table_schema = database() AND column_comment = ''
            UNION ALL SELECT table_name FROM information_schema.tables
            WHERE table_schema = database() AND table_comment = ''";
        let silent: Vec<String> = session.conn.query(silent).await.unwrap();
        assert!(silent.is_empty(), "{silent:?}");
        let bytewise = match session.server.flavor {
            Flavor::MariaDb => "utf8mb4_nopad_bin",
            Flavor::MySql => "utf8mb4_0900_bin",
        };
        let others = "
            SELECT concat(table_name, '.', column_name, ' ', collation_name)
            FROM information_schema.columns
            WHERE table_schema = database() AND collation_name <> ?";
        let others: Vec<String> = session.conn.exec(others, (bytewise,)).await.unwrap();
        assert!(others.is_empty(), "{others:?}");
        let touched = "SELECT count(*) FROM information_schema.columns
                       WHERE table_schema = database() AND extra LIKE '%on update%'";
        assert_eq!(
            session.conn.query_first::<i64, _>(touched).await.unwrap(),
            Some(0)
        );
    }
}

/// What the comment of the column tells a human to write.
#[tokio::test]
async fn positions_are_printed_as_their_comment_says() {
    for server in servers() {
        let mut session = empty(server, "positions").await;
        migrate(&endpoint(server.url("positions"))).await.unwrap();
        let comment = "SELECT column_comment FROM information_schema.columns
                       WHERE table_schema = database() AND table_name = 'cartage_checkpoint'
                         AND column_name = 'lsn'";
        let comment: String = session.conn.query_first(comment).await.unwrap().unwrap();
        let said: Vec<&str> = comment
            .match_indices("concat(")
            .map(|(at, _)| comment[at..].split("; of MySQL").next().unwrap())
            .collect();
        let position = 7_u64 << 32 | 1234;
        for (sql, printed) in [(said[0], "7/4D2"), (said[1], "000007:1234")] {
            let sql = format!("SELECT {sql} FROM (SELECT {position} AS lsn) AS t");
            let found: Option<String> = session.conn.query_first(sql).await.unwrap();
            assert_eq!(found.as_deref(), Some(printed));
        }
    }
}

/// How many there are.
fn files() -> i64 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/mysql");
    let number = std::fs::read_dir(folder).unwrap().count();
    i64::try_from(number).unwrap()
}

#[tokio::test]
async fn several_setups_at_once_make_them_once() {
    for server in servers() {
        let mut session = empty(server, "at_once").await;
        let target = endpoint(server.url("at_once"));
        let all = (0..6).map(|_| migrate(&target));
        for done in futures_util::future::join_all(all).await {
            done.unwrap();
        }
        assert_eq!(tables(&mut session).await, TABLES);
        let ran = "SELECT count(*) FROM cartage_migrations";
        let ran: Option<i64> = session.conn.query_first(ran).await.unwrap();
        assert_eq!(ran, Some(files()));
    }
}

#[tokio::test]
async fn what_was_cut_short_is_done_to_its_end() {
    for server in servers() {
        let mut session = empty(server, "cut_short").await;
        let target = endpoint(server.url("cut_short"));
        migrate(&target).await.unwrap();
        let cut =
            "DELETE FROM cartage_migrations; DROP TABLE cartage_wish; DROP TABLE cartage_conflict";
        session.conn.query_drop(cut).await.unwrap();
        migrate(&target).await.unwrap();
        assert_eq!(tables(&mut session).await, TABLES);
    }
}

#[tokio::test]
async fn an_older_cartage_keeps_off() {
    for server in servers() {
        let mut session = empty(server, "newer").await;
        let target = endpoint(server.url("newer"));
        migrate(&target).await.unwrap();
        let later = "INSERT INTO cartage_migrations (version, description, checksum)
                     VALUES (1000, 'later', 'x')";
        session.conn.query_drop(later).await.unwrap();
        assert_eq!(
            migrate(&target).await.unwrap_err().to_string(),
            "the control tables were made by a newer cartage (they have migration 1000); \
             run that version, or a later one"
        );
        let other = "DELETE FROM cartage_migrations WHERE version = 1000;
                     UPDATE cartage_migrations SET checksum = 'x'";
        session.conn.query_drop(other).await.unwrap();
        assert_eq!(
            migrate(&target).await.unwrap_err().to_string(),
            "migration 1 of the control tables was another one when it ran (cartage_migrations); \
             run the version of cartage that made them"
        );
    }
}

#[tokio::test]
async fn a_user_that_may_not_is_told_what_to_grant() {
    for server in servers() {
        empty(server, "granted").await;
        let user = "CREATE OR REPLACE USER migrant@'%' IDENTIFIED BY 'sesame'";
        let user = match server.run(user).await {
            Ok(()) => "GRANT SELECT ON granted.* TO migrant@'%'",
            // MySQL knows no such statement.
            Err(_) => {
                "DROP USER IF EXISTS migrant@'%'; CREATE USER migrant@'%' IDENTIFIED BY 'sesame';
                 GRANT SELECT ON granted.* TO migrant@'%'"
            }
        };
        server.run(user).await.unwrap();
        let url = server.url("granted");
        let (_, place) = url.rsplit_once('@').unwrap();
        let target = endpoint(format!("mysql://migrant:sesame@{place}"));
        let refused = migrate(&target).await.unwrap_err().to_string();
        let grant = "GRANT CREATE, ALTER, INDEX, REFERENCES, DROP ON `granted`.* TO `migrant`@`%`";
        assert!(refused.ends_with(grant), "{refused}");
        let grant = format!(
            "{grant}; GRANT SELECT, INSERT, UPDATE, DELETE ON `granted`.* TO `migrant`@`%`"
        );
        server.run(&grant).await.unwrap();
        migrate(&target).await.unwrap();
    }
}

//! Values of every type: what an answer gives is what the manual says, and the log gives the same.

mod carried;
mod charsets;
mod log;
mod nothing;
mod old_times;
pub mod samples;
mod unfit;

use cartage::mysql::catalog::read;
use cartage::mysql::connect::Flavor;
use cartage::mysql::value::{of_log, of_query};
use cartage::source::mysql::identity;
use fastrand::Rng;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Row, Value};

use super::{servers, session};
use samples::{Sample, samples};

const ROWS: usize = 150;

/// The configuration of a pair of shops with one table each, up to the columns that are mapped.
const WARES: &str = r#"
name = "{{name}}"
[source]
kind = "{{source_kind}}"
url = "{{source_url}}"
[target]
kind = "{{target_kind}}"
url = "{{target_url}}"
[cart]
table = "goods"
[[into]]
table = "wares"
per = "goods"
role = "header"
lock = "row"
[into.columns]
id = { key = "id" }
"#;

/// Both ways of a value, and what it is to be.
#[tokio::test]
async fn answers_and_log_give_the_documented_text() {
    let seed =
        std::env::var("CARTAGE_SEED").map_or_else(|_| fastrand::u64(..), |s| s.parse().unwrap());
    for server in servers() {
        let mut session = session(server, "vals", "").await;
        let samples = samples(session.server.flavor);
        let columns: Vec<String> = samples.iter().map(Sample::column).collect();
        let conn = &mut session.conn;
        let table = format!(
            "CREATE TABLE t (id INT PRIMARY KEY, {})",
            columns.join(", ")
        );
        conn.query_drop(table).await.unwrap();
        // Old shops have zero dates and unknown labels in their tables.
        conn.query_drop("SET sql_mode = ''").await.unwrap();
        let begin = identity::facts(&mut session).await.unwrap();
        let conn = &mut session.conn;
        let mut rng = Rng::with_seed(seed);
        let mut wanted = Vec::new();
        for id in 0..ROWS {
            let values: Vec<_> = samples.iter().map(|s| s.value(&mut rng)).collect();
            let literals: Vec<&str> = values.iter().map(|v| v.literal.as_str()).collect();
            let insert = format!("INSERT INTO t VALUES ({id}, {})", literals.join(", "));
            conn.query_drop(&insert)
                .await
                .unwrap_or_else(|e| panic!("{insert}: {e}"));
            wanted.push(values);
        }
        let described = read(&mut session, &["t".into()]).await.unwrap();
        let columns = &described.tables[0].columns;
        let answers: Vec<Row> = session
            .conn
            .exec("SELECT * FROM t ORDER BY id", ())
            .await
            .unwrap();
        let logged = log::cells(&mut session, &described.tables[0], begin).await;
        assert_eq!((answers.len(), logged.len()), (ROWS, ROWS));
        for ((answer, logged), wanted) in answers.iter().zip(&logged).zip(&wanted) {
            for (i, column) in columns.iter().enumerate().skip(1) {
                let value: &Value = answer.as_ref(i).unwrap();
                let answer = of_query(value, column);
                let place = format!(
                    "{:?}, seed {seed}: {} {}, {}",
                    session.server,
                    column.name,
                    column.ty.name,
                    wanted[i - 1].literal
                );
                let answer = answer.unwrap_or_else(|e| panic!("{place}: {e}"));
                wanted[i - 1].judge(answer.text(), &place);
                assert_eq!(logged[i], answer, "the log, {place}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name() {
    for server in servers() {
        let table =
            "CREATE TABLE t (id INT PRIMARY KEY, place POINT, old VARCHAR(9) CHARACTER SET dec8);
                     INSERT INTO t VALUES (1, POINT(1, 2), 'x')";
        let mut session = session(server, "foreign_values", table).await;
        let vectors = match session.server.flavor {
            Flavor::MariaDb => session.server.version >= (11, 7, 0),
            Flavor::MySql => session.server.version >= (9, 0, 0),
        };
        if vectors {
            let added = "ALTER TABLE t ADD COLUMN v VECTOR(3);
                         INSERT INTO t VALUES (2, NULL, NULL, X'0000803f0000803f0000803f')";
            session.conn.query_drop(added).await.unwrap();
            let described = read(&mut session, &["t".into()]).await.unwrap();
            let column = &described.tables[0].columns[3];
            let sql = "SELECT * FROM t WHERE id = 2";
            let row: Row = session.conn.exec_first(sql, ()).await.unwrap().unwrap();
            let refused = of_query(row.as_ref(3).unwrap(), column).unwrap_err();
            assert!(
                refused.to_string().contains("`v` is vector(3)"),
                "{refused}"
            );
        }
        let described = read(&mut session, &["t".into()]).await.unwrap();
        let columns = &described.tables[0].columns;
        let row: Row = session
            .conn
            .exec_first("SELECT * FROM t", ())
            .await
            .unwrap()
            .unwrap();
        let logged = log::rows(server, "foreign_values", "t").await.remove(0);
        let place = of_query(row.as_ref(1).unwrap(), &columns[1])
            .unwrap_err()
            .to_string();
        assert!(place.contains("`place` is point"), "{place}");
        let logged_place = of_log(logged[1].as_ref().unwrap(), &columns[1]);
        assert_eq!(logged_place.unwrap_err().to_string(), place);
        // The server converts for an answer.
        assert_eq!(
            of_query(row.as_ref(2).unwrap(), &columns[2])
                .unwrap()
                .text(),
            Some("x")
        );
        let old = of_log(logged[2].as_ref().unwrap(), &columns[2])
            .unwrap_err()
            .to_string();
        assert!(old.contains("`old` is in the charset dec8"), "{old}");
    }
}

/// The binary form of a document is printed as the server prints it.
#[tokio::test]
async fn a_document_is_one_text() {
    for server in servers() {
        let mut session = session(
            server,
            "documents",
            "CREATE TABLE t (id INT PRIMARY KEY, j JSON)",
        )
        .await;
        if session.server.flavor == Flavor::MariaDb {
            continue; // a text there
        }
        let documents = samples::documents(&mut Rng::with_seed(7), 300);
        for (id, document) in documents.iter().enumerate() {
            let insert = format!("INSERT INTO t VALUES ({id}, {document})");
            session
                .conn
                .query_drop(&insert)
                .await
                .unwrap_or_else(|e| panic!("{insert}: {e}"));
        }
        let described = read(&mut session, &["t".into()]).await.unwrap();
        let column = &described.tables[0].columns[1];
        let answers: Vec<Row> = session
            .conn
            .exec("SELECT * FROM t ORDER BY id", ())
            .await
            .unwrap();
        let logged = log::rows(server, "documents", "t").await;
        for ((answer, logged), document) in answers.iter().zip(&logged).zip(&documents) {
            let answer = of_query(answer.as_ref(1).unwrap(), column);
            let logged = of_log(logged[1].as_ref().unwrap(), column);
            assert_eq!(logged, answer, "{document}");
        }
    }
}

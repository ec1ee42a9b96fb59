//! Times as MariaDB keeps them with `mysql56_temporal_format = OFF`, and in tables from before 10.1.

use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mysql::catalog::read;
use cartage::mysql::connect::{Flavor, connect};
use cartage::mysql::value::of_query;
use cartage::source::mysql::identity;
use mysql_async::Row;
use mysql_async::prelude::Queryable as _;

use super::log;
use crate::mysql::endpoint;

/// What is written, in the columns `d`, `t` and `c`.
const VALUES: [[&str; 3]; 5] = [
    ["2024-02-29 23:59:59", "2024-02-29 23:59:59", "-838:59:59"],
    ["0000-00-00 00:00:00", "0000-00-00 00:00:00", "00:00:00"],
    ["9999-12-31 00:00:01", "2038-01-19 03:14:07", "838:59:59"],
    ["2024-00-00 10:20:30", "1970-01-02 00:00:01", "-00:00:01"],
    ["1000-01-01 00:00:00", "2001-09-09 01:46:40", "12:34:56"],
];

async fn mariadb() -> Option<Server> {
    let all = Programs::all().unwrap();
    let programs = all.into_iter().find(|p| p.flavor == Flavor::MariaDb)?;
    let options = Options::default().setting("mysql56_temporal_format", "OFF");
    let server = Server::start_of(programs, options).await.unwrap();
    server.run("CREATE DATABASE old_times").await.unwrap();
    Some(server)
}

#[tokio::test]
async fn without_fractions_they_are_what_they_are_in_the_new_form() {
    let Some(server) = mariadb().await else {
        return;
    };
    let place = endpoint(server.url("old_times"));
    let mut session = connect(&place, "test").await.unwrap();
    let made = "SET sql_mode = ''; CREATE TABLE t (
        id INT PRIMARY KEY, d DATETIME NULL, t TIMESTAMP NULL, c TIME NULL)";
    session.conn.query_drop(made).await.unwrap();
    let begin = identity::facts(&mut session).await.unwrap();
    for (id, [d, t, c]) in VALUES.iter().enumerate() {
        let row = format!("INSERT INTO t VALUES ({id}, '{d}', '{t}', '{c}')");
        session.conn.query_drop(row).await.unwrap();
    }
    let described = read(&mut session, &["t".into()]).await.unwrap();
    let table = &described.tables[0];
    assert!(
        table.columns[1].ty.name.contains("mariadb-5.3"),
        "{table:?}"
    );
    let rows = "SELECT * FROM t ORDER BY id";
    let answers: Vec<Row> = session.conn.exec(rows, ()).await.unwrap();
    let logged = log::cells(&mut session, table, begin).await;
    assert_eq!(logged.len(), VALUES.len());
    for ((answer, logged), [d, t, c]) in answers.iter().zip(&logged).zip(VALUES) {
        let zoned = match t {
            "0000-00-00 00:00:00" => t.to_owned(),
            t => format!("{t}+00"),
        };
        for (i, wanted) in [d.to_owned(), zoned, c.to_owned()].into_iter().enumerate() {
            let column = &table.columns[i + 1];
            let answer = of_query(answer.as_ref(i + 1).unwrap(), column).unwrap();
            assert_eq!(answer.text(), Some(wanted.as_str()));
            assert_eq!(logged[i + 1], answer, "the log, {wanted}");
        }
    }
}

#[tokio::test]
async fn with_fractions_the_table_is_refused_by_name() {
    let Some(server) = mariadb().await else {
        return;
    };
    let place = endpoint(server.url("old_times"));
    let mut session = connect(&place, "test").await.unwrap();
    for (n, ty) in ["DATETIME(6)", "TIMESTAMP(3)", "TIME(2)"]
        .iter()
        .enumerate()
    {
        let table = format!("t{n}");
        // Not even where the column is no part of the mapping: what comes after it is not found.
        let made = format!("CREATE TABLE {table} (id INT PRIMARY KEY, n INT, at {ty} NULL)");
        session.conn.query_drop(made).await.unwrap();
        let begin = identity::facts(&mut session).await.unwrap();
        let row = format!("INSERT INTO {table} VALUES (1, 2, '2024-02-29 10:20:30.125')");
        session.conn.query_drop(&row).await.unwrap();
        let described = read(&mut session, std::slice::from_ref(&table))
            .await
            .unwrap();
        let described = &described.tables[0];
        let refused = log::first_cells(&mut session, described, 2, begin).await;
        let refused = refused.unwrap_err().to_string();
        let named = format!("column at of old_times.{table} is {}", ty.to_lowercase());
        assert!(refused.starts_with(&named), "{refused}");

        // What it says mends it.
        let (_, mending) = refused.split_once("on the source, ").unwrap();
        let (mending, _) = mending.rsplit_once(';').unwrap();
        session.conn.query_drop(mending).await.unwrap();
        let begin = identity::facts(&mut session).await.unwrap();
        let row = row.replace("(1,", "(2,");
        session.conn.query_drop(row).await.unwrap();
        let described = read(&mut session, &[table]).await.unwrap();
        let described = &described.tables[0];
        let cells = log::first_cells(&mut session, described, 3, begin)
            .await
            .unwrap();
        let at = cells[0][2].text().unwrap();
        assert!(at.contains("10:20:30.12"), "{at}");
        let off = "SET GLOBAL mysql56_temporal_format = OFF";
        session.conn.query_drop(off).await.unwrap();
    }
}

//! Values of every type: what was written is what is found.

use cartage::cart::image::{Cell, Cells};
use cartage::mapping::difference::RowOp;
use cartage::mapping::plan::Lock;
use cartage::mysql::connect::Flavor;
use fastrand::Rng;
use mysql_async::prelude::Queryable as _;

use super::{Sketch, Stand, assert_refused, cells, insert, update};
use crate::mysql::servers;
use crate::mysql::values::samples::{Sample, documents, samples};

const ROWS: usize = 60;

fn seed() -> u64 {
    let given = std::env::var("CARTAGE_SEED");
    let seed = given.map_or_else(|_| fastrand::u64(..), |s| s.parse().unwrap());
    println!("CARTAGE_SEED={seed}");
    seed
}

fn leaked(text: String) -> &'static str {
    text.leak()
}

/// The texts of one table, written into another one of the same types, are found there: by an insert
/// and by an update, and a guard takes them for what was left.
#[tokio::test]
async fn values_come_back_as_they_were_written() {
    for server in servers() {
        let mut rng = Rng::with_seed(seed());
        let samples = samples(server.programs().flavor);
        let mut columns: Vec<String> = samples.iter().map(Sample::column).collect();
        if server.programs().flavor == Flavor::MySql {
            columns.push("j JSON NULL".into());
        }
        let names: Vec<&'static str> = columns
            .iter()
            .map(|c| leaked(c.split(' ').next().unwrap().to_owned()))
            .collect();
        let sql = ["a", "b"].map(|table| {
            format!(
                "CREATE TABLE {table} (id INT PRIMARY KEY, {}) ENGINE = InnoDB;",
                columns.join(", ")
            )
        });
        let names: &'static [&'static str] = names.leak();
        let sketch = |table| Sketch::of(table, Lock::Row, &["id"], names);
        let stand = Stand::open(
            server,
            "rows_values",
            &sql.concat(),
            vec![sketch("a"), sketch("b")],
        )
        .await;
        let json = documents(&mut rng, ROWS);
        let mut conn = server.conn(Some("rows_values")).await.unwrap();
        conn.query_drop("SET sql_mode = '', time_zone = '+00:00', NAMES utf8mb4")
            .await
            .unwrap();
        for (id, json) in json.iter().enumerate() {
            let mut row: Vec<String> = samples.iter().map(|s| s.value(&mut rng).literal).collect();
            row.resize(columns.len(), json.clone());
            let row = format!("INSERT INTO a VALUES ({id}, {})", row.join(", "));
            conn.query_drop(&row)
                .await
                .unwrap_or_else(|e| panic!("{row}: {e}"));
        }
        let keys: Vec<String> = (0..ROWS).map(|id| id.to_string()).collect();
        let asked: Vec<[&str; 1]> = keys.iter().map(|key| [key.as_str()]).collect();
        let none: Cells = vec![Cell::Missing; names.len()].into();
        let of = |cells: &dyn Fn(usize) -> Cells| -> Vec<(&[&str], Cells)> {
            let keys = asked.iter().enumerate();
            keys.map(|(at, key)| (&key[..], cells(at))).collect()
        };
        let texts = stand.find(0, &of(&|_| none.clone())).await;
        let texts: Vec<Cells> = texts
            .into_iter()
            .map(|row| writable(&stand, &row.unwrap().cells))
            .collect();
        let mut lane = stand.lane().await;
        let writes = |make: &dyn Fn(usize) -> RowOp| {
            let keys = asked.iter().enumerate();
            keys.map(|(at, key)| stand.write(1, key, make(at), None))
                .collect::<Vec<_>>()
        };
        let born = |at: usize| RowOp::Insert {
            new: texts[at].clone(),
        };
        lane.apply(writes(&born)).await.unwrap();
        let holds = async |texts: &[Cells]| {
            let found = stand.find(1, &of(&|at| texts[at].clone())).await;
            for (row, texts) in found.iter().zip(texts) {
                let row = row.as_ref().unwrap();
                for (i, cell) in texts.iter().enumerate() {
                    let there = &row.cells[i];
                    assert!(row.holds(i, cell), "{}: {cell:?}, {there:?}", columns[i]);
                }
                assert!(
                    serde_json::from_str::<serde_json::Value>(row.json.as_ref().unwrap()).is_ok()
                );
            }
        };
        holds(&texts).await;
        // Each row gets the values of the next one, if it still has its own.
        let next = |at: usize| texts[(at + 1) % ROWS].clone();
        let change = |at: usize| RowOp::Update {
            old: texts[at].clone(),
            new: next(at),
            changed: (0..names.len()).collect(),
        };
        lane.apply(writes(&change)).await.unwrap();
        let mut rotated: Vec<Cells> = (0..ROWS).map(next).collect();
        holds(&rotated).await;
        // Once more, column by column: what a server takes as an array goes as one.
        for column in 0..names.len() {
            let back = |at: usize| {
                let mut cells = rotated[at].to_vec();
                cells[column] = texts[at][column].clone();
                Cells::from(cells)
            };
            let change = |at: usize| RowOp::Update {
                old: rotated[at].clone(),
                new: back(at),
                changed: vec![column],
            };
            lane.apply(writes(&change)).await.unwrap();
            rotated = (0..ROWS).map(back).collect();
        }
        holds(&texts).await;
        let gone = |at: usize| RowOp::Delete {
            old: texts[at].clone(),
        };
        lane.apply(writes(&gone)).await.unwrap();
        assert_eq!(stand.rows("SELECT count(*) FROM b").await, [["0"]]);
    }
}

/// Without the label that none is: it is what a statement without rules has left, and nobody can
/// write it.
fn writable(stand: &Stand<'_>, cells: &[Cell]) -> Cells {
    let columns = &stand.mapping.intos[0].columns;
    let cells = cells.iter().zip(columns).map(|(cell, column)| {
        let none = column.ty.name.starts_with("enum") && cell.text() == Some("");
        if none { Cell::Null } else { cell.clone() }
    });
    cells.collect()
}

/// What the server would take for another value is refused.
#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let shop = "CREATE TABLE t (id INT PRIMARY KEY, y YEAR, s SET('a','b'), e ENUM('x','1'),
        n TINYINT UNSIGNED, d DATE, ti TIME, ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        l VARCHAR(3) CHARACTER SET latin1, b VARBINARY(2), f FLOAT) ENGINE = InnoDB";
    for server in servers() {
        let all = ["y", "s", "e", "n", "d", "ti", "ts", "l", "b", "f"];
        let sketch = Sketch::of("t", Lock::Row, &["id"], all.to_vec().leak());
        let stand = Stand::open(server, "rows_unfit", shop, vec![sketch]).await;
        let mut lane = stand.lane().await;
        let good = ["2024", "b,a", "1", "255", "0000-00-00", "-838:59:59"];
        let rest = ["2024-01-01 00:00:00+00", "é", "\\x00ff", "3.4028235e+38"];
        let good: Vec<&str> = good.into_iter().chain(rest).collect();
        let rows = ["1", "3"].map(|key| stand.write(0, &[key], insert(&good), None));
        lane.apply(rows.to_vec()).await.unwrap();
        for (column, bad) in [
            ("y", "24"),
            ("y", "2200"),
            ("s", "3"),
            ("s", "c"),
            ("e", "y"),
            ("n", "256"),
            ("n", "-1"),
            ("d", "2024-02-30"),
            ("d", "10000-01-01"),
            ("d", "infinity"),
            ("d", "0044-03-15 BC"),
            ("ti", "1 day 02:00:00"),
            ("ti", "1 mon"),
            ("ti", "839:00:00"),
            ("ts", "1960-01-01 00:00:00+00"),
            ("ts", "2200-01-01 00:00:00+00"),
            ("ts", "NULL"),
            ("l", "ж"),
            ("l", "long"),
            ("b", "\\x010203"),
            ("f", "1e+39"),
            ("f", "NaN"),
        ] {
            let at = all.iter().position(|name| *name == column).unwrap();
            let mut new = good.clone();
            new[at] = bad;
            let codes = [1048, 1264, 1265, 1292, 1366, 1406, 1525];
            let change = |key: &str| stand.write(0, &[key], update(&good, &new), None);
            for writes in [
                vec![stand.write(0, &["2"], insert(&new), None)],
                vec![change("1")],
                vec![change("1"), change("3")],
            ] {
                assert_refused(lane.apply(writes).await, &codes);
            }
        }
        let found = stand.find(0, &[(&["1"], cells(&good))]).await;
        let found = found[0].as_ref().unwrap();
        for (i, text) in good.iter().enumerate() {
            assert!(found.holds(i, &Cell::Text((*text).into())), "{}", all[i]);
        }
        assert_eq!(stand.rows("SELECT count(*) FROM t").await, [["2"]]);
    }
}

/// MySQL keeps documents in a form of its own.
#[tokio::test]
async fn a_document_is_found_whatever_its_form() {
    let shop = "CREATE TABLE t (id INT PRIMARY KEY, j JSON) ENGINE = InnoDB";
    for server in servers() {
        let sketch = Sketch::of("t", Lock::Row, &["id"], &["j"]);
        let stand = Stand::open(server, "rows_document", shop, vec![sketch]).await;
        let mut lane = stand.lane().await;
        for (id, text) in [
            r#"{"long key": 1, "b":[1.50, 2e2,  null], "a": "\u00e9\n"}"#,
            r#"{"a":1,"a":2}"#,
            r#""text""#,
            "18446744073709551616",
        ]
        .iter()
        .enumerate()
        {
            let key = [&*id.to_string()];
            lane.apply(vec![stand.write(0, &key, insert(&[text]), None)])
                .await
                .unwrap();
            let other = r#"{"a":3}"#;
            let found = stand.find(0, &[(&key, cells(&[text]))]).await;
            let found = found[0].as_ref().unwrap();
            assert!(found.holds(0, &Cell::Text((*text).into())), "{text}");
            assert!(!found.holds(0, &Cell::Text(other.into())), "{text}");
            let wrong = stand.write(0, &key, update(&[other], &[text]), None);
            super::assert_missed(lane.apply(vec![wrong]).await, 1);
            let change = stand.write(0, &key, update(&[text], &[other]), None);
            lane.apply(vec![change]).await.unwrap();
        }
    }
}

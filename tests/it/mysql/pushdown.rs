//! Conditions in the source's SQL: a row that ours accepts, or for which it fails, must be selected.

use cartage::cart::image::Cell;
use cartage::cart::layout::{Column, Layout, Table};
use cartage::catalog::TableInfo;
use cartage::mapping::expr::{Expr, Scope};
use cartage::mysql::catalog::read;
use cartage::mysql::value::of_query;
use fastrand::Rng;
use mysql_async::prelude::Queryable as _;

use super::{servers, session};
use crate::expression_oracle::rows::over;

const TABLE: &str = r"CREATE TABLE t (
        id INT PRIMARY KEY, n INT, u BIGINT UNSIGNED NOT NULL, m DECIMAL(10,2), y YEAR, b BIT(3),
        s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
        l VARCHAR(20) CHARACTER SET latin1 NOT NULL,
        e ENUM('open','Paid','é'), k SET('a','b'), d DATE NOT NULL, dt DATETIME,
        KEY (l)
    ) DEFAULT CHARSET=utf8mb4";

/// What each column may hold, as SQL.
const VALUES: &[&[&str]] = &[
    &["NULL", "0", "1", "2", "-5"],
    &["0", "1", "18446744073709551615"],
    &["NULL", "0.00", "1.00", "2.50"],
    &["NULL", "0", "2024"],
    &["NULL", "0", "1", "5"],
    &[
        "NULL", "''", "'open'", "'Open'", "'open '", "'é'", "'e'", "'o_en'", "'1'",
    ],
    &["''", "'open'", "'OPEN'", "'open '", "'é'", "'e'"],
    &["NULL", "'open'", "'Paid'", "'é'"],
    &["NULL", "''", "'a'", "'a,b'"],
    &["'0000-00-00'", "'2024-02-29'", "'2024-00-00'"],
    &["NULL", "'0000-00-00 00:00:00'", "'2024-02-29 12:00:00'"],
];

const CONDITIONS: &[&str] = &[
    "n = 1",
    "n <> 1",
    "n in (0, 2)",
    "n not in (1, null)",
    "n between 0 and 1",
    "u > 5",
    "u = 18446744073709551615",
    "m >= 1",
    "m = n",
    "m = 2.5",
    "y = 24",
    "y = 2024",
    "b = 5",
    "n is distinct from 1",
    "n is not distinct from y",
    "coalesce(n, 0) = 0",
    "coalesce(s, 'open') = 'open'",
    "s = 'open'",
    "s <> 'open'",
    "s in ('Open', 'é')",
    "s not in ('open')",
    "s = l",
    "l = 'open'",
    "l <> 'é'",
    "'e' = l",
    "s like 'o_en%'",
    "s < 'open'",
    "e = 'open'",
    "e <> 'Paid'",
    "e in ('é', 'open')",
    "k = 'a,b'",
    "d is null",
    "d is not null",
    "dt is null",
    "dt is not null",
    "d > '2024-01-01'",
    "dt < '2025-01-01'",
    "(n = 1) is not true",
    "(s = 'open') is unknown",
];

fn condition(rng: &mut Rng, depth: u32) -> String {
    if depth == 0 {
        return CONDITIONS[rng.usize(..CONDITIONS.len())].to_owned();
    }
    let (a, b) = (condition(rng, depth - 1), condition(rng, depth - 1));
    match rng.u32(..5) {
        0 | 1 => format!("({a} and {b})"),
        2 => format!("({a} or {b})"),
        3 => format!("(not ({a}))"),
        _ => format!("(({a}) is not false)"),
    }
}

fn layout(info: &TableInfo) -> Layout {
    Layout {
        tables: vec![Table {
            alias: "t".into(),
            schema: info.schema.clone(),
            name: info.name.clone(),
            columns: info.columns.iter().map(Column::from).collect(),
            key: vec![0],
            cart: Some(vec![0]),
            parent: None,
        }],
    }
}

/// Whether ours accepts the row, or fails.
fn wanted(expr: &Expr, layout: &Layout, cells: &[Cell]) -> bool {
    let values: Vec<Option<&str>> = cells.iter().map(Cell::text).collect();
    over(expr, layout, &values, |value| Ok(value.text() == Some("t"))).unwrap_or(true)
}

#[tokio::test]
async fn what_ours_accepts_is_selected() {
    let seed =
        std::env::var("CARTAGE_SEED").map_or_else(|_| fastrand::u64(..), |s| s.parse().unwrap());
    for server in servers() {
        let mut rng = Rng::with_seed(seed);
        let mut session = session(server, "pushdown", TABLE).await;
        session.conn.query_drop("SET sql_mode = ''").await.unwrap();
        for id in 0..120 {
            let values: Vec<&str> = VALUES.iter().map(|v| v[rng.usize(..v.len())]).collect();
            let sql = format!("INSERT INTO t VALUES ({id}, {})", values.join(", "));
            session.conn.query_drop(sql).await.unwrap();
        }
        let described = read(&mut session, &["t".into()]).await.unwrap();
        let columns = &described.tables[0].columns;
        let layout = layout(&described.catalog.tables[0]);
        let rows: Vec<mysql_async::Row> = session
            .conn
            .exec("SELECT * FROM t ORDER BY id", ())
            .await
            .unwrap();
        let cells = |row: &mysql_async::Row| -> Vec<Cell> {
            let cell = |(i, c)| of_query(row.as_ref(i).unwrap(), c).unwrap();
            columns.iter().enumerate().map(cell).collect()
        };
        let rows: Vec<Vec<Cell>> = rows.iter().map(cells).collect();
        let single = CONDITIONS.iter().map(|c| (*c).to_owned());
        let mixed = (0..300).map(|i| condition(&mut rng, 1 + i % 3));
        let (mut pushed, mut excluded) = (0, 0);
        for text in single.chain(mixed) {
            let scope = Scope {
                layout: &layout,
                per: 0,
            };
            let expr = Expr::compile(&text, &scope).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            let Some(sql) = expr.pushdown_to_mysql("h") else {
                continue;
            };
            pushed += 1;
            let query = format!("SELECT id FROM t h WHERE {sql}");
            let found = session.conn.query::<usize, _>(&query).await;
            let found = found.unwrap_or_else(|e| panic!("{query}: {e}"));
            excluded += rows.len() - found.len();
            for (id, row) in rows.iter().enumerate() {
                assert!(
                    found.contains(&id) || !wanted(&expr, &layout, row),
                    "{text}\n   as {sql}\n   lacks {row:?}, seed {seed}, {:?}",
                    session.server
                );
            }
        }
        assert!(
            pushed > 150 && excluded > 3000,
            "{pushed} pushed down, {excluded} excluded"
        );
    }
}

/// A plain equality finds its rows by the column's index.
#[tokio::test]
async fn an_equality_uses_the_index() {
    for server in servers() {
        let mut session = session(server, "pushdown_index", TABLE).await;
        let rows: Vec<String> = (0..500)
            .map(|i| format!("({i}, 0, 'open{i}', '2024-01-01')"))
            .collect();
        let fill = format!("INSERT INTO t (id, u, l, d) VALUES {}", rows.join(", "));
        session.conn.query_drop(fill).await.unwrap();
        let described = read(&mut session, &["t".into()]).await.unwrap();
        let layout = layout(&described.catalog.tables[0]);
        let scope = Scope {
            layout: &layout,
            per: 0,
        };
        let expr = Expr::compile("l = 'open7' and d > '2023-01-01'", &scope).unwrap();
        let sql = expr.pushdown_to_mysql("h").unwrap();
        let explain = format!("EXPLAIN FORMAT=TRADITIONAL SELECT id FROM t h WHERE {sql}");
        let explain = match session.server.flavor {
            cartage::mysql::connect::Flavor::MariaDb => explain.replace("FORMAT=TRADITIONAL ", ""),
            cartage::mysql::connect::Flavor::MySql => explain,
        };
        let row: Option<mysql_async::Row> = session.conn.query_first(explain).await.unwrap();
        let key: Option<String> = row.unwrap().get("key").unwrap();
        assert_eq!(key.as_deref(), Some("l"), "{sql}");
    }
}

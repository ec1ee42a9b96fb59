//! One random row, read by the backfill, inserted, and updated: three times the same target values,
//! and those that Postgres itself stores.

use std::collections::BTreeMap;

use fastrand::Rng;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::columns::{CONVERSIONS, CONVERTED, COPIED, Source, TYPES};
use super::pipeline::{Pipeline, literal, name, run};
use super::sessions::hostile;
use super::values::chance;
use crate::scenario::servers::{number, rows};
use crate::scenario::settled::{backfilled, settled};

const ROWS: usize = 100;
/// The same row again, under these numbers more.
const INSERTED: usize = 1_000;
const UPDATED: usize = 2_000;

/// Name, type, mapped expression, and what the server is to store.
struct Target {
    name: String,
    ty: &'static str,
    expression: &'static str,
    oracle: &'static str,
}

fn sources() -> impl Iterator<Item = &'static Source> {
    COPIED.iter().chain(CONVERTED)
}

fn targets() -> Vec<Target> {
    let copied = COPIED.iter().map(|column| Target {
        name: column.name.to_owned(),
        ty: column.ty,
        expression: column.name,
        oracle: column.name,
    });
    let converted = CONVERSIONS.iter().enumerate().map(|(n, to)| Target {
        name: format!("to_{n}"),
        ty: to.to,
        expression: to.expression,
        oracle: to.oracle.unwrap_or(to.expression),
    });
    copied.chain(converted).collect()
}

fn table(name: &str, columns: impl Iterator<Item = (String, &'static str)>) -> String {
    let columns: Vec<String> = columns
        .map(|(column, ty)| format!("{} {ty}", self::name(&column)))
        .collect();
    format!(
        "CREATE TABLE {name} (id integer PRIMARY KEY, touched integer, {});",
        columns.join(", ")
    )
}

fn mapping(targets: &[Target]) -> String {
    let mut text = "[cart]\ntable = \"goods\"\n[[into]]\ntable = \"wares\"\nper = \"goods\"\n\
                    role = \"header\"\n[into.columns]\nid = { key = \"id\" }\n\
                    touched = \"touched\"\n"
        .to_owned();
    for target in targets {
        text += &format!("{} = \"{}\"\n", target.name, target.expression);
    }
    text
}

/// `INSERT` of one random row; a fifth of its cells are null.
fn insert(id: usize, rng: &mut Rng) -> String {
    let values: Vec<String> = sources()
        .map(|column| match chance(rng, 5) {
            true => "NULL".to_owned(),
            false => literal(&(column.value)(rng)),
        })
        .collect();
    format!("INSERT INTO goods VALUES ({id}, 0, {});", values.join(", "))
}

/// All cells of a table as the types' output functions print them, by row and column.
async fn cells(client: &Client, table: &str, targets: &[Target]) -> BTreeMap<i32, Vec<String>> {
    let columns: Vec<String> = targets
        .iter()
        .map(|t| {
            format!(
                "CASE WHEN {0} IS DISTINCT FROM NULL THEN format('%s', {0}) END",
                name(&t.name)
            )
        })
        .collect();
    let sql = format!("SELECT id, {} FROM {table}", columns.join(", "));
    let messages = client.simple_query(&sql).await.unwrap();
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        })
        .map(|row| {
            let id: i32 = row.get(0).unwrap().parse().unwrap();
            let cells = (1..=targets.len())
                .map(|i| {
                    row.get(i)
                        .map_or("null".to_owned(), |text| format!("={text}"))
                })
                .collect();
            (id, cells)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn read_and_logged_rows_become_what_postgres_stores() {
    let mut rng = Rng::with_seed(super::seed());
    let targets = targets();
    let hostile = hostile();
    let columns = |of: &[Target]| -> Vec<(String, &'static str)> {
        of.iter().map(|t| (t.name.clone(), t.ty)).collect()
    };
    let old = table("goods", sources().map(|s| (s.name.to_owned(), s.ty)));
    let new = table("wares", columns(&targets).into_iter());
    let pipeline = Pipeline::create(
        "types_same_value",
        &format!("{TYPES} {old} {hostile}"),
        &format!("{TYPES} {new} {hostile}"),
        &mapping(&targets),
    )
    .await;
    let source = &pipeline.shops.source;
    for id in 0..ROWS {
        run(source, &insert(id, &mut rng), "source").await;
    }
    let mut daemon = pipeline.start();
    backfilled(&mut daemon, &pipeline.shops.target).await;

    let names: Vec<String> = sources().map(|s| name(s.name)).collect();
    let names = names.join(", ");
    for statement in [
        format!("INSERT INTO goods SELECT id + {INSERTED}, 0, {names} FROM goods"),
        format!("INSERT INTO goods SELECT id + {UPDATED}, 0 FROM goods WHERE id < {ROWS}"),
        format!(
            "UPDATE goods SET ({names}) = (SELECT {names} FROM goods AS old WHERE old.id = goods.id - {UPDATED})
             WHERE id >= {UPDATED}"
        ),
        // Nothing else changes: what is stored out of line is not in the log, and every guard
        // must know each value again.
        "UPDATE goods SET touched = 1".to_owned(),
    ] {
        run(source, &statement, "source").await;
    }
    settled(&mut daemon, &pipeline.shops).await;

    let target = &pipeline.shops.target;
    let held = rows(
        target,
        "SELECT cart, reason, message FROM cartage.held LIMIT 20",
        "held",
    )
    .await;
    assert!(held.is_empty(), "held: {held:#?}");
    assert_eq!(
        number(target, "SELECT count(*) FROM cartage.conflict").await,
        0
    );
    let untouched = "SELECT count(*) FROM wares WHERE touched IS DISTINCT FROM 1";
    assert_eq!(number(target, untouched).await, 0);

    let oracles: Vec<&str> = targets.iter().map(|t| t.oracle).collect();
    let stored = format!(
        "{} INSERT INTO expected SELECT id, 0, {} FROM goods WHERE id < {ROWS}",
        table("expected", columns(&targets).into_iter()).replacen("TABLE", "TEMP TABLE", 1),
        oracles.join(", ")
    );
    run(source, &stored, "source").await;
    let expected = cells(source, "expected", &targets).await;
    let given = cells(target, "wares", &targets).await;
    assert_eq!(given.len(), 3 * ROWS);
    let mut differences = Vec::new();
    for (id, expected) in &expected {
        for (way, plus) in [("read", 0), ("inserted", INSERTED), ("updated", UPDATED)] {
            let given = &given[&(id + i32::try_from(plus).unwrap())];
            for ((column, expected), given) in targets.iter().zip(expected).zip(given) {
                if expected != given {
                    let short = |text: &str| text.chars().take(120).collect::<String>();
                    differences.push(format!(
                        "{} -> {} {way}: {:?}, Postgres {:?}",
                        column.expression,
                        column.ty,
                        short(given),
                        short(expected)
                    ));
                }
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} differ\n{}",
        differences.len(),
        differences.join("\n")
    );
    pipeline.assert_verified(3 * ROWS);
    daemon.stop().await;
}

//! A table of random rows, at the server and as images, and the value of an expression over each.

use std::sync::Arc;

use cartage::cart::image::{Cell, Image, Life, Row};
use cartage::cart::layout::{Column, Layout, Table};
use cartage::mapping::expr::{Env, EvalError, Expr, Scope, Shaped, Unknown, Value, ValueMap};
use cartage::sqltype::{Class, SqlType};
use chrono_tz::Tz;
use fastrand::Rng;
use tokio_postgres::Client;

use super::generator::{COLUMNS, Generator};
use super::{Given, agree, ask, judge, quoted};

pub const ROWS: usize = 60;

/// The values of the columns, row by row.
pub type Rows = Vec<Vec<Option<&'static str>>>;

/// Compares `count` expressions; returns how many had a value on both sides.
pub async fn run(client: &Client, seed: u64, count: usize) -> usize {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
    };
    let rows = fill(client, &mut generator).await;
    let layout = layout();
    let mut differences = Vec::new();
    let mut values = 0;
    let version = ask(client, "SELECT current_setting('server_version_num')").await;
    let younger = version.unwrap().unwrap().parse::<u32>().unwrap() >= 180_000;
    for _ in 0..count {
        let depth = generator.rng.u32(1..4);
        let text = generator.any(depth);
        let at = generator.rng.usize(..ROWS);
        // The offset keeps the planner from looking into the row.
        let sql = format!("SELECT {text} FROM (SELECT * FROM r WHERE id = {at} OFFSET 0) r");
        let theirs = ask(client, &sql).await;
        let ours = evaluate(&text, &layout, &rows[at]);
        if agree(&ours, &theirs) || younger && of_18(&text) {
            values += usize::from(ours.is_ok());
            continue;
        }
        differences.push(format!(
            "{text}\n   row {:?}\n   ours   {ours:?}\n   theirs {theirs:?}",
            used(&text, &rows[at])
        ));
    }
    judge(seed, &differences);
    values
}

/// What Postgres 18 has changed: it counts the quarters of an interval below zero from zero down, and
/// intervals have weeks. Ours is the rule of the versions before, wherever the source runs.
fn of_18(text: &str) -> bool {
    ["extract(quarter from", "extract(week from"]
        .iter()
        .any(|changed| text.contains(changed))
}

/// Shifts moments over both changes of a clock, and takes them apart.
pub async fn in_zone(client: &Client, zone: Tz) {
    let layout = layout();
    let mut differences = Vec::new();
    for start in [
        "2024-03-30 01:30:00+00",
        "2024-10-26 00:30:00+00",
        "2024-10-27 00:30:00+00",
    ] {
        let start = format!("timestamptz '{start}'");
        let mut texts = Vec::new();
        for span in [
            "1 day",
            "24 hours",
            "1 mon",
            "-1 mon -1 day 1 hour",
            "1 year -3 hours",
        ] {
            texts.push(format!("({start} + interval '{span}') at time zone 'UTC'"));
            texts.push(format!("({start} - interval '{span}') at time zone 'UTC'"));
        }
        texts.push(format!("extract(hour from {start})"));
        texts.push(format!("extract(epoch from {start})"));
        for text in texts {
            let theirs = ask(client, &format!("SELECT {text}")).await;
            let env = |expr: Expr| {
                let row = Row {
                    cells: std::sync::Arc::new([]),
                    stamp: 0,
                };
                let image = Image::empty(&layout);
                let env = Env {
                    layout: &layout,
                    image: &image,
                    row: &row,
                    stamp: 0,
                    secret: &cartage::mapping::expr::IdKey::of(b"secret"),
                    time_zone: zone,
                };
                let value = expr.evaluate(&env).map_err(|e| e.to_string())?;
                Ok(value.text().map(str::to_owned))
            };
            let ours = compile(&text, &layout).and_then(env);
            if ours.is_err() || !agree(&ours, &theirs) {
                differences.push(format!("{text}\n   ours   {ours:?}\n   theirs {theirs:?}"));
            }
        }
    }
    judge(0, &differences);
}

/// Makes the table `r` of random rows, numbered by `id`.
pub async fn fill(client: &Client, generator: &mut Generator) -> Rows {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, ty, _)| format!("{name} {ty}"))
        .collect();
    let mut sql = format!(
        "DROP TABLE IF EXISTS r; CREATE TEMP TABLE r (id integer, {});",
        columns.join(", ")
    );
    let mut rows = Vec::new();
    for id in 0..ROWS {
        let row: Vec<Option<&str>> = COLUMNS
            .iter()
            .map(|(_, _, values)| match generator.rng.u32(..6) {
                0 if values.len() > 1 => None,
                _ => Some(generator.pick(values)),
            })
            .collect();
        let values: Vec<String> = row
            .iter()
            .map(|v| v.map_or_else(|| "NULL".to_owned(), quoted))
            .collect();
        sql.push_str(&format!(
            "INSERT INTO r VALUES ({id}, {});",
            values.join(", ")
        ));
        rows.push(row);
    }
    client.batch_execute(&sql).await.unwrap();
    rows
}

/// The table `r`, as the catalog would tell of it.
pub fn layout() -> Layout {
    let columns = COLUMNS
        .iter()
        .map(|(name, ty, _)| Column {
            name: (*name).into(),
            ty: match *ty {
                "mood" => mood(),
                "text COLLATE loose" => SqlType::of(Class::Text),
                ty => SqlType::parse(ty),
            },
            not_null: false,
            bytewise: !matches!(*ty, "text COLLATE loose" | "citext"),
        })
        .collect();
    Layout {
        tables: vec![Table {
            alias: "r".into(),
            schema: "public".into(),
            name: "r".into(),
            columns,
            key: vec![1],
            cart: Some(vec![1]),
            parent: None,
        }],
    }
}

pub fn mood() -> SqlType {
    SqlType::enumeration("mood", ["sad", "ok", "happy"].map(String::from).to_vec())
}

/// Those of a row's values that an expression names.
pub fn used(text: &str, row: &[Option<&'static str>]) -> Vec<(&'static str, Option<&'static str>)> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    COLUMNS
        .iter()
        .zip(row)
        .filter(|((name, ..), _)| words.contains(name))
        .map(|((name, ..), v)| (*name, *v))
        .collect()
}

/// What the server's `grade` and `level` know.
fn maps() -> [Arc<ValueMap>; 2] {
    let map = |name, class, values: &[(&str, &str)], unknown| {
        let values: Vec<(String, String)> = values
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
            .collect();
        Arc::new(ValueMap::new(name, class, &values, &unknown))
    };
    let grades = [("abc", "A"), ("", "none"), ("lit", "L"), ("3", "")];
    let levels = [("0", "7"), ("3", "-30"), ("true", "1")];
    [
        map("grade", Class::Text, &grades, Unknown::Null),
        map("level", Class::Int4, &levels, Unknown::Hold),
    ]
}

pub fn compile(text: &str, layout: &Layout) -> Result<Expr, String> {
    Expr::compile_with(text, &Scope { layout, per: 0 }, Shaped::default(), &maps()).map_err(
        |errors| {
            let messages: Vec<String> = errors.into_iter().map(|e| e.message).collect();
            messages.join("; ")
        },
    )
}

/// The value over a row, as `read` takes it.
pub fn over<T>(
    expr: &Expr,
    layout: &Layout,
    values: &[Option<&str>],
    read: impl FnOnce(Value<'_>) -> Result<T, EvalError>,
) -> Result<T, String> {
    let cells = values
        .iter()
        .map(|v| v.map_or(Cell::Null, |v| Cell::Text(v.into())))
        .collect();
    let row = Row { cells, stamp: 0 };
    let image = Image {
        answers: Default::default(),
        life: Life::Live,
        tables: vec![vec![row.clone()]].into(),
        moments: Vec::new(),
        ghosts: Vec::new(),
    };
    let env = Env {
        layout,
        image: &image,
        row: &row,
        stamp: 0,
        secret: &cartage::mapping::expr::IdKey::of(b"secret"),
        time_zone: Tz::UTC,
    };
    expr.evaluate(&env)
        .and_then(read)
        .map_err(|e| e.to_string())
}

fn evaluate(text: &str, layout: &Layout, values: &[Option<&str>]) -> Given {
    let expr = compile(text, layout)?;
    over(&expr, layout, values, |v| Ok(v.text().map(str::to_owned)))
}

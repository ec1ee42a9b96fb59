//! Aggregates over the rows of a cart: images on our side, correlated subqueries on the server's.

use cartage::cart::image::{Cell, Image, Life, Row};
use cartage::cart::layout::{Column, Layout, Table};
use cartage::mapping::expr::{Env, Expr, Scope};
use cartage::sqltype::SqlType;
use chrono_tz::Tz;
use fastrand::Rng;
use tokio_postgres::Client;

use super::{Given, agree, ask, judge, quoted};

const TABLES: [(&str, &[(&str, &str)]); 3] = [
    (
        "head",
        &[("id", "integer"), ("note", "text"), ("rate", "numeric")],
    ),
    (
        "line",
        &[
            ("id", "integer"),
            ("head_id", "integer"),
            ("qty", "integer"),
            ("price", "numeric"),
            ("sku", "text"),
            ("gift", "boolean"),
        ],
    ),
    (
        "detail",
        &[
            ("id", "integer"),
            ("line_id", "integer"),
            ("code", "text"),
            ("worth", "bigint"),
        ],
    ),
];

/// Values of the columns after the first, which counts.
fn value(rng: &mut Rng, column: &str) -> Option<String> {
    const WORDS: [&str; 4] = ["red", "Blue", "a,b", ""];
    match column {
        "head_id" => return Some("1".into()),
        "line_id" => return Some(rng.i32(1..7).to_string()),
        _ => {}
    }
    (rng.u32(..5) > 0).then(|| match column {
        "note" | "sku" | "code" => WORDS[rng.usize(..WORDS.len())].into(),
        "rate" | "price" => format!("{}.{:02}", rng.i32(0..40), rng.u32(..100)),
        "gift" => if rng.bool() { "t" } else { "f" }.into(),
        "worth" => rng.i64(-5..1_000_000_000_000).to_string(),
        _ => rng.i32(-2..5).to_string(),
    })
}

fn layout() -> Layout {
    let parents = [None, Some((0, vec![1])), Some((1, vec![1]))];
    let tables = TABLES
        .iter()
        .zip(parents)
        .map(|((name, columns), parent)| Table {
            alias: (*name).into(),
            schema: "public".into(),
            name: (*name).into(),
            columns: columns
                .iter()
                .map(|(name, ty)| Column {
                    name: (*name).into(),
                    ty: SqlType::parse(ty),
                    not_null: *name == "id",
                    bytewise: false,
                })
                .collect(),
            key: vec![0],
            cart: None,
            parent,
        });
    Layout {
        tables: tables.collect(),
    }
}

async fn fill(client: &Client, rng: &mut Rng, layout: &Layout) -> Image {
    let mut image = Image::empty(layout);
    image.life = Life::Live;
    let mut sql = String::new();
    for (at, (table, columns)) in TABLES.iter().enumerate() {
        let defined: Vec<String> = columns.iter().map(|(n, t)| format!("{n} {t}")).collect();
        sql.push_str(&format!(
            "DROP TABLE IF EXISTS {table}; CREATE TEMP TABLE {table} ({});",
            defined.join(", ")
        ));
        let count = [1, rng.usize(0..7), rng.usize(0..15)][at];
        for id in 1..=count {
            let mut values = vec![Some(id.to_string())];
            values.extend(columns.iter().skip(1).map(|(name, _)| value(rng, name)));
            let quoted: Vec<String> = values
                .iter()
                .map(|v| v.as_deref().map_or("NULL".into(), quoted))
                .collect();
            sql.push_str(&format!(
                "INSERT INTO {table} VALUES ({});",
                quoted.join(", ")
            ));
            let cells = values
                .into_iter()
                .map(|v| v.map_or(Cell::Null, |v| Cell::Text(v.into())))
                .collect();
            image.put(layout, at, Row { cells, stamp: 0 });
        }
    }
    client.batch_execute(&sql).await.unwrap();
    image
}

/// An aggregate over `line` or `detail`, and the same as a subquery.
fn aggregate(rng: &mut Rng, per: usize) -> (String, String) {
    let of = if per == 0 { 1 + rng.usize(..2) } else { 2 };
    let (table, number, text) = [("line", "qty", "sku"), ("detail", "worth", "code")][of - 1];
    let whole = if of == 1 && rng.bool() {
        "price"
    } else {
        number
    };
    let (n, t) = (format!("{table}.{whole}"), format!("{table}.{text}"));
    let order = match rng.u32(..3) {
        0 => format!("order by {table}.id"),
        1 => format!("order by {table}.id desc"),
        _ => format!("order by {n} desc, {table}.id"),
    };
    let filter = match rng.u32(..3) {
        0 => format!("{n} > 1"),
        1 => format!("{t} is not null and {t} <> ''"),
        _ => "true".to_owned(),
    };
    let on = if per == 0 {
        "true"
    } else {
        "detail.line_id = line.id"
    };
    if rng.u32(..8) == 0 {
        return (
            format!("exists({table}.*) filter (where {filter})"),
            format!("EXISTS (SELECT FROM {table} WHERE {on} AND ({filter}))"),
        );
    }
    let first = rng.u32(..8) == 0;
    let call = match rng.u32(..9) {
        0 => format!("count({n})"),
        1 => format!("count({table}.*)"),
        2 => format!("sum({n})"),
        3 => format!("min({n})"),
        4 => format!("max({n} + 1)"),
        5 => format!("string_agg({t}, '-' {order})"),
        6 => format!("json_agg({n} {order})"),
        7 => format!("json_object_agg({table}.id, {t} {order})"),
        _ => format!("bool_or({n} > 2)"),
    };
    let ours = if first {
        format!("first({t} {order})")
    } else {
        call.clone()
    };
    let theirs = if first {
        format!("array_agg({t} {order})")
    } else {
        call
    };
    let index = if first { "[1]" } else { "" };
    (
        format!("{ours} filter (where {filter})"),
        format!("(SELECT {theirs} filter (where {filter}) FROM {table} WHERE {on}){index}"),
    )
}

/// An expression around one or two of them.
fn expression(rng: &mut Rng, per: usize) -> (String, String) {
    let (a, b) = (aggregate(rng, per), aggregate(rng, per));
    let row = if per == 0 { "note" } else { "sku" };
    match rng.u32(..4) {
        0 => (
            format!("coalesce(cast({} as text), 'none') || {row}", a.0),
            format!("coalesce(cast({} as text), 'none') || {row}", a.1),
        ),
        1 => (
            format!("json_build_object('a', {}, 'b', {})", a.0, b.0),
            format!("json_build_object('a', {}, 'b', {})", a.1, b.1),
        ),
        2 => (
            format!(
                "case when {} is null then 'x' else cast({} as text) end",
                a.0, b.0
            ),
            format!(
                "case when {} is null then 'x' else cast({} as text) end",
                a.1, b.1
            ),
        ),
        _ => a,
    }
}

pub async fn run(client: &Client, seed: u64, count: usize) {
    let mut rng = Rng::with_seed(seed);
    let layout = layout();
    let mut differences = Vec::new();
    let mut image = Image::empty(&layout);
    for round in 0..count {
        if round % 20 == 0 {
            image = fill(client, &mut rng, &layout).await;
        }
        let per = rng.usize(..2);
        let Some(row) = image.tables[per].first() else {
            continue;
        };
        let (text, sql) = expression(&mut rng, per);
        let id = row.cells[0].text().unwrap_or_default();
        let sql = format!("SELECT {sql} FROM {} WHERE id = {id}", TABLES[per].0);
        let theirs = ask(client, &sql).await;
        let ours = evaluate(&text, &layout, per, &image, row);
        if !agree(&ours, &theirs) || ours.is_err() {
            differences.push(format!(
                "{text}\n   {sql}\n   ours   {ours:?}\n   theirs {theirs:?}"
            ));
        }
    }
    judge(seed, &differences);
}

fn evaluate(text: &str, layout: &Layout, per: usize, image: &Image, row: &Row) -> Given {
    let expr = Expr::compile(text, &Scope { layout, per }).map_err(|errors| {
        let messages: Vec<String> = errors.into_iter().map(|e| e.message).collect();
        messages.join("; ")
    })?;
    let env = Env {
        layout,
        image,
        row,
        stamp: 0,
        secret: &cartage::mapping::expr::IdKey::of(b"secret"),
        time_zone: Tz::UTC,
    };
    let value = expr.evaluate(&env).map_err(|e| e.to_string())?;
    Ok(value.text().map(str::to_owned))
}

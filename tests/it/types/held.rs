//! A value that does not fit holds its cart, with the column's name; it is never cut, and nobody else
//! waits for it.

use std::time::{Duration, Instant};

use super::columns::TYPES;
use super::pipeline::{Pipeline, literal, run};
use crate::scenario::servers::{number, rows};
use crate::scenario::settled::{backfilled, settled};

/// Column of the old shop, its type, the type in the new shop, a value that fits and one that does
/// not.
const NARROWED: &[(&str, &str, &str, &str, Option<&str>)] = &[
    ("shortened", "text", "varchar(5)", "fünf!", Some("sechs!")),
    ("fixed", "text", "char(4)", "vier", Some("fünf!")),
    (
        "coded",
        "text",
        "\"Types\".code",
        "12345678",
        Some("123456789"),
    ),
    ("small", "integer", "smallint", "32767", Some("32768")),
    (
        "whole",
        "numeric",
        "integer",
        "2147483647.4",
        Some("2147483647.5"),
    ),
    (
        "cents",
        "numeric",
        "numeric(10,2)",
        "99999999.994",
        Some("99999999.995"),
    ),
    (
        "endless",
        "numeric",
        "numeric(10,2)",
        "NaN",
        Some("Infinity"),
    ),
    ("counted", "numeric", "integer", "7", Some("NaN")),
    ("floated", "double precision", "real", "1e38", Some("1e39")),
    ("tiny", "double precision", "real", "1e-45", Some("1e-46")),
    (
        "priced",
        "numeric",
        "\"Types\".price",
        "-1",
        Some("-99999999.99"),
    ),
    ("needed", "text", "text NOT NULL", "", None),
    (
        "labelled",
        "text",
        "\"Types\".\"Mood\"",
        "calm",
        Some("furious"),
    ),
    ("document", "text", "jsonb", "{\"a\": 1}", Some("{a: 1}")),
    ("zero", "json", "jsonb", "\"\\u0001\"", Some("\"\\u0000\"")),
    (
        "identified",
        "text",
        "uuid",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        Some("a0eebc99"),
    ),
    ("bits", "bit varying", "bit(3)", "101", Some("1011")),
    (
        "some_bits",
        "bit varying",
        "bit varying(3)",
        "1",
        Some("1011"),
    ),
    (
        "flags",
        "bit varying",
        "\"Types\".flags",
        "10101",
        Some("101011"),
    ),
    (
        "list",
        "text[]",
        "varchar(3)[]",
        "{abc}",
        Some("{abc,abcd}"),
    ),
    (
        "numbers",
        "bigint[]",
        "integer[]",
        "{2147483647}",
        Some("{2147483648}"),
    ),
    ("address", "text", "inet", "10.0.0.1", Some("10.0.0.256")),
    (
        "future",
        "date",
        "timestamp",
        "9999-12-31",
        Some("5874897-12-31"),
    ),
    (
        "hour",
        "timestamp",
        "time",
        "2024-01-01 12:00",
        Some("infinity"),
    ),
];

const DEADLINE: Duration = Duration::from_secs(30);

/// An `INSERT` of a cart in which only the value in `bad` does not fit.
fn insert(id: usize, bad: Option<usize>) -> String {
    let values: Vec<String> = (0..NARROWED.len())
        .map(|n| value(n, Some(n) == bad))
        .collect();
    format!("INSERT INTO goods VALUES ({id}, {});", values.join(", "))
}

fn value(column: usize, bad: bool) -> String {
    let (.., good, wrong) = NARROWED[column];
    match (bad, wrong) {
        (false, _) => literal(good),
        (true, Some(wrong)) => literal(wrong),
        (true, None) => "NULL".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_holds_one_cart() {
    let columns = |ty: fn(usize) -> &'static str| -> String {
        (0..NARROWED.len())
            .map(|n| format!(", {} {}", NARROWED[n].0, ty(n)))
            .collect()
    };
    let old = format!(
        "CREATE TABLE goods (id integer PRIMARY KEY{});",
        columns(|n| NARROWED[n].1)
    );
    let new = format!(
        "CREATE TABLE wares (id integer PRIMARY KEY{});",
        columns(|n| NARROWED[n].2)
    );
    let mut mapping = "[cart]\ntable = \"goods\"\n[[into]]\ntable = \"wares\"\nper = \"goods\"\n\
                       role = \"header\"\n[into.columns]\nid = { key = \"id\" }\n"
        .to_owned();
    for (name, ..) in NARROWED {
        mapping += &format!("{name} = \"{name}\"\n");
    }
    let pipeline = Pipeline::create(
        "types_held",
        &format!("{TYPES} {old}"),
        &format!("{TYPES} {new}"),
        &mapping,
    )
    .await;
    let (source, target) = (&pipeline.shops.source, &pipeline.shops.target);
    // Carts 0.. are read, 100.. inserted, 200.. updated; the last of each is good.
    let count = NARROWED.len();
    for bad in (0..count).map(Some).chain([None]) {
        run(source, &insert(bad.unwrap_or(count), bad), "source").await;
    }
    for id in 0..=count {
        run(source, &insert(200 + id, None), "source").await;
    }
    let mut daemon = pipeline.start();
    backfilled(&mut daemon, target).await;
    for bad in (0..count).map(Some).chain([None]) {
        run(source, &insert(100 + bad.unwrap_or(count), bad), "source").await;
    }
    for (n, (column, ..)) in NARROWED.iter().enumerate() {
        let update = format!(
            "UPDATE goods SET {column} = {} WHERE id = {}",
            value(n, true),
            200 + n
        );
        run(source, &update, "source").await;
    }
    settled(&mut daemon, &pipeline.shops).await;

    let held = rows(target, "SELECT cart, message FROM cartage.held", "held").await;
    let mut expected = 0;
    for (n, (column, ..)) in NARROWED.iter().enumerate() {
        for id in [n, 100 + n, 200 + n] {
            let found = held.iter().find(|row| row.starts_with(&format!("{id} | ")));
            let found =
                found.unwrap_or_else(|| panic!("cart {id} ({column}) is not held: {held:#?}"));
            assert!(
                found.contains(column) || found.contains("constraint price_check"),
                "no word of {column} in {found}"
            );
            // The reason is told without the value.
            let wrong = NARROWED[n].4.filter(|wrong| wrong.len() > 4);
            assert!(wrong.is_none_or(|wrong| !found.contains(wrong)), "{found}");
            expected += 1;
        }
    }
    assert_eq!(held.len(), expected, "{held:#?}");
    // Nothing of the carts that are held came through, nothing of the others is missing.
    let ids = "SELECT string_agg(id::text, ',' ORDER BY id) FROM wares";
    let there: String = target.query_one(ids, &[]).await.unwrap().get(0);
    let all: Vec<String> = [count, 100 + count]
        .into_iter()
        .chain(200..=200 + count)
        .map(|i| i.to_string())
        .collect();
    assert_eq!(there, all.join(","));
    let distinct = format!(
        "SELECT count(DISTINCT ({})::text) FROM wares",
        NARROWED
            .iter()
            .map(|(name, ..)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    );
    assert_eq!(
        number(target, &distinct).await,
        1,
        "an update came through in part"
    );

    for (n, (column, ..)) in NARROWED.iter().enumerate() {
        let mend = format!("UPDATE goods SET {column} = {}", value(n, false));
        run(source, &mend, "source").await;
    }
    let begun = Instant::now();
    loop {
        settled(&mut daemon, &pipeline.shops).await;
        let held = number(target, "SELECT count(*) FROM cartage.held").await;
        if held == 0 {
            break;
        }
        assert!(
            begun.elapsed() < DEADLINE,
            "{held} carts are still held\n{}",
            daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(number(target, &distinct).await, 1);
    pipeline.assert_verified(3 * (count + 1));
    daemon.stop().await;
}

/// Evidence of a conflict is kept as jsonb, which does not take all that json does.
#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_over_json_with_a_zero_character_is_recorded() {
    let table = "CREATE TABLE goods (id integer PRIMARY KEY, n integer, document json);";
    let mapping = "[cart]\ntable = \"goods\"\n[[into]]\ntable = \"goods\"\nper = \"goods\"\n\
                   role = \"header\"\n[into.columns]\nid = { key = \"id\" }\nn = \"n\"\n\
                   document = \"document\"\n";
    let pipeline = Pipeline::create("types_json_zero", table, table, mapping).await;
    let (source, target) = (&pipeline.shops.source, &pipeline.shops.target);
    run(
        source,
        r#"INSERT INTO goods VALUES (1, 1, '{"a": "\u0000"}'), (2, 1, '{}')"#,
        "source",
    )
    .await;
    let mut daemon = pipeline.start();
    backfilled(&mut daemon, target).await;
    run(target, "UPDATE goods SET n = 7 WHERE id = 1", "target").await;
    run(source, "UPDATE goods SET n = 2", "source").await;
    settled(&mut daemon, &pipeline.shops).await;
    let kinds = rows(target, "SELECT cart, kind FROM cartage.conflict", "kinds").await;
    assert_eq!(kinds, ["1 | merged"]);
    let theirs = rows(target, "SELECT theirs FROM cartage.conflict", "theirs")
        .await
        .join("");
    assert!(theirs.contains("\\\\u0000"), "{theirs}");
    // What the source changed last goes before what the new backend changed without a time.
    let merged = rows(target, "SELECT id, n FROM goods", "goods").await;
    assert_eq!(merged, ["1 | 2", "2 | 2"]);
    daemon.stop().await;
}

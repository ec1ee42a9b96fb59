//! What a value becomes in a column: real columns are written and read back.

use cartage::mapping::expr::{bind, canonical};
use cartage::sqltype::{Class, SqlType};
use chrono_tz::Tz;
use fastrand::Rng;
use tokio_postgres::Client;

use super::generator::Generator;
use super::{agree, ask, judge, quoted, rows};

const TYPES: &[&str] = &[
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "numeric(10,2)",
    "numeric(5,0)",
    "amount",
    "real",
    "double precision",
    "text",
    "character varying(5)",
    "character(4)",
    "citext",
    "bytea",
    "date",
    "time without time zone",
    "time(0) without time zone",
    "interval",
    "interval(2)",
    "timestamp without time zone",
    "timestamp(0) without time zone",
    "timestamp(3) with time zone",
    "uuid",
    "json",
    "jsonb",
    "mood",
];

fn sql_type(name: &str) -> SqlType {
    match name {
        "mood" => rows::mood(),
        "amount" => SqlType::domain("amount", SqlType::parse("numeric(8,3)")),
        name => SqlType::parse(name),
    }
}

async fn table(client: &Client) {
    let columns: Vec<String> = TYPES
        .iter()
        .enumerate()
        .map(|(i, ty)| format!("c{i} {ty}"))
        .collect();
    let sql = format!(
        "DROP TABLE IF EXISTS f; CREATE TEMP TABLE f ({})",
        columns.join(", ")
    );
    client.batch_execute(&sql).await.unwrap();
}

/// `count` values of expressions.
pub async fn bound(client: &Client, seed: u64, count: usize) {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
    };
    table(client).await;
    let all = rows::fill(client, &mut generator).await;
    let layout = rows::layout();
    let mut differences = Vec::new();
    for _ in 0..count {
        let text = generator.any(1);
        let Ok(expr) = rows::compile(&text, &layout) else {
            continue;
        };
        let (at, column) = (
            generator.rng.usize(..rows::ROWS),
            generator.rng.usize(..TYPES.len()),
        );
        let ty = sql_type(TYPES[column]);
        // Texts are sent to columns of these types as what they would be there.
        let read_as = match (expr.ty(), ty.class) {
            (Class::Text | Class::Char, Class::Uuid | Class::Json | Class::Jsonb | Class::Enum)
            | (Class::Jsonb, Class::Json)
            | (Class::Json, Class::Jsonb) => format!("::text::{}", ty.name),
            _ => String::new(),
        };
        let sql = format!(
            "INSERT INTO f (c{column}) SELECT ({text}){read_as} FROM r WHERE id = {at} RETURNING c{column}"
        );
        let theirs = ask(client, &sql).await;
        let ours = rows::over(&expr, &layout, &all[at], |value| {
            Ok(bind(&value, &ty, Tz::UTC)?.map(String::from))
        });
        // A null can be written whatever its class; the class itself is judged at load.
        let null = ours == Ok(None) && theirs.is_err();
        if !null && !agree(&ours, &theirs) {
            differences.push(format!(
                "{text} into {}\n   row {:?}\n   ours   {ours:?}\n   theirs {theirs:?}",
                ty.name,
                rows::used(&text, &all[at])
            ));
        }
    }
    judge(seed, &differences);
}

/// Texts as they may stand in a column of another server's.
pub async fn canonical_forms(client: &Client) {
    const TEXTS: &[&str] = &[
        "0",
        "-0",
        "007",
        " 12 ",
        "1.50",
        "-1.005",
        "99999999.995",
        "1e3",
        "1E-7",
        "NaN",
        "Infinity",
        "-inf",
        "t",
        "true",
        "off",
        "yes",
        "1",
        "2147483648",
        "32768",
        "abc",
        "abcdef",
        "ab   ",
        "",
        "\\x00FF",
        "2024-02-29",
        "2023-02-29",
        "2024-02-29 12:34:56.7895",
        "2024-02-29T12:34:56Z",
        "2024-02-29 12:34:56.5+05:30",
        "2024-06-01 00:00:00 europe/berlin",
        "12:34",
        "1 day",
        "@ 1 year 2 mons ago",
        "1 year 1.5 months 1.75 weeks",
        "-1 day +2:03:04.005",
        "1 day 2:03",
        "3 04:05:06",
        "04:05.6",
        "30",
        "1.5",
        ".5 days",
        "- 2 h 3 m",
        "1d2h3min4s5ms6us",
        "1-2",
        "-1-2 3",
        "1-12",
        "1 day 1 day",
        "1 day 1:00 1 hour",
        "1.1 years",
        "0.05 years",
        "1 decade 2 centuries 1 millennium",
        "0.3 months",
        "P1Y2M3W4DT5H6M7.8S",
        "P1.5Y-2M",
        "PT-1.25H",
        "P",
        "1 fortnight",
        "1.0000005 s",
        "00:00:00.0000005",
        "2147483648 days",
        "-2147483648 days",
        "1d2h3m4s",
        "1 day-2",
        "1 mon+2 days",
        "999999999999 hours",
        "1 y 2",
        "1 2",
        "+1 mon",
        "23:59:59.6",
        "24:00:00",
        "infinity",
        "0001-01-01 00:00:00 BC",
        "{\"b\": 1, \"a\": [1.0, null]}",
        "[]",
        "\"x\"",
        "null",
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "{a0eebc999c0b4ef8bb6d6bb9bd380a11}",
        "sad",
        "mad",
        "1e23",
        "9007199254740993",
        "0.1e-320",
        "1e400",
    ];
    table(client).await;
    let version = ask(client, "SHOW server_version_num")
        .await
        .unwrap()
        .unwrap();
    let endless = version.as_str() >= "170000";
    // What ours does too: fractions of a year are rounded to months, and seconds have 64 bits.
    let exact = version.as_str() >= "150000";
    const INEXACT: &[&str] = &["0.05 years", "2147483648"];
    let mut differences = Vec::new();
    for (column, name) in TYPES.iter().enumerate() {
        let ty = sql_type(name);
        for text in TEXTS {
            // Infinite intervals came with 17.
            if !endless && ty.class == Class::Interval && text.to_lowercase().contains("inf") {
                continue;
            }
            if !exact && ty.class == Class::Interval && INEXACT.contains(text) {
                continue;
            }
            let sql = format!(
                "INSERT INTO f (c{column}) VALUES ({}) RETURNING c{column}",
                quoted(text)
            );
            let theirs = ask(client, &sql).await;
            let ours = canonical(text, &ty)
                .map(|t| Some(t.into()))
                .map_err(|e| e.to_string());
            if !agree(&ours, &theirs) {
                differences.push(format!(
                    "{text:?} as {name}\n   ours   {ours:?}\n   theirs {theirs:?}"
                ));
            }
        }
    }
    judge(0, &differences);
}

/// Floats of random bits, and those near powers of ten.
pub async fn floats(client: &Client, seed: u64, count: usize) {
    let mut rng = Rng::with_seed(seed);
    let mut values: Vec<f64> = (0..count).map(|_| f64::from_bits(rng.u64(..))).collect();
    values.extend((0..count).map(|_| rng.f64() * 10f64.powi(rng.i32(-6..25))));
    for power in -30..40 {
        let ten: f64 = format!("1e{power}").parse().unwrap();
        values.extend([ten, ten.next_up(), ten.next_down(), ten * 9.0]);
    }
    // Even multiples of large powers of two: middles of two floats are short there.
    values.extend((0..count).map(|_| {
        (rng.u64(1..1 << 20) as f64) * 5f64.powi(rng.i32(10..22)) * 2f64.powi(rng.i32(0..60))
    }));
    values.retain(|v| v.is_finite());
    let mut differences = Vec::new();
    for chunk in values.chunks(100) {
        for (name, width) in [("double precision", 8), ("real", 4)] {
            let ty = SqlType::parse(name);
            let texts: Vec<String> = chunk
                .iter()
                .map(|v| match width {
                    8 => format!("{v:.20e}"),
                    _ => format!("{:.20e}", *v as f32),
                })
                .filter(|t| !t.contains("inf"))
                .filter(|t| canonical(t, &ty).is_ok())
                .collect();
            if texts.is_empty() {
                continue;
            }
            let sql = format!(
                "SELECT string_agg(v::{name}::text, ' ') FROM unnest('{{{}}}'::text[]) v",
                texts.join(",")
            );
            let theirs = ask(client, &sql).await.unwrap().unwrap();
            for (text, theirs) in texts.iter().zip(theirs.split(' ')) {
                let ours = canonical(text, &ty).unwrap();
                if &*ours != theirs {
                    differences.push(format!("{text} as {name}: ours {ours} theirs {theirs}"));
                }
            }
        }
    }
    judge(seed, &differences);
}

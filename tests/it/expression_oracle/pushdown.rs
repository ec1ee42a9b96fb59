//! Conditions in the source's SQL: a row that ours accepts must be selected, and none may fail.

use cartage::cart::layout::{Column, Layout, Table};
use cartage::mapping::expr::TargetCondition;
use cartage::sqltype::SqlType;
use fastrand::Rng;
use tokio_postgres::Client;

use super::generator::Generator;
use super::{Given, ask, judge, rows};

const CONDITIONS: &[&str] = &[
    "#c = #c",
    "#c <> #c",
    "#c is distinct from #c",
    "#c in ('abc', #c)",
    "#c not in ('abc', 'x')",
    "#c like 'a%'",
    "#c not like '%b%'",
    "#c is null",
    "nullif(#c, 'abc') is null",
    "coalesce(#c, 'abc') = 'abc'",
    "#c < 'b'",
    "case #c when 'abc' then o else not o end",
    "i > s",
    "n = m",
    "f = i",
    "d = ts",
    "ts < tz",
    "ts = '2024-02-29 12:34:56.789'",
    "tz > '2024-05-01 00:00:00'",
    "e = 'ok'",
    "e in ('ok', 'sad')",
    "e <> 'happy'",
    "u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    "y = '\\x00ff41'",
    "jb = '3.5'",
    "i between s and b",
    "greatest(i, s) = i",
    "o",
    "o is not true",
];

fn condition(generator: &mut Generator, depth: u32) -> String {
    if depth > 0 {
        let (a, b) = (
            condition(generator, depth - 1),
            condition(generator, depth - 1),
        );
        return match generator.rng.u32(..4) {
            0 => format!("({a} and {b})"),
            1 => format!("({a} or {b})"),
            2 => format!("(not ({a}))"),
            _ => format!("(({a}) is not false)"),
        };
    }
    let form = generator.pick(CONDITIONS).to_owned();
    let mut parts = form.split("#c");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(generator.pick(&["t", "v", "x", "w", "c", "lit", "(c::text)"]));
        text.push_str(part);
    }
    text
}

pub async fn run(client: &Client, seed: u64, count: usize) {
    let mut generator = Generator {
        rng: Rng::with_seed(seed),
    };
    let all = rows::fill(client, &mut generator).await;
    let layout = rows::layout();
    let columns: Vec<(String, SqlType)> = layout.tables[0]
        .columns
        .iter()
        .map(|c| (c.name.clone(), c.ty.clone()))
        .collect();
    let mut differences = Vec::new();
    let mut pushed = 0;
    for _ in 0..count {
        let text = {
            let depth = generator.rng.u32(..3);
            condition(&mut generator, depth)
        };
        let Ok(expr) = rows::compile(&text, &layout) else {
            continue;
        };
        let at = generator.rng.usize(..rows::ROWS);
        let ours: Given = rows::over(&expr, &layout, &all[at], |v| {
            Ok(v.text().map(str::to_owned))
        });
        let mut differ = |sql: &str, theirs: &Given| {
            differences.push(format!(
                "{text}\n   as {sql}\n   row {:?}\n   ours   {ours:?}\n   theirs {theirs:?}",
                rows::used(&text, &all[at])
            ));
        };
        if let Some(sql) = expr.pushdown("h") {
            pushed += 1;
            let theirs = ask(client, &format!("SELECT {sql} FROM r h WHERE id = {at}")).await;
            let selected = theirs.as_ref().is_ok_and(|t| t.as_deref() == Some("t"));
            let accepted = ours.as_ref().map_or(true, |o| o.as_deref() == Some("t"));
            if theirs.is_err() || accepted && !selected {
                differ(&sql, &theirs);
            }
        }
        let condition = TargetCondition::compile(&text, &columns);
        if let Ok(condition) = &condition
            && condition.unsure().is_empty()
            && let Err(why) = &ours
        {
            differ("a condition that cannot fail", &Err(why.clone()));
        }
        if let Some(sql) = condition.ok().and_then(|condition| condition.sql()) {
            let theirs = ask(client, &format!("SELECT {sql} FROM r t WHERE id = {at}")).await;
            if !super::agree(&ours, &theirs) {
                differ(&sql, &theirs);
            }
        }
    }
    assert!(pushed > count / 4, "only {pushed} were pushed down");
    judge(seed, &differences);
}

/// An equality of texts finds its rows by an index of the column's own collation.
pub async fn finds_the_index(client: &Client) {
    let tables = "drop table if exists i; \
         create temp table i (id integer, status varchar(20) collate \"de-x-icu\", same text collate loose); \
         insert into i select n, 'open' || n, 'x' from generate_series(1, 5000) n; \
         create index i_status on i (status); create index i_same on i (same); analyze i";
    client.batch_execute(tables).await.unwrap();
    let column = |name: &str, ty: &str, bytewise| Column {
        name: name.into(),
        ty: SqlType::parse(ty),
        not_null: false,
        bytewise,
    };
    let layout = Layout {
        tables: vec![Table {
            alias: "i".into(),
            schema: "pg_temp".into(),
            name: "i".into(),
            columns: vec![
                column("id", "integer", false),
                column("status", "character varying(20)", true),
                column("same", "text", false),
            ],
            key: vec![0],
            cart: Some(vec![0]),
            parent: None,
        }],
    };
    for (text, by_index) in [
        ("status = 'open7'", true),
        ("status in ('open7', 'open8')", true),
        ("status = 'open7' and id > 3", true),
        // Its index would find what only looks the same.
        ("same = 'X'", false),
    ] {
        let sql = rows::compile(text, &layout).unwrap().pushdown("h").unwrap();
        let plan = format!("EXPLAIN SELECT id FROM i h WHERE {sql}");
        let lines = client.simple_query(&plan).await.unwrap();
        let plan: Vec<&str> = lines
            .iter()
            .filter_map(|line| match line {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            })
            .collect();
        let plan = plan.join("\n");
        assert_eq!(plan.contains("Index"), by_index, "{sql}\n{plan}");
    }
}

//! Expressions over a small shop: names, aggregates, mistakes, ids, and values fitted into columns.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::cart::image::{Cell, Image, Life, Row};
use crate::cart::layout::{Column, Table};

fn table(alias: &str, columns: &[(&str, &str)], parent: Option<(usize, Vec<usize>)>) -> Table {
    Table {
        alias: alias.into(),
        schema: "public".into(),
        name: alias.into(),
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
        cart: Some(vec![0]),
        parent,
    }
}

pub(super) fn layout() -> Layout {
    Layout {
        tables: vec![
            table(
                "quote",
                &[
                    ("id", "integer"),
                    ("email", "text"),
                    ("total", "numeric(12,4)"),
                ],
                None,
            ),
            table(
                "item",
                &[
                    ("id", "integer"),
                    ("quote_id", "integer"),
                    ("qty", "numeric(12,4)"),
                    ("sku", "text"),
                ],
                Some((0, vec![1])),
            ),
            table(
                "option",
                &[
                    ("id", "integer"),
                    ("item_id", "integer"),
                    ("code", "text"),
                    ("value", "text"),
                ],
                Some((1, vec![1])),
            ),
            table("mask", &[("id", "integer"), ("token", "text")], None),
        ],
    }
}

fn row(cells: &[&str]) -> Row {
    let cell = |text: &&str| match *text {
        "" => Cell::Null,
        "?" => Cell::Missing,
        text => Cell::Text(text.into()),
    };
    Row {
        cells: cells.iter().map(cell).collect(),
        stamp: 0,
    }
}

pub(super) fn image() -> Image {
    Image {
        life: Life::Live,
        tables: vec![
            vec![row(&["7", "a@example.org", "20.0000"])],
            vec![
                row(&["1", "7", "2.0000", "red"]),
                row(&["2", "7", "1.5000", "blue"]),
            ],
            vec![
                row(&["1", "1", "size", "L"]),
                row(&["2", "1", "color", "x\"y"]),
                row(&["3", "2", "?", ""]),
            ],
            vec![],
        ]
        .into(),
        moments: Vec::new(),
        answers: Default::default(),
        ghosts: Vec::new(),
    }
}

/// The value for the header's row.
pub(super) fn evaluated(
    expr: &Expr,
    layout: &Layout,
    image: &Image,
) -> Result<Option<String>, EvalError> {
    let env = Env {
        layout,
        image,
        row: &image.tables[0][0],
        stamp: 0,
        secret: &IdKey::of(b"secret"),
        time_zone: chrono_tz::Tz::UTC,
    };
    Ok(expr.evaluate(&env)?.text().map(str::to_owned))
}

fn give(per: usize, at: usize, text: &str) -> Result<Option<String>, EvalError> {
    let (layout, image) = (layout(), image());
    let expr = Expr::compile(
        text,
        &Scope {
            layout: &layout,
            per,
        },
    )
    .unwrap();
    let env = Env {
        layout: &layout,
        image: &image,
        row: &image.tables[per][at],
        stamp: 1_700_000_000_000_000,
        secret: &IdKey::of(b"secret"),
        time_zone: chrono_tz::Tz::UTC,
    };
    let value = expr.evaluate(&env)?;
    Ok(value.text().map(str::to_owned))
}

fn gives(per: usize, text: &str) -> Option<String> {
    give(per, 0, text).unwrap()
}

fn mistakes(per: usize, text: &str) -> Vec<(String, String)> {
    let layout = layout();
    let errors = Expr::compile(
        text,
        &Scope {
            layout: &layout,
            per,
        },
    )
    .unwrap_err();
    errors
        .into_iter()
        .map(|e| (text[e.span].to_owned(), e.message))
        .collect()
}

#[test]
fn names_reach_rows() {
    assert_eq!(gives(0, "EMAIL").as_deref(), Some("a@example.org"));
    assert_eq!(gives(1, "header.email").as_deref(), Some("a@example.org"));
    assert_eq!(gives(2, "parent.sku || quote.id").as_deref(), Some("red7"));
    assert_eq!(gives(0, "mask.token"), None);
    assert!(
        matches!(give(0, 0, "item.sku"), Err(EvalError::Value(m)) if m == "more than one row of item")
    );
}

#[test]
fn aggregates_go_over_rows() {
    assert_eq!(gives(0, "count(item.*)").as_deref(), Some("2"));
    assert_eq!(gives(0, "sum(item.qty)").as_deref(), Some("3.5000"));
    assert_eq!(
        gives(0, "string_agg(item.sku, ',' order by item.sku)").as_deref(),
        Some("blue,red")
    );
    assert_eq!(
        gives(0, "exists(item) filter (where item.qty > 5)").as_deref(),
        Some("f")
    );
    assert_eq!(
        gives(0, "first(item.sku order by item.qty)").as_deref(),
        Some("blue")
    );
    assert_eq!(gives(0, "max(item.qty)").as_deref(), Some("2.0000"));
    assert_eq!(
        gives(1, "json_object_agg(option.code, option.value)").as_deref(),
        Some(r#"{ "size" : "L", "color" : "x\"y" }"#)
    );
    assert_eq!(gives(0, "json_agg(mask.token)"), None);
    assert_eq!(
        gives(
            0,
            "sum(item.qty * header.total) filter (where item.sku = 'red')"
        )
        .as_deref(),
        Some("40.00000000")
    );
}

#[test]
fn a_value_that_the_log_did_not_carry_is_told_apart() {
    assert!(matches!(
        give(1, 1, "max(option.code)"),
        Err(EvalError::Missing { column, .. }) if column == "code"
    ));
}

#[test]
fn all_mistakes_at_once_with_their_places() {
    let found = mistakes(0, "emial || lower(totl)\n + nonsense(1)");
    let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places[..2], ["emial", "totl"]);
    assert_eq!(found.len(), 3);
    assert!(found[0].1.contains("did you mean email"));
    assert!(
        mistakes(0, "each(email)")[0]
            .1
            .contains("what `per` can be")
    );
    assert!(mistakes(0, "total and true")[0].1.contains("boolean"));
    assert!(mistakes(2, "mask.token")[0].1.contains("reaches"));
    assert_eq!(mistakes(0, "id id").len(), 1);
    assert_eq!(mistakes(0, "(select 1)").len(), 1);
    assert_eq!(mistakes(0, "count(email)").len(), 1);
}

#[test]
fn dates_are_shifted_by_intervals() {
    let due = "(date '2024-01-31' + interval '1 month' * 1.5) - date '2024-01-31'";
    assert_eq!(gives(0, due).as_deref(), Some("44 days"));
    let due = "cast(commit_time() + interval '30 days' as date) - 1";
    assert_eq!(gives(0, due).as_deref(), Some("2023-12-13"));
    let epoch = "cast(extract(epoch from commit_time()) as bigint)";
    assert_eq!(gives(0, epoch).as_deref(), Some("1700000000"));
    let older = "commit_time() - timestamptz '2023-11-01 00:00:00+00' > interval '10 days'";
    assert_eq!(gives(0, older).as_deref(), Some("t"));
    assert!(matches!(
        give(0, 0, "date '2024-01-31' + id * 100000000"),
        Err(EvalError::Value(_))
    ));
}

#[test]
fn words_that_name_nothing_are_mistakes() {
    for (text, place, said) in [
        (
            "id + (interval '3 fortnights' * 2)",
            "'3 fortnights'",
            "is no interval",
        ),
        (
            "interval '3' day * id",
            "interval '3' day",
            "write the unit into the literal",
        ),
        (
            "date '2024-01-31' + '1 day'",
            "date '2024-01-31' + '1 day'",
            "say what the literal is",
        ),
        (
            "extract(week from interval '1 day')",
            "extract(week from interval '1 day')",
            "has no field week",
        ),
        (
            "extract(timezone from commit_time())",
            "extract(timezone from commit_time())",
            "has no field",
        ),
        ("extract(day from email)", "email", "extract takes no text"),
        (
            "date_trunc('fortnight', commit_time())",
            "'fortnight'",
            "no unit",
        ),
        (
            "commit_time() at time zone 'Mars/Base'",
            "'Mars/Base'",
            "no time zone",
        ),
        ("minor_units(total, 'EURO')", "'EURO'", "no currency"),
        ("encode(sha256('a'), 'base65')", "'base65'", "no encoding"),
        (
            "interval '1 day' % 2",
            "interval '1 day' % 2",
            "no remainder",
        ),
        ("make_interval(1)", "make_interval(1)", "no function"),
    ] {
        let found = mistakes(0, text);
        let messages = format!("{text}: {found:?}");
        assert_eq!(found.len(), 1, "{messages}");
        assert!(found[0].1.contains(said), "{messages}");
        assert!(place.contains(&found[0].0), "{messages}");
    }
}

#[test]
fn ids_are_keyed_and_stable() {
    let id = gives(0, "keyed_id(id)").unwrap();
    // HMAC-SHA-256 under "secret" over the length in eight bytes and the text 7, as others reckon it.
    assert_eq!(id, "qvx3fg672mumkcmjxm5nvkbvxa");
    assert_eq!(gives(0, "keyed_id(cast(id as bigint))"), Some(id.clone()));
    assert_ne!(gives(0, "keyed_id(id, '')"), Some(id));
    assert_eq!(gives(0, "keyed_id(null)"), None);
    assert_eq!(gives(0, "uuid_v5('x')").unwrap().as_bytes()[14], b'5');
}

#[test]
fn money() {
    assert_eq!(
        gives(0, "minor_units(total, 'EUR')").as_deref(),
        Some("2000")
    );
    assert_eq!(gives(0, "minor_units(0.005, 'EUR')").as_deref(), Some("1"));
    assert_eq!(gives(0, "minor_units(total, 'JPY')").as_deref(), Some("20"));
    assert_eq!(
        gives(0, "major_units(12345, 'KWD')").as_deref(),
        Some("12.345")
    );
    assert!(give(0, 0, "minor_units(total, email)").is_err());
    assert_eq!(
        gives(0, "commit_time()").as_deref(),
        Some("2023-11-14 22:13:20+00")
    );
}

#[test]
fn values_fit_columns() {
    let fit = |text: &'static str, class, ty| {
        let value = Value::of(class, text);
        bind(&value, &SqlType::parse(ty), Tz::UTC).map(|bound| bound.map(String::from))
    };
    assert_eq!(
        fit("1.005", Class::Numeric, "numeric(10,2)")
            .unwrap()
            .as_deref(),
        Some("1.01")
    );
    assert!(fit("123456", Class::Numeric, "numeric(5,2)").is_err());
    assert!(fit("abcd", Class::Text, "character varying(3)").is_err());
    assert_eq!(
        fit("abc ", Class::Text, "character varying(3)")
            .unwrap()
            .as_deref(),
        Some("abc")
    );
    assert_eq!(
        fit("ab", Class::Text, "character(4)").unwrap().as_deref(),
        Some("ab  ")
    );
    assert_eq!(
        fit("{\"b\":1,\"a\":2}", Class::Json, "jsonb")
            .unwrap()
            .as_deref(),
        Some("{\"a\": 2, \"b\": 1}")
    );
    assert!(fit("5", Class::Text, "integer").is_err());
    let status = SqlType::enumeration("status", vec!["new".into(), "done".into()]);
    assert!(bind(&Value::of(Class::Text, "old"), &status, Tz::UTC).is_err());
    assert_eq!(
        assignable(&SqlType::of(Class::Text), true, &SqlType::parse("text")),
        Assign::Exact
    );
    assert!(matches!(
        assignable(&SqlType::of(Class::Text), true, &SqlType::parse("integer")),
        Assign::No(_)
    ));
    let varchar = SqlType::parse("character varying(40)");
    assert_eq!(assignable(&varchar, true, &varchar), Assign::Exact);
    assert!(matches!(
        assignable(&SqlType::of(Class::Int8), true, &SqlType::parse("integer")),
        Assign::MayFail(_)
    ));
}

#[test]
fn conditions_for_servers() {
    let layout = layout();
    let scope = Scope {
        layout: &layout,
        per: 0,
    };
    let sql = |text| Expr::compile(text, &scope).unwrap().pushdown("h");
    assert_eq!(
        sql("id = 1 and email is not null").as_deref(),
        Some("((h.\"id\" = '1'::integer) AND (h.\"email\" IS NOT NULL))")
    );
    assert_eq!(sql("1 / id = 1"), None);
    assert_eq!(sql("count(item.*) > 0"), None);
    let columns = [
        ("done_at".to_owned(), SqlType::parse("timestamptz")),
        ("x".to_owned(), SqlType::parse("text")),
    ];
    let text = "done_at is not null or lower(x) = 'paid'";
    let condition = TargetCondition::compile(text, &columns).unwrap();
    assert_eq!(
        condition.sql().as_deref(),
        Some("((t.\"done_at\" IS NOT NULL) OR (lower(t.\"x\") COLLATE \"C\" = 'paid'::text))")
    );
    assert_eq!(condition.columns(), ["done_at", "x"]);
    assert!(TargetCondition::compile("nothing = 1", &columns).is_err());
}

/// What shops need of it: offsets, quantities, clocks and payloads (docs/mapping.md, "Recipes").
#[test]
fn recipes() {
    for (text, value) in [
        ("1000000000 + id", Some("1000000007")),
        ("2000000000::bigint + 2000000000", Some("4000000000")),
        ("whole(total)", Some("20")),
        ("whole(2.0::double precision)", Some("2")),
        ("ceil(1.2)", Some("2")),
        ("floor(-1.2)", Some("-2")),
        ("cast(1.5 as integer)", Some("2")),
        ("to_timestamp(1700000000)", Some("2023-11-14 22:13:20+00")),
        ("to_timestamp(nullif(0, 0))", None),
        (
            "timestamp '2026-07-01 12:00:00' at time zone 'Europe/Paris'",
            Some("2026-07-01 10:00:00+00"),
        ),
        (
            "to_timestamp(1782900000) at time zone 'Europe/Paris'",
            Some("2026-07-01 12:00:00"),
        ),
        (
            "encode(decode('a0eebc999c0b4ef8bb6d6bb9bd380a11', 'hex'), 'hex')::uuid",
            Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ),
        ("convert_from(decode('c3a9', 'hex'), 'utf-8')", Some("é")),
        ("convert_from(decode('e9', 'hex'), 'LATIN1')", Some("é")),
        ("convert_to('é', 'UTF8')", Some("\\xc3a9")),
        (
            "convert_from(decompress(decode('eJxLtDK0qs60MrD2sza0rgUAHhEEAg==', 'base64'), 'zlib'), 'UTF8')",
            Some("a:1:{i:0;N;1;}"),
        ),
        (
            "php_unserialize('a:1:{s:4:\"cart\";s:14:\"a:1:{i:0;i:7;}\";}')->>'cart'",
            Some("a:1:{i:0;i:7;}"),
        ),
        (
            "php_unserialize(php_unserialize('a:1:{s:4:\"cart\";s:14:\"a:1:{i:0;i:7;}\";}')->>'cart')->>0",
            Some("7"),
        ),
    ] {
        assert_eq!(gives(0, text).as_deref(), value, "{text}");
    }
    for (text, why) in [
        ("2147483647 + id", "integer out of range"),
        ("whole(total + 0.5)", "whole: the number has a fraction"),
        (
            "whole(0.1::double precision)",
            "whole: the number has a fraction",
        ),
        ("whole(1e20)", "whole: bigint out of range"),
        (
            "convert_from(decode('e9', 'hex'), 'UTF8')",
            "convert_from: the bytes are no text of this encoding",
        ),
        (
            "decompress(decode('00', 'hex'), 'gzip')",
            "decompress: the bytes are not in this format",
        ),
        (
            "php_unserialize(email)",
            "php_unserialize: not what PHP's serialize writes at byte 1",
        ),
    ] {
        assert_eq!(give(0, 0, text), Err(EvalError::value(why)), "{text}");
    }
    let message = "no compression \"lz4\": there are zlib, deflate, gzip, zstd, mysql";
    let wrong = mistakes(0, "decompress('\\x00', 'lz4')");
    assert_eq!(wrong, [("'lz4'".to_owned(), message.to_owned())]);
}

#[test]
fn maps_are_called_by_name() {
    let values = [("7", "reg_de"), ("20.0000", "reg_twenty")];
    let values = values.map(|(a, b)| (a.to_owned(), b.to_owned()));
    let map = |name: &str, class, unknown| Arc::new(ValueMap::new(name, class, &values, &unknown));
    let maps = [
        map("region", Class::Text, Unknown::Hold),
        map("Maybe", Class::Text, Unknown::Null),
        map("left_out", Class::Text, Unknown::Skip),
    ];
    let layout = layout();
    let scope = Scope {
        layout: &layout,
        per: 0,
    };
    let compile = |text: &str| Expr::compile_with(text, &scope, Shaped::default(), &maps);
    let give = |text: &str| evaluated(&compile(text).unwrap(), &layout, &image());
    for (text, value) in [
        ("region(id)", Some("reg_de")),
        ("REGION(total)", Some("reg_twenty")),
        ("'x' || region('7')", Some("xreg_de")),
        ("maybe(email)", None),
        ("\"Maybe\"(8)", None),
        ("region(null)", None),
        ("coalesce(maybe(id + 1), 'none')", Some("none")),
    ] {
        assert_eq!(give(text).unwrap().as_deref(), value, "{text}");
    }
    assert_eq!(
        give("region(8)"),
        Err(EvalError::value("region does not know a value"))
    );
    assert_eq!(give("coalesce(left_out(8), 'x')"), Err(EvalError::Skip));
    assert!(!compile("region(id)").unwrap().nullable());
    assert!(compile("maybe(id)").unwrap().nullable());
    assert_eq!(compile("region(id)").unwrap().sql_type().length, Some(10));
    assert_eq!(compile("region(id) = 'x'").unwrap().pushdown("h"), None);
    for (text, message) in [
        ("region(id, 1)", "`region` takes one value: region(column)"),
        (
            "\"maybe\"(id)",
            "no function `maybe`; did you mean `Maybe`?",
        ),
        ("regoin(id)", "no function `regoin`; did you mean `region`?"),
    ] {
        let found = compile(text).unwrap_err();
        assert_eq!(found[0].message, message, "{text}");
    }
}

proptest! {
    #[test]
    fn canonical_is_stable(text in "[0-9a-f.eE+: tTZ-]{0,30}") {
        for ty in ["integer", "numeric(12,3)", "double precision", "timestamp with time zone", "date", "uuid", "jsonb", "boolean"] {
            let ty = SqlType::parse(ty);
            if let Ok(once) = canonical(&text, &ty) {
                prop_assert_eq!(canonical(&once, &ty), Ok(once.clone()));
            }
        }
    }
}

#[test]
fn a_key_holds_the_columns_that_can_be_told_back() {
    let layout = layout();
    let holds = |per: usize, text: &str, to: &str| {
        let scope = Scope {
            layout: &layout,
            per,
        };
        let mut held = Vec::new();
        Expr::compile(text, &scope)
            .unwrap()
            .holds(&SqlType::parse(to), &mut |table, column| {
                held.push((table, column))
            });
        held.sort_unstable();
        held
    };
    for (text, to) in [
        ("id", "bigint"),
        ("id", "text"),
        ("'cart_' || id", "text"),
        ("'cart_' || keyed_id(id)", "text"),
        ("uuid_v5('x' || id)", "uuid"),
        ("id + 1000", "bigint"),
        ("cast(cast(id as bigint) as text)", "character varying(40)"),
        ("id || '-' || email", "text"),
    ] {
        assert!(holds(0, text, to).contains(&(0, 0)), "{text}");
    }
    for (text, to) in [
        ("lower(email)", "text"),
        ("email || id", "text"),
        ("id || email", "text"),
        ("id || '1' || email", "text"),
        ("cast(total as integer)", "integer"),
        ("id / 2", "integer"),
        ("coalesce(id, 1)", "integer"),
        ("left(cast(id as text), 2)", "text"),
        ("email", "citext"),
        ("cast(id as varchar(2))", "text"),
        ("'x' || id || email", "character varying(10)"),
    ] {
        assert_eq!(holds(0, text, to), [], "{text}");
    }
    assert_eq!(
        holds(1, "header.id || ':' || sku", "text"),
        [(0, 0), (1, 3)]
    );
    assert_eq!(holds(1, "keyed_id(quote_id, id)", "text"), [(1, 0), (1, 1)]);
}

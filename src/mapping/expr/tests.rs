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

fn layout() -> Layout {
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

fn image() -> Image {
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
        ghosts: Vec::new(),
    }
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
        mistakes(0, "php_unserialize(email)")[0]
            .1
            .contains("not built yet")
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
    assert_eq!(id.len(), 26);
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

proptest! {
    #[test]
    fn no_text_panics(text in "[a-z0-9'\"().,*+<>=|: \n-]{0,40}") {
        let layout = layout();
        if let Err(errors) = Expr::compile(&text, &Scope { layout: &layout, per: 0 }) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(text.get(error.span).is_some());
            }
        }
    }

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

//! Dates that are none, in expressions.

use cartage::cart::layout::{Column, Layout, Table};
use cartage::sqltype::SqlType;

use crate::expression_oracle::rows::{self, compile};

/// The value, or the reason why there is none.
fn over(text: &str, ty: &str, value: &str) -> Result<Option<String>, String> {
    let layout = Layout {
        tables: vec![Table {
            alias: "t".into(),
            schema: "s".into(),
            name: "t".into(),
            columns: vec![Column {
                name: "d".into(),
                ty: SqlType::parse(ty),
                not_null: true,
                bytewise: false,
            }],
            key: vec![0],
            cart: Some(vec![0]),
            parent: None,
        }],
    };
    let expr = compile(text, &layout).unwrap();
    rows::over(&expr, &layout, &[Some(value)], |value| {
        Ok(value.text().map(str::to_owned))
    })
}

#[test]
fn a_zero_date_is_taken_as_a_text_or_refused() {
    let timestamp = "timestamp without time zone";
    for (text, ty, value, wanted) in [
        (
            "nullif(d::text, '0000-00-00')::date",
            "date",
            "0000-00-00",
            None,
        ),
        (
            "nullif(d::text, '0000-00-00')::date",
            "date",
            "2024-02-29",
            Some("2024-02-29"),
        ),
        (
            "case when d::text like '%-00%' then null else d end",
            timestamp,
            "2024-02-00 12:00:00",
            None,
        ),
        (
            "nullif(d::text, '0000-00-00 00:00:00')::timestamptz",
            "timestamptz",
            "0000-00-00 00:00:00",
            None,
        ),
        (
            "nullif(d::text, '0000-00-00 00:00:00')::timestamptz",
            "timestamptz",
            "2024-02-29 12:00:00+00",
            Some("2024-02-29 12:00:00+00"),
        ),
        ("d is null", "date", "0000-00-00", Some("f")),
    ] {
        assert_eq!(
            over(text, ty, value).as_ref().map(Option::as_deref),
            Ok(wanted),
            "{text}"
        );
    }
    for text in [
        "d + 1",
        "d > '2024-01-01'",
        "extract(year from d)::text",
        "date_trunc('day', d::timestamp)",
    ] {
        let refused = over(text, "date", "0000-00-00");
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
}

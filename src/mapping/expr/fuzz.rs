//! No text and no tree of it breaks the compiler or the evaluator, or keeps them for long.
//!
//! `PROPTEST_CASES` says of how many texts each test makes sure (256 where it is not given).

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::tests::{evaluated, image, layout};
use super::*;

/// Far more than any takes, on a machine that does other things too.
const SOON: Duration = Duration::from_secs(20);

/// Compiles a text and walks what comes of it in every way; gives the messages where it is refused.
fn tried(text: &str) -> Vec<String> {
    let begun = Instant::now();
    let layout = layout();
    let scope = Scope {
        layout: &layout,
        per: 0,
    };
    let said = match Expr::compile(text, &scope) {
        Ok(expr) => {
            let _ = evaluated(&expr, &layout, &image());
            let _ = (expr.pushdown("h"), expr.pushdown_to_mysql("h"));
            expr.reads(&mut |_, _| {});
            expr.holds(&SqlType::of(Class::Text), &mut |_, _| {});
            let _ = (expr.clone().uses_secret(), expr.sql_type());
            Vec::new()
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused without a reason");
            let shown = |m: ExprError| {
                assert!(text.get(m.span.clone()).is_some(), "{:?}", m.span);
                m.message
            };
            mistakes.into_iter().map(shown).collect()
        }
    };
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    said
}

/// A piece so many times, with something before and after it.
fn many(before: &str, piece: &str, times: usize, after: &str) -> String {
    format!("{before}{}{after}", piece.repeat(times))
}

#[test]
fn deep_trees_are_refused() {
    let deep = [
        many("", "(", 20_000, ""),
        many("", "(", 5_000, "1") + &")".repeat(5_000),
        many("1", " + 1", 5_000, ""),
        many("email", " || email", 3_000, ""),
        many("id", "::text", 4_000, ""),
        many("id", " is null", 3_000, ""),
        many("true", " and true", 3_000, ""),
        many("", "not ", 5_000, "true"),
        many("", "- ", 5_000, "id"),
        many("", "case when true then ", 1_000, "1") + &" end".repeat(1_000),
        many("", "coalesce(", 3_000, "1") + &")".repeat(3_000),
        many("email", " at time zone 'UTC'", 1_500, ""),
        many("'{}'::json", " -> 'a'", 3_000, ""),
        many("id", " between 1 and 2", 1_500, ""),
        many("email", " collate \"C\"", 2_000, ""),
        many("email", "[1]", 5_000, ""),
        many("id::int", "[]", 5_000, ""),
        many("", "[", 20_000, ""),
        many("", "interval ", 3_000, "'1 day'"),
    ];
    for text in deep {
        let said = tried(&text);
        assert!(!said.is_empty(), "{}…", &text[..40]);
    }
    // What is as deep as it may be has a value.
    for (text, length) in [
        (many("email", " || email", 127, ""), 128 * 13),
        (many("length(email)", " + 1", 120, ""), 3),
    ] {
        assert_eq!(tried(&text), Vec::<String>::new());
        let layout = layout();
        let scope = Scope {
            layout: &layout,
            per: 0,
        };
        let expr = Expr::compile(&text, &scope).unwrap();
        let value = evaluated(&expr, &layout, &image()).unwrap();
        assert_eq!(value.map(|v| v.len()), Some(length));
    }
    let nested = many("", "coalesce(", 20, "id") + &")".repeat(20);
    assert_eq!(tried(&nested), Vec::<String>::new());
}

/// `between` and `case` name their operand several times: what is nested in it would double with
/// each level.
#[test]
fn wide_trees_are_refused() {
    let between = (0..40).fold("(id = 1)".to_owned(), |inner, _| {
        format!("({inner} between (id = 2) and (id = 3))")
    });
    let case = (0..20).fold("id".to_owned(), |inner, _| {
        format!("case {inner} when 1 then 2 when 3 then 4 when 5 then 6 end")
    });
    for text in [between, case] {
        let said = tried(&text);
        let refused = |m: &String| m.contains("too large") || m.contains("too deep");
        assert!(said.iter().any(refused), "{said:?}");
    }
    let list: Vec<String> = (0..4_000).map(|n| n.to_string()).collect();
    assert_eq!(
        tried(&format!("id in ({})", list.join(","))),
        Vec::<String>::new()
    );
}

#[test]
fn huge_literals_and_names_are_answered() {
    for text in [
        "9".repeat(30_000),
        format!("1e{}", "9".repeat(1_000)),
        format!("0.{}1", "0".repeat(30_000)),
        format!("'{}'", "x".repeat(30_000)),
        format!("{}()", "f".repeat(30_000)),
        format!("\"{}\"", "c".repeat(30_000)),
        format!("id = {}", "a.".repeat(10_000)),
        format!("numeric '{}'", "9".repeat(30_000)),
        format!("email like '{}'", "%a".repeat(10_000)),
        format!("cast(id as numeric({0},{0}))", "9".repeat(400)),
        format!("interval '{}'", "1 day ".repeat(5_000)),
        "x".repeat(1 << 20),
        "\u{1f600}".repeat(8_000),
        "$$".repeat(10_000),
        "/*".repeat(10_000),
        "--".repeat(10_000),
        "\\".repeat(10_000),
        "e'\\".repeat(5_000),
    ] {
        tried(&text);
    }
}

const WORDS: &[&str] = &[
    "id",
    "email",
    "total",
    "item.qty",
    "mask.token",
    "header.id",
    "parent.id",
    "1",
    "0.5",
    "'x'",
    "null",
    "true",
    "1e400",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "->",
    "->>",
    "#>>",
    "::",
    "=",
    "<>",
    "<",
    ">=",
    "and",
    "or",
    "not",
    "is",
    "in",
    "between",
    "like",
    "ilike",
    "escape",
    "case",
    "when",
    "then",
    "else",
    "end",
    "cast(",
    "as",
    "text",
    "numeric(3,1)",
    "json",
    "interval",
    "at time zone",
    "'Europe/Paris'",
    "extract(",
    "from",
    "trim(",
    "substring(",
    "coalesce(",
    "nullif(",
    "count(",
    "sum(",
    "string_agg(",
    "filter (where",
    "order by",
    "distinct",
    "item.*",
    "lower(",
    "lpad(",
    "round(",
    "keyed_id(",
    "decode(",
    "php_unserialize(",
    "decompress(",
    "convert_from(",
    "whole(",
    "to_timestamp(",
    "date_trunc(",
    "json_build_object(",
    "exists(",
    "array[",
    "]",
    "row(",
    "$1",
    "?",
    ":x",
    "@",
    "current_date",
    "timestamp '2024-01-01'",
    "x'ff'",
    "over ()",
    "any(",
    "select 1",
    "collate",
    ".",
    "\"",
    "'",
    "--",
    "/*",
    "\u{0}",
    "é",
];

fn words() -> impl Strategy<Value = String> {
    let word = proptest::sample::select(WORDS);
    proptest::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

/// Expressions that are good, to be changed a little.
const GOOD: &[&str] = &[
    "case when total > 10 and email like '%@example.%' then lower(email) else coalesce(mask.token, 'none') end",
    "json_build_object('lines', count(item.*) filter (where item.qty > 1), 'of', string_agg(item.sku, ',' order by item.sku desc))",
    "cast(round(total * 100, 0) as bigint) + minor_units(total, 'EUR') - whole(total)",
    "to_timestamp(id) at time zone 'Europe/Paris' + interval '1 month 2 days'",
    "php_unserialize(email)->'cart'->>'qty' || encode(decompress(decode(email, 'base64'), 'zlib'), 'hex')",
];

proptest! {
    #[test]
    fn any_characters(text in "\\PC{0,200}") {
        tried(&text);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        tried(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_words(text in words()) {
        tried(&text);
    }

    #[test]
    fn good_expressions_that_are_changed(
        which in 0..GOOD.len(), at in 0usize..160, cut in 0usize..30, put in words(),
    ) {
        let good = GOOD[which];
        let (at, end) = (at.min(good.len()), (at + cut).min(good.len()));
        tried(&format!("{}{put}{}", &good[..at], &good[end..]));
        prop_assert!(tried(good).is_empty());
    }
}

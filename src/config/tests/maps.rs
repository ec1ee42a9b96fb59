//! `[map.X]`: what is read, and what is refused with the very messages.

use std::path::Path;

use super::{CART, Config, INTO, problems, with};
use crate::mapping::expr::Unknown;
use crate::sqltype::Class;

fn file(maps: &str) -> String {
    with(&format!("{maps}\n{CART}{INTO}"))
}

#[test]
fn maps_are_read_and_read_back() {
    let text = file(
        "[map.region]\nvalues = { '1' = 'reg_de', '' = 'reg_none', 'a b' = '' }\n\
         [map.status]\ntype = 'integer'\nunknown = { value = 9 }\n[map.status.values]\nopen = 1\npaid = '2'\n\
         [map.Gift]\ntype = 'boolean'\nunknown = 'null'\nvalues = { y = true, n = 'no' }\n\
         [map.rest]\nunknown = 'skip'\nvalues.x = 'y'\n\
         [map.strict]\nunknown = 'error'\nvalues.x = 'y'\n\
         [map.other]\nunknown = { value = 'a\"b' }\nvalues.x = 'y'",
    );
    let config = Config::parse(&text, Path::new("c")).unwrap_or_else(|e| panic!("{e}"));
    let again = Config::parse_mapping(&config.mapping_text()).unwrap();
    for maps in [&config.maps, &again.maps] {
        let told: Vec<(&str, Class, &Unknown)> = maps
            .iter()
            .map(|m| (m.name.get_ref().as_str(), m.class, &m.unknown))
            .collect();
        assert_eq!(
            told,
            [
                ("region", Class::Text, &Unknown::Hold),
                ("status", Class::Int4, &Unknown::Value("9".into())),
                ("Gift", Class::Bool, &Unknown::Null),
                ("rest", Class::Text, &Unknown::Skip),
                ("strict", Class::Text, &Unknown::Stop),
                ("other", Class::Text, &Unknown::Value("a\"b".into())),
            ]
        );
        let region = maps[0].compiled();
        assert_eq!(region.value("").unwrap().text(), Some("reg_none"));
        assert_eq!(region.value("a b").unwrap().text(), Some(""));
        assert_eq!(maps[2].compiled().value("n").unwrap().text(), Some("f"));
        assert_eq!(maps[1].compiled().value("x").unwrap().text(), Some("9"));
    }
}

#[test]
fn bad_maps() {
    let lines = |maps: &str| problems(&file(maps));
    for (maps, expected) in [
        (
            "[map.lower]\nvalues = { a = 'b' }",
            "c:8:6: `lower` is a function already (expected another name)",
        ),
        (
            "[map.Coalesce]\nvalues = { a = 'b' }",
            "c:8:6: `Coalesce` is a function already (expected another name)",
        ),
        (
            "[map.string_agg]\nvalues = { a = 'b' }",
            "c:8:6: `string_agg` is a function already (expected another name)",
        ),
        (
            "[map.orders]\nvalues = { a = 'b' }",
            "c:8:6: `orders` is a table of the cart already (expected another name)",
        ),
        (
            "[map.Items]\nvalues = { a = 'b' }",
            "c:8:6: `Items` is a table of the cart already (expected another name)",
        ),
        (
            "[map.a]\nvalues.x = 'b'\n[map.A]\nvalues.x = 'b'",
            "c:10:6: `A` and `a` differ in case alone (expected another name)",
        ),
        (
            "[map.case]\nvalues = { a = 'b' }",
            "c:8:6: `case` is a function already (expected another name)",
        ),
        (
            "[map.'a b']\nvalues = { a = 'b' }",
            "c:8:6: `a b` cannot be called in an expression (expected letters, digits and underscores, the first no digit, and no word of SQL)",
        ),
        (
            "[map.when]\nvalues = { a = 'b' }",
            "c:8:6: `when` cannot be called in an expression (expected letters, digits and underscores, the first no digit, and no word of SQL)",
        ),
        (
            "[map.x]",
            "c:8:6: `values` is missing in [map.x] (expected `values` = { \"old value\" = \"new value\", … })",
        ),
        (
            "[map.x]\nvalues = {}",
            "c:9:1: `values` is empty (expected a value to begin with)",
        ),
        (
            "[map.x]\nvalues = { a = 1 }",
            "c:9:16: `a` cannot be a whole number (expected a string)",
        ),
        (
            "[map.x]\ntype = 'integer'\nvalues = { a = 'one', b = 1.5 }",
            "c:10:16: `a` is no integer (expected a value of the type integer)\n\
             c:10:27: `b` cannot be a number with a fraction (expected a value of the type integer)",
        ),
        (
            "[map.x]\ntype = 'smallint'\nvalues = { a = 40000 }",
            "c:10:16: `a` is no smallint (expected a value of the type smallint)",
        ),
        (
            "[map.x]\ntype = 'money'\nvalues = { a = 1 }",
            "c:9:8: `type` cannot have this value (expected `text`, `smallint`, `integer`, `bigint`, `numeric`, `boolean`, `date`, `uuid`, `json` or `jsonb`)",
        ),
        (
            "[map.x]\nunknown = 'hodl'\nvalues = { a = 'b' }",
            "c:9:11: `unknown` cannot have this value (expected `hold`, `null`, `skip`, `error` or { value = \"…\" })",
        ),
        (
            "[map.x]\nunknown = { valeu = 'a' }\nvalues = { a = 'b' }",
            "c:9:1: `value` is missing in `unknown` (expected `value` = the value that it is then)\n\
             c:9:13: unknown key `valeu` in `unknown` (expected `value`?)",
        ),
        (
            "[map.x]\nvaleus = { a = 'b' }",
            "c:8:6: `values` is missing in [map.x] (expected `values` = { \"old value\" = \"new value\", … })\n\
             c:9:1: unknown key `valeus` in [map.x] (expected `values`?)",
        ),
        (
            "[map]",
            "c:8:2: `map` is not a mapping of values by itself (expected [map.NAME])",
        ),
    ] {
        assert_eq!(lines(maps).join("\n"), expected, "{maps}");
    }
    // Whatever a lookup may be, it has its name alone.
    let both = lines("[map.x]\nvalues.a = 'b'\n[lookup.X]\non = 'target'");
    let taken = "c:8:6: `x` is a lookup already (expected another name)";
    assert!(both.iter().any(|line| line == taken), "{both:?}");
}

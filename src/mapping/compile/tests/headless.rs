//! Carts without a header row: the layout that a mapping makes of them, and what is refused.

use super::*;
use crate::cart::image::Cell;
use crate::cart::layout::Layout;

const LINES: &str = r#"name = "a"
[source]
kind = "postgres"
url = "postgres://u@h/d"
[target]
kind = "postgres"
url = "postgres://u@h/d"
[cart]
table = "lines"
key = ["shop", "session"]
changed_at = "added"
[cart.rows]
choices = { parent = "lines", by = "line_id" }
orders = { cart = ["shop_id", "session_id"] }
[[into]]
table = "cart"
per = "cart"
role = "header"
[into.columns]
id = { key = "keyed_id(shop, session)" }
total = "sum(lines.quantity)"
[[into]]
table = "line"
per = "lines"
role = "line"
[into.columns]
id = { key = "keyed_id(id)" }
cart_id = "keyed_id(header.shop, cart.session)"
quantity = "quantity"
"#;

fn shop() -> Catalog {
    catalog(vec![
        table(
            "lines",
            "id bigint not null, shop integer not null, unused text, session text, quantity integer, \
             added timestamp without time zone",
        ),
        table(
            "choices",
            "id bigint not null, line_id bigint not null, name text",
        ),
        table(
            "orders",
            "id bigint not null, shop_id integer, session_id text",
        ),
    ])
}

fn onto() -> Catalog {
    let line = "id text not null, cart_id text not null, quantity integer";
    catalog(vec![
        table("cart", "id text not null, total bigint"),
        refers(table("line", line), "cart_id", "cart"),
    ])
}

fn try_lines(from: &str, to: &str) -> Result<Compiled, Vec<String>> {
    assert!(LINES.contains(from), "{from}");
    let text = LINES.replace(from, to);
    let config = Config::parse(&text, Path::new("c")).map_err(|all| all.lines())?;
    compile(&config, &shop(), &onto()).map_err(|all| all.lines())
}

#[test]
fn the_header_is_made_of_the_key() {
    let compiled = try_lines("", "").unwrap();
    let layout = &compiled.mapping.layout;
    let names: Vec<&str> = layout.tables.iter().map(|t| t.alias.as_str()).collect();
    assert_eq!(names, ["cart", "lines", "choices", "orders"]);
    assert!(layout.header().is_made() && layout.stored().count() == 3);
    assert_eq!(
        columns(&compiled.mapping, Layout::HEADER),
        ["shop", "session"]
    );
    let read = ["id", "shop", "session", "quantity", "added"];
    assert_eq!(columns(&compiled.mapping, 1), read);
    assert_eq!(layout.carrier(), Some(1));
    assert_eq!(layout.tables[1].cart, Some(vec![1, 2]));
    assert_eq!(layout.tables[1].key, [0]);
    assert_eq!(layout.tables[2].parent, Some((1, vec![1])));
    assert_eq!(compiled.mapping.changed_at, Some(4));
    assert_eq!((layout.dated_in(), layout.named_in().1), (1, &[1, 2][..]));
    assert!(!compiled.mapping.trusted_births);
    assert!(compiled.mapping.intos.iter().all(|into| !into.shareable));
    let row = ["7", "1", "abc", "2", "2026-01-01 00:00:00"].map(|v| Cell::Text(v.into()));
    let made = ["1", "abc"].map(|v| Cell::Text(v.into()));
    assert_eq!(layout.made_header(&row)[..], made);
}

#[test]
fn the_stored_mapping_has_the_same_carts() {
    for text in ["", "row_key = \"id\"\n"] {
        let first = try_lines("[cart.rows]", &format!("{text}[cart.rows]")).unwrap();
        assert_eq!(first.text.contains("row_key"), !text.is_empty());
        let again = recompile(&first.text, &first.schemas).unwrap();
        assert_eq!(again.layout, first.mapping.layout);
        assert_eq!(again.changed_at, first.mapping.changed_at);
    }
}

#[test]
fn what_the_header_has_not_is_refused() {
    for (from, to, expected) in [
        (
            "total = \"sum(lines.quantity)\"",
            "total = \"quantity\"",
            "no column quantity in cart",
        ),
        (
            "header.shop",
            "header.quantity",
            "no column quantity in cart",
        ),
        (
            "key = [\"shop\", \"session\"]",
            "key = [\"shop\", \"sesion\"]",
            "`lines` has no column `sesion`",
        ),
        (
            "cart = [\"shop_id\", \"session_id\"]",
            "cart = \"session_id\"",
            "the cart's key is made of (shop, session)",
        ),
        (
            "changed_at = \"added\"",
            "changed_at = \"quantity\"",
            "`quantity` is integer",
        ),
        (
            "per = \"cart\"",
            "per = \"lines\"",
            "the key of `lines` is not unique there",
        ),
    ] {
        let found = try_lines(from, to).unwrap_err();
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{to}: {found:#?}"
        );
    }
}

#[test]
fn the_header_is_the_row_that_stands_for_the_cart() {
    let text = LINES
        .replace("role = \"header\"", "role = \"detail\"")
        .replace("role = \"line\"", "role = \"header\"");
    let found = try_compile(&text, &shop(), &onto()).unwrap_err().lines();
    let expected = "c:24:7: these carts have no header row (expected `cart`)";
    assert_eq!(found[0], expected);
}

/// `live` as the query of each kind of source has it.
fn pushed(live: &str) -> [Option<String>; 2] {
    let text = LINES
        .replace("[cart.rows]", &format!("live = \"{live}\"\n[cart.rows]"))
        .replace("role = \"header\"", "role = \"header\"\nended = \"delete\"");
    let compiled = try_compile(&text, &shop(), &onto()).unwrap_or_else(|e| panic!("{e}"));
    let live = compiled.mapping.live.as_ref().unwrap();
    [live.pushdown("h"), live.pushdown_to_mysql("h")]
}

#[test]
fn rows_elsewhere_are_asked_for_by_the_query() {
    let some = |sql: &str| Some(sql.to_owned());
    // Of texts in another table nobody knows how they are compared.
    assert_eq!(pushed("not exists(orders.*)"), [None, None]);
    let postgres = "(h.\"shop\" > '0'::integer)";
    let [one, two] = pushed("shop > 0 and not exists(orders.*)");
    assert_eq!(one, some(postgres));
    assert!(two.is_some_and(|sql| sql.contains("shop")));
    let [one, two] = pushed("exists(lines.*) filter (where lines.quantity > 0)");
    let meets = "EXISTS (SELECT 1 FROM \"public\".\"lines\" AS e WHERE e.\"shop\" = h.\"shop\" \
                 AND e.\"session\" = h.\"session\" AND (e.\"quantity\" > '0'::integer))";
    assert_eq!(one, some(meets));
    let exact = "CAST(CONVERT(e.`session` USING utf8mb4) AS BINARY) = \
                 CAST(CONVERT(h.`session` USING utf8mb4) AS BINARY)";
    assert!(two.is_some_and(|sql| sql.contains(exact)), "{exact}");
}

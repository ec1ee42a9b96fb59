//! `[cart]` and `[cart.rows]`: what a cart is in the old shop.

use std::collections::HashSet;

use toml::Spanned;

use super::reader::{Problems, Section, nearest, one_of, table};
use super::{Cart, Into, Rows};
use crate::cart::layout::Layout;
use crate::diagnostic::Diagnostic;

/// Names that expressions and `per` use for something else.
const KEYWORDS: [&str; 5] = ["header", "parent", "item", "item_key", "cart"];

pub(super) fn read(root: &mut Section<'_>, problems: &mut Problems) -> (Option<Cart>, Vec<Rows>) {
    if !root.has("cart") {
        root.missing("cart", "{ table = … }", problems);
    }
    let Some(mut section) = root.table("cart", problems) else {
        return (None, Vec::new());
    };
    let table = section.required("table", "the header table of the source", problems);
    let key = section.strings("key", problems);
    let row_key = section.strings("row_key", problems);
    let live = section.string("live", problems);
    let changed_at = section.string("changed_at", problems);
    let rows = section.table("rows", problems);
    section.finish(problems);
    let mut rows = rows.map_or(Vec::new(), |mut section| {
        section.name = "[cart.rows]".into();
        entries(section, problems)
    });
    let cart = table.map(|table| Cart {
        table,
        key,
        row_key,
        live,
        changed_at,
    });
    if let Some(cart) = &cart {
        check_aliases(cart, &rows, problems);
        check_parents(cart, &rows, problems);
        rows.sort_by_key(|r| r.alias.span().start);
    }
    (cart, rows)
}

fn entries(section: Section<'_>, problems: &mut Problems) -> Vec<Rows> {
    let read = |entry: super::reader::Entry<'_>| {
        let alias = entry.key;
        let name = format!("`{alias}` of [cart.rows]");
        let mut section = table(name, alias.span(), entry.value, problems)?;
        let rows = Rows {
            table: section
                .string("table", problems)
                .unwrap_or_else(|| alias.clone()),
            key: section.strings("key", problems),
            cart: section.strings("cart", problems),
            parent: section.string("parent", problems),
            by: section.strings("by", problems),
            alias,
        };
        if rows.cart.is_empty() && rows.parent.is_none() && !section.has("cart") {
            let expected = "the column that holds the cart's key; or `parent` and `by`";
            section.missing("cart", expected, problems);
        }
        match (&rows.parent, rows.by.first()) {
            (Some(_), None) if !section.has("by") => {
                let expected = "the columns here that hold the parent's key";
                section.missing("by", expected, problems);
            }
            (None, Some(by)) => problems.push(
                Diagnostic::error(
                    by.span(),
                    format!("`by` without `parent` in {}", section.name),
                )
                .expected("`parent` too: the table whose key these columns hold"),
            ),
            _ => {}
        }
        section.finish(problems);
        Some(rows)
    };
    section
        .into_entries()
        .into_iter()
        .filter_map(read)
        .collect()
}

fn check_aliases(cart: &Cart, rows: &[Rows], problems: &mut Problems) {
    let header = alias_of(cart.table.get_ref());
    for Rows { alias, .. } in rows {
        let name = alias.get_ref().as_str();
        if KEYWORDS.contains(&name) {
            problems.push(
                Diagnostic::error(
                    alias.span(),
                    format!("`{name}` is a keyword of expressions"),
                )
                .expected(format!("another alias: x = {{ table = \"{name}\", … }}")),
            );
        } else if name.contains('.') {
            problems.push(
                Diagnostic::error(alias.span(), format!("the alias `{name}` holds a dot"))
                    .expected(format!("a plain alias: x = {{ table = \"{name}\", … }}")),
            );
        } else if name == header {
            problems.push(
                Diagnostic::error(
                    alias.span(),
                    format!("`{name}` is the header's name already"),
                )
                .expected(format!("another alias: x = {{ table = \"{name}\", … }}")),
            );
        }
    }
}

/// Each table reaches its cart: by a column of its own, or through parents that end at the header
/// or at a table with such a column.
fn check_parents(cart: &Cart, rows: &[Rows], problems: &mut Problems) {
    let header = alias_of(cart.table.get_ref());
    let names = || std::iter::once(header).chain(rows.iter().map(|r| r.alias.get_ref().as_str()));
    for row in rows {
        let Some(parent) = &row.parent else { continue };
        let name = parent.get_ref().as_str();
        if !names().any(|n| n == name) {
            problems.push(unknown_table(parent, names()));
        } else if row.cart.is_empty() && !reaches_header(row, rows, header) {
            problems.push(
                Diagnostic::error(
                    parent.span(),
                    format!(
                        "`{}` never reaches the header through its parents",
                        row.alias
                    ),
                )
                .expected("`cart`, the column that holds the cart's key, on one of them"),
            );
        } else if cycle(row, rows) {
            let message = format!("`{}` is its own ancestor through other tables", row.alias);
            problems.push(Diagnostic::error(parent.span(), message).expected(
                "parents that lead to the header; only a table itself may be its parent",
            ));
        }
    }
}

fn reaches_header(row: &Rows, rows: &[Rows], header: &str) -> bool {
    let mut seen = HashSet::new();
    let mut at = row;
    while at.cart.is_empty() {
        let Some(parent) = at.parent.as_ref().map(Spanned::get_ref) else {
            return true; // reported as missing
        };
        if parent == header || !seen.insert(parent) {
            return parent == header;
        }
        match rows.iter().find(|r| r.alias.get_ref() == parent) {
            Some(next) => at = next,
            None => return true, // reported as unknown
        }
    }
    true
}

fn cycle(row: &Rows, rows: &[Rows]) -> bool {
    let mut at = row;
    for _ in rows {
        let Some(parent) = at.parent.as_ref().map(Spanned::get_ref) else {
            return false;
        };
        if parent == at.alias.get_ref() {
            return false;
        }
        match rows.iter().find(|r| r.alias.get_ref() == parent) {
            Some(next) if next.alias == row.alias => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    false
}

/// Carts have no header row where a target row stands for each cart, or the rows of its table have a
/// key of their own. With a table named `cart`, `per = "cart"` is the header's rows.
pub(super) fn is_headless(cart: &Cart, into: &[Into]) -> bool {
    let names_table = alias_of(cart.table.get_ref()) == Layout::MADE;
    let for_each_cart = |into: &Into| into.per.get_ref() == Layout::MADE;
    !cart.row_key.is_empty() || !names_table && into.iter().any(for_each_cart)
}

/// What carts without a header row must say.
pub(super) fn check_headless(cart: &Cart, into: &[Into], problems: &mut Problems) {
    if !is_headless(cart, into) {
        return;
    }
    if cart.key.is_empty() {
        problems.push(
            Diagnostic::error(
                cart.table.span(),
                "carts without a header row have no primary key",
            )
            .expected("`key` in [cart]: the columns whose values the rows of one cart share"),
        );
    }
    if alias_of(cart.table.get_ref()) == Layout::MADE {
        let message = "`cart` is a keyword where carts have no header row, and the table's name";
        problems.push(
            Diagnostic::error(cart.table.span(), message)
                .expected("a table of another name, as a view cannot be read from the log"),
        );
    }
}

/// The name that expressions use for a table: without its schema.
pub(crate) fn alias_of(table: &str) -> &str {
    table.rsplit_once('.').map_or(table, |(_, name)| name)
}

pub(super) fn unknown_table<'a>(
    name: &Spanned<String>,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let problem = Diagnostic::error(name.span(), format!("the cart has no table `{name}`"));
    match nearest(name.get_ref(), known.clone()) {
        Some(near) => problem.expected(format!("`{near}`?")),
        None => problem.expected(one_of(known)),
    }
}

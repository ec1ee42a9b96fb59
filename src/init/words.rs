//! What names of columns and tables mean: their parts, words for the same thing, and how alike two are.

use crate::mapping::expr::{Assign, assignable};
use crate::sqltype::{Class, SqlType};

/// Names in expressions that must be quoted.
pub const RESERVED: [&str; 18] = [
    "all", "and", "case", "check", "default", "desc", "end", "from", "group", "header", "index",
    "not", "option", "or", "order", "table", "user", "where",
];

/// Words, and the names by which shops' columns say them, as parts in their order.
const WORDS: [(&str, &[&str]); 36] = [
    (
        "token",
        &[
            "token",
            "guest token",
            "cart token",
            "masked id",
            "secret",
            "session key",
            "cookie",
        ],
    ),
    (
        "currency",
        &[
            "currency",
            "currency code",
            "iso currency",
            "order currency",
        ],
    ),
    (
        "email",
        &[
            "email",
            "customer email",
            "email address",
            "user email",
            "contact email",
            "mail",
        ],
    ),
    (
        "customer",
        &[
            "customer id",
            "user id",
            "account id",
            "customer",
            "client id",
            "member id",
            "id customer",
        ],
    ),
    (
        "store",
        &[
            "store id",
            "shop id",
            "channel id",
            "site id",
            "store",
            "shop",
            "channel",
            "id shop",
        ],
    ),
    (
        "locale",
        &["locale", "language", "language code", "lang", "locale code"],
    ),
    (
        "note",
        &[
            "note",
            "comment",
            "remark",
            "special instruction",
            "customer note",
            "customer comment",
        ],
    ),
    (
        "coupon",
        &[
            "coupon code",
            "coupon",
            "voucher code",
            "voucher",
            "promo code",
            "promotion code",
        ],
    ),
    (
        "created",
        &[
            "created at",
            "create at",
            "created",
            "date add",
            "date added",
            "creation date",
            "inserted at",
            "created on",
            "date created",
        ],
    ),
    (
        "updated",
        &[
            "updated at",
            "update at",
            "updated",
            "date upd",
            "modified at",
            "last change",
            "last modified",
            "updated on",
            "date updated",
            "changed at",
        ],
    ),
    (
        "sku",
        &[
            "sku",
            "variant sku",
            "product sku",
            "item sku",
            "article number",
            "item code",
            "product code",
            "reference",
        ],
    ),
    (
        "variant",
        &[
            "variant id",
            "product variant id",
            "variation id",
            "merchandise id",
        ],
    ),
    (
        "product",
        &["product id", "item product id", "article id", "id product"],
    ),
    (
        "name",
        &[
            "name",
            "title",
            "product name",
            "product title",
            "item name",
            "label",
        ],
    ),
    (
        "quantity",
        &[
            "quantity",
            "qty",
            "amount ordered",
            "piece",
            "item quantity",
            "item count",
        ],
    ),
    (
        "unit_price",
        &[
            "unit price",
            "price",
            "item price",
            "unit amount",
            "list price",
            "unit cost",
        ],
    ),
    (
        "metadata",
        &[
            "metadata",
            "meta",
            "extra",
            "custom field",
            "additional data",
            "attribute",
        ],
    ),
    (
        "options",
        &["option", "selected option", "item option", "variation"],
    ),
    ("ip", &["remote ip", "ip", "ip address", "last ip address"]),
    (
        "country",
        &["country", "country code", "country id", "country iso"],
    ),
    (
        "first_name",
        &[
            "first name",
            "firstname",
            "given name",
            "customer firstname",
        ],
    ),
    (
        "last_name",
        &[
            "last name",
            "lastname",
            "surname",
            "family name",
            "customer lastname",
        ],
    ),
    (
        "company",
        &["company", "company name", "organisation", "organization"],
    ),
    (
        "address_1",
        &[
            "address 1",
            "address1",
            "street",
            "street address 1",
            "line 1",
            "street line 1",
        ],
    ),
    (
        "address_2",
        &[
            "address 2",
            "address2",
            "street address 2",
            "line 2",
            "street line 2",
        ],
    ),
    ("city", &["city", "town", "locality"]),
    (
        "province",
        &["province", "state", "region", "country area", "state name"],
    ),
    (
        "postal_code",
        &["postal code", "zip", "zipcode", "postcode", "zip code"],
    ),
    ("phone", &["phone", "telephone", "phone number", "mobile"]),
    ("subtotal", &["subtotal", "sub total", "item total"]),
    ("total", &["total", "grand total", "total amount"]),
    (
        "discount",
        &["discount", "discount amount", "discount total"],
    ),
    ("tax", &["tax", "tax amount", "tax total"]),
    ("weight", &["weight", "unit weight"]),
    ("gift_message", &["gift message", "message"]),
    ("virtual", &["virtual", "digital"]),
];

/// Parts that mean the same wherever they stand.
const SAME: [(&str, &str); 16] = [
    ("qty", "quantity"),
    ("basket", "cart"),
    ("quote", "cart"),
    ("checkout", "cart"),
    ("trolley", "cart"),
    ("bag", "cart"),
    ("order", "cart"),
    ("item", "line"),
    ("position", "line"),
    ("entry", "line"),
    ("row", "line"),
    ("client", "customer"),
    ("shopper", "customer"),
    ("amt", "amount"),
    ("num", "number"),
    ("descr", "description"),
];

/// The parts of a name: `customerEmail`, `customer_email` and `CustomerEmails` have the same.
pub fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut fresh = true;
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() {
            fresh = true;
        } else {
            let turns = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
            let digits = c.is_ascii_digit() != before.is_ascii_digit() && before.is_alphanumeric();
            if fresh || turns || digits {
                parts.push(String::new());
            }
            if let Some(last) = parts.last_mut() {
                last.extend(c.to_lowercase());
            }
            fresh = false;
        }
        before = c;
    }
    parts.iter().map(|part| singular(part)).collect()
}

fn singular(part: &str) -> String {
    let kept = ["ss", "us", "is", "as", "address"];
    match part.strip_suffix("ies") {
        Some(stem) if stem.len() > 1 => format!("{stem}y"),
        _ => match part.strip_suffix('s') {
            Some(stem) if stem.len() > 2 && !kept.iter().any(|k| part.ends_with(k)) => stem.into(),
            _ => part.to_owned(),
        },
    }
}

/// The word that a column's name says, if it is one of those.
pub fn word_of(column: &str) -> Option<&'static str> {
    let said = run_together(column);
    let says = |names: &[&str]| names.iter().any(|name| run_together(name) == said);
    let found = WORDS.iter().find(|(_, names)| says(names));
    found.map(|(word, _)| *word)
}

/// Servers fold `giftMessage` to `giftmessage`.
fn run_together(name: &str) -> String {
    parts(name).concat()
}

/// How early among the names of its word this one stands: the smaller the plainer.
pub fn rank(column: &str, word: &str) -> usize {
    let said = run_together(column);
    let names = WORDS
        .iter()
        .find(|(w, _)| *w == word)
        .map(|(_, names)| names);
    let place = names.and_then(|names| names.iter().position(|n| run_together(n) == said));
    place.unwrap_or(usize::MAX)
}

/// From 0 to 100: the share of parts that both have.
pub fn likeness(one: &str, other: &str) -> u32 {
    if run_together(one) == run_together(other) && !is_bare(&alike(one)) {
        return 100;
    }
    let (one, other) = (alike(one), alike(other));
    let both = one.iter().filter(|part| other.contains(part)).count();
    let all = one.len() + other.len() - both;
    if all == 0 || is_bare(&one) || is_bare(&other) {
        return 0;
    }
    u32::try_from(both * 100 / all).unwrap_or(0)
}

/// It says nothing by itself.
fn is_bare(parts: &[String]) -> bool {
    let dull = ["id", "is", "at", "cart", "line", "key", "type"];
    parts.iter().all(|part| dull.contains(&part.as_str()))
}

pub fn alike(name: &str) -> Vec<String> {
    let mut all: Vec<String> = parts(name)
        .into_iter()
        .map(|part| {
            let same = SAME.iter().find(|(from, _)| *from == part);
            same.map_or(part, |(_, to)| (*to).to_owned())
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Digits behind the point would be rounded away.
pub fn rounds(from: &SqlType, to: &SqlType) -> bool {
    let scale = from.numeric.map_or(1, |(_, scale)| scale);
    to.class.is_integer() && (from.class == Class::Numeric && scale > 0 || from.class.is_float())
}

/// The expression, cast where the column would not take it as it is; none where no cast is sensible.
pub fn fits(expression: &str, from: &SqlType, to: &SqlType) -> Option<String> {
    let whole = to.class.is_integer();
    match assignable(from, false, to) {
        Assign::Exact | Assign::MayFail(_) => Some(expression.to_owned()),
        Assign::No(_) if to.class == Class::Text => Some(format!("cast({expression} as text)")),
        Assign::No(_) if to.class == Class::Bool && from.class.is_integer() => {
            Some(format!("{expression} <> 0"))
        }
        Assign::No(_) if whole && from.class == Class::Bool => {
            Some(format!("case when {expression} then 1 else 0 end"))
        }
        Assign::No(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (name, said) in [
            ("customerEmail", "customer email"),
            ("customer_emails", "customer email"),
            ("address1", "address 1"),
            ("subTotalWithTax", "sub total with tax"),
            ("categories", "category"),
            ("shipping_address", "shipping address"),
        ] {
            assert_eq!(parts(name).join(" "), said, "{name}");
        }
    }

    #[test]
    fn shops_have_many_names_for_one_thing() {
        for (name, word) in [
            ("qty", Some("quantity")),
            ("variant_sku", Some("sku")),
            ("customer_email", Some("email")),
            ("date_add", Some("created")),
            ("createdAt", Some("created")),
            ("id_product", Some("product")),
            ("currencycode", Some("currency")),
            ("frobnication", None),
        ] {
            assert_eq!(word_of(name), word, "{name}");
        }
        assert!(rank("quantity", "quantity") < rank("qty", "quantity"));
    }

    #[test]
    fn likeness_counts_the_parts_that_both_have() {
        assert_eq!(likeness("gift_message", "giftMessage"), 100);
        assert_eq!(likeness("wrap_colour", "wrapcolour"), 100);
        assert_eq!(
            likeness("order_items", "cart_lines"),
            0,
            "they say nothing by themselves"
        );
        assert_eq!(likeness("gift_message", "message"), 50);
        assert_eq!(likeness("gift_message", "weight"), 0);
    }

    #[test]
    fn a_value_is_cast_only_where_it_must_be() {
        let fits = |from: &str, to: &str| fits("x", &SqlType::parse(from), &SqlType::parse(to));
        assert_eq!(fits("text", "character varying(9)"), Some("x".into()));
        assert_eq!(fits("numeric(12,4)", "integer"), Some("x".into()));
        assert_eq!(fits("smallint", "boolean"), Some("x <> 0".into()));
        assert_eq!(
            fits("boolean", "smallint"),
            Some("case when x then 1 else 0 end".into())
        );
        assert_eq!(fits("jsonb", "integer"), None);
        let rounds = |from: &str, to: &str| rounds(&SqlType::parse(from), &SqlType::parse(to));
        assert!(rounds("numeric(12,4)", "integer") && rounds("real", "bigint"));
        assert!(!rounds("numeric(20,0)", "bigint") && !rounds("numeric(12,4)", "numeric"));
    }
}

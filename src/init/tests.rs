//! The platforms' files, and proposals for small schemas.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Confidence, Form};
use super::platform::{FILES, Platform, read};
use super::*;
use crate::catalog::{ColumnInfo, ForeignKey, ReplicaIdentity, TableInfo, TableKind};
use crate::config::{Kind, Tls, TlsMode};
use crate::sqltype::SqlType;

fn platforms() -> Vec<(&'static str, Platform)> {
    let parsed = FILES.iter().map(|(name, text)| {
        let platform = toml::from_str(text).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(read(text, "x_").is_some());
        (*name, platform)
    });
    parsed.collect()
}

#[test]
fn no_lookup_of_an_old_shop_is_called_like_one_of_a_new_shop() {
    let all = platforms();
    let mut old = BTreeSet::new();
    let mut new = BTreeSet::new();
    for (_, platform) in &all {
        old.extend(platform.source.iter().flat_map(|s| s.lookup.keys()));
        let target = platform.target.iter();
        new.extend(target.flat_map(|t| t.lookup.keys().chain(t.map.keys())));
    }
    let both: Vec<_> = old.intersection(&new).collect();
    assert!(both.is_empty(), "{both:?}");
}

#[test]
fn each_platform_says_what_a_cart_and_its_lines_are() {
    for (name, platform) in platforms() {
        let source = platform
            .source
            .unwrap_or_else(|| panic!("{name} is no old shop"));
        for (scope, words) in [
            ("cart", &["cart", "marks"][..]),
            ("line", &["line", "cart", "sku", "quantity"]),
        ] {
            let says = &source.scope[scope].says;
            let lacks: Vec<_> = words.iter().filter(|w| !says.contains_key(**w)).collect();
            assert!(lacks.is_empty(), "{name}, {scope}: {lacks:?}");
        }
    }
}

fn table(name: &str, columns: &str, to: &[(&str, &str)]) -> TableInfo {
    let columns: Vec<ColumnInfo> = columns
        .split(", ")
        .enumerate()
        .map(|(at, column)| {
            let not_null = column.ends_with('!');
            let (name, ty) = column
                .trim_end_matches('!')
                .split_once(' ')
                .expect("a type");
            ColumnInfo {
                name: name.into(),
                ty: SqlType::parse(ty),
                not_null,
                has_default: false,
                generated: false,
                identity: false,
                distinct_default: false,
                bytewise: true,
                number: i16::try_from(at + 1).unwrap_or(0),
                type_oid: 0,
            }
        })
        .collect();
    let key = vec![columns[0].name.clone()];
    let foreign_keys = to.iter().map(|(column, table)| ForeignKey {
        name: (*column).into(),
        columns: vec![(*column).into()],
        schema: "s".into(),
        table: (*table).into(),
        referenced: vec!["id".into()],
        on_delete_cascade: false,
        deferrable: false,
        enforced: true,
    });
    TableInfo {
        oid: 0,
        schema: "s".into(),
        name: name.into(),
        kind: TableKind::Ordinary,
        columns,
        primary_key: key.clone(),
        uniques: vec![key.clone()],
        indexes: vec![key],
        foreign_keys: foreign_keys.collect(),
        triggers: Vec::new(),
        replica_identity: ReplicaIdentity::Full,
    }
}

fn catalog(tables: Vec<TableInfo>) -> Catalog {
    Catalog {
        tables,
        search_path: vec!["s".into()],
    }
}

fn ends() -> Ends {
    let end = || End {
        kind: Kind::Postgres,
        url: "postgres://u@h/d".into(),
        had_password: true,
        tls: Tls {
            mode: TlsMode::VerifyCa,
            ca: None,
            certificate: None,
            key: None,
        },
    };
    Ends {
        name: "a".into(),
        source: end(),
        target: End {
            tls: Tls {
                mode: TlsMode::Prefer,
                ..end().tls
            },
            ..end()
        },
    }
}

fn old() -> Catalog {
    catalog(vec![
        table(
            "basket",
            "id bigint!, customer_email text, active boolean!, updated_at timestamptz!, odd bytea",
            &[],
        ),
        table(
            "basket_items",
            "id bigint!, basket_id bigint!, sku text!, qty numeric(12,4)!",
            &[],
        ),
        table("stock", "id bigint!, sku text!, quantity integer!", &[]),
        table("orders", "id bigint!, basket_id bigint!, email text", &[]),
    ])
}

fn new() -> Catalog {
    catalog(vec![
        table(
            "cart",
            "id text!, email text, odd integer, answer text!",
            &[],
        ),
        table(
            "cart_lines",
            "id text!, cart text!, sku text!, quantity integer!",
            &[("cart", "cart")],
        ),
    ])
}

#[test]
fn unknown_shops_are_matched_by_names_types_and_keys() {
    let draft = propose(&old(), &new());
    assert_eq!(
        draft.cart.as_ref().map(|c| c.table.as_str()),
        Some("basket")
    );
    let rows: Vec<&str> = draft.rows.iter().map(|r| r.what.alias.as_str()).collect();
    assert_eq!(
        rows,
        ["basket_items"],
        "a stock is no cart's, an order is another cart"
    );
    let columns: BTreeMap<String, _> = draft
        .intos
        .iter()
        .flat_map(|i| {
            i.what
                .columns
                .iter()
                .map(|c| (format!("{}.{}", i.what.table, c.what.name), &c.what))
        })
        .collect();
    let found: Vec<(&str, &str, Form)> = columns
        .iter()
        .map(|(name, c)| (name.as_str(), c.expression.as_str(), c.form))
        .collect();
    assert_eq!(
        found,
        [
            ("cart.email", "customer_email", Form::Value),
            ("cart.id", "keyed_id(id)", Form::Key),
            ("cart_lines.cart", "keyed_id(basket_id)", Form::Value),
            ("cart_lines.id", "keyed_id(id)", Form::Key),
            ("cart_lines.quantity", "qty", Form::Value),
            ("cart_lines.sku", "sku", Form::Value),
        ]
    );
    let unsure: Vec<&str> = columns
        .values()
        .filter(|c| c.confidence == Confidence::Guess)
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(unsure, ["quantity"], "it may be rounded");
    assert_eq!(
        draft.intos[0].what.answers,
        [("answer".to_owned(), "text".to_owned())]
    );
}

#[test]
fn what_does_not_fit_is_taken_out_and_the_rest_compiles() {
    let mut draft = propose(&old(), &new());
    let cart = &mut draft.intos[0].what;
    let mut wrong = cart.columns[0].clone();
    wrong.what.form = Form::Value;
    // One that names what is not there, one of a type that does not fit, and one that is no SQL.
    for (name, expression) in [("email", "nothing"), ("odd", "odd"), ("answer", "'a' ||")] {
        cart.columns.retain(|c| c.what.name != name);
        wrong.what.name = name.into();
        wrong.what.expression = expression.into();
        cart.columns.push(wrong.clone());
    }
    cart.answers.clear();
    let settled = settle(draft, &ends(), &old(), &new());
    let out: Vec<(&str, bool)> = settled.draft.intos[0]
        .what
        .columns
        .iter()
        .map(|c| (c.what.name.as_str(), c.out.is_some()))
        .collect();
    assert_eq!(
        out,
        [
            ("id", false),
            ("email", true),
            ("odd", true),
            ("answer", true)
        ]
    );
    assert_eq!(
        settled.draft.answers(),
        1,
        "what must hold something is asked for"
    );
    assert!(!settled.compiles);
    assert!(settled.text.contains("taken out: "), "{}", settled.text);

    let mut new = new();
    new.tables[0].columns.pop();
    let settled = settle(propose(&old(), &new), &ends(), &old(), &new);
    assert!(settled.compiles, "{}", settled.text);
    assert_eq!(settled.draft.taken_out(), 0, "{}", settled.text);
}

#[test]
fn a_key_of_our_own_leaves_the_number_to_the_new_shop() {
    let mut vendure = catalog(vec![
        table(
            "order",
            "id integer!, code text!, active boolean!, couponCodes text!, subTotalWithTax integer!",
            &[],
        ),
        table(
            "order_line",
            "id integer!, orderId integer!, productVariantId integer!, listPriceIncludesTax boolean!, \
             customFieldsLegacykey text",
            &[],
        ),
    ]);
    let keys = |target: &Catalog| {
        let draft = propose(&spree(), target);
        let line = draft
            .intos
            .iter()
            .find(|i| i.what.table == "order_line")
            .expect("lines");
        let columns = line
            .what
            .columns
            .iter()
            .filter(|c| c.what.form == Form::Key);
        columns.map(|c| c.what.name.clone()).collect::<Vec<_>>()
    };
    // Without a unique index over it, it names no row.
    assert_eq!(keys(&vendure), ["id", "customFieldsLegacykey"]);
    let line = &mut vendure.tables[1];
    line.columns[0].has_default = true;
    line.uniques.push(vec!["customFieldsLegacykey".into()]);
    assert_eq!(keys(&vendure), ["customFieldsLegacykey"]);
    vendure.tables[1].columns.pop();
    assert_eq!(keys(&vendure), ["id"]);
}

fn spree() -> Catalog {
    catalog(vec![
        table(
            "shop_orders",
            "id bigint!, number text, completed_at timestamp, state text, token text",
            &[],
        ),
        table(
            "shop_line_items",
            "id bigint!, order_id bigint!, variant_id bigint!, quantity integer!",
            &[],
        ),
    ])
}

#[test]
fn a_schema_without_carts_gives_a_file_that_says_so() {
    let none = catalog(vec![table("weather", "id bigint!, rain numeric", &[])]);
    let settled = settle(propose(&none, &none), &ends(), &none, &none);
    assert!(!settled.compiles);
    assert!(
        settled
            .text
            .contains("No table of the source looks like one of carts")
    );
    assert!(
        settled
            .text
            .contains("No table of the target looks like one of carts")
    );
}

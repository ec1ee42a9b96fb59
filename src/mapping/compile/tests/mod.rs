//! Mappings against hand-made catalogs.

mod allocated;
mod bad;
mod headless;
mod lookup;
mod mysql;
mod shape;

use std::path::Path;

use super::stored::StoredSchemas;
use super::{Compiled, compile, recompile};
use crate::catalog::{Catalog, ColumnInfo, ForeignKey, ReplicaIdentity, TableInfo, TableKind};
use crate::config::Config;
use crate::diagnostic::Diagnostics;
use crate::mapping::plan::{Fate, Lock, Mapping};
use crate::sqltype::SqlType;

/// A table from lines like `id bigint not null`; the first column is its primary key.
fn table(name: &str, columns: &str) -> TableInfo {
    let columns: Vec<ColumnInfo> = columns
        .split(',')
        .map(|column| {
            let (name, ty) = column.trim().split_once(' ').unwrap();
            let mut ty = ty.to_owned();
            let mut has = |word: &str| {
                let found = ty.contains(word);
                ty = ty.replace(word, "");
                found
            };
            let identity = has("identity");
            ColumnInfo {
                name: name.to_owned(),
                not_null: has("not null"),
                bytewise: true,
                has_default: has("default"),
                generated: has("generated") || identity,
                identity,
                distinct_default: false,
                number: 0,
                type_oid: 0,
                ty: SqlType::parse(ty.trim()),
            }
        })
        .collect();
    let primary_key = vec![columns[0].name.clone()];
    TableInfo {
        oid: 1,
        schema: "public".into(),
        name: name.into(),
        kind: TableKind::Ordinary,
        columns,
        uniques: vec![primary_key.clone()],
        indexes: vec![primary_key.clone()],
        primary_key,
        foreign_keys: Vec::new(),
        triggers: Vec::new(),
        replica_identity: ReplicaIdentity::Default,
    }
}

fn refers(mut table: TableInfo, column: &str, to: &str) -> TableInfo {
    table.foreign_keys.push(ForeignKey {
        name: format!("{}_{column}_fkey", table.name),
        columns: vec![column.into()],
        schema: "public".into(),
        table: to.into(),
        referenced: vec!["id".into()],
        on_delete_cascade: false,
        deferrable: false,
        enforced: true,
    });
    table
}

fn catalog(tables: Vec<TableInfo>) -> Catalog {
    Catalog {
        tables,
        search_path: vec!["public".into()],
    }
}

fn source() -> Catalog {
    let items = table(
        "items",
        "id bigint not null, order_id bigint not null, sku text, quantity integer not null, note text",
    );
    let options = table(
        "options",
        "id bigint not null, item_id bigint not null, name text",
    );
    catalog(vec![
        table(
            "orders",
            "id bigint not null, state text not null, email text, unused text, updated_at timestamp with time zone",
        ),
        refers(items, "order_id", "orders"),
        refers(options, "item_id", "items"),
    ])
}

fn target() -> Catalog {
    let line = table(
        "line",
        "id text not null, cart_id text not null, sku text, quantity integer, total numeric generated",
    );
    catalog(vec![
        table(
            "cart",
            "id text not null, email text, version integer not null, completed_at timestamp with time zone, \
             touched timestamp with time zone, code character varying(3), n bigint identity",
        ),
        refers(line, "cart_id", "cart"),
    ])
}

const MAPPING: &str = r#"name = "a"
[source]
kind = "postgres"
url = "postgres://u@h/d"
[target]
kind = "postgres"
url = "postgres://u@h/d"
[cart]
table = "orders"
live = "state = 'cart'"
changed_at = "updated_at"
[cart.rows]
items = { cart = "order_id" }
options = { parent = "items", by = "item_id" }
[[into]]
table = "cart"
per = "orders"
role = "header"
lock = "version"
ended = { set = { completed_at = "commit_time()" } }
deleted = "keep"
[into.columns]
email = "lower(email)"
id = { key = "'cart_' || id" }
[[into]]
table = "line"
per = "items"
role = "line"
line = { product = "sku", quantity = "quantity" }
[into.columns]
id = { key = "'line_' || id" }
cart_id = "'cart_' || order_id"
sku = "sku"
quantity = "quantity"
"#;

fn try_compile(text: &str, source: &Catalog, target: &Catalog) -> Result<Compiled, Diagnostics> {
    compile(
        &Config::parse(text, Path::new("c")).unwrap(),
        source,
        target,
    )
}

fn compiled(text: &str) -> Compiled {
    try_compile(text, &source(), &target()).unwrap_or_else(|e| panic!("{e}"))
}

fn columns(mapping: &Mapping, table: usize) -> Vec<&str> {
    let columns = mapping.layout.tables[table].columns.iter();
    columns.map(|c| c.name.as_str()).collect()
}

#[test]
fn a_good_mapping_reads_no_more_than_it_needs() {
    let compiled = compiled(MAPPING);
    let mapping = &compiled.mapping;
    assert_eq!(columns(mapping, 0), ["id", "state", "email", "updated_at"]);
    assert_eq!(columns(mapping, 1), ["id", "order_id", "sku", "quantity"]);
    assert_eq!(columns(mapping, 2), ["id", "item_id"]);
    assert_eq!(mapping.layout.tables[2].parent, Some((1, vec![1])));
    assert_eq!(mapping.changed_at, Some(3));
    assert!(mapping.trusted_births);
    let live = mapping.live.as_ref().unwrap();
    assert!(live.pushdown("h").is_some_and(|sql| sql.contains("state")));

    let cart = &mapping.intos[0];
    assert_eq!(cart.lock, Lock::Counter("version".into()));
    assert_eq!(cart.key[0].name, "id");
    let names: Vec<&str> = cart.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["email", "completed_at"]);
    assert!(cart.columns[1].expr.is_none());
    assert!(matches!(&cart.ended, Fate::Set(set) if set[0].0 == 1));
    assert!(matches!(cart.deleted, Fate::Keep));

    let line = &mapping.intos[1];
    assert_eq!(line.lock, Lock::Row);
    assert!(
        matches!(line.ended, Fate::Keep),
        "stays because the header stays"
    );
    assert!(matches!(line.deleted, Fate::Delete));
    let link = &line.line.as_ref().unwrap().cart;
    assert_eq!(link[..], [("cart_id".into(), "id".into())]);
}

#[test]
fn the_stored_mapping_compiles_to_the_same() {
    let first = compiled(MAPPING);
    let json = serde_json::to_string(&first.schemas).unwrap();
    let schemas: StoredSchemas = serde_json::from_str(&json).unwrap();
    assert_eq!(schemas, first.schemas);
    let again = recompile(&first.text, &schemas).unwrap();
    assert_eq!(again.layout, first.mapping.layout);
    assert_eq!(
        format!("{:?}", again.intos),
        format!("{:?}", first.mapping.intos)
    );
    assert_eq!(again.changed_at, first.mapping.changed_at);
}

#[test]
fn the_hash_is_of_the_mapping_only() {
    let hash = |text: &str| compiled(text).hash;
    let first = hash(MAPPING);
    assert_eq!(first.len(), 64);
    assert_eq!(
        first,
        hash(&MAPPING.replace("\nrole = ", " # comment\n\n role =  "))
    );
    assert_eq!(first, hash(&MAPPING.replace("u@h", "other@else")));
    assert_ne!(first, hash(&MAPPING.replace("'line_'", "'l_'")));
    let mut wider = source();
    wider.tables[0].columns[3].ty = SqlType::parse("integer");
    let other = |source: &Catalog| try_compile(MAPPING, source, &target()).unwrap().hash;
    assert_eq!(first, other(&wider), "a column that nothing reads");
    wider.tables[1].columns[2].ty = SqlType::parse("character varying(9)");
    assert_ne!(first, other(&wider));
}

#[test]
fn births_are_trusted_only_with_every_foreign_key() {
    let mut source = source();
    source.tables[2].foreign_keys[0].enforced = false;
    let compiled = try_compile(MAPPING, &source, &target()).unwrap();
    assert!(!compiled.mapping.trusted_births);
}

#[test]
fn locks() {
    let lock = |to: &str, columns: &str| {
        let text = MAPPING
            .replace("lock = \"version\"", to)
            .replace("email = \"lower", &format!("{columns}\nemail = \"lower"));
        compiled(&text).mapping.intos[0].lock.clone()
    };
    let version = "version = \"1\"";
    assert_eq!(
        lock("lock = \"touched\"", version),
        Lock::Clock("touched".into())
    );
    assert_eq!(
        lock("lock = \"version\"", version),
        Lock::Mapped("version".into())
    );
    assert_eq!(lock("lock = \"xmin\"", version), Lock::Xmin);
    assert_eq!(lock("", version), Lock::Row);
}

#[test]
fn a_line_knows_its_cart_without_a_foreign_key() {
    let mut target = target();
    target.tables[1].foreign_keys.clear();
    for spelling in ["'cart_' || order_id", "'cart_'||header.id"] {
        let text = MAPPING.replace("'cart_' || order_id", spelling);
        let compiled = try_compile(&text, &source(), &target).unwrap();
        let line = compiled.mapping.intos[1].line.clone().unwrap();
        assert_eq!(
            line.cart[..],
            [("cart_id".into(), "id".into())],
            "{spelling}"
        );
    }
    let text = MAPPING.replace("'cart_' || order_id", "'cart_' || (0 + order_id)");
    let compiled = try_compile(&text, &source(), &target).unwrap();
    let warnings = compiled.warnings.lines().join("\n");
    assert!(
        warnings.contains("the identity guard on inserts is off"),
        "{warnings}"
    );
}

#[test]
fn a_row_that_two_carts_could_give_is_a_warning() {
    let said = "two carts could give one row of `line`";
    let warnings = |text: &str| compiled(text).warnings.lines().join("\n");
    assert!(
        !warnings(MAPPING).contains("two carts"),
        "{}",
        warnings(MAPPING)
    );
    let text = MAPPING.replace("'line_' || id", "sku");
    assert!(warnings(&text).contains(said), "{}", warnings(&text));
}

/// A new backend with numbers of its own gets ours from where its own do not come.
#[test]
fn an_offset_keeps_carts_apart_and_what_could_lose_one_does_not() {
    let shared = |id: &str| {
        let text = MAPPING.replace("'line_' || id", &format!("cast({id} as text)"));
        compiled(&text)
            .warnings
            .lines()
            .join("\n")
            .contains("two carts")
    };
    for id in [
        "id",
        "1000000000 + id",
        "1000000001 + 2 * id",
        "id * -3",
        "id - 5",
    ] {
        assert!(!shared(id), "{id}");
    }
    for id in ["id / 2", "id % 7", "0 * id", "id * id", "5 - id - order_id"] {
        assert!(shared(id), "{id}");
    }
}

#[test]
fn what_may_fail_by_value_is_a_warning() {
    let text = MAPPING.replace("email = \"lower", "code = \"email\"\nemail = \"lower");
    let warnings = compiled(&text).warnings.lines().join("\n");
    assert!(
        warnings.contains("c:23:8: warning: may not fit into `code`"),
        "{warnings}"
    );
    let text = MAPPING.replace("'cart_' || order_id", "header.email");
    let warnings = compiled(&text).warnings.lines().join("\n");
    assert!(
        warnings.contains("can be null, and `cart_id` is NOT NULL"),
        "{warnings}"
    );
}

/// What a literal becomes is known, whatever its type could hold.
#[test]
fn a_literal_is_judged_by_its_value() {
    let said = |ty: &str, literal: &str| {
        let mut target = target();
        let code = target.tables[0].columns.iter_mut();
        let code = code.into_iter().find(|c| c.name == "code").unwrap();
        code.ty = SqlType::parse(ty);
        let column = format!("code = \"{literal}\"\nemail = \"lower");
        let text = MAPPING.replace("email = \"lower", &column);
        let compiled = try_compile(&text, &source(), &target).unwrap_or_else(|e| panic!("{e}"));
        let lines = compiled.warnings.lines();
        lines.into_iter().find(|line| line.contains("`code`"))
    };
    for (ty, literal) in [
        ("numeric(20,3)", "0"),
        ("numeric(20,3)", "-12.5"),
        ("numeric(3,2)", "9.99"),
        ("smallint", "-32768"),
        ("smallint", "1.0"),
        ("integer", "3"),
        ("real", "1"),
        ("character varying(3)", "'abc'"),
        ("character varying(3)", "123"),
        ("uuid", "'00000000-0000-0000-0000-000000000001'"),
        ("jsonb", "'[]'"),
    ] {
        assert_eq!(said(ty, literal), None, "{literal} into {ty}");
    }
    for (ty, literal) in [
        ("numeric(3,2)", "10"),
        ("numeric(20,3)", "0.0005"),
        ("smallint", "32768"),
        ("smallint", "1.5"),
        ("character varying(3)", "'abcd'"),
        ("character varying(3)", "1234"),
        ("uuid", "'abc'"),
        ("jsonb", "'['"),
    ] {
        let said = said(ty, literal).unwrap_or_default();
        assert!(
            said.contains("does not fit into `code`"),
            "{literal} into {ty}: {said}"
        );
    }
}

/// The shipped example, against the schemas that it speaks of.
#[test]
fn the_example_compiles() {
    let mut tokens = refers(
        table(
            "cart_tokens",
            "order_id bigint not null, kind text not null, token text",
        ),
        "order_id",
        "orders",
    );
    tokens.schema = "shop".into();
    tokens.uniques = vec![vec!["order_id".into(), "kind".into()]];
    tokens.primary_key = tokens.uniques[0].clone();
    let source = catalog(vec![
        table(
            "orders",
            "id bigint not null, state text not null, email text, currency text not null, \
             created_at timestamp with time zone not null, updated_at timestamp with time zone not null",
        ),
        table(
            "order_items",
            "id bigint not null, order_id bigint not null, sku text not null, quantity integer not null, \
             price numeric not null",
        ),
        table(
            "item_options",
            "id bigint not null, item_id bigint not null, name text not null, value text",
        ),
        tokens,
    ]);
    let target = catalog(vec![
        table(
            "cart",
            "id text not null, email text, currency text not null, token text, total_minor bigint, \
             item_count bigint not null, created_at timestamp with time zone not null, \
             updated_at timestamp with time zone not null, version integer not null, \
             completed_at timestamp with time zone, deleted_at timestamp with time zone",
        ),
        refers(
            table(
                "cart_line",
                "id text not null, cart_id text not null, sku text not null, quantity integer not null, \
                 unit_minor bigint not null, options jsonb",
            ),
            "cart_id",
            "cart",
        ),
    ]);
    let text = include_str!("../../../../config/example.toml");
    let compiled = try_compile(text, &source, &target).unwrap_or_else(|e| panic!("{e}"));
    let again = recompile(&compiled.text, &compiled.schemas).unwrap();
    assert_eq!(format!("{again:?}"), format!("{:?}", compiled.mapping));
    assert!(
        !compiled.mapping.trusted_births,
        "items have no foreign key"
    );
}

/// The good mapping with maps, of which the header's e-mail is one.
fn with_maps(email: &str, maps: &str) -> String {
    let text = MAPPING.replacen("\"lower(email)\"", email, 1);
    format!("{text}{maps}")
}

#[test]
fn maps_are_part_of_the_mapping() {
    let text = with_maps("\"region(email)\"", "[map.region]\nvalues = { a = 'b' }\n");
    let compiled = compiled(&text);
    let of_another = with_maps("\"region(email)\"", "[map.region]\nvalues = { a = 'c' }\n");
    assert_ne!(self::compiled(&of_another).hash, compiled.hash);
    assert!(compiled.warnings.is_empty(), "{}", compiled.warnings);
    let stored = recompile(&compiled.text, &compiled.schemas).unwrap();
    let expr = stored.intos[0].columns.iter().find_map(|c| c.expr.as_ref());
    assert_eq!(expr.unwrap().maps()[0].name, "region");

    let idle = with_maps("\"email\"", "[map.region]\nvalues = { a = 'b' }\n");
    let warnings = self::compiled(&idle).warnings.lines();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("no expression calls `region`"),
        "{warnings:?}"
    );
}

/// A row can be left out, but neither a cart nor what its end writes.
#[test]
fn policies_have_their_places() {
    let skip = "[map.region]\nunknown = 'skip'\nvalues = { a = 'b' }\n";
    compiled(&with_maps("\"region(email)\"", skip));
    let refuse = |text: &str| {
        let found = try_compile(text, &source(), &target());
        let found = found.map(|_| ()).unwrap_err().lines();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("which has no meaning here"), "{found:?}");
    };
    let live = |maps: &str| {
        let live = "live = \"region(state) = 'b'\"";
        with_maps("\"email\"", maps).replacen("live = \"state = 'cart'\"", live, 1)
    };
    refuse(&live(skip));
    refuse(&live(&skip.replace("skip", "error")));
    compiled(&live(&skip.replace("skip", "hold")));
    let set = "{ set = { email = \"region(email)\" } }";
    let fate = |maps: &str| {
        with_maps("\"email\"", maps).replacen("deleted = \"keep\"", &format!("deleted = {set}"), 1)
    };
    refuse(&fate(skip));
    compiled(&fate(&skip.replace("skip", "error")));
}

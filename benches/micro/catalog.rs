//! What the servers would say of the shops' tables (`benches/peers/shop`).

use cartage::catalog::{Catalog, ColumnInfo, ForeignKey, ReplicaIdentity, TableInfo, TableKind};
use cartage::sqltype::SqlType;

/// Postgres' numbers of the old shop's tables.
pub const CART: u32 = 16_384;
pub const CART_ITEM: u32 = 16_400;

/// Name, type, and the type's number in Postgres.
type Column = (&'static str, &'static str, u32);

const TIME: &str = "timestamp with time zone";

pub const CART_COLUMNS: [Column; 8] = [
    ("id", "bigint", 20),
    ("token", "uuid", 2950),
    ("customer_id", "bigint", 20),
    ("currency", "character(3)", 1042),
    ("status", "text", 25),
    ("version", "integer", 23),
    ("created_at", TIME, 1184),
    ("updated_at", TIME, 1184),
];

pub const CART_ITEM_COLUMNS: [Column; 7] = [
    ("id", "bigint", 20),
    ("cart_id", "bigint", 20),
    ("sku", "text", 25),
    ("qty", "integer", 23),
    ("unit_price", "numeric(12,2)", 1700),
    ("added_at", TIME, 1184),
    ("updated_at", TIME, 1184),
];

const BASKET_COLUMNS: [Column; 10] = [
    ("id", "text", 25),
    ("token", "uuid", 2950),
    ("customer_ref", "text", 25),
    ("currency", "text", 25),
    ("state", "text", 25),
    ("item_count", "integer", 23),
    ("total_minor", "bigint", 20),
    ("created_at", TIME, 1184),
    ("updated_at", TIME, 1184),
    ("version", "integer", 23),
];

const BASKET_LINE_COLUMNS: [Column; 7] = [
    ("id", "text", 25),
    ("basket_id", "text", 25),
    ("sku", "text", 25),
    ("quantity", "integer", 23),
    ("unit_minor", "bigint", 20),
    ("added_at", TIME, 1184),
    ("updated_at", TIME, 1184),
];

/// The old shop on Postgres.
pub fn old() -> Catalog {
    let mut tables = old_tables(
        "public",
        columns(&CART_COLUMNS),
        columns(&CART_ITEM_COLUMNS),
    );
    tables[0].oid = CART;
    tables[1].oid = CART_ITEM;
    tables[1].replica_identity = ReplicaIdentity::Full;
    catalog("public", tables)
}

/// The old shop in another database, with columns in that database's types.
pub fn old_with(schema: &str, cart: Vec<ColumnInfo>, cart_item: Vec<ColumnInfo>) -> Catalog {
    catalog(schema, old_tables(schema, cart, cart_item))
}

/// The new shop on Postgres.
pub fn new() -> Catalog {
    let basket = table("public", "basket", columns(&BASKET_COLUMNS));
    let line = table("public", "basket_line", columns(&BASKET_LINE_COLUMNS));
    let line = refers(unique(line, &["basket_id", "sku"]), "basket_id", "basket");
    catalog("public", vec![unique(basket, &["token"]), line])
}

fn old_tables(schema: &str, cart: Vec<ColumnInfo>, cart_item: Vec<ColumnInfo>) -> Vec<TableInfo> {
    let cart = table(schema, "cart", cart);
    let item = table(schema, "cart_item", cart_item);
    let item = refers(unique(item, &["cart_id", "sku"]), "cart_id", "cart");
    vec![unique(cart, &["token"]), item]
}

fn catalog(schema: &str, tables: Vec<TableInfo>) -> Catalog {
    Catalog {
        tables,
        search_path: vec![schema.to_owned()],
    }
}

fn columns(columns: &[Column]) -> Vec<ColumnInfo> {
    let column = |(name, ty, oid): &Column| ColumnInfo {
        type_oid: *oid,
        ..column(name, SqlType::parse(ty))
    };
    columns.iter().map(column).collect()
}

pub fn column(name: &str, ty: SqlType) -> ColumnInfo {
    ColumnInfo {
        name: name.to_owned(),
        ty,
        not_null: !name.starts_with("customer"),
        has_default: name == "version",
        generated: false,
        identity: false,
        distinct_default: false,
        bytewise: true,
        number: 0,
        type_oid: 0,
    }
}

fn table(schema: &str, name: &str, columns: Vec<ColumnInfo>) -> TableInfo {
    let key = vec!["id".to_owned()];
    TableInfo {
        oid: 0,
        schema: schema.to_owned(),
        name: name.to_owned(),
        kind: TableKind::Ordinary,
        columns,
        primary_key: key.clone(),
        uniques: vec![key.clone()],
        indexes: vec![key],
        foreign_keys: Vec::new(),
        triggers: Vec::new(),
        replica_identity: ReplicaIdentity::Default,
    }
}

fn unique(mut table: TableInfo, columns: &[&str]) -> TableInfo {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    table.uniques.push(columns.clone());
    table.indexes.push(columns);
    table
}

fn refers(mut table: TableInfo, column: &str, to: &str) -> TableInfo {
    table.foreign_keys.push(ForeignKey {
        name: format!("{}_{column}_fkey", table.name),
        columns: vec![column.to_owned()],
        schema: table.schema.clone(),
        table: to.to_owned(),
        referenced: vec!["id".to_owned()],
        on_delete_cascade: false,
        deferrable: false,
        enforced: true,
    });
    table
}

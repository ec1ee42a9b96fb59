//! What foreign keys have the server do to rows without a word in the log: InnoDB's own work, which
//! MySQL logs from 9.6 on (manual, "FOREIGN KEY Constraints").

use crate::cart::layout::Layout;
use crate::mysql::catalog::LogTable;
use crate::mysql::connect::Flavor;

/// Whether a server logs what its foreign keys do.
pub(super) fn is_logged(flavor: Flavor, version: (u16, u16, u16)) -> bool {
    flavor == Flavor::MySql && version >= (9, 6, 0)
}

/// Each change of a mapped table's rows that passes unseen. Rows that go with their cart, or with the
/// parent by which they belong to it, are none: the end of that row is the end of all below it.
pub(super) fn changes(layout: &Layout, table: usize, described: &LogTable) -> Vec<String> {
    let this = &layout.tables[table];
    let above: Vec<(&str, &str)> = layout
        .path(table)
        .map(|(path, _)| path)
        .unwrap_or_default()
        .into_iter()
        .skip(1)
        .chain([Layout::HEADER])
        .map(|at| &layout.tables[at])
        .map(|t| (t.schema.as_str(), t.name.as_str()))
        .collect();
    let full = format!("{}.{}", this.schema, this.name);
    let mut changes = Vec::new();
    for key in &described.foreign_keys {
        let of = format!("{}.{}", key.schema, key.table);
        let read = key.columns.iter();
        let read = read.filter(|name| this.columns.iter().any(|c| c.name == **name));
        let read: Vec<&str> = read.map(String::as_str).collect();
        let sets = |action: &str| matches!(action, "SET NULL" | "SET DEFAULT");
        if key.on_delete == "CASCADE" && !above.contains(&(key.schema.as_str(), key.table.as_str()))
        {
            changes.push(format!(
                "a row of {of} that is deleted takes rows of {full} with it (foreign key {})",
                key.name
            ));
        }
        if sets(&key.on_delete) && !read.is_empty() {
            changes.push(format!(
                "a row of {of} that is deleted changes {} of {full} (foreign key {})",
                read.join(", "),
                key.name
            ));
        }
        if (sets(&key.on_update) || key.on_update == "CASCADE") && !read.is_empty() {
            changes.push(format!(
                "a row of {of} that gets another key changes {} of {full} (foreign key {})",
                read.join(", "),
                key.name
            ));
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::layout::{Column, Table};
    use crate::mysql::catalog::LogForeignKey;
    use crate::sqltype::{Class, SqlType};

    fn table(name: &str, columns: &[&str]) -> Table {
        Table {
            alias: name.into(),
            schema: "shop".into(),
            name: name.into(),
            columns: columns
                .iter()
                .map(|name| Column {
                    name: (*name).into(),
                    ty: SqlType::of(Class::Int4),
                    not_null: true,
                    bytewise: false,
                })
                .collect(),
            key: vec![0],
            cart: None,
            parent: None,
        }
    }

    fn key(column: &str, table: &str, on_delete: &str, on_update: &str) -> LogForeignKey {
        LogForeignKey {
            name: format!("of_{table}"),
            columns: vec![column.into()],
            schema: "shop".into(),
            table: table.into(),
            referenced: vec!["id".into()],
            on_delete: on_delete.into(),
            on_update: on_update.into(),
        }
    }

    #[test]
    fn rows_that_go_with_their_cart_are_no_matter_and_others_are() {
        let mut item = table("item", &["id", "quote_id", "product_id"]);
        item.cart = Some(vec![1]);
        let mut option = table("option", &["id", "item_id"]);
        option.parent = Some((1, vec![1]));
        let mut quote = table("quote", &["id"]);
        quote.cart = Some(vec![0]);
        let layout = Layout {
            tables: vec![quote, item, option],
        };
        let of = |at: usize, key: LogForeignKey| {
            let described = LogTable {
                schema: "shop".into(),
                name: layout.tables[at].name.clone(),
                engine: "InnoDB".into(),
                versioned: false,
                columns: Vec::new(),
                foreign_keys: vec![key],
            };
            changes(&layout, at, &described)
        };
        let quiet: [String; 0] = [];
        let stays = "RESTRICT";
        assert_eq!(of(1, key("quote_id", "quote", "CASCADE", stays)), quiet);
        assert_eq!(of(2, key("item_id", "item", "CASCADE", stays)), quiet);
        assert_eq!(of(1, key("product_id", "product", stays, stays)), quiet);
        // Nothing reads it.
        assert_eq!(
            of(1, key("store_id", "store", "SET NULL", "CASCADE")),
            quiet
        );
        assert_eq!(
            of(1, key("product_id", "product", "CASCADE", stays)),
            [
                "a row of shop.product that is deleted takes rows of shop.item with it (foreign key \
              of_product)"
            ]
        );
        assert_eq!(
            of(1, key("product_id", "product", "SET NULL", "CASCADE")),
            [
                "a row of shop.product that is deleted changes product_id of shop.item (foreign key \
                 of_product)",
                "a row of shop.product that gets another key changes product_id of shop.item \
                 (foreign key of_product)"
            ]
        );
        assert!(is_logged(Flavor::MySql, (9, 7, 0)));
        assert!(!is_logged(Flavor::MariaDb, (11, 4, 0)));
        assert!(!is_logged(Flavor::MySql, (8, 4, 0)));
    }
}

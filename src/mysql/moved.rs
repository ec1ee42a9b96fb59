//! Tables of MySQL that are not as they were: what has changed, and the statement that puts it back.
//! Nothing there has a number that stays, so what has another name by now is only named where its
//! place and its type leave no other.

use super::sql::{identifier, qualified, text};
use crate::catalog::TableInfo;

/// A table as a mapping was compiled against it.
#[derive(Clone, Debug, Default)]
pub struct Was {
    pub schema: String,
    pub name: String,
    /// Those that the configuration names.
    pub columns: Vec<Column>,
    /// All others that it had, where that is known.
    pub beside: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Column {
    pub name: String,
    pub ty: String,
    pub not_null: bool,
}

/// Asks for tables of the same schema that have all of the table's columns.
pub fn lookalikes(was: &Was) -> String {
    let names: Vec<String> = was.columns.iter().map(|c| text(&c.name)).collect();
    format!(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = {} \
         AND column_name IN ({}) GROUP BY table_name HAVING count(*) = {} ORDER BY table_name",
        text(&was.schema),
        names.join(", "),
        names.len()
    )
}

/// `is` is the table as it is now, under its name; `others` are tables that look like it, and are
/// none of the configuration's own. `types`: whether a column must have the type back that it had.
pub fn mends(was: &Was, is: Option<&TableInfo>, others: &[String], types: bool) -> Vec<String> {
    let full = qualified(&was.schema, &was.name);
    let Some(is) = is else {
        return vec![match others {
            [only] => {
                let now = qualified(&was.schema, only);
                format!(
                    "the table {full} is gone, and {now} has its columns: if it is that table, \
                     RENAME TABLE {now} TO {full}"
                )
            }
            _ => format!(
                "the table {full} is gone: bring it back with its rows (RENAME TABLE … TO {full}), \
                 or change the mapping"
            ),
        }];
    };
    let mut mends = Vec::new();
    for column in &was.columns {
        let shown = identifier(&column.name);
        let ty = match column.not_null {
            true => format!("{} NOT NULL", column.ty),
            false => column.ty.clone(),
        };
        let same = |c: &&crate::catalog::ColumnInfo| c.name.eq_ignore_ascii_case(&column.name);
        match is.columns.iter().find(same) {
            Some(found) if found.ty.name != column.ty && types => mends.push(format!(
                "{full}.{shown} was {} and is {}: ALTER TABLE {full} MODIFY COLUMN {shown} {ty}",
                column.ty, found.ty.name
            )),
            Some(_) => {}
            None => mends.push(match renamed(was, is, column).as_slice() {
                [only] => format!(
                    "{full}.{shown} has become {only}, as its type says: \
                     ALTER TABLE {full} RENAME COLUMN {only} TO {shown}"
                ),
                _ => format!(
                    "{full} has lost its column {shown}: ALTER TABLE {full} ADD COLUMN {shown} {ty}"
                ),
            }),
        }
    }
    mends
}

/// New columns of the type of one that is gone, where no other one of that type is gone too.
fn renamed(was: &Was, is: &TableInfo, gone: &Column) -> Vec<String> {
    let known = |name: &str| {
        let mut columns = was.columns.iter().map(|c| &c.name).chain(&was.beside);
        columns.any(|known| known.eq_ignore_ascii_case(name))
    };
    let rivals = was.columns.iter().filter(|c| {
        let mut there = is.columns.iter();
        c.ty == gone.ty && !there.any(|t| t.name.eq_ignore_ascii_case(&c.name))
    });
    if rivals.count() > 1 {
        return Vec::new();
    }
    let new = is.columns.iter();
    new.filter(|c| !known(&c.name) && c.ty.name == gone.ty)
        .map(|c| identifier(&c.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ColumnInfo, ReplicaIdentity, TableKind};
    use crate::sqltype::SqlType;

    fn is(columns: &[(&str, &str)]) -> TableInfo {
        let column = |(name, ty): &(&str, &str)| ColumnInfo {
            name: (*name).to_owned(),
            ty: SqlType::parse(ty),
            not_null: false,
            has_default: false,
            generated: false,
            identity: false,
            distinct_default: false,
            bytewise: false,
            number: 0,
            type_oid: 0,
        };
        TableInfo {
            oid: 0,
            schema: "shop".into(),
            name: "item".into(),
            kind: TableKind::Ordinary,
            columns: columns.iter().map(column).collect(),
            primary_key: Vec::new(),
            uniques: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            replica_identity: ReplicaIdentity::Full,
        }
    }

    fn was() -> Was {
        let column = |name: &str, ty: &str| Column {
            name: name.into(),
            ty: ty.into(),
            not_null: name == "qty",
        };
        Was {
            schema: "shop".into(),
            name: "item".into(),
            columns: vec![column("id", "bigint"), column("qty", "integer")],
            beside: vec!["spare".into()],
        }
    }

    #[test]
    fn what_only_one_thing_can_be_is_named() {
        let lost = "`shop`.`item` has lost its column `qty`: \
                    ALTER TABLE `shop`.`item` ADD COLUMN `qty` integer NOT NULL";
        for (columns, said) in [
            (
                &[
                    ("id", "bigint"),
                    ("amount", "integer"),
                    ("spare", "integer"),
                ] as &[_],
                "`shop`.`item`.`qty` has become `amount`, as its type says: \
                 ALTER TABLE `shop`.`item` RENAME COLUMN `amount` TO `qty`",
            ),
            // It was there before.
            (&[("id", "bigint"), ("spare", "integer")], lost),
            // It may be either.
            (
                &[("id", "bigint"), ("a", "integer"), ("b", "integer")],
                lost,
            ),
            (
                &[("id", "bigint"), ("QTY", "text")],
                "`shop`.`item`.`qty` was integer and is text: \
                 ALTER TABLE `shop`.`item` MODIFY COLUMN `qty` integer NOT NULL",
            ),
        ] {
            assert_eq!(mends(&was(), Some(&is(columns)), &[], true), [said]);
        }
        let wider = is(&[("id", "bigint"), ("qty", "bigint")]);
        assert_eq!(mends(&was(), Some(&wider), &[], false), [""; 0]);
        let fits = is(&[("qty", "integer"), ("id", "bigint")]);
        assert_eq!(mends(&was(), Some(&fits), &[], true), [""; 0]);
    }

    #[test]
    fn a_table_under_another_name() {
        let said = mends(&was(), None, &["old_item".into()], true).remove(0);
        assert!(
            said.ends_with("RENAME TABLE `shop`.`old_item` TO `shop`.`item`"),
            "{said}"
        );
        let said = mends(&was(), None, &["a".into(), "b".into()], true).remove(0);
        assert!(said.contains("bring it back with its rows"), "{said}");
    }
}

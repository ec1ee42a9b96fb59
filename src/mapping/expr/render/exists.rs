//! Whether a cart has rows in another table, as SQL: an order for it ends it.

use super::super::plan::{Aggregate, AggregateKind, Node, Place, Plan};
use super::{Render, identifier};
use crate::cart::layout::{Column, Layout, Table};
use crate::sqltype::Class;

/// The name of the other table's row.
pub const ITEM: &str = "e";

/// What a column is called: one of the header row, or of the row that an aggregate has come to.
pub fn column<'a>(
    (layout, alias, item): (&'a Layout, &'a str, Option<usize>),
    (place, table, column): (Place, usize, usize),
) -> Option<(&'a str, &'a Column)> {
    let alias = match place {
        Place::Row | Place::Header if table == Layout::HEADER => alias,
        Place::Item if item == Some(table) => ITEM,
        _ => return None,
    };
    Some((alias, layout.tables.get(table)?.columns.get(column)?))
}

/// The table of an `exists`, and the columns there and in the header that hold the cart's key. None
/// where the server could take for equal what is not: then it would leave carts out.
pub fn meets<'a>(
    layout: &'a Layout,
    item: Option<usize>,
    aggregate: &Aggregate,
) -> Option<(&'a Table, Vec<(&'a Column, &'a Column)>)> {
    if aggregate.kind != AggregateKind::Exists || item.is_some() {
        return None;
    }
    let table = layout.tables.get(aggregate.table)?;
    let header = layout.header();
    let named = header.cart.as_ref().unwrap_or(&header.key);
    let pairs = table.cart.as_ref()?.iter().zip(named);
    let pairs: Vec<_> = pairs
        .map(|(&here, &there)| (&table.columns[here], &header.columns[there]))
        .collect();
    // Of the carrier they are the same columns.
    let same = layout.carrier() == Some(aggregate.table);
    let settled = |column: &Column| match column.ty.class {
        Class::Int2 | Class::Int4 | Class::Int8 | Class::Numeric | Class::Uuid => true,
        Class::Text => same,
        _ => false,
    };
    let all = pairs.iter().all(|(a, b)| settled(a) && settled(b));
    (all && !pairs.is_empty()).then_some((table, pairs))
}

impl Render<'_> {
    /// A condition that holds wherever the plan does, and wherever it fails. What cannot be written
    /// may fail; an expression looks at the left side first, and at the right one unless the left is
    /// false.
    pub fn wide(&self, plan: &Plan) -> Option<String> {
        let Node::And(left, right) = &plan.node else {
            return self.sql(plan);
        };
        match (self.sql(left), self.sql(right)) {
            (Some(left), Some(right)) => Some(format!("({left} AND {right})")),
            (Some(sql), None) => {
                let sql = match left.nullable {
                    true => format!("({sql} IS NOT FALSE)"),
                    false => sql,
                };
                Some(match self.wide(right) {
                    Some(right) => format!("({sql} AND {right})"),
                    None => sql,
                })
            }
            (None, right_too) => self
                .wide(left)
                .filter(|_| right_too.is_some() || !left.nullable),
        }
    }

    pub(super) fn exists(&self, aggregate: &Aggregate) -> Option<String> {
        if !self.total {
            return None;
        }
        let (table, pairs) = meets(self.layout, self.item, aggregate)?;
        let mut conditions = Vec::new();
        for (here, there) in pairs {
            if here.ty.class == Class::Text && !here.bytewise {
                return None;
            }
            conditions.push(format!(
                "{ITEM}.{} = {}.{}",
                identifier(&here.name),
                self.alias,
                identifier(&there.name)
            ));
        }
        if let Some(filter) = &aggregate.filter {
            let item = Some(aggregate.table);
            conditions.push(Self { item, ..*self }.sql(filter)?);
        }
        Some(format!(
            "EXISTS (SELECT 1 FROM {}.{} AS {ITEM} WHERE {})",
            identifier(&table.schema),
            identifier(&table.name),
            conditions.join(" AND ")
        ))
    }
}

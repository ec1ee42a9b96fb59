//! Unique indexes of the target that what the mapping writes could break: the cart of such a row would
//! be held.

use super::Schemas;
use super::report::{End, Report};
use crate::catalog::{Catalog, TableInfo};
use crate::mapping::expr::{Back, Expr};
use crate::mapping::plan::{Into, Mapping};
use crate::sqltype::SqlType;

pub fn check(mapping: &Mapping, schemas: &Schemas, report: &mut Report) {
    for into in &mapping.intos {
        let Some(info) = schemas.target.find(&into.full_name()) else {
            continue;
        };
        let mut broken: Vec<&Vec<String>> = Vec::new();
        for unique in std::iter::once(&info.primary_key).chain(&info.uniques) {
            if !unique.is_empty()
                && !broken.contains(&unique)
                && can_break(mapping, into, info, unique, schemas)
            {
                broken.push(unique);
            }
        }
        for unique in broken {
            let columns = unique.join(", ");
            let message = format!(
                "two rows of {} could be given the same ({columns}), which is unique there: nothing \
                 says that the old shop has each value once; the second one's cart would be held",
                into.full_name()
            );
            report.warn("unique values", End::Target, message, None);
        }
    }
}

fn can_break(
    mapping: &Mapping,
    into: &Into,
    info: &TableInfo,
    unique: &[String],
    schemas: &Schemas,
) -> bool {
    // The key is in it, and the compiler has judged that.
    if into.key.iter().all(|key| unique.contains(&key.name)) {
        return false;
    }
    let mut parts: Vec<(&SqlType, &Expr)> = Vec::new();
    for name in unique {
        let key = into.key.iter().find(|key| &key.name == name);
        let mapped = into.columns.iter().find(|column| &column.name == name);
        let part = match (key, mapped) {
            (Some(key), _) => Some((&key.ty, &key.expr)),
            (None, Some(column)) => column.expr.as_ref().map(|expr| (&column.ty, expr)),
            (None, None) => None,
        };
        match part {
            // Nulls are never the same.
            Some((_, expr)) if expr.is_null_literal() => return false,
            Some(part) => parts.push(part),
            // The server gives each row its own, or leaves it null; a default of one value is what is
            // left.
            None if filled_apart(info, name) => return false,
            None => {}
        }
    }
    if parts.is_empty() {
        return true;
    }
    !tells_rows_apart(mapping, into, &parts, &schemas.source)
}

fn filled_apart(info: &TableInfo, name: &str) -> bool {
    info.column(name).is_some_and(|column| {
        let empty = !column.not_null && !column.has_default;
        column.identity || column.generated || column.distinct_default || empty
    })
}

/// The values hold what is unique among the source's rows.
fn tells_rows_apart(
    mapping: &Mapping,
    into: &Into,
    parts: &[(&SqlType, &Expr)],
    source: &Catalog,
) -> bool {
    let table = &mapping.layout.tables[into.per];
    let mut held: Vec<&str> = Vec::new();
    for (ty, expr) in parts {
        let mut hold = |at: usize, column: usize| {
            if at == into.per {
                held.push(mapping.layout.tables[at].columns[column].name.as_str());
            }
        };
        expr.holds(ty, &mut hold);
        // What can be carried back is as different as it was.
        if let Back::Column(at, column) = expr.back(ty) {
            hold(at, column);
        }
    }
    let own_key = table.key.iter().map(|at| table.columns[*at].name.as_str());
    let own_key: Vec<&str> = own_key.collect();
    let all_held =
        |columns: &[&str]| !columns.is_empty() && columns.iter().all(|name| held.contains(name));
    let full = format!("{}.{}", table.schema, table.name);
    let uniques = source.find(&full).map(|info| info.uniques.as_slice());
    let uniques = uniques.unwrap_or_default().iter();
    all_held(&own_key)
        || uniques.into_iter().any(|unique| {
            let unique: Vec<&str> = unique.iter().map(String::as_str).collect();
            all_held(&unique)
        })
}

//! Whose cart a row belongs to, today; and the pieces of SQL by which rows find their cart.

use tokio_postgres::Client;

use super::copy::{copy, push_literal};
use crate::cart::key::CartKey;
use crate::cart::layout::{Layout, Table};
use crate::source::error::AskError;
use crate::target::postgres::statement::quote;

/// The carts that the rows of a table with these keys belong to now.
pub async fn owners(
    client: &Client,
    layout: &Layout,
    table: usize,
    rows: &[Vec<String>],
) -> Result<Vec<CartKey>, AskError> {
    let Some((path, named)) = layout.path(table) else {
        return Ok(Vec::new());
    };
    let this = &layout.tables[table];
    let mut joins = format!("{} AS t0", name(this));
    for (depth, &at) in path.iter().enumerate().skip(1) {
        let on = steps(layout, &path, depth - 1);
        joins = format!(
            "{joins} JOIN {} AS t{depth} ON {on}",
            name(&layout.tables[at])
        );
    }
    let top = path.len() - 1;
    let owner = &layout.tables[path[top]];
    let names: Vec<String> = named
        .iter()
        .map(|&c| format!("t{top}.{}", quote(&owner.columns[c].name)))
        .collect();
    let query = format!(
        "SELECT {} FROM {} JOIN {joins} ON {}",
        names.join(", "),
        values(this, &this.key, rows),
        join(this, &this.key, "t0"),
    );
    let mut carts = Vec::new();
    copy(client, &query, |cells| {
        carts.extend(owner.key_of(named, cells.iter().map(|cell| cell.text())));
    })
    .await?;
    Ok(carts)
}

/// How the table at `depth` of a path meets its parent, the next one.
pub fn steps(layout: &Layout, path: &[usize], depth: usize) -> String {
    let (this, above) = (&layout.tables[path[depth]], &layout.tables[path[depth + 1]]);
    let by = this.parent.iter().flat_map(|(_, by)| by);
    let parts: Vec<String> = by
        .zip(&above.key)
        .map(|(&b, &k)| {
            let (b, k) = (quote(&this.columns[b].name), quote(&above.columns[k].name));
            format!("t{depth}.{b} = t{}.{k}", depth + 1)
        })
        .collect();
    parts.join(" AND ")
}

/// `(VALUES (…), …) AS v(k0, …)`, of the types of these columns: what has no type beside a value that
/// has one is of the same (manual, "UNION, CASE, and Related Constructs").
pub fn values(table: &Table, columns: &[usize], rows: &[Vec<String>]) -> String {
    let mut sql = String::from("(VALUES ");
    for (at, row) in rows.iter().enumerate() {
        sql.push_str(if at == 0 { "(" } else { ", (" });
        for (n, (text, &c)) in row.iter().zip(columns).enumerate() {
            if n > 0 {
                sql.push_str(", ");
            }
            push_literal(&mut sql, text);
            if at == 0 {
                sql.push_str("::");
                sql.push_str(&table.columns[c].ty.name);
            }
        }
        sql.push(')');
    }
    let names: Vec<String> = (0..columns.len()).map(|i| format!("k{i}")).collect();
    sql + ") AS v(" + &names.join(", ") + ")"
}

/// These columns of a row equal the values.
pub fn join(table: &Table, columns: &[usize], alias: &str) -> String {
    let parts: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(n, &c)| format!("{alias}.{} = v.k{n}", quote(&table.columns[c].name)))
        .collect();
    parts.join(" AND ")
}

pub fn name(table: &Table) -> String {
    format!("{}.{}", quote(&table.schema), quote(&table.name))
}

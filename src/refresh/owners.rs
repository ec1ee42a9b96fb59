//! Asking the source whose cart a row belongs to, today.

use tokio_postgres::Client;

use super::rows::{RowsError, copy, literal};
use crate::cart::key::CartKey;
use crate::cart::layout::{Layout, Table};
use crate::cart::owner::Question;
use crate::target::statement::quote;

#[derive(Debug, thiserror::Error)]
#[error("the source does not say whose cart a row belongs to: {0}")]
pub struct OwnersError(#[from] RowsError);

impl OwnersError {
    pub fn cause(&self) -> &RowsError {
        &self.0
    }
}

/// The carts that the rows asked for belong to now. Rows that are gone have none: they went with
/// their cart, or their own delete is in the log.
pub async fn carts_of(
    client: &Client,
    layout: &Layout,
    questions: &[Question],
) -> Result<Vec<CartKey>, OwnersError> {
    let mut carts = Vec::new();
    for table in 0..layout.tables.len() {
        let keys: Vec<Vec<String>> = questions
            .iter()
            .filter(|q| q.table == table)
            .filter_map(|q| q.key.values())
            .collect();
        let Some(Path {
            sql: path,
            names: columns,
            owner,
            named,
        }) = path(layout, table)
        else {
            continue;
        };
        for keys in keys.chunks(500) {
            let this = &layout.tables[table];
            let query = format!(
                "SELECT {} FROM {} JOIN {path} ON {}",
                columns,
                values(this, &this.key, keys),
                join(this, &this.key, "t0"),
            );
            copy(client, &query, |cells| {
                carts.extend(owner.key_of(named, cells.iter().map(|cell| cell.text())));
            })
            .await?;
        }
    }
    carts.sort();
    carts.dedup();
    Ok(carts)
}

/// `t0 JOIN t1 …` from a table up to the one that names the cart, and the columns that do.
struct Path<'a> {
    sql: String,
    names: String,
    owner: &'a Table,
    named: &'a [usize],
}

fn path(layout: &Layout, table: usize) -> Option<Path<'_>> {
    let mut at = table;
    let mut sql = format!("{} AS t0", name(&layout.tables[table]));
    for depth in 0..layout.tables.len() {
        let this = &layout.tables[at];
        let columns = match (&this.cart, &this.parent) {
            (Some(columns), _) => Some(columns),
            (None, Some((Layout::HEADER, by))) => Some(by),
            _ => None,
        };
        if let Some(columns) = columns {
            let names: Vec<String> = columns
                .iter()
                .map(|&c| format!("t{depth}.{}", quote(&this.columns[c].name)))
                .collect();
            return Some(Path {
                sql,
                names: names.join(", "),
                owner: this,
                named: columns,
            });
        }
        let (parent, by) = this.parent.as_ref()?;
        let above = &layout.tables[*parent];
        let on: Vec<String> = by
            .iter()
            .zip(&above.key)
            .map(|(&b, &k)| {
                let (b, k) = (quote(&this.columns[b].name), quote(&above.columns[k].name));
                format!("t{depth}.{b} = t{}.{k}", depth + 1)
            })
            .collect();
        sql = format!(
            "{sql} JOIN {} AS t{} ON {}",
            name(above),
            depth + 1,
            on.join(" AND ")
        );
        at = *parent;
    }
    None
}

/// `(VALUES (…), …) AS v(k0, …)`, cast to the types of these columns.
pub fn values(table: &Table, columns: &[usize], rows: &[Vec<String>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(columns)
                .map(|(text, &c)| format!("{}::{}", literal(text), table.columns[c].ty.name))
                .collect();
            format!("({})", cells.join(", "))
        })
        .collect();
    let names: Vec<String> = (0..columns.len()).map(|i| format!("k{i}")).collect();
    format!("(VALUES {}) AS v({})", rows.join(", "), names.join(", "))
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

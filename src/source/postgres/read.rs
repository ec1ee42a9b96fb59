//! Reading keys and rows of carts in one short snapshot.

use tokio_postgres::Client;

use super::copy::{copy, literal};
use super::owners::{join, name, steps, values};
use crate::cart::image::Cells;
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::source::change::Lsn;
use crate::source::error::AskError;
use crate::source::session::{HEADER, View};
use crate::source::snapshot::{Snapshot, Xids};
use crate::target::postgres::statement::quote;

/// Opens a snapshot. A session has at most one; `end` closes it.
///
/// A chunk's rows are found by index, where there is one: of a table of middling size the planner would
/// rather read all, for every chunk again.
pub async fn begin(client: &Client) -> Result<View, AskError> {
    glance(client).await?;
    // The first query takes the snapshot; the position is asked for after it.
    let snapshot = Snapshot::Postgres(xids(client).await?);
    let upto = log_end(client).await?;
    Ok(View { snapshot, upto })
}

/// Opens a snapshot, and asks nothing of it. What reads a whole table nevertheless, for want of an
/// index, would look so dear that the server would compile it.
pub async fn glance(client: &Client) -> Result<(), AskError> {
    client
        .batch_execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
             SET LOCAL enable_seqscan = off; SET LOCAL enable_mergejoin = off; \
             SET LOCAL jit = off",
        )
        .await?;
    Ok(())
}

/// How far the log reaches now.
pub async fn log_end(client: &Client) -> Result<Lsn, AskError> {
    let row = client
        .query_one("SELECT pg_current_wal_insert_lsn()::text", &[])
        .await?;
    let end = row.get::<_, &str>(0).parse();
    Ok(reachable(end.map_err(|_| AskError::Answer)?))
}

pub async fn end(client: &Client) -> Result<(), AskError> {
    Ok(client.batch_execute("COMMIT").await?)
}

/// The transactions of a snapshot that is taken now, or of the one that is open.
pub async fn xids(client: &Client) -> Result<Xids, AskError> {
    let row = client
        .query_one("SELECT pg_current_snapshot()::text", &[])
        .await?;
    row.get::<_, &str>(0).parse().map_err(|_| AskError::Answer)
}

/// On an empty page the insert position lies behind the page's header, where no record ends and no
/// reader arrives before the next record is written: the page's beginning is meant. Headers are 24
/// bytes, on a segment's first page 40 (access/xlog_internal.h).
fn reachable(lsn: Lsn) -> Lsn {
    const PAGE: u64 = 8192;
    const SMALLEST_SEGMENT: u64 = 1 << 20;
    match lsn.0 {
        at if at % SMALLEST_SEGMENT == 40 => Lsn(at - 40),
        at if at % PAGE == 24 => Lsn(at - 24),
        _ => lsn,
    }
}

/// The keys of the next live carts after `after`, in the source's order. The filter may let carts
/// through that are not live.
pub async fn next_keys(
    client: &Client,
    layout: &Layout,
    live: Option<&str>,
    after: Option<&CartKey>,
    limit: usize,
) -> Result<Vec<CartKey>, AskError> {
    let (header, key) = layout.named_in();
    let columns: Vec<String> = key
        .iter()
        .map(|&c| format!("{HEADER}.{}", quote(&header.columns[c].name)))
        .collect();
    let mut conditions: Vec<String> = live.map(|l| format!("({l})")).into_iter().collect();
    // A cart without a key is none, and would end the walk where a chunk holds nothing else.
    let nullable = key
        .iter()
        .zip(&columns)
        .filter(|(c, _)| !header.columns[**c].not_null);
    conditions.extend(nullable.map(|(_, name)| format!("{name} IS NOT NULL")));
    if let Some(after) = after.and_then(CartKey::values) {
        let values: Vec<String> = after
            .iter()
            .zip(key)
            .map(|(text, &c)| format!("{}::{}", literal(text), header.columns[c].ty.name))
            .collect();
        conditions.push(format!(
            "({}) > ({})",
            columns.join(", "),
            values.join(", ")
        ));
    }
    let filter = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let query = format!(
        "SELECT {distinct}{0} FROM {1} AS {HEADER}{filter} ORDER BY {0} LIMIT {limit}",
        columns.join(", "),
        name(header),
        distinct = distinct(layout),
    );
    let mut keys = Vec::new();
    copy(client, &query, |cells| {
        keys.extend(header.key_of(key, cells.iter().map(|cell| cell.text())));
    })
    .await?;
    Ok(keys)
}

/// Rows of one cart share its key where it has no header.
pub(super) fn distinct(layout: &Layout) -> &'static str {
    match layout.carrier() {
        Some(_) => "DISTINCT ",
        None => "",
    }
}

/// The planner's guess of how many carts [`next_keys`] will give.
pub async fn estimate(
    client: &Client,
    layout: &Layout,
    live: Option<&str>,
) -> Result<Option<i64>, AskError> {
    let filter = live.map_or_else(String::new, |l| format!(" WHERE ({l})"));
    let query = format!(
        "EXPLAIN (FORMAT JSON) SELECT {} FROM {} AS {HEADER}{filter}",
        counted(layout),
        name(layout.named_in().0)
    );
    let row = client.query_one(&query, &[]).await?;
    let plan: serde_json::Value = row.get::<_, Json>(0).0;
    Ok(plan[0]["Plan"]["Plan Rows"].as_i64())
}

/// What there is one row of for each cart.
fn counted(layout: &Layout) -> String {
    let (table, key) = layout.named_in();
    match layout.carrier() {
        None => "1".into(),
        Some(_) => {
            let names = key.iter().map(|&c| quote(&table.columns[c].name));
            format!("DISTINCT {}", names.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A JSON column, without asking the driver for one more feature.
struct Json(serde_json::Value);

impl<'a> tokio_postgres::types::FromSql<'a> for Json {
    fn from_sql(
        _: &tokio_postgres::types::Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Json(serde_json::from_slice(raw)?))
    }

    fn accepts(ty: &tokio_postgres::types::Type) -> bool {
        *ty == tokio_postgres::types::Type::JSON
    }
}

/// The rows of a table that belong to carts with these keys.
pub async fn rows(
    client: &Client,
    layout: &Layout,
    table: usize,
    carts: &[Vec<String>],
) -> Result<Vec<Cells>, AskError> {
    let Some((from, on)) = source_of(layout, table) else {
        return Ok(Vec::new());
    };
    let columns: Vec<String> = layout.tables[table]
        .columns
        .iter()
        .map(|c| format!("t0.{}", quote(&c.name)))
        .collect();
    let (header, key) = layout.named_in();
    let query = format!(
        "SELECT {} FROM {}, {from} WHERE {on}",
        columns.join(", "),
        values(header, key, carts)
    );
    let mut found = Vec::new();
    copy(client, &query, |cells| found.push(cells)).await?;
    Ok(found)
}

/// `t0, t1 …` from a table up to the one that names the cart, and how they meet each other and the
/// keys `v`.
fn source_of(layout: &Layout, table: usize) -> Option<(String, String)> {
    let (path, named) = layout.path(table)?;
    let from: Vec<String> = path
        .iter()
        .enumerate()
        .map(|(depth, &at)| format!("{} AS t{depth}", name(&layout.tables[at])))
        .collect();
    let mut conditions: Vec<String> = (0..path.len() - 1)
        .map(|depth| steps(layout, &path, depth))
        .collect();
    let top = path.len() - 1;
    conditions.push(join(&layout.tables[path[top]], named, &format!("t{top}")));
    Some((from.join(", "), conditions.join(" AND ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_empty_page_is_its_beginning() {
        assert_eq!(reachable(Lsn(0x0100_0028)), Lsn(0x0100_0000));
        assert_eq!(reachable(Lsn(0x0100_2018)), Lsn(0x0100_2000));
        assert_eq!(reachable(Lsn(0x0100_2028)), Lsn(0x0100_2028));
        assert_eq!(reachable(Lsn(0x0100_2030)), Lsn(0x0100_2030));
    }
}

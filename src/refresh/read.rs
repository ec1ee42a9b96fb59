//! Reading whole carts in one short snapshot.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use tokio_postgres::Client;

use super::owners::{join, name, values};
use super::rows::{RowsError, copy, literal};
use crate::cart::image::{Cells, Image, Row};
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::lanes::item::Read;
use crate::mapping::plan::LIVE_ALIAS;
use crate::postgres::fault;
use crate::source::change::{Lsn, Position};
use crate::source::snapshot::Snapshot;
use crate::target::statement::quote;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Rows(#[from] RowsError),
    #[error("{}", fault::describe(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error("the source answered a question about its log with something else")]
    Answer,
}

/// An open snapshot of the source.
pub struct View {
    pub snapshot: Snapshot,
    /// The log has to pass this point before all that the snapshot saw was delivered.
    pub upto: Lsn,
}

/// Opens a snapshot. A session has at most one; `end` closes it.
pub async fn begin(client: &Client) -> Result<View, ReadError> {
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    // The first query takes the snapshot; the position is asked for after it.
    let snapshot = current_snapshot(client).await?;
    let row = client
        .query_one("SELECT pg_current_wal_insert_lsn()::text", &[])
        .await?;
    let upto: Lsn = row
        .get::<_, &str>(0)
        .parse()
        .map_err(|_| ReadError::Answer)?;
    Ok(View {
        snapshot,
        upto: reachable(upto),
    })
}

pub async fn end(client: &Client) -> Result<(), ReadError> {
    Ok(client.batch_execute("COMMIT").await?)
}

pub async fn current_snapshot(client: &Client) -> Result<Snapshot, ReadError> {
    let row = client
        .query_one("SELECT pg_current_snapshot()::text", &[])
        .await?;
    row.get::<_, &str>(0).parse().map_err(|_| ReadError::Answer)
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
) -> Result<Vec<CartKey>, ReadError> {
    let header = layout.header();
    let key = header.cart.as_deref().unwrap_or(&header.key);
    let columns: Vec<String> = key
        .iter()
        .map(|&c| format!("{LIVE_ALIAS}.{}", quote(&header.columns[c].name)))
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
        "SELECT {0} FROM {1} AS {LIVE_ALIAS}{filter} ORDER BY {0} LIMIT {limit}",
        columns.join(", "),
        name(header),
    );
    let mut keys = Vec::new();
    copy(client, &query, |cells| {
        keys.extend(header.key_of(key, &cells));
    })
    .await?;
    Ok(keys)
}

/// The planner's guess of how many carts [`next_keys`] will give.
pub async fn estimate(
    client: &Client,
    layout: &Layout,
    live: Option<&str>,
) -> Result<Option<i64>, ReadError> {
    let filter = live.map_or_else(String::new, |l| format!(" WHERE ({l})"));
    let query = format!(
        "EXPLAIN (FORMAT JSON) SELECT 1 FROM {} AS {LIVE_ALIAS}{filter}",
        name(layout.header())
    );
    let row = client.query_one(&query, &[]).await?;
    let plan: serde_json::Value = row.get::<_, Json>(0).0;
    Ok(plan[0]["Plan"]["Plan Rows"].as_i64())
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

/// Reads these carts whole, in the open snapshot. Returns the number of rows too.
pub async fn carts(
    client: &Client,
    layout: &Layout,
    changed_at: Option<usize>,
    carts: &[CartKey],
) -> Result<(Vec<Read>, u64), ReadError> {
    let header = layout.header();
    let keys: Vec<Vec<String>> = carts.iter().filter_map(CartKey::values).collect();
    if keys.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let now = Utc::now().timestamp_micros();
    let mut images: HashMap<CartKey, Image> = HashMap::new();
    let mut rows = 0;
    // Parents come before their children, so that children find their cart.
    let mut owners: HashMap<(usize, CartKey), CartKey> = HashMap::new();
    for table in parents_first(layout) {
        let this = &layout.tables[table];
        let Some((from, on)) = source_of(layout, table) else {
            continue;
        };
        let columns: Vec<String> = this
            .columns
            .iter()
            .map(|c| format!("t0.{}", quote(&c.name)))
            .collect();
        let key = header.cart.as_deref().unwrap_or(&header.key);
        let query = format!(
            "SELECT {} FROM {}, {from} WHERE {on}",
            columns.join(", "),
            values(header, key, &keys)
        );
        let mut found: Vec<Cells> = Vec::new();
        rows += copy(client, &query, |cells| found.push(cells)).await?;
        for cells in found {
            let cart = match (&this.cart, &this.parent) {
                (Some(columns), _) => this.cart_key(&cells, columns),
                (None, Some((Layout::HEADER, by))) => this.cart_key(&cells, by),
                (None, Some((parent, by))) => this
                    .cart_key(&cells, by)
                    .and_then(|key| owners.get(&(*parent, key)).cloned()),
                (None, None) => None,
            };
            let Some(cart) = cart else { continue };
            if let Some(key) = this.cart_key(&cells, &this.key) {
                owners.insert((table, key), cart.clone());
            }
            let stamp = now;
            let image = images.entry(cart).or_insert_with(|| Image::empty(layout));
            image.put(layout, table, Row { cells, stamp });
        }
    }
    let reads = carts
        .iter()
        .map(|cart| {
            let mut image = images.remove(cart).filter(|i| i.header().is_some());
            let stamp = image
                .as_ref()
                .and_then(|i| i.header()?.cells.get(changed_at?)?.text())
                .and_then(moment)
                .unwrap_or(now);
            if let Some(image) = &mut image {
                for row in image.tables.iter_mut().flatten() {
                    row.stamp = stamp;
                }
            }
            Read {
                cart: cart.clone(),
                image,
                at: Position::default(),
                stamp,
            }
        })
        .collect();
    Ok((reads, rows))
}

fn parents_first(layout: &Layout) -> Vec<usize> {
    let depth = |mut table: usize| {
        let mut depth = 0;
        while let Some((parent, _)) = &layout.tables[table].parent {
            if *parent == table || depth > layout.tables.len() {
                break;
            }
            table = *parent;
            depth += 1;
        }
        depth
    };
    let mut order: Vec<usize> = (0..layout.tables.len()).collect();
    order.sort_by_key(|&table| (table != Layout::HEADER, depth(table)));
    order
}

/// `t0 JOIN …` from a table to the one that names the cart, and how that one meets the keys `v`.
fn source_of(layout: &Layout, table: usize) -> Option<(String, String)> {
    let mut joins = format!("{} AS t0", name(&layout.tables[table]));
    let mut conditions = Vec::new();
    let mut at = table;
    for depth in 0..layout.tables.len() {
        let this = &layout.tables[at];
        let alias = format!("t{depth}");
        let columns = match (&this.cart, &this.parent) {
            (Some(columns), _) => Some(columns),
            (None, Some((Layout::HEADER, by))) => Some(by),
            _ => None,
        };
        if let Some(columns) = columns {
            conditions.push(join(this, columns, &alias));
            return Some((joins, conditions.join(" AND ")));
        }
        let (parent, by) = this.parent.as_ref()?;
        let above = &layout.tables[*parent];
        joins.push_str(&format!(", {} AS t{}", name(above), depth + 1));
        for (&b, &k) in by.iter().zip(&above.key) {
            conditions.push(format!(
                "{alias}.{} = t{}.{}",
                quote(&this.columns[b].name),
                depth + 1,
                quote(&above.columns[k].name)
            ));
        }
        at = *parent;
    }
    None
}

/// A timestamp's text in microseconds since 1970 UTC; none for infinity and dates beyond reach.
fn moment(text: &str) -> Option<i64> {
    let aware = ["%Y-%m-%d %H:%M:%S%.f%#z"]
        .iter()
        .find_map(|f| DateTime::parse_from_str(text, f).ok())
        .map(|t| t.timestamp_micros());
    aware.or_else(|| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .ok()
            .map(|t| t.and_utc().timestamp_micros())
    })
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

    #[test]
    fn moments_are_read_with_and_without_a_zone() {
        assert_eq!(moment("1970-01-01 00:00:01.5+00"), Some(1_500_000));
        assert_eq!(moment("1970-01-01 00:00:01"), Some(1_000_000));
        assert_eq!(moment("infinity"), None);
    }
}

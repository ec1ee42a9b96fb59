//! Cheap questions about carts: which of these are live, and who comes next after a point.

use tokio_postgres::Client;

use super::copy::{copy, literal};
use super::owners::{join, name, values};
use super::read::distinct;
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::source::error::AskError;
use crate::source::session::{HEADER, Peeked};
use crate::target::postgres::statement::quote;

/// Those of these carts whose header passes the filter, by index alone.
pub async fn live_among(
    client: &Client,
    layout: &Layout,
    live: Option<&str>,
    carts: &[Vec<String>],
) -> Result<Vec<CartKey>, AskError> {
    let (header, key) = layout.named_in();
    let columns: Vec<String> = columns(layout);
    let filter = live.map_or_else(String::new, |live| format!(" AND ({live})"));
    let query = format!(
        "SELECT {distinct}{} FROM {}, {} AS {HEADER} WHERE {}{filter}",
        columns.join(", "),
        values(header, key, carts),
        name(header),
        join(header, key, HEADER),
        distinct = distinct(layout),
    );
    let mut found = Vec::with_capacity(carts.len());
    copy(client, &query, |cells| {
        found.extend(header.key_of(key, cells.iter().map(|cell| cell.text())));
    })
    .await?;
    Ok(found)
}

/// The next carts, live or not. Where carts have no header row, one that has a live row is live, and
/// its latest date counts.
pub async fn peek(
    client: &Client,
    layout: &Layout,
    live: Option<&str>,
    dated: Option<usize>,
    after: Option<&CartKey>,
    most: usize,
) -> Result<Vec<Peeked>, AskError> {
    let (header, key) = layout.named_in();
    let columns = columns(layout);
    let names = columns.join(", ");
    let live = live.map_or_else(
        || "true".into(),
        |live| format!("coalesce(({live}), false)"),
    );
    let dated = dated.map_or_else(
        || "NULL::text".to_owned(),
        |c| format!("{HEADER}.{}", quote(&header.columns[c].name)),
    );
    let mut conditions: Vec<String> = key
        .iter()
        .zip(&columns)
        .filter(|(c, _)| !header.columns[**c].not_null)
        .map(|(_, name)| format!("{name} IS NOT NULL"))
        .collect();
    // One that has fewer values than the key has columns is compared by these.
    if let Some(after) = after.and_then(CartKey::values) {
        let first = columns[..after.len().min(columns.len())].join(", ");
        let after: Vec<String> = after
            .iter()
            .zip(key)
            .map(|(text, &c)| format!("{}::{}", literal(text), header.columns[c].ty.name))
            .collect();
        conditions.push(format!("({first}) > ({})", after.join(", ")));
    }
    let filter = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let table = name(header);
    let query = match layout.carrier() {
        None => format!(
            "SELECT {names}, {live}, {dated} FROM {table} AS {HEADER}{filter} \
             ORDER BY {names} LIMIT {most}"
        ),
        Some(_) => format!(
            "SELECT {names}, bool_or({live}), max({dated}) FROM {table} AS {HEADER}{filter} \
             GROUP BY {names} ORDER BY {names} LIMIT {most}"
        ),
    };
    let mut found = Vec::with_capacity(most);
    copy(client, &query, |cells| {
        let cart = header.key_of(key, cells.iter().take(key.len()).map(|cell| cell.text()));
        let (live, date) = (cells.get(key.len()), cells.get(key.len() + 1));
        found.extend(cart.map(|cart| Peeked {
            cart,
            live: live.and_then(|cell| cell.text()) == Some("t"),
            changed_at: date.and_then(|cell| cell.text()).map(str::to_owned),
        }));
    })
    .await?;
    Ok(found)
}

/// The ends of the index over the carts' keys.
pub async fn bounds(
    client: &Client,
    layout: &Layout,
) -> Result<Option<(String, String)>, AskError> {
    let (header, key) = layout.named_in();
    let columns = columns(layout);
    let Some(first) = columns.first() else {
        return Ok(None);
    };
    // An aggregate knows not all types that an index does.
    let end = |way: &str| {
        let by: Vec<String> = columns.iter().map(|c| format!("{c} {way}")).collect();
        format!(
            "SELECT {first} FROM {} AS {HEADER} WHERE {first} IS NOT NULL ORDER BY {} LIMIT 1",
            name(header),
            by.join(", ")
        )
    };
    let text = |cell: Option<&str>| Some(header.columns[key[0]].ty.key_text(cell?).to_owned());
    let (mut low, mut high) = (None, None);
    copy(client, &end("ASC"), |cells| low = text(cells[0].text())).await?;
    copy(client, &end("DESC"), |cells| high = text(cells[0].text())).await?;
    Ok(low.zip(high))
}

fn columns(layout: &Layout) -> Vec<String> {
    let (header, key) = layout.named_in();
    let name = |&c: &usize| format!("{HEADER}.{}", quote(&header.columns[c].name));
    key.iter().map(name).collect()
}

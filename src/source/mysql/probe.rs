//! Cheap questions about carts: which of these are live, and who comes next after a point.

use mysql_async::Value;

use super::read::{among, beyond, cells, column, columns, literals, name};
use super::session::Session;
use crate::cart::image::{Cell, Cells};
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::mysql::value::of_query;
use crate::source::error::AskError;
use crate::source::session::{HEADER, Peeked};

/// Keys that one statement asks for.
const CHUNK: usize = 500;

/// Those of these carts whose header passes the filter, as the source spells them.
pub async fn live_among(
    session: &Session,
    layout: &Layout,
    live: Option<&str>,
    carts: &[Vec<String>],
) -> Result<Vec<CartKey>, AskError> {
    let (header, key) = layout.named_in();
    let described = session.described(header).await?;
    let filter = live.map_or_else(String::new, |live| format!(" AND ({live})"));
    let names = columns(header, key, HEADER).join(", ");
    let mut found = Vec::with_capacity(carts.len());
    for carts in carts.chunks(CHUNK) {
        // Without DISTINCT: by a collation that takes several texts for one, it gives one of them.
        let sql = format!(
            "SELECT {names} FROM {} AS {HEADER} WHERE {}{filter}",
            name(header),
            among(header, key, HEADER, carts, &described)?,
        );
        let rows = cells(session, sql, header, key, &described).await?;
        found.extend(
            rows.iter()
                .filter_map(|row| header.key_of(key, row.iter().map(Cell::text))),
        );
    }
    Ok(found)
}

/// The next carts, live or not. Where carts have no header row, one that has a live row is live, and
/// its latest date counts.
pub async fn peek(
    session: &Session,
    layout: &Layout,
    live: Option<&str>,
    dated: Option<usize>,
    after: Option<&CartKey>,
    most: usize,
) -> Result<Vec<Peeked>, AskError> {
    let (header, key) = layout.named_in();
    let described = session.described(header).await?;
    let keys = columns(header, key, HEADER);
    let names = keys.join(", ");
    let live = live.map_or_else(|| "1".into(), |live| format!("coalesce(({live}), 0)"));
    let date = match dated {
        Some(c) => columns(header, &[c], HEADER).remove(0),
        None => "NULL".to_owned(),
    };
    let mut conditions: Vec<String> = key
        .iter()
        .zip(&keys)
        .filter(|(c, _)| !header.columns[**c].not_null)
        .map(|(_, name)| format!("{name} IS NOT NULL"))
        .collect();
    if let Some(after) = after.and_then(CartKey::values) {
        conditions.push(beyond(&keys, &literals(header, key, &after, &described)?));
    }
    let filter = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let table = name(header);
    let sql = match layout.carrier() {
        None => format!(
            "SELECT {names}, {live}, {date} FROM {table} AS {HEADER}{filter} \
             ORDER BY {names} LIMIT {most}"
        ),
        Some(_) => format!(
            "SELECT {names}, max({live}), max({date}) FROM {table} AS {HEADER}{filter} \
             GROUP BY {names} ORDER BY {names} LIMIT {most}"
        ),
    };
    let of: Vec<_> = key
        .iter()
        .map(|&c| column(header, c, &described))
        .collect::<Result<_, _>>()?;
    let of_date = dated.map(|c| column(header, c, &described)).transpose()?;
    let mut found = Vec::with_capacity(most);
    for row in session.query(sql).await? {
        let values = row.unwrap();
        let cells: Cells = values
            .iter()
            .zip(&of)
            .map(|(value, column)| of_query(value, column))
            .collect::<Result<_, _>>()?;
        let changed_at = match (of_date, values.get(key.len() + 1)) {
            (Some(column), Some(value)) => of_query(value, column)?.text().map(str::to_owned),
            _ => None,
        };
        let cart = header.key_of(key, cells.iter().map(Cell::text));
        found.extend(cart.map(|cart| Peeked {
            cart,
            live: values.get(key.len()).is_some_and(is_true),
            changed_at,
        }));
    }
    Ok(found)
}

/// The ends of the index over the carts' keys.
pub async fn bounds(
    session: &Session,
    layout: &Layout,
) -> Result<Option<(String, String)>, AskError> {
    let (header, key) = layout.named_in();
    let described = session.described(header).await?;
    let (names, first) = (columns(header, key, HEADER), &key[..1]);
    let mut ends = Vec::new();
    for way in ["ASC", "DESC"] {
        let by: Vec<String> = names.iter().map(|c| format!("{c} {way}")).collect();
        let sql = format!(
            "SELECT {0} FROM {1} AS {HEADER} WHERE {0} IS NOT NULL ORDER BY {2} LIMIT 1",
            names[0],
            name(header),
            by.join(", ")
        );
        let rows = cells(session, sql, header, first, &described).await?;
        let text = rows
            .first()
            .and_then(|row| row[0].text().map(str::to_owned));
        ends.extend(text);
    }
    let mut ends = ends.into_iter();
    Ok(ends.next().zip(ends.next()))
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Int(number) => *number != 0,
        Value::UInt(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Double(number) => *number != 0.0,
        Value::Bytes(text) => text.iter().any(|byte| matches!(byte, b'1'..=b'9')),
        _ => false,
    }
}

//! Reading keys and rows of carts in one short snapshot.

use super::session::Session;
use crate::cart::image::{Cell, Cells};
use crate::cart::key::CartKey;
use crate::cart::layout::{Layout, Table};
use crate::hash::HashSet;
use crate::mysql::catalog::{LogColumn, LogTable};
use crate::mysql::connect::Flavor;
use crate::mysql::literal::literal;
use crate::mysql::sql;
use crate::mysql::value::of_query;
use crate::source::error::AskError;
use crate::source::session::{HEADER, View};
use crate::source::snapshot::Snapshot;
use crate::sqltype::Class;

/// Keys that one statement asks for.
const CHUNK: usize = 500;

/// Opens a snapshot. Where the log ends afterwards, it has all that the snapshot sees.
pub async fn open(session: &Session) -> Result<View, AskError> {
    let snapshot = session.open().await?;
    let upto = match &snapshot {
        Snapshot::Until(place) => *place,
        _ => session.end().await?,
    };
    Ok(View { snapshot, upto })
}

/// Opens a snapshot, and asks nothing of it.
pub async fn glance(session: &Session) -> Result<(), AskError> {
    // It is of the next transaction alone.
    session
        .run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .await?;
    session
        .run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        .await
}

pub async fn close(session: &Session) -> Result<(), AskError> {
    session.run("ROLLBACK").await
}

/// What a snapshot sees that is taken now.
pub async fn snapshot(session: &Session) -> Result<Snapshot, AskError> {
    let snapshot = session.open().await?;
    close(session).await?;
    Ok(snapshot)
}

/// The keys of the next live carts after `after`, in the order of the columns' collations. The filter
/// may let carts through that are not live.
pub async fn next_keys(
    session: &Session,
    layout: &Layout,
    live: Option<&str>,
    after: Option<&CartKey>,
    limit: usize,
) -> Result<Vec<CartKey>, AskError> {
    let (header, key) = layout.named_in();
    let described = session.described(header).await?;
    let columns = columns(header, key, HEADER);
    let mut conditions: Vec<String> = live.map(|l| format!("({l})")).into_iter().collect();
    let nullable = key
        .iter()
        .zip(&columns)
        .filter(|(c, _)| !header.columns[**c].not_null);
    conditions.extend(nullable.map(|(_, name)| format!("{name} IS NOT NULL")));
    if let Some(after) = after.and_then(CartKey::values) {
        let after = literals(header, key, &after, &described)?;
        conditions.push(beyond(&columns, &after));
    }
    let filter = match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    };
    let names = columns.join(", ");
    let sql = format!(
        "SELECT {distinct}{names} FROM {} AS {HEADER}{filter} ORDER BY {names} LIMIT {limit}",
        name(header),
        distinct = match layout.carrier() {
            // Rows of one cart share its key where it has no header.
            Some(_) => "DISTINCT ",
            None => "",
        },
    );
    let rows = cells(session, sql, header, key, &described).await?;
    let of_row = |row: &Cells| header.key_of(key, row.iter().map(Cell::text));
    let bytewise = key.iter().all(|&c| {
        let column = &header.columns[c];
        column.bytewise || !matches!(column.ty.class, Class::Text | Class::Char)
    });
    if layout.carrier().is_none() || bytewise {
        return Ok(rows.iter().filter_map(of_row).collect());
    }
    every_spelling(session, layout, &rows, &described).await
}

/// By a collation that takes several texts for one, DISTINCT gives one of them; here they are carts
/// of their own. Their rows are asked for by the keys that were found, and all of them stand there in
/// the walk's order.
async fn every_spelling(
    session: &Session,
    layout: &Layout,
    found: &[Cells],
    described: &LogTable,
) -> Result<Vec<CartKey>, AskError> {
    let (table, key) = layout.named_in();
    let values = |row: &Cells| -> Option<Vec<String>> {
        row.iter()
            .map(|cell| cell.text().map(str::to_owned))
            .collect()
    };
    let found: Vec<Vec<String>> = found.iter().filter_map(values).collect();
    let names = columns(table, key, HEADER);
    let mut keys: Vec<CartKey> = Vec::new();
    let mut seen = HashSet::default();
    for chunk in found.chunks(CHUNK) {
        let sql = format!(
            "SELECT {} FROM {} AS {HEADER} WHERE {} ORDER BY {}",
            names.join(", "),
            name(table),
            among(table, key, HEADER, chunk, described)?,
            names.join(", ")
        );
        for row in cells(session, sql, table, key, described).await? {
            let spelled = table.key_of(key, row.iter().map(Cell::text));
            keys.extend(spelled.filter(|spelled| seen.insert(spelled.clone())));
        }
    }
    Ok(keys)
}

/// The optimizer's guess of how many carts [`next_keys`] will give: of the rows that it looks at, the
/// part that it expects to pass the filter.
pub async fn estimate(
    session: &Session,
    layout: &Layout,
    live: Option<&str>,
) -> Result<Option<i64>, AskError> {
    let filter = live.map_or_else(String::new, |l| format!(" WHERE ({l})"));
    // The words by which each of them tells the second number, whatever its settings.
    let explain = match session.flavor {
        Flavor::MariaDb => "EXPLAIN EXTENDED",
        Flavor::MySql => "EXPLAIN FORMAT=TRADITIONAL",
    };
    let (header, key) = layout.named_in();
    let table = name(header);
    let counted = match layout.carrier() {
        Some(_) => format!("DISTINCT {}", columns(header, key, HEADER).join(", ")),
        None => "1".to_owned(),
    };
    let sql = format!("{explain} SELECT {counted} FROM {table} AS {HEADER}{filter}");
    let rows = session.plain(sql).await?;
    let number = |name| rows.first()?.get_opt::<Option<f64>, _>(name)?.ok()?;
    // It has none where it sees beforehand that no row passes.
    let (looked, percent) = (number("rows"), number("filtered"));
    let guess = looked.unwrap_or(0.0) * percent.unwrap_or(100.0) / 100.0;
    Ok(Some(guess.ceil() as i64))
}

/// The rows of a table that belong to carts with these keys.
pub async fn rows(
    session: &Session,
    layout: &Layout,
    table: usize,
    carts: &[Vec<String>],
) -> Result<Vec<Cells>, AskError> {
    let Some((path, named)) = layout.path(table) else {
        return Ok(Vec::new());
    };
    let this = &layout.tables[table];
    let top = path.len() - 1;
    let owner = &layout.tables[path[top]];
    let all: Vec<usize> = (0..this.columns.len()).collect();
    let described = session.described(this).await?;
    let of_owner = session.described(owner).await?;
    let mut found = Vec::new();
    for carts in carts.chunks(CHUNK) {
        let sql = format!(
            "SELECT {} FROM {} WHERE {}",
            columns(this, &all, "t0").join(", "),
            joined(layout, &path),
            among(owner, named, &format!("t{top}"), carts, &of_owner)?
        );
        found.extend(cells(session, sql, this, &all, &described).await?);
    }
    Ok(found)
}

/// The carts that the rows of a table with these keys belong to now.
pub async fn owners(
    session: &Session,
    layout: &Layout,
    table: usize,
    rows: &[Vec<String>],
) -> Result<Vec<CartKey>, AskError> {
    let Some((path, named)) = layout.path(table) else {
        return Ok(Vec::new());
    };
    let this = &layout.tables[table];
    let top = path.len() - 1;
    let owner = &layout.tables[path[top]];
    let described = session.described(this).await?;
    let of_owner = session.described(owner).await?;
    let mut carts = Vec::new();
    for rows in rows.chunks(CHUNK) {
        let sql = format!(
            "SELECT {} FROM {} WHERE {}",
            columns(owner, named, &format!("t{top}")).join(", "),
            joined(layout, &path),
            among(this, &this.key, "t0", rows, &described)?
        );
        for row in cells(session, sql, owner, named, &of_owner).await? {
            carts.extend(owner.key_of(named, row.iter().map(Cell::text)));
        }
    }
    Ok(carts)
}

/// `t0 JOIN t1 …`: from a table up to the one that names the cart.
fn joined(layout: &Layout, path: &[usize]) -> String {
    let mut joined = format!("{} AS t0", name(&layout.tables[path[0]]));
    for (depth, pair) in path.windows(2).enumerate() {
        let (this, above) = (&layout.tables[pair[0]], &layout.tables[pair[1]]);
        let by = this.parent.as_ref().map_or(&[][..], |(_, by)| by);
        let here = columns(this, by, &format!("t{depth}"));
        let there = columns(above, &above.key, &format!("t{}", depth + 1));
        let on: Vec<String> = here
            .iter()
            .zip(&there)
            .map(|(here, there)| format!("{here} = {there}"))
            .collect();
        joined.push_str(&format!(
            " JOIN {} AS t{} ON {}",
            name(above),
            depth + 1,
            on.join(" AND ")
        ));
    }
    joined
}

/// These columns of a row have one of the values.
pub(super) fn among(
    table: &Table,
    named: &[usize],
    alias: &str,
    keys: &[Vec<String>],
    described: &LogTable,
) -> Result<String, AskError> {
    let columns = columns(table, named, alias);
    let keys: Vec<String> = keys
        .iter()
        .map(|key| {
            Ok(sql::one_of(
                &columns,
                &literals(table, named, key, described)?,
            ))
        })
        .collect::<Result<_, AskError>>()?;
    Ok(sql::among(&columns, &keys))
}

/// The row comes after these values. As a comparison of rows the server would not look it up in an
/// index ("Range Optimization of Row Constructor Expressions" knows of IN and = alone).
pub(super) fn beyond(columns: &[String], after: &[String]) -> String {
    let mut parts = Vec::new();
    for (at, (column, value)) in columns.iter().zip(after).enumerate() {
        let before = columns.iter().zip(after).take(at);
        let mut part: Vec<String> = before.map(|(c, v)| format!("{c} = {v}")).collect();
        part.push(format!("{column} > {value}"));
        parts.push(format!("({})", part.join(" AND ")));
    }
    match parts.len() {
        1 => parts.remove(0),
        // The first column alone bounds the range.
        _ => format!(
            "{} >= {} AND ({})",
            columns[0],
            after[0],
            parts.join(" OR ")
        ),
    }
}

pub(super) fn columns(table: &Table, named: &[usize], alias: &str) -> Vec<String> {
    named
        .iter()
        .map(|&c| format!("{alias}.{}", sql::identifier(&table.columns[c].name)))
        .collect()
}

pub(super) fn name(table: &Table) -> String {
    sql::qualified(&table.schema, &table.name)
}

pub(super) fn column<'a>(
    table: &Table,
    column: usize,
    described: &'a LogTable,
) -> Result<&'a LogColumn, AskError> {
    let name = &table.columns[column].name;
    let found = described.columns.iter().find(|c| &c.name == name);
    found.ok_or_else(|| AskError::NoColumn {
        table: format!("{}.{}", table.schema, table.name),
        column: name.clone(),
    })
}

pub(super) fn literals(
    table: &Table,
    named: &[usize],
    values: &[String],
    described: &LogTable,
) -> Result<Vec<String>, AskError> {
    let pairs = named.iter().zip(values);
    pairs
        .map(|(&c, text)| Ok(literal(&column(table, c, described)?.kind, text)))
        .collect()
}

/// Runs a query that gives these columns, and prints what it gives as the log is printed.
pub(super) async fn cells(
    session: &Session,
    sql: String,
    table: &Table,
    named: &[usize],
    described: &LogTable,
) -> Result<Vec<Cells>, AskError> {
    let columns: Vec<&LogColumn> = named
        .iter()
        .map(|&c| column(table, c, described))
        .collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for row in session.query(sql).await? {
        let values = row.unwrap();
        let cells: Result<Cells, _> = values
            .iter()
            .zip(&columns)
            .map(|(value, column)| of_query(value, column))
            .collect();
        found.push(cells?);
    }
    Ok(found)
}

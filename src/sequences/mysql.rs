//! AUTO_INCREMENT of MySQL and MariaDB. An insert with a number of its own moves it along, an update does
//! not; and what the old shop has given and deleted again it does not know.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Error, Row, Value};

use super::{Column, SequenceError, Standing, Theirs, floor, is_behind};
use crate::mysql::sql::{identifier, qualified, text};
use crate::source::mysql::Session as Source;
use crate::target::error::TargetError;
use crate::target::mysql::Session as Target;

/// MySQL would answer from statistics of yesterday. MariaDB has no such thing, and says so.
const FRESH: &str = "SET SESSION information_schema_stats_expiry = 0";

/// The number that the table gives next, if the column is the one that it numbers.
fn next_of((schema, table, column): (&str, &str, &str)) -> String {
    format!(
        "SELECT CAST(t.AUTO_INCREMENT AS CHAR) FROM information_schema.TABLES t
         JOIN information_schema.COLUMNS c USING (TABLE_SCHEMA, TABLE_NAME)
         WHERE t.TABLE_SCHEMA = {} AND t.TABLE_NAME = {} AND c.COLUMN_NAME = {}
           AND c.EXTRA LIKE '%auto_increment%'",
        text(schema),
        text(table),
        text(column)
    )
}

fn greatest_of((schema, table, column): (&str, &str, &str)) -> String {
    format!(
        "SELECT CAST(MAX({}) AS CHAR) FROM {}",
        identifier(column),
        qualified(schema, table)
    )
}

/// None where there is no row; a number that is null is that of a table which never gave one.
fn number(row: Option<&Row>) -> Option<Option<i128>> {
    let value: Value = row?.get(0)?;
    match value {
        Value::Bytes(bytes) => Some(std::str::from_utf8(&bytes).ok()?.parse().ok()),
        _ => Some(None),
    }
}

/// The number that it gives next. None where the column is not numbered by the server.
pub async fn own(session: &Target, names: (&str, &str, &str)) -> Result<Option<i128>, TargetError> {
    let _ = session.query(FRESH.into(), Vec::new()).await;
    let rows = session.query(next_of(names), Vec::new()).await?;
    Ok(number(rows.first()).map(|next| next.unwrap_or(1)))
}

pub async fn theirs(session: &Source, names: (&str, &str, &str)) -> Result<Theirs, SequenceError> {
    let _ = session.query(FRESH).await;
    let row = session.first(next_of(names)).await?;
    Ok(match number(row.as_ref()) {
        Some(Some(next)) if next > 1 => Theirs::Last(next - 1),
        _ => Theirs::None,
    })
}

pub async fn stand(
    session: &Target,
    column: Column,
    source: Theirs,
) -> Result<Standing, TargetError> {
    let names = (&*column.schema, &*column.table, &*column.name);
    let next = own(session, names).await?.unwrap_or(1);
    let rows = session.query(greatest_of(names), Vec::new()).await?;
    let greatest = number(rows.first()).flatten();
    let to = floor(&source, greatest).filter(|floor| is_behind(next, *floor));
    Ok(Standing {
        counter: format!("AUTO_INCREMENT of {}.{}", column.schema, column.table),
        own: Some(next - 1).filter(|last| *last > 0),
        source,
        greatest,
        to,
        refused: None,
        moved: false,
        column,
    })
}

/// Under a lock on the table: nobody is given a number between the look and the move.
pub async fn advance(session: &Target, mut standing: Standing) -> Result<Standing, TargetError> {
    let column = standing.column.clone();
    let source = standing.source.clone();
    let (greatest, next, to) = session
        .alone(move |state| {
            Box::pin(async move {
                let conn = &mut state.session.conn;
                let names = (&*column.schema, &*column.table, &*column.name);
                let table = qualified(names.0, names.1);
                let _ = conn.query_drop(FRESH).await;
                conn.query_drop("SET SESSION lock_wait_timeout = 2").await?;
                conn.query_drop(format!("LOCK TABLES {table} WRITE"))
                    .await?;
                let moved: Result<_, Error> = async {
                    let row: Option<Row> = conn.query_first(next_of(names)).await?;
                    let next = number(row.as_ref()).flatten().unwrap_or(1);
                    let row: Option<Row> = conn.query_first(greatest_of(names)).await?;
                    let greatest = number(row.as_ref()).flatten();
                    let to = floor(&source, greatest).filter(|floor| is_behind(next, *floor));
                    if let Some(to) = to {
                        let sql = format!("ALTER TABLE {table} AUTO_INCREMENT = {}", to + 1);
                        conn.query_drop(sql).await?;
                    }
                    Ok((greatest, next, to))
                }
                .await;
                conn.query_drop("UNLOCK TABLES").await?;
                Ok(moved?)
            })
        })
        .await?;
    standing.own = Some(next - 1).filter(|last| *last > 0);
    standing.greatest = greatest;
    standing.moved = to.is_some();
    standing.to = to;
    Ok(standing)
}

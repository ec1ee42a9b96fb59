//! Whether a text is what the target prints otherwise: blanks that a `CHAR` does not keep, a document
//! in MySQL's own form.

use std::collections::HashMap;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Row, Value};

use super::found::Asked;
use super::place::{Place, portions};
use super::session::State;
use crate::cart::image::Cell;
use crate::mapping::map::RowKey;
use crate::mysql::literal::literal;
use crate::mysql::stored::stored;
use crate::mysql::types::Kind;
use crate::target::error::TargetError;
use crate::target::found::Found;

/// Documents that one statement has printed.
const CHUNK: usize = 200;

/// A document of ours, and where another text was found.
struct Document<'a> {
    key: &'a RowKey,
    column: usize,
    ours: &'a str,
}

/// Adds to rows that were found the texts of these that are one value with what they hold.
pub(super) async fn add(
    state: &mut State,
    place: &Place<'_>,
    asked: &[Asked<'_>],
    found: &mut HashMap<RowKey, Found>,
) -> Result<(), TargetError> {
    let mut documents = Vec::new();
    for row in asked {
        let (Some(cells), Some(there)) = (row.cells, found.get_mut(row.key)) else {
            continue;
        };
        for (i, column) in place.into.columns.iter().enumerate() {
            let (Cell::Text(ours), Cell::Text(theirs)) = (&cells[i], &there.cells[i]) else {
                continue;
            };
            if ours == theirs {
                continue;
            }
            let column = place.column(&column.name)?;
            if column.kind == Kind::Json {
                documents.push(Document {
                    key: row.key,
                    column: i,
                    ours,
                });
            } else if *stored(column, ours) == **theirs {
                there.alike.push((i, ours.as_str().into()));
            }
        }
    }
    let printed = printed(state, &documents).await?;
    for (document, printed) in documents.iter().zip(printed) {
        let Some(there) = found.get_mut(document.key) else {
            continue;
        };
        if printed.is_some_and(|printed| there.cells[document.column].text() == Some(&*printed)) {
            there.alike.push((document.column, document.ours.into()));
        }
    }
    Ok(())
}

/// The documents as the server prints them; none for what it takes for no document.
async fn printed(
    state: &mut State,
    documents: &[Document<'_>],
) -> Result<Vec<Option<String>>, TargetError> {
    let texts = documents.iter().map(|document| {
        let text = literal(&Kind::Json, document.ours);
        format!("IF(JSON_VALID({text}), CAST({text} AS JSON), NULL)")
    });
    let mut printed = Vec::new();
    for portion in portions(texts.collect(), CHUNK, state.packet().await?) {
        let sql = format!("SELECT {}", portion.join(", "));
        let row: Option<Row> = state.session.conn.exec_first(sql, ()).await?;
        let values = row.map(Row::unwrap).unwrap_or_default();
        printed.extend(values.into_iter().map(|value| match value {
            Value::Bytes(bytes) => String::from_utf8(bytes).ok(),
            _ => None,
        }));
    }
    Ok(printed)
}

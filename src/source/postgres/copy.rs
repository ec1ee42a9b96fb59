//! Reading source rows as text in the form that the log has: by COPY, which prints values through
//! the same output functions as logical decoding does.

use bytes::Bytes;
use futures_util::{StreamExt, pin_mut};
use tokio_postgres::Client;

use crate::cart::image::{Cell, Cells};
use crate::source::error::AskError;

/// Runs `query` and hands each row's cells to `each`.
pub async fn copy(
    client: &Client,
    query: &str,
    mut each: impl FnMut(Cells),
) -> Result<u64, AskError> {
    let stream = client
        .copy_out(&format!("COPY ({query}) TO STDOUT"))
        .await?;
    pin_mut!(stream);
    let mut rest = Vec::new();
    let mut scratch = Vec::new();
    let mut rows = 0;
    while let Some(bytes) = stream.next().await {
        let bytes: Bytes = bytes?;
        // Servers send each row by itself, and nowhere is it written that they do.
        let mut left = &*bytes;
        while let Some(end) = left.iter().position(|b| *b == b'\n') {
            let line = &left[..end];
            left = &left[end + 1..];
            if rest.is_empty() {
                each(parse(line, &mut scratch)?);
            } else {
                rest.extend_from_slice(line);
                each(parse(&rest, &mut scratch)?);
                rest.clear();
            }
            rows += 1;
        }
        rest.extend_from_slice(left);
    }
    if rest.is_empty() {
        Ok(rows)
    } else {
        Err(AskError::Format)
    }
}

/// One line of COPY's text format (manual, COPY, "Text Format"). What is gathered in `cells` is one
/// allocation in the end.
fn parse(line: &[u8], cells: &mut Vec<Cell>) -> Result<Cells, AskError> {
    cells.clear();
    let line = std::str::from_utf8(line).map_err(|_| AskError::Format)?;
    let plain = !line.as_bytes().contains(&b'\\');
    let mut start = 0;
    for (at, byte) in line.bytes().enumerate() {
        if byte == b'\t' {
            cells.push(cell(&line[start..at], plain)?);
            start = at + 1;
        }
    }
    cells.push(cell(&line[start..], plain)?);
    Ok(cells.drain(..).collect())
}

fn cell(field: &str, plain: bool) -> Result<Cell, AskError> {
    match field {
        _ if plain => Ok(Cell::Text(field.into())),
        "\\N" => Ok(Cell::Null),
        _ if !field.contains('\\') => Ok(Cell::Text(field.into())),
        _ => {
            let text = unescape(field.as_bytes()).ok_or(AskError::Format)?;
            let text = String::from_utf8(text).map_err(|_| AskError::Format)?;
            Ok(Cell::Text(text.into()))
        }
    }
}

fn unescape(field: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next()? {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 11,
                other => *other,
            },
            other => other,
        });
    }
    Some(out)
}

/// A string literal.
pub fn literal(text: &str) -> String {
    let mut sql = String::with_capacity(text.len() + 2);
    push_literal(&mut sql, text);
    sql
}

/// Writes a string literal at the end of a statement.
pub fn push_literal(sql: &mut String, text: &str) {
    let escapes = text.contains('\\');
    if escapes {
        // Correct whatever standard_conforming_strings says.
        sql.push('E');
    }
    sql.push('\'');
    match escapes || text.contains('\'') {
        true => {
            for c in text.chars() {
                if c == '\'' || c == '\\' {
                    sql.push(c);
                }
                sql.push(c);
            }
        }
        false => sql.push_str(text),
    }
    sql.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_and_unescaped() {
        let mut scratch = vec![Cell::Null];
        let cells = parse(b"1\t\\N\ta\\tb\\\\N\t", &mut scratch).expect("a row");
        let text = |t: &str| Cell::Text(t.into());
        assert_eq!(*cells, [text("1"), Cell::Null, text("a\tb\\N"), text("")]);
        let cells = parse("1\t\tä".as_bytes(), &mut scratch).expect("a row");
        assert_eq!(*cells, [text("1"), text(""), text("ä")]);
        assert!(parse(b"x\\", &mut scratch).is_err());
        assert!(parse(b"x\xff", &mut scratch).is_err());
    }

    #[test]
    fn literals_hold_quotes_and_backslashes() {
        assert_eq!(literal("o'clock"), "'o''clock'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}

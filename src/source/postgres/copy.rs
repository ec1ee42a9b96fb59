//! Reading source rows as text in the form that the log has: by COPY, which prints values through
//! the same output functions as logical decoding does.

use bytes::{Bytes, BytesMut};
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
    let mut rest = BytesMut::new();
    let mut rows = 0;
    while let Some(bytes) = stream.next().await {
        let bytes: Bytes = bytes?;
        rest.extend_from_slice(&bytes);
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line = rest.split_to(end + 1);
            each(parse(&line[..end])?);
            rows += 1;
        }
    }
    if rest.is_empty() {
        Ok(rows)
    } else {
        Err(AskError::Format)
    }
}

/// One line of COPY's text format (manual, COPY, "Text Format").
fn parse(line: &[u8]) -> Result<Cells, AskError> {
    // Into a Result, `collect` would not know how many there are.
    let mut cells = Vec::with_capacity(1 + line.iter().filter(|b| **b == b'\t').count());
    for field in line.split(|b| *b == b'\t') {
        cells.push(match field {
            b"\\N" => Cell::Null,
            _ if !field.contains(&b'\\') => {
                let text = std::str::from_utf8(field).map_err(|_| AskError::Format)?;
                Cell::Text(text.into())
            }
            _ => {
                let text = unescape(field).ok_or(AskError::Format)?;
                let text = String::from_utf8(text).map_err(|_| AskError::Format)?;
                Cell::Text(text.into())
            }
        });
    }
    Ok(cells.into())
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
    let quoted = text.replace('\'', "''");
    match text.contains('\\') {
        // Correct whatever standard_conforming_strings says.
        true => format!("E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_and_unescaped() {
        let cells = parse(b"1\t\\N\ta\\tb\\\\N\t").expect("a row");
        let text = |t: &str| Cell::Text(t.into());
        assert_eq!(*cells, [text("1"), Cell::Null, text("a\tb\\N"), text("")]);
        assert!(parse(b"x\\").is_err());
    }

    #[test]
    fn literals_hold_quotes_and_backslashes() {
        assert_eq!(literal("o'clock"), "'o''clock'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}

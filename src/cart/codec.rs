//! The binary form of an image in the ledger: compact, versioned, and strict when read.
//!
//! Numbers are LEB128. A cell is one number: 0 NULL, 1 missing, else the length of its text plus 2.

mod alike;
#[cfg(test)]
mod tests;

pub use alike::alike;

use super::answers::{Answer, Given, Question};
use super::image::{Cell, Cells, Ghost, Image, Life, Moment, Row};

/// First byte of an encoded image. A reader refuses versions that it does not know.
pub const VERSION: u8 = 1;

/// First byte of one that has moments of its own for elements of payloads.
const WITH_MOMENTS: u8 = 2;

/// First byte of one that has answers of lookups, after moments or none.
const WITH_ANSWERS: u8 = 3;

/// The bytes are not an image that this version wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error(
        "the image is of format {0}, and this version reads formats {VERSION} to {WITH_ANSWERS}"
    )]
    Version(u8),
    #[error("the image ends early")]
    Short,
    #[error("the image is damaged: {0}")]
    Damaged(&'static str),
}

/// Writes an image.
pub fn encode(image: &Image) -> Vec<u8> {
    let mut out = Vec::with_capacity(size(image));
    out.push(match (image.answers.is_empty(), image.moments.is_empty()) {
        (false, _) => WITH_ANSWERS,
        (true, false) => WITH_MOMENTS,
        (true, true) => VERSION,
    });
    match image.life {
        Life::Live => out.push(0),
        Life::Ended { stamp } => {
            out.push(1);
            put_signed(&mut out, stamp);
        }
        Life::Deleted { stamp } => {
            out.push(2);
            put_signed(&mut out, stamp);
        }
    }
    put(&mut out, image.tables.len() as u64);
    for rows in &image.tables {
        put(&mut out, rows.len() as u64);
        for row in rows {
            put_signed(&mut out, row.stamp);
            put_cells(&mut out, &row.cells);
        }
    }
    put(&mut out, image.ghosts.len() as u64);
    for ghost in &image.ghosts {
        put(&mut out, ghost.into as u64);
        put_signed(&mut out, ghost.stamp);
        put(&mut out, ghost.key.len() as u64);
        for part in &*ghost.key {
            put_text(&mut out, part);
        }
        put_cells(&mut out, &ghost.cells);
    }
    if !image.moments.is_empty() || !image.answers.is_empty() {
        put(&mut out, image.moments.len() as u64);
    }
    for moment in &image.moments {
        put(&mut out, moment.into as u64);
        put_signed(&mut out, moment.stamp);
        put(&mut out, moment.key.len() as u64);
        for part in &*moment.key {
            put_text(&mut out, part);
        }
    }
    if !image.answers.is_empty() {
        put(&mut out, image.answers.iter().len() as u64);
        image.answers.iter().for_each(|a| put_answer(&mut out, a));
    }
    out
}

fn put_answer(out: &mut Vec<u8>, answer: &Answer) {
    put(out, answer.question.lookup as u64);
    put(out, answer.question.args.len() as u64);
    for arg in &*answer.question.args {
        put_text(out, arg);
    }
    match &answer.given {
        Given::Missing => put(out, 0),
        Given::Ambiguous => put(out, 1),
        Given::Row(cells) => {
            put(out, 2);
            put_cells(out, cells);
        }
    }
}

fn answer(input: &mut Input<'_>) -> Result<Answer, CodecError> {
    Ok(Answer {
        question: Question {
            lookup: input.size()?,
            args: input.many(Input::text)?.into(),
        },
        given: match input.size()? {
            0 => Given::Missing,
            1 => Given::Ambiguous,
            2 => Given::Row(cells(input)?),
            _ => return Err(CodecError::Damaged("unknown kind of answer")),
        },
    })
}

/// About what an image takes: lengths are rarely more than one byte.
fn size(image: &Image) -> usize {
    let cells = |cells: &[Cell]| -> usize {
        let each = cells.iter().map(|c| 1 + c.text().map_or(0, str::len));
        16 + each.sum::<usize>()
    };
    let rows = image.tables.iter().flatten().map(|row| cells(&row.cells));
    let ghosts = image.ghosts.iter().map(|ghost| 64 + cells(&ghost.cells));
    32 + rows.chain(ghosts).sum::<usize>()
}

/// Reads an image; all of `bytes` must belong to it.
pub fn decode(bytes: &[u8]) -> Result<Image, CodecError> {
    let mut input = Input(bytes);
    let version = match input.byte()? {
        version @ VERSION..=WITH_ANSWERS => version,
        other => return Err(CodecError::Version(other)),
    };
    let life = match input.byte()? {
        0 => Life::Live,
        1 => Life::Ended {
            stamp: input.signed()?,
        },
        2 => Life::Deleted {
            stamp: input.signed()?,
        },
        _ => return Err(CodecError::Damaged("unknown state of life")),
    };
    let tables = input.many(|input| input.many(row))?.into_boxed_slice();
    let ghosts = input.many(|input| {
        Ok(Ghost {
            into: input.size()?,
            stamp: input.signed()?,
            key: input.many(Input::text)?.into(),
            cells: cells(input)?,
        })
    })?;
    let moments = match version {
        WITH_MOMENTS | WITH_ANSWERS => input.many(|input| {
            Ok(Moment {
                into: input.size()?,
                stamp: input.signed()?,
                key: input.many(Input::text)?.into(),
            })
        })?,
        _ => Vec::new(),
    };
    if version == WITH_MOMENTS && moments.is_empty() {
        return Err(CodecError::Damaged("it has no moments"));
    }
    let answers = match version {
        WITH_ANSWERS => input.many(answer)?,
        _ => Vec::new(),
    };
    if version == WITH_ANSWERS && answers.is_empty() {
        return Err(CodecError::Damaged("it has no answers"));
    }
    if !answers.is_sorted_by(|a, b| a.question < b.question) {
        return Err(CodecError::Damaged("its answers are in no order"));
    }
    if !input.0.is_empty() {
        return Err(CodecError::Damaged("bytes after its end"));
    }
    Ok(Image {
        life,
        tables,
        ghosts,
        moments,
        answers: answers.into_iter().collect(),
    })
}

/// First byte of an image that a held cart is to be brought to, before the mapping in whose terms it
/// is: the ledger's image of that cart may be in those of another.
const PENDING: u8 = 255;

/// Writes the image that a held cart is to be brought to, in the terms of this mapping.
pub fn encode_pending(mapping: i32, image: &Image) -> Vec<u8> {
    let mut out = vec![PENDING];
    put_signed(&mut out, mapping.into());
    out.extend(encode(image));
    out
}

/// Reads what [`encode_pending`] wrote, and what versions before it did, which did not name the
/// mapping.
pub fn decode_pending(bytes: &[u8]) -> Result<(Option<i32>, Image), CodecError> {
    let mut input = Input(bytes);
    if input.byte()? != PENDING {
        return Ok((None, decode(bytes)?));
    }
    let mapping = i32::try_from(input.signed()?);
    let mapping = mapping.map_err(|_| CodecError::Damaged("no mapping has this number"))?;
    Ok((Some(mapping), decode(input.0)?))
}

/// Writes the lock tokens of a cart's target rows, in the order of the rows.
pub fn encode_tokens<'a>(tokens: impl ExactSizeIterator<Item = Option<&'a str>>) -> Vec<u8> {
    let mut out = vec![VERSION];
    put(&mut out, tokens.len() as u64);
    for token in tokens {
        match token {
            None => put(&mut out, 0),
            Some(text) => {
                put(&mut out, text.len() as u64 + 1);
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
    out
}

/// Reads what [`encode_tokens`] wrote.
pub fn decode_tokens(bytes: &[u8]) -> Result<Vec<Option<Box<str>>>, CodecError> {
    let mut input = Input(bytes);
    match input.byte()? {
        VERSION => {}
        other => return Err(CodecError::Version(other)),
    }
    input.many(|input| match input.size()? {
        0 => Ok(None),
        length => Ok(Some(input.take_text(length - 1)?.into())),
    })
}

fn row(input: &mut Input<'_>) -> Result<Row, CodecError> {
    Ok(Row {
        stamp: input.signed()?,
        cells: cells(input)?,
    })
}

fn cells(input: &mut Input<'_>) -> Result<Cells, CodecError> {
    Ok(input
        .many(|input| match input.size()? {
            0 => Ok(Cell::Null),
            1 => Ok(Cell::Missing),
            length => input
                .take_text(length - 2)
                .map(|text| Cell::Text(text.into())),
        })?
        .into())
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Zigzag, so that times before 1970 stay short.
fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, (number << 1 ^ number >> 63) as u64);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_cells(out: &mut Vec<u8>, cells: &[Cell]) {
    put(out, cells.len() as u64);
    for cell in cells {
        match cell {
            Cell::Null => put(out, 0),
            Cell::Missing => put(out, 1),
            Cell::Text(text) => {
                put(out, text.len() as u64 + 2);
                out.extend_from_slice(text.as_bytes());
            }
        }
    }
}

struct Input<'a>(&'a [u8]);

/// Items for which memory is set aside at once, whatever a damaged image says that it has.
const RESERVED: usize = 64;

impl Input<'_> {
    fn byte(&mut self) -> Result<u8, CodecError> {
        let (&first, rest) = self.0.split_first().ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(first)
    }

    fn number(&mut self) -> Result<u64, CodecError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(CodecError::Damaged("a number is too long"))
    }

    fn signed(&mut self) -> Result<i64, CodecError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn size(&mut self) -> Result<usize, CodecError> {
        usize::try_from(self.number()?).map_err(|_| CodecError::Damaged("a size is too large"))
    }

    fn text(&mut self) -> Result<Box<str>, CodecError> {
        let length = self.size()?;
        Ok(self.take_text(length)?.into())
    }

    fn take_text(&mut self, length: usize) -> Result<&str, CodecError> {
        let (text, rest) = self.0.split_at_checked(length).ok_or(CodecError::Short)?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| CodecError::Damaged("a text is not UTF-8"))
    }

    /// A counted list. Every item takes at least a byte, so a count beyond what is left is a lie.
    fn many<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let count = self.size()?;
        if count > self.0.len() {
            return Err(CodecError::Short);
        }
        // Into a Result, `collect` would not know how many there are.
        let mut items = Vec::with_capacity(count.min(RESERVED));
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }
}

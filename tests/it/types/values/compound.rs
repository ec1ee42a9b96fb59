//! Arrays, ranges, composites and addresses.

use fastrand::Rng;

use super::{chance, double, integer, quoted, real, text, timestamptz};

/// An array of what `element` gives, in one dimension or two, with nulls, or empty.
pub fn array(rng: &mut Rng, element: fn(&mut Rng) -> String) -> String {
    let cell = |rng: &mut Rng| match chance(rng, 5) {
        true => "NULL".to_owned(),
        false => quoted(&element(rng)),
    };
    match rng.u32(..6) {
        0 => "{}".to_owned(),
        1 => {
            let (rows, columns) = (rng.usize(1..4), rng.usize(1..4));
            let rows: Vec<String> = (0..rows)
                .map(|_| {
                    let row: Vec<String> = (0..columns).map(|_| cell(rng)).collect();
                    format!("{{{}}}", row.join(","))
                })
                .collect();
            format!("{{{}}}", rows.join(","))
        }
        2 => format!("[-1:1]={{{},{},{}}}", cell(rng), cell(rng), cell(rng)),
        _ => {
            let cells: Vec<String> = (0..rng.usize(1..6)).map(|_| cell(rng)).collect();
            format!("{{{}}}", cells.join(","))
        }
    }
}

pub fn int4range(rng: &mut Rng) -> String {
    let (low, size) = (rng.i32(-1_000..1_000), rng.i32(1..50));
    let (open, close) = (["[", "("][rng.usize(..2)], ["]", ")"][rng.usize(..2)]);
    match rng.u32(..6) {
        0 => "empty".to_owned(),
        1 => format!("{open},{}{close}", low + size + 1),
        2 => format!("{open}{low},{close}"),
        _ => format!("{open}{low},{}{close}", low + size + 1),
    }
}

pub fn numrange(rng: &mut Rng) -> String {
    let low = rng.i32(-1_000..1_000);
    format!("[{low}.{:02},{}.5)", rng.u32(..100), low + 10)
}

pub fn tstzrange(rng: &mut Rng) -> String {
    let year = rng.u32(1990..2030);
    match chance(rng, 5) {
        true => "(,infinity]".to_owned(),
        false => format!(
            "[\"{year}-05-01 10:00:00+02\",\"{}-01-01 00:00:00.5+00\")",
            year + 1
        ),
    }
}

pub fn inet(rng: &mut Rng) -> String {
    match rng.u32(..4) {
        0 => format!(
            "{:x}:{:x}::{:x}/{}",
            rng.u16(1..),
            rng.u16(..),
            rng.u16(..),
            rng.u32(..129)
        ),
        1 => format!("::{:x}", rng.u16(..)),
        2 => format!(
            "{}.{}.{}.{}/{}",
            rng.u8(..),
            rng.u8(..),
            rng.u8(..),
            rng.u8(..),
            rng.u32(..33)
        ),
        _ => format!(
            "{}.{}.{}.{}",
            rng.u8(..),
            rng.u8(..),
            rng.u8(..),
            rng.u8(..)
        ),
    }
}

/// A row of a number, a text and a moment.
pub fn composite(rng: &mut Rng) -> String {
    let text = match chance(rng, 4) {
        true => String::new(),
        false => quoted(&text(rng, 20)),
    };
    format!("({},{text},\"{}\")", integer(rng, 32), timestamptz(rng))
}

pub fn point(rng: &mut Rng) -> String {
    format!("({},{})", real(rng), double(rng))
}

//! Texts and bytes that break quoting, escaping and counting somewhere.

use fastrand::Rng;

use super::pick;

/// What breaks quoting, escaping and counting of characters somewhere.
const PIECES: &[&str] = &[
    "'",
    "\"",
    "\\",
    "\\\\",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\u{8}",
    "\u{b}",
    "\u{c}",
    "\u{1}",
    "\u{7f}",
    "\u{10ffff}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "e\u{301}",
    "İ",
    "ß",
    "漢",
    "🛒",
    "\\N",
    "\\.",
    "NULL",
    "null",
    "{",
    "}",
    ",",
    "(",
    ")",
    "$1",
    "%s",
    "%",
    "::",
    "--",
    ";",
    "|",
    " ",
    "  ",
    "a",
    "Zz",
    "0",
];

/// At most `most` characters.
pub fn text(rng: &mut Rng, most: usize) -> String {
    let mut text = String::new();
    for _ in 0..rng.usize(..8) {
        let piece = pick(rng, PIECES);
        if text.chars().count() + piece.chars().count() <= most {
            text.push_str(&piece);
        }
    }
    text
}

/// So long, and so random, that the server stores it out of line.
pub fn long(rng: &mut Rng) -> String {
    let mut text = text(rng, 40);
    text.extend((0..6_000).map(|_| rng.char('\u{20}'..'\u{2ff}')));
    text
}

pub fn bytea(rng: &mut Rng) -> String {
    let count = match rng.u32(..6) {
        0 => 5_000,
        _ => rng.usize(..20),
    };
    let hex: String = (0..count).map(|_| format!("{:02x}", rng.u8(..))).collect();
    format!("\\x{hex}")
}

pub fn uuid(rng: &mut Rng) -> String {
    let hex = format!("{:032x}", rng.u128(..));
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// As arrays, composites and hstore quote.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

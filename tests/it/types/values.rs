//! Random values of each type, as text that the server takes.

use fastrand::Rng;

/// One in `n`.
pub fn chance(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

pub fn pick(rng: &mut Rng, from: &[&str]) -> String {
    from[rng.usize(..from.len())].to_owned()
}

/// A whole number of `bits`, often one of the ends.
pub fn integer(rng: &mut Rng, bits: u32) -> String {
    let (least, most) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
    match rng.u32(..8) {
        0 => least,
        1 => most,
        2 => 0,
        3 => rng.i64(-9..10),
        _ => rng.i64(..) >> (64 - bits),
    }
    .to_string()
}

fn digits(rng: &mut Rng, count: usize) -> String {
    (0..count)
        .map(|_| char::from(b'0' + rng.u8(..10)))
        .collect()
}

fn sign(rng: &mut Rng) -> &'static str {
    match rng.bool() {
        true => "-",
        false => "",
    }
}

/// Up to `whole` digits before and `fraction` after the point, with zeros at either end.
pub fn decimal(rng: &mut Rng, whole: usize, fraction: usize) -> String {
    let (before, after) = (rng.usize(1..=whole), rng.usize(..=fraction));
    let sign = sign(rng);
    match after {
        0 => format!("{sign}{}", digits(rng, before)),
        _ => format!("{sign}{}.{}", digits(rng, before), digits(rng, after)),
    }
}

/// A number without bounds.
pub fn numeric(rng: &mut Rng) -> String {
    match rng.u32(..10) {
        0 => "NaN".to_owned(),
        1 => "Infinity".to_owned(),
        2 => "-Infinity".to_owned(),
        3 => pick(
            rng,
            &["0", "0.00", "-0.0", "1.0", "1.00", "1e-100", "-1e100"],
        ),
        4 => format!("0.{}", digits(rng, 16_000)),
        5 => digits(rng, 20_000),
        _ => decimal(rng, 40, 40),
    }
}

pub fn real(rng: &mut Rng) -> String {
    match rng.u32(..8) {
        0 => pick(
            rng,
            &[
                "NaN",
                "Infinity",
                "-Infinity",
                "-0",
                "1e-45",
                "3.4028235e+38",
            ],
        ),
        1 => decimal(rng, 3, 2),
        _ => loop {
            let value = f32::from_bits(rng.u32(..));
            if value.is_finite() {
                break format!("{value:e}");
            }
        },
    }
}

pub fn double(rng: &mut Rng) -> String {
    match rng.u32(..8) {
        0 => pick(
            rng,
            &[
                "NaN",
                "Infinity",
                "-Infinity",
                "-0",
                "5e-324",
                "1.7976931348623157e308",
                "0.1",
                "1e23",
            ],
        ),
        1 => decimal(rng, 6, 3),
        // Near the middle between two floats of single precision.
        2 => {
            let value = f64::from(f32::from_bits(rng.u32(0x3000_0000..0x4f00_0000)));
            let half = f64::from_bits(value.to_bits() | 0x1000_0000);
            format!(
                "{:e}",
                [half, half.next_up(), half.next_down()][rng.usize(..3)]
            )
        }
        _ => loop {
            let value = f64::from_bits(rng.u64(..));
            if value.is_finite() {
                break format!("{value:e}");
            }
        },
    }
}

/// Within what `real` can hold, or on its edge.
pub fn double_for_real(rng: &mut Rng) -> String {
    loop {
        let text = double(rng);
        let value: f64 = text.parse().unwrap();
        let single = value as f32;
        if !value.is_finite() || single.is_finite() && (single != 0.0 || value == 0.0) {
            return text;
        }
    }
}

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

fn day(rng: &mut Rng, most: u32) -> String {
    let year = match rng.u32(..6) {
        0 => rng.u32(1..4_000),
        1 => rng.u32(1..most),
        _ => rng.u32(1950..2040),
    };
    format!("{year:04}-{:02}-{:02}", rng.u32(1..13), rng.u32(1..29))
}

pub fn date(rng: &mut Rng) -> String {
    match rng.u32(..10) {
        0 => pick(
            rng,
            &[
                "infinity",
                "-infinity",
                "5874897-12-31",
                "4713-01-01 BC",
                "2000-02-29",
                "0001-12-31 BC",
            ],
        ),
        _ => day(rng, 5_000_000),
    }
}

fn clock(rng: &mut Rng) -> String {
    match rng.u32(..6) {
        0 => pick(
            rng,
            &[
                "00:00:00",
                "23:59:59.999999",
                "23:59:59.5",
                "12:00:00.0000005",
            ],
        ),
        _ => format!(
            "{:02}:{:02}:{:02}.{:06}",
            rng.u32(..24),
            rng.u32(..60),
            rng.u32(..60),
            rng.u32(..1_000_000)
        ),
    }
}

pub fn time(rng: &mut Rng) -> String {
    match chance(rng, 8) {
        true => "24:00:00".to_owned(),
        false => clock(rng),
    }
}

pub fn timetz(rng: &mut Rng) -> String {
    let sign = ["+", "-"][rng.usize(..2)];
    format!(
        "{}{sign}{:02}:{:02}",
        time(rng),
        rng.u32(..16),
        rng.u32(..60)
    )
}

pub fn timestamp(rng: &mut Rng) -> String {
    match rng.u32(..10) {
        0 => pick(
            rng,
            &[
                "infinity",
                "-infinity",
                "294246-12-31 23:59:58.999999",
                "4713-01-01 00:00:00 BC",
                "1999-12-31 23:59:59.999999",
                "9999-12-31 23:59:59",
            ],
        ),
        1 => format!(
            "{:04}-{:02}-01 {} BC",
            rng.u32(1..4_000),
            rng.u32(1..13),
            clock(rng)
        ),
        _ => format!("{} {}", day(rng, 290_000), clock(rng)),
    }
}

pub fn timestamptz(rng: &mut Rng) -> String {
    match timestamp(rng) {
        text if text.contains("infinity") || text.contains("BC") || text.starts_with("294246") => {
            text
        }
        text => format!("{text}{}{:02}", ["+", "-"][rng.usize(..2)], rng.u32(..15)),
    }
}

pub fn interval(rng: &mut Rng) -> String {
    match rng.u32(..6) {
        0 => pick(
            rng,
            &[
                "178000000 years",
                "-178000000 years",
                "0",
                "30 days",
                "1 month",
                "24 hours",
                "-1 year 3 days -04:05:06.7",
                "1 mon -1 day 00:00:00.000001",
            ],
        ),
        _ => format!(
            "{} months {} days {} microseconds",
            rng.i32(-500..500),
            rng.i32(-500..500),
            rng.i64(-1_000_000_000_000..1_000_000_000_000)
        ),
    }
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

fn json_string(rng: &mut Rng) -> String {
    serde_json::to_string(&text(rng, 20)).unwrap()
}

/// A document; `jsonb` takes each of them too.
pub fn json(rng: &mut Rng, depth: u32) -> String {
    let space = ["", " ", "\n ", "\t"][rng.usize(..4)];
    match rng.u32(..if depth == 0 { 5 } else { 8 }) {
        0 => pick(
            rng,
            &[
                "null",
                "true",
                "false",
                "\"\\u00e9\\ud83d\\ude00\\/\"",
                "-0",
                "1e5",
                "1.50",
            ],
        ),
        1 => format!("{}1{}.{}", sign(rng), digits(rng, 25), digits(rng, 20)),
        2 | 3 => json_string(rng),
        4 => integer(rng, 64),
        5 => {
            let items: Vec<String> = (0..rng.usize(..4)).map(|_| json(rng, depth - 1)).collect();
            format!("[{space}{}]", items.join(&format!("{space},")))
        }
        _ => {
            let pairs: Vec<String> = (0..rng.usize(..4))
                .map(|_| {
                    format!(
                        "{}{space}:{space}{}",
                        json_string(rng),
                        json(rng, depth - 1)
                    )
                })
                .collect();
            format!("{{{space}{}}}", pairs.join(","))
        }
    }
}

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

/// As arrays, composites and hstore quote.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
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

pub fn bits(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| ['0', '1'][rng.usize(..2)]).collect()
}

pub fn hstore(rng: &mut Rng) -> String {
    let pairs: Vec<String> = (0..rng.usize(..5))
        .map(|n| {
            let value = match chance(rng, 4) {
                true => "NULL".to_owned(),
                false => quoted(&text(rng, 20)),
            };
            format!("{}=>{value}", quoted(&format!("{n}{}", text(rng, 10))))
        })
        .collect();
    pairs.join(",")
}

/// A row of a number, a text and a moment.
pub fn composite(rng: &mut Rng) -> String {
    let text = match chance(rng, 4) {
        true => String::new(),
        false => quoted(&text(rng, 20)),
    };
    format!("({},{text},\"{}\")", integer(rng, 32), timestamptz(rng))
}

pub fn xml(rng: &mut Rng) -> String {
    let body: String = text(rng, 30)
        .chars()
        .filter(|c| {
            !matches!(
                c,
                '<' | '&' | '\u{1}' | '\u{8}' | '\u{b}' | '\u{c}' | '\u{10ffff}' | '\u{7f}'
            )
        })
        .collect();
    // The server itself drops a newline at the beginning whenever it prints.
    match rng.u32(..4) {
        0 => format!("- {body} only <b/> content"),
        1 => format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><cart id=\"1\">{body}</cart>"),
        _ => format!("<cart><line>{body}</line><line/></cart>"),
    }
}

pub fn tsvector(rng: &mut Rng) -> String {
    let words: Vec<String> = (0..rng.usize(..5))
        .map(|_| {
            let word = pick(rng, &["cart", "it''s", "a b", "ü", "\\\\", "x:y"]);
            format!(
                "'{word}':{}{}",
                rng.u32(1..100),
                ["", "A", "B"][rng.usize(..3)]
            )
        })
        .collect();
    words.join(" ")
}

pub fn point(rng: &mut Rng) -> String {
    format!("({},{})", real(rng), double(rng))
}

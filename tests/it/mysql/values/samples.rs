//! Columns of every type, with values for them: as SQL writes them, and as they must be read.

use std::fmt::Write as _;

use cartage::mysql::connect::Flavor;
use fastrand::Rng;

pub struct Sample {
    pub name: String,
    pub ty: String,
    make: Make,
}

type Make = fn(&mut Rng) -> Given;

pub struct Given {
    pub literal: String,
    wanted: Wanted,
}

enum Wanted {
    Null,
    Text(String),
    Single(f32),
    Double(f64),
}

impl Sample {
    pub fn column(&self) -> String {
        format!("{} {} NULL", self.name, self.ty)
    }

    pub fn value(&self, rng: &mut Rng) -> Given {
        match rng.u32(..12) {
            0 => Given {
                literal: "NULL".into(),
                wanted: Wanted::Null,
            },
            _ => (self.make)(rng),
        }
    }
}

impl Given {
    pub fn judge(&self, found: Option<&str>, place: &str) {
        match &self.wanted {
            Wanted::Null => assert_eq!(found, None, "{place}"),
            Wanted::Text(text) => assert_eq!(found, Some(text.as_str()), "{place}"),
            // How they are laid out is tested against Postgres, among the expressions.
            Wanted::Single(n) => {
                let found: f32 = found.unwrap().parse().unwrap();
                assert_eq!(found.to_bits(), n.to_bits(), "{place}");
            }
            Wanted::Double(n) => {
                let found: f64 = found.unwrap().parse().unwrap();
                assert_eq!(found.to_bits(), n.to_bits(), "{place}");
            }
        }
    }
}

fn given(literal: impl Into<String>, wanted: impl Into<String>) -> Given {
    Given {
        literal: literal.into(),
        wanted: Wanted::Text(wanted.into()),
    }
}

pub fn samples(flavor: Flavor) -> Vec<Sample> {
    let mut all: Vec<(&str, Make)> = vec![
        ("TINYINT", |r| integer(r, 7, true)),
        ("TINYINT UNSIGNED", |r| integer(r, 8, false)),
        ("SMALLINT", |r| integer(r, 15, true)),
        ("SMALLINT UNSIGNED ZEROFILL", |r| integer(r, 16, false)),
        ("MEDIUMINT", |r| integer(r, 23, true)),
        ("MEDIUMINT UNSIGNED", |r| integer(r, 24, false)),
        ("INT", |r| integer(r, 31, true)),
        ("INT UNSIGNED", |r| integer(r, 32, false)),
        ("BIGINT", |r| integer(r, 63, true)),
        ("BIGINT UNSIGNED", |r| integer(r, 64, false)),
        ("BOOLEAN", |r| integer(r, 1, false)),
        ("YEAR", |r| {
            let year = [0, 1901, 1970, 2024, 2155][r.usize(..5)];
            given(year.to_string(), year.to_string())
        }),
        ("BIT(1)", |r| integer(r, 1, false)),
        ("BIT(12)", |r| integer(r, 12, false)),
        ("BIT(63)", |r| integer(r, 63, false)),
        ("BIT(64)", |r| integer(r, 64, false)),
        ("DECIMAL(20,6)", |r| decimal(r, 14, 6, true)),
        ("DECIMAL(65,30)", |r| decimal(r, 35, 30, true)),
        ("DECIMAL(9,0)", |r| decimal(r, 9, 0, true)),
        ("DECIMAL(10,2) UNSIGNED ZEROFILL", |r| {
            decimal(r, 8, 2, false)
        }),
        ("FLOAT", |r| {
            let n = loop {
                let n = [f32::from_bits(r.u32(..)), r.f32(), 0.1, 1e10][r.usize(..4)];
                if n.is_finite() && (n == 0.0 || n.is_normal()) {
                    break n;
                }
            };
            let wanted = Wanted::Single(n);
            Given {
                literal: format!("{:e}", f64::from(n)),
                wanted,
            }
        }),
        ("DOUBLE", |r| {
            let n = double(r);
            let wanted = Wanted::Double(n);
            Given {
                literal: format!("{n:e}"),
                wanted,
            }
        }),
        ("CHAR(20) CHARACTER SET utf8mb4", |r| {
            text(r, "aé🛒'\\ ", true)
        }),
        ("VARCHAR(20) CHARACTER SET utf8mb4", |r| {
            text(r, "aé🛒'\\ \n", false)
        }),
        ("VARCHAR(20) CHARACTER SET latin1", |r| {
            text(r, "aéÿ€™\u{81} ", false)
        }),
        ("VARCHAR(300) CHARACTER SET ascii", |r| {
            text(r, "ab ~", false)
        }),
        ("CHAR(100) CHARACTER SET utf8mb4", |r| text(r, "ж🛒", true)),
        ("TEXT CHARACTER SET utf8mb3", |r| text(r, "aжé€ ", false)),
        ("VARCHAR(20) CHARACTER SET ucs2", |r| text(r, "aж€ ", false)),
        ("VARCHAR(20) CHARACTER SET cp1251", |r| {
            text(r, "ажя ", false)
        }),
        ("BINARY(8)", |r| binary(r, Some(8))),
        ("VARBINARY(20)", |r| binary(r, None)),
        ("BLOB", |r| binary(r, None)),
        ("DATE", |r| {
            let date = date(r);
            given(format!("'{date}'"), date)
        }),
        ("DATETIME", |r| datetime(r, 0)),
        ("DATETIME(1)", |r| datetime(r, 1)),
        ("DATETIME(2)", |r| datetime(r, 2)),
        ("DATETIME(4)", |r| datetime(r, 4)),
        ("DATETIME(6)", |r| datetime(r, 6)),
        ("TIMESTAMP", |r| timestamp(r, 0)),
        ("TIMESTAMP(1)", |r| timestamp(r, 1)),
        ("TIMESTAMP(3)", |r| timestamp(r, 3)),
        ("TIMESTAMP(6)", |r| timestamp(r, 6)),
        ("TIME", |r| time(r, 0)),
        ("TIME(1)", |r| time(r, 1)),
        ("TIME(2)", |r| time(r, 2)),
        ("TIME(3)", |r| time(r, 3)),
        ("TIME(5)", |r| time(r, 5)),
        ("TIME(6)", |r| time(r, 6)),
        (
            "ENUM('new','it''s','é','a\\\\b') CHARACTER SET latin1",
            |r| {
                let (label, wanted) = [
                    ("'new'", "new"),
                    ("'it''s'", "it's"),
                    ("'é'", "é"),
                    ("'a\\\\b'", "a\\b"),
                    ("'no such label'", ""),
                ][r.usize(..5)];
                given(label, wanted)
            },
        ),
        ("SET('a','b','ç','d','e','f','g','h','i','j')", |r| {
            let labels = ["a", "b", "ç", "d", "e", "f", "g", "h", "i", "j"];
            let chosen: Vec<&str> = labels.into_iter().filter(|_| r.bool()).collect();
            given(format!("'{}'", chosen.join(",")), chosen.join(","))
        }),
    ];
    if flavor == Flavor::MariaDb {
        all.push(("JSON", |r| {
            let text = format!("{{\"a\":  {}, \"é\": [1.50]}}", r.i64(..));
            given(format!("'{text}'"), text)
        }));
        all.push(("UUID", |r| {
            let mut bytes = r.u128(..).to_be_bytes();
            // Of each version, and with zeros at either end. The server refuses some variants of those
            // that nobody has defined yet.
            if bytes[6] >= 0x80 {
                bytes[8] |= 0xc0;
            }
            if r.u32(..4) == 0 {
                bytes[10..].fill(0);
            }
            if r.u32(..4) == 0 {
                bytes[..4].fill(0);
            }
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            let parts = [
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..],
            ];
            given(format!("'{}'", parts.join("-")), parts.join("-"))
        }));
        all.push(("INET6", |r| {
            let (literal, wanted) = [
                ("::", "::"),
                ("::1", "::1"),
                ("2001:DB8::", "2001:db8::"),
                ("fe80::1:0:0:1", "fe80::1:0:0:1"),
                ("::ffff:192.168.0.1", "::ffff:192.168.0.1"),
                ("::1.2.3.4", "::1.2.3.4"),
                ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
                ("1:0:0:0:5:0:0:0", "1::5:0:0:0"),
            ][r.usize(..8)];
            given(format!("'{literal}'"), wanted)
        }));
        // Short ones are kept as they are.
        for ty in [
            "VARCHAR(254) CHARACTER SET latin1 COMPRESSED",
            "VARCHAR(255) CHARACTER SET latin1 COMPRESSED",
            "TEXT CHARACTER SET latin1 COMPRESSED",
        ] {
            all.push((ty, |r| {
                let text = "aé ".repeat(r.usize(..85));
                given(quoted(&text), text)
            }));
        }
        for ty in ["VARBINARY(300) COMPRESSED", "BLOB COMPRESSED"] {
            all.push((ty, |r| {
                let hex = "00ff41".repeat(r.usize(..100));
                given(format!("X'{hex}'"), format!("\\x{hex}"))
            }));
        }
        all.push(("INET4", |r| {
            let address = ["0.0.0.0", "10.0.0.0", "192.168.1.255"][r.usize(..3)];
            given(format!("'{address}'"), address)
        }));
    }
    let samples = all.into_iter().enumerate();
    samples
        .map(|(i, (ty, make))| Sample {
            name: format!("c{i}"),
            ty: ty.to_owned(),
            make,
        })
        .collect()
}

/// Of so many bits, the ends of the range among them.
fn integer(rng: &mut Rng, bits: u32, signed: bool) -> Given {
    let most = (1_i128 << bits) - 1;
    let least = if signed { -most - 1 } else { 0 };
    let n = match rng.u32(..6) {
        0 => most,
        1 => least,
        2 => 0,
        3 if signed => -1,
        _ => least + i128::from(rng.u64(..)) % (most - least + 1),
    };
    given(n.to_string(), n.to_string())
}

fn decimal(rng: &mut Rng, before: usize, after: usize, signed: bool) -> Given {
    let mut digits = |n: usize| (0..n).map(|_| rng.digit(10)).collect::<String>();
    let (whole, fraction) = (digits(before), digits(after));
    let keep = rng.usize(..=before);
    let whole = whole[keep..].trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let mut text = whole.to_owned();
    if after > 0 {
        let _ = write!(text, ".{fraction}");
    }
    let zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if signed && !zero && rng.bool() {
        text.insert(0, '-');
    }
    given(text.clone(), text)
}

fn double(rng: &mut Rng) -> f64 {
    loop {
        let n = match rng.u32(..5) {
            0 => f64::from_bits(rng.u64(..)),
            1 => rng.f64(),
            2 => f64::from(rng.i32(..)) / 100.0,
            3 => (rng.f64() - 0.5) * 10_f64.powi(rng.i32(-25..25)),
            _ => [
                0.0,
                1.0,
                1e15,
                1e16,
                1e-14,
                1e-15,
                f64::MAX,
                123_456_789_012_345.6,
            ][rng.usize(..8)],
        };
        if n.is_finite() && (n == 0.0 || n.is_normal()) {
            return n;
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn text(rng: &mut Rng, letters: &str, fixed: bool) -> Given {
    let letters: Vec<char> = letters.chars().collect();
    let length = rng.usize(..20);
    let text: String = (0..length)
        .map(|_| letters[rng.usize(..letters.len())])
        .collect();
    let wanted = if fixed {
        text.trim_end_matches(' ')
    } else {
        &text
    };
    given(quoted(&text), wanted)
}

fn binary(rng: &mut Rng, fixed: Option<usize>) -> Given {
    let length = rng.usize(..=fixed.unwrap_or(20));
    let mut bytes: Vec<u8> = (0..length)
        .map(|_| [0, 0x20, rng.u8(..)][rng.usize(..3)])
        .collect();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let literal = format!("X'{}'", hex(&bytes));
    bytes.resize(fixed.unwrap_or(length), 0);
    given(literal, format!("\\x{}", hex(&bytes)))
}

fn date(rng: &mut Rng) -> String {
    match rng.u32(..8) {
        0 => "0000-00-00".into(),
        1 => "2024-00-00".into(),
        2 => "2024-02-00".into(),
        3 => "9999-12-31".into(),
        _ => format!(
            "{:04}-{:02}-{:02}",
            rng.u32(1000..2100),
            rng.u32(1..13),
            rng.u32(1..29)
        ),
    }
}

/// With this many digits, as SQL takes them and as they are printed.
fn fraction(rng: &mut Rng, digits: usize) -> (String, String) {
    if digits == 0 || rng.u32(..4) == 0 {
        return Default::default();
    }
    let figures: String = (0..digits).map(|_| rng.digit(10)).collect();
    let short = format!(".{figures}");
    let short = short.trim_end_matches('0').trim_end_matches('.');
    (format!(".{figures}"), short.to_owned())
}

fn clock(rng: &mut Rng) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        rng.u32(..24),
        rng.u32(..60),
        rng.u32(..60)
    )
}

fn datetime(rng: &mut Rng, digits: usize) -> Given {
    let (date, clock) = (date(rng), clock(rng));
    let (long, short) = fraction(rng, digits);
    given(
        format!("'{date} {clock}{long}'"),
        format!("{date} {clock}{short}"),
    )
}

fn timestamp(rng: &mut Rng, digits: usize) -> Given {
    if rng.u32(..6) == 0 {
        return given("'0000-00-00 00:00:00'", "0000-00-00 00:00:00");
    }
    let date = format!(
        "{}-{:02}-{:02}",
        rng.u32(1971..2038),
        rng.u32(1..13),
        rng.u32(1..29)
    );
    let clock = clock(rng);
    let (long, short) = fraction(rng, digits);
    given(
        format!("'{date} {clock}{long}'"),
        format!("{date} {clock}{short}+00"),
    )
}

fn time(rng: &mut Rng, digits: usize) -> Given {
    let hours = [rng.u32(..3), rng.u32(..24), rng.u32(..838)][rng.usize(..3)];
    let clock = format!("{hours:02}:{:02}:{:02}", rng.u32(..60), rng.u32(..60));
    let (long, short) = fraction(rng, digits);
    let zero = format!("{clock}{short}")
        .chars()
        .all(|c| !c.is_ascii_digit() || c == '0');
    let sign = if rng.bool() && !zero { "-" } else { "" };
    given(
        format!("'{sign}{clock}{long}'"),
        format!("{sign}{clock}{short}"),
    )
}

/// Documents as expressions of MySQL, with whatever its own JSON can hold.
pub fn documents(rng: &mut Rng, count: usize) -> Vec<String> {
    (0..count).map(|_| document(rng, 3)).collect()
}

fn document(rng: &mut Rng, depth: u32) -> String {
    let many = |rng: &mut Rng| rng.usize(..5);
    match rng.u32(..if depth > 0 { 16 } else { 13 }) {
        0 => "CAST('null' AS JSON)".into(),
        1 => "CAST('true' AS JSON)".into(),
        2 => format!("CAST('{}' AS JSON)", rng.i64(..)),
        3 => format!("CAST('{}' AS JSON)", rng.u64(..)),
        4 => format!("CAST('{}' AS JSON)", rng.i16(..)),
        5 | 6 => format!("CAST('{:e}' AS JSON)", double(rng)),
        7 => format!(
            "CAST(CAST({} AS DECIMAL(30,6)) AS JSON)",
            decimal(rng, 20, 6, true).literal
        ),
        8 => {
            let text = text(rng, "aé🛒'\\\"\n\t\u{8}\u{1}\u{7f}/ ", false).literal;
            format!("JSON_QUOTE({text})")
        }
        9 => format!(
            "CAST(CAST('2024-02-29 {}.120' AS DATETIME(3)) AS JSON)",
            clock(rng)
        ),
        10 => format!("CAST(CAST({} AS TIME(2)) AS JSON)", time(rng, 2).literal),
        11 => "CAST(DATE'2024-02-29' AS JSON)".into(),
        12 => format!("CAST(REPEAT(X'00ff41', {}) AS JSON)", rng.u32(..60)),
        13 => format!(
            "CAST('[{}]' AS JSON)",
            vec!["123456"; rng.usize(..9000)].join(",")
        ),
        14 => {
            let items: Vec<String> = (0..many(rng)).map(|_| document(rng, depth - 1)).collect();
            format!("JSON_ARRAY({})", items.join(", "))
        }
        _ => {
            let fields: Vec<String> = (0..many(rng))
                .map(|_| {
                    let key = text(rng, "bé🛒\"\n", false).literal;
                    format!("{key}, {}", document(rng, depth - 1))
                })
                .collect();
            format!("JSON_OBJECT({})", fields.join(", "))
        }
    }
}

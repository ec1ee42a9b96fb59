//! No text breaks the loader or keeps it for long: the answer is a configuration, or what is wrong.
//!
//! `PROPTEST_CASES` says of how many texts each test makes sure (256 where it is not given).

use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{CART, Config, EXAMPLE, INTO, with};

/// Far more than any takes, on a machine that does other things too.
const SOON: Duration = Duration::from_secs(20);

/// Whether it is a configuration; its problems can all be shown.
fn loads(text: &str) -> bool {
    let begun = Instant::now();
    let good = match Config::parse(text, Path::new("c")) {
        Ok(config) => {
            let mapping = config.mapping_text();
            let again = Config::parse_mapping(&mapping).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(again.mapping_text(), mapping);
            true
        }
        Err(all) => {
            assert!(!all.is_empty() && !all.to_string().is_empty());
            assert!(!all.render(true).is_empty());
            false
        }
    };
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    good
}

#[test]
fn deep_and_huge_files_are_refused() {
    let good = with(&format!("{CART}{INTO}"));
    assert!(loads(&good));
    for (what, more) in [
        ("lists", format!("x = {}", "[".repeat(100_000))),
        (
            "closed lists",
            format!("x = {}{}", "[".repeat(5_000), "]".repeat(5_000)),
        ),
        ("inline tables", format!("x = {}", "{a=".repeat(50_000))),
        ("headers", format!("[{}]", vec!["a"; 50_000].join("."))),
        (
            "dotted keys",
            format!("{} = 1", vec!["a"; 50_000].join(".")),
        ),
        (
            "dots within a value",
            format!("x = {{ {} = 1 }}", vec!["a"; 50_000].join(".")),
        ),
        ("brackets", "[".repeat(100_000)),
        ("quotes", "\"".repeat(100_001)),
        ("a number", format!("x = {}", "9".repeat(100_000))),
        ("a key", format!("{} = 1", "k".repeat(100_000))),
        ("a text", format!("x = '{}'", "y".repeat(100_000))),
        (
            "many keys",
            (0..5_000).map(|n| format!("k{n} = 1\n")).collect(),
        ),
        (
            "many sections",
            (0..3_000).map(|n| format!("[s{n}]\n")).collect(),
        ),
        ("many rows", INTO.repeat(500).replace("'orders'", "'order'")),
        (
            "more than a file holds",
            format!("# {}", "z".repeat(3 << 20)),
        ),
    ] {
        println!("{what}");
        assert!(!loads(&format!("{good}{more}\n")), "{what}");
    }
}

const PIECES: &[&str] = &[
    "[source]",
    "[cart]",
    "[cart.rows]",
    "[[into]]",
    "[into.columns]",
    "[map.region]",
    "[merge]",
    "[ids]",
    "[apply]",
    "[lookup.x]",
    "values = { \"1\" = \"a\" }",
    "unknown = \"skip\"",
    "unknown = { value = 1 }",
    "type = \"integer\"",
    "table = \"t\"",
    "per = \"orders\"",
    "per =",
    "key = [\"a\", 1]",
    "live = \"x\"",
    "ended = { set = { a = \"b\" } }",
    "role = \"line\"",
    "line = { product = \"p\", quantity = \"q\", max_quantity = 0 }",
    "id = { key = \"id\" }",
    "password = { env = \"NO_SUCH\" }",
    "url = 'postgres://u:p@[::1'",
    "lanes = 0x7fffffffffffffff",
    "batch_delay = \"99999999999999999999s\"",
    "x = 1e999",
    "x = 1979-05-27T07:32:00Z",
    "x = \"\"\"",
    "x = '''",
    "\\u0000",
    "\u{feff}",
    "\r",
    "\t",
    "= =",
    "a.b.c = 1",
    "\"\" = \"\"",
    "[[map]]",
    "[map]",
    "map = 1",
    "[map.lower]\nvalues = { a = 'b' }",
    "[map.'a b']",
    "é = 'é'",
];

proptest! {
    #[test]
    fn any_characters(text in "\\PC{0,300}") {
        loads(&text);
        loads(&with(&text));
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        loads(&with(&String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn any_pieces(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..20), good: bool,
    ) {
        let head = if good { format!("{CART}{INTO}") } else { String::new() };
        loads(&with(&format!("{head}{}", pieces.join("\n"))));
    }

    #[test]
    fn a_real_file_with_other_lines(
        order in proptest::collection::vec(0usize..400, 1..6),
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 6),
    ) {
        let mut lines: Vec<&str> = EXAMPLE.lines().collect();
        for (at, piece) in order.iter().zip(pieces) {
            let at = at % lines.len();
            match at % 3 {
                0 => lines[at] = piece,
                1 => drop(lines.remove(at)),
                _ => lines.insert(at, piece),
            }
        }
        loads(&lines.join("\n"));
    }
}

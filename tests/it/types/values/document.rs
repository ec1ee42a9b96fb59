//! JSON, XML, hstore and search documents.

use fastrand::Rng;

use super::{chance, digits, integer, pick, quoted, sign, text};

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

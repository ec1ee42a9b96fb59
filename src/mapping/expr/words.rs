//! Arguments that name a unit, a zone, a currency or an encoding by a literal: judged at load, for
//! a wrong one would fail for every row.

use super::functions::packed;
use super::plan::{Node, Plan};
use super::{currency, moment};

/// The first argument that names nothing, and what is wrong with it.
pub fn unknown(function: &str, args: &[Plan]) -> Option<(usize, String)> {
    args.iter()
        .enumerate()
        .find_map(|(at, arg)| match &arg.node {
            Node::Literal(word) => Some((at, problem(function, at, word)?)),
            _ => None,
        })
}

fn problem(function: &str, at: usize, word: &str) -> Option<String> {
    let no_zone = || moment::zone(word).is_none();
    match (function, at) {
        ("date_trunc", 0) if moment::truncate(word, 0).is_none() => {
            Some(format!("no unit {word:?} to cut at"))
        }
        ("date_trunc", 2) | ("timezone", 0) if no_zone() => Some(format!("no time zone {word:?}")),
        ("minor_units" | "major_units", 1) if currency::exponent(word).is_none() => {
            Some(format!("no currency {word:?}"))
        }
        ("encode" | "decode", 1) => {
            let known = ["hex", "base64", "escape"];
            let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(word));
            (!is_known).then(|| format!("no encoding {word:?}: there are hex, base64 and escape"))
        }
        ("decompress", 1) if !packed::is_packing(word) => {
            let known = packed::PACKINGS.join(", ");
            Some(format!("no compression {word:?}: there are {known}"))
        }
        ("convert_from" | "convert_to", 1) if !packed::is_encoding(word) => {
            Some(format!("no encoding {word:?}: there are UTF8 and LATIN1"))
        }
        _ => None,
    }
}

//! `bytea`: its text forms, and the functions on it.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};

use super::{Args, Function, Takes, function};
use crate::mapping::expr::error::EvalError;
use crate::sqltype::Class;

const TEXT: Takes = Takes::Is(Class::Text);
const BYTEA: Takes = Takes::Is(Class::Bytea);

pub(super) const ALL: &[Function] = &[
    function("length", &[BYTEA], Class::Int4, |a| Ok(Some(a.bytes(0)?.len().to_string()))),
    function("sha256", &[BYTEA], Class::Bytea, |a| Ok(Some(print(&Sha256::digest(a.bytes(0)?))))),
    function("encode", &[BYTEA, TEXT], Class::Text, encode),
    function("decode", &[TEXT, TEXT], Class::Bytea, decode),
];

/// Reads the hexadecimal or the escape form (manual, 8.4).
pub fn input(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(digits) => hex(digits),
        None => unescape(text),
    }
}

/// `bytea_output = hex`.
pub fn print(bytes: &[u8]) -> String {
    format!("\\x{}", HEXLOWER.encode(bytes))
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let compact: String = digits.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    HEXLOWER_PERMISSIVE.decode(compact.as_bytes()).ok()
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next()? {
            b'\\' => out.push(b'\\'),
            high @ b'0'..=b'3' => {
                let mut value = high - b'0';
                for _ in 0..2 {
                    let digit = bytes.next().filter(|d| (b'0'..=b'7').contains(d))?;
                    value = value * 8 + (digit - b'0');
                }
                out.push(value);
            }
            _ => return None,
        }
    }
    Some(out)
}

fn encode(a: &Args<'_>) -> Result<Option<String>, EvalError> {
    let bytes = a.bytes(0)?;
    Ok(Some(match a.text(1).to_ascii_lowercase().as_str() {
        "hex" => HEXLOWER.encode(&bytes),
        "base64" => {
            // RFC 2045: lines of 76 characters.
            let text = BASE64.encode(&bytes);
            let lines: Vec<&str> = (0..text.len()).step_by(76).map(|i| &text[i..text.len().min(i + 76)]).collect();
            lines.join("\n")
        }
        "escape" => escape(&bytes),
        _ => return Err(a.error("the format must be hex, base64 or escape")),
    }))
}

fn escape(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            0 | 0x80.. => out.push_str(&format!("\\{byte:03o}")),
            byte => out.push(char::from(*byte)),
        }
    }
    out
}

fn decode(a: &Args<'_>) -> Result<Option<String>, EvalError> {
    let text = a.text(0);
    let bytes = match a.text(1).to_ascii_lowercase().as_str() {
        "hex" => hex(text),
        "base64" => {
            let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            BASE64.decode(compact.as_bytes()).ok()
        }
        "escape" => unescape(text),
        _ => return Err(a.error("the format must be hex, base64 or escape")),
    };
    let bytes = bytes.ok_or_else(|| a.error("the text is not in this format"))?;
    Ok(Some(print(&bytes)))
}

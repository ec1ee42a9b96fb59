//! The bytes of a text in the log, which are in the charset of its column, as Unicode.

use encoding_rs::Encoding;

use crate::switch::{self, Mutant};

/// The charset of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    /// MySQL's `latin1`: what Windows calls 1252, where the five bytes that have no character there
    /// stand for the control characters of ISO 8859-1 (manual, "West European Character Sets").
    Latin1,
    Ascii,
    /// Two bytes a character, surrogates not paired; or UTF-16. Big endian.
    Utf16,
    Utf16Le,
    Utf32,
    /// Where each byte is a character.
    Whole(&'static Encoding),
    /// Where some bytes are none. To the server they are question marks.
    WithGaps(&'static Encoding),
    /// One whose bytes cannot be read here. A query can, for the server converts.
    Unknown,
}

impl Charset {
    /// By MySQL's name of it. Of those that `encoding_rs` has, only the ones stand here of which
    /// both mean the same bytes.
    pub fn named(name: &str) -> Self {
        match name {
            "utf8" | "utf8mb3" | "utf8mb4" => Self::Utf8,
            "latin1" => Self::Latin1,
            "ascii" => Self::Ascii,
            "ucs2" | "utf16" => Self::Utf16,
            "utf16le" => Self::Utf16Le,
            "utf32" => Self::Utf32,
            "latin2" => Self::Whole(encoding_rs::ISO_8859_2),
            "koi8r" => Self::Whole(encoding_rs::KOI8_R),
            "cp1250" => Self::WithGaps(encoding_rs::WINDOWS_1250),
            "cp1251" => Self::WithGaps(encoding_rs::WINDOWS_1251),
            "cp1257" => Self::WithGaps(encoding_rs::WINDOWS_1257),
            _ => Self::Unknown,
        }
    }

    /// None where the bytes are no text in it.
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        let read_as = match switch::mutant(Mutant::OneCharset) {
            true => Self::Utf8,
            false => self,
        };
        match read_as {
            Self::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
            Self::Ascii => {
                let chars = bytes.iter().map(|b| char::from(*b));
                Some(chars.map(|c| if c.is_ascii() { c } else { '?' }).collect())
            }
            // The WHATWG's windows-1252 fills the same five gaps in the same way.
            Self::Latin1 => strict(encoding_rs::WINDOWS_1252, bytes),
            Self::Utf16 => strict(encoding_rs::UTF_16BE, bytes),
            Self::Utf16Le => strict(encoding_rs::UTF_16LE, bytes),
            Self::Utf32 => {
                let (units, rest) = bytes.as_chunks::<4>();
                let chars = units.iter().map(|b| char::from_u32(u32::from_be_bytes(*b)));
                rest.is_empty().then(|| chars.collect::<Option<_>>())?
            }
            Self::Whole(encoding) => strict(encoding, bytes),
            Self::WithGaps(encoding) => {
                let (text, _) = encoding.decode_without_bom_handling(bytes);
                let gap = |c: char| matches!(c, '\u{80}'..='\u{9f}' | char::REPLACEMENT_CHARACTER);
                Some(text.chars().map(|c| if gap(c) { '?' } else { c }).collect())
            }
            Self::Unknown => None,
        }
    }
}

fn strict(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_the_text_that_was_written() {
        for (charset, bytes, text) in [
            ("utf8mb4", &b"\xf0\x9f\x9b\x92"[..], "🛒"),
            ("latin1", b"\xe9 \x80 \x81", "é € \u{81}"),
            ("ascii", b"abc", "abc"),
            ("ucs2", b"\x00e\x20\xac", "e€"),
            ("utf16le", b"e\x00\xac\x20", "e€"),
            ("utf32", b"\x00\x01\xf6\xd2", "🛒"),
            ("latin2", b"\xb1", "ą"),
            ("cp1251", b"\xff\x98", "я?"),
        ] {
            let decoded = Charset::named(charset).decode(bytes);
            assert_eq!(decoded.as_deref(), Some(text), "{charset}");
        }
        for (charset, bytes) in [
            ("utf8mb4", &b"\xff"[..]),
            ("utf32", b"\x00\x00\xd8\x00"),
            ("swe7", b"abc"),
        ] {
            assert_eq!(Charset::named(charset).decode(bytes), None, "{charset}");
        }
    }
}

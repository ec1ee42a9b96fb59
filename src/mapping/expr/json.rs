//! JSON as Postgres reads and prints it: `json` keeps its text, `jsonb` one canonical form.

use super::decimal::Decimal;

/// A value and the text it was read from.
#[derive(Debug)]
pub struct Json<'a> {
    pub raw: &'a str,
    pub kind: Kind<'a>,
}

#[derive(Debug)]
pub enum Kind<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(String),
    Array(Vec<Json<'a>>),
    Object(Vec<(String, Json<'a>)>),
}

/// Deeper documents are refused, so that no input can exhaust the stack.
const MAX_DEPTH: usize = 400;

/// Reads one document; none where it is not JSON.
pub fn parse(text: &str) -> Option<Json<'_>> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    (reader.at == text.len()).then_some(value)
}

/// The one form in which `jsonb` prints a document; none where `jsonb` refuses it.
pub fn canonical(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 8);
    print(&parse(text)?, &mut out)?;
    Some(out)
}

pub fn print(json: &Json<'_>, out: &mut String) -> Option<()> {
    match &json.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Number(n) => out.push_str(&Decimal::parse(n)?.to_string()),
        // `jsonb` cannot hold the character zero (manual, 8.14).
        Kind::String(s) if s.contains('\0') => return None,
        Kind::String(s) => quote(s, out),
        Kind::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                print(item, out)?;
            }
            out.push(']');
        }
        Kind::Object(pairs) => {
            // Of equal keys the last wins; keys are ordered by length, then by bytes.
            let mut order: Vec<&(String, Json<'_>)> = pairs.iter().collect();
            order.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.cmp(&b.0)));
            out.push('{');
            let mut first = true;
            for (i, (key, value)) in order.iter().enumerate() {
                if order.get(i + 1).is_some_and(|next| next.0 == *key) {
                    continue;
                }
                if key.contains('\0') {
                    return None;
                }
                if !std::mem::take(&mut first) {
                    out.push_str(", ");
                }
                quote(key, out);
                out.push_str(": ");
                print(value, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

/// A JSON string, escaped as the server does.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

impl<'a> Json<'a> {
    /// A member by name; of equal names the last one.
    pub fn member(&self, name: &str) -> Option<&Json<'a>> {
        match &self.kind {
            Kind::Object(pairs) => pairs.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// An element by position, from the end where it is negative.
    pub fn element(&self, at: i64) -> Option<&Json<'a>> {
        let Kind::Array(items) = &self.kind else {
            return None;
        };
        let at = if at < 0 {
            i64::try_from(items.len()).ok()?.checked_add(at)?
        } else {
            at
        };
        items.get(usize::try_from(at).ok()?)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        let start = self.at;
        let kind = match self.peek()? {
            b'n' => self.word("null").map(|()| Kind::Null)?,
            b't' => self.word("true").map(|()| Kind::Bool(true))?,
            b'f' => self.word("false").map(|()| Kind::Bool(false))?,
            b'"' => Kind::String(self.string()?),
            b'[' => Kind::Array(self.array(depth)?),
            b'{' => Kind::Object(self.object(depth)?),
            _ => Kind::Number(self.number()?),
        };
        Some(Json {
            raw: self.text.get(start..self.at)?,
            kind,
        })
    }

    fn array(&mut self, depth: usize) -> Option<Vec<Json<'a>>> {
        self.take(b'[')?;
        let mut items = Vec::new();
        self.space();
        if self.take(b']').is_some() {
            return Some(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(items);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Vec<(String, Json<'a>)>> {
        self.take(b'{')?;
        let mut pairs = Vec::new();
        self.space();
        if self.take(b'}').is_some() {
            return Some(pairs);
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            self.take(b':')?;
            pairs.push((key, self.value(depth + 1)?));
            self.space();
            if self.take(b',').is_none() {
                self.take(b'}')?;
                return Some(pairs);
            }
        }
    }

    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        let _ = self.take(b'-');
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.text.get(start..self.at)
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let c = rest.chars().next()?;
            self.at += c.len_utf8();
            match c {
                '"' => return Some(out),
                '\\' => out.push(self.escape()?),
                c if c < ' ' => return None,
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                self.word("\\u")?;
                let low = self.hex()?;
                if !(0xdc00..0xe000).contains(&low) {
                    return None;
                }
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn canonical_is_what_jsonb_prints() {
        for (text, canonical) in [
            (r#"{"bb":1, "a":2,"bb":3}"#, r#"{"a": 2, "bb": 3}"#),
            ("[1e3,1.50,-0, 1.5e-3]", "[1000, 1.50, 0, 0.0015]"),
            (r#""\u00e9\ud83d\ude00\/""#, "\"é😀/\""),
            (r#"{"a":{},"b":[]}"#, r#"{"a": {}, "b": []}"#),
            ("  true ", "true"),
        ] {
            assert_eq!(super::canonical(text).as_deref(), Some(canonical), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_json() {
        for text in ["", "{", "[1,]", "01", "1.", "'a'", r#""\ud800""#, r#""\u0000""#, "nul", "1 2", "{1:2}"] {
            assert!(super::canonical(text).is_none(), "{text}");
        }
        assert!(super::canonical(&"[".repeat(100_000)).is_none());
    }

    proptest! {
        #[test]
        fn canonical_is_stable(text in "[\\[\\]{}\",:0-9a-z\\\\ .eE-]{0,24}") {
            if let Some(once) = super::canonical(&text) {
                prop_assert_eq!(super::canonical(&once), Some(once.clone()));
            }
        }

        #[test]
        fn any_string_survives(text in "[^\u{0}]*") {
            let mut quoted = String::new();
            quote(&text, &mut quoted);
            match parse(&quoted).map(|j| j.kind) {
                Some(Kind::String(read)) => prop_assert_eq!(read, text),
                _ => prop_assert!(false),
            }
        }
    }
}

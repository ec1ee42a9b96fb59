//! From a place inside the value of a TOML string to its place in the file.

/// The file offset of byte `offset` of a string's value, where `raw` is the string as the file
/// spells it (with its quotes) from file offset `start` on.
///
/// TOML 1.1, "String": escapes shorten, a first line break is trimmed, and a backslash at the end
/// of a line swallows the white space that follows.
pub fn offset_in_file(raw: &str, start: usize, value: &str, offset: usize) -> usize {
    let (quote, basic) = match raw {
        r if r.starts_with("\"\"\"") => (3, true),
        r if r.starts_with("'''") => (3, false),
        r if r.starts_with('"') => (1, true),
        r if r.starts_with('\'') => (1, false),
        _ => (0, false),
    };
    let mut at = quote;
    if quote == 3 {
        at += first_break(&raw[at..]);
    }
    let mut seen = 0;
    while seen < offset {
        let Some(c) = raw[at..].chars().next() else {
            break;
        };
        let (here, there) = match c {
            '\\' if basic => escape(&raw[at..]),
            // A parser may keep a carriage return or drop it.
            '\r' if !value[seen..].starts_with('\r') => (1, 0),
            c => (c.len_utf8(), c.len_utf8()),
        };
        if seen + there > offset {
            break;
        }
        at += here;
        seen += there;
    }
    start + at
}

fn first_break(rest: &str) -> usize {
    match rest {
        r if r.starts_with("\r\n") => 2,
        r if r.starts_with('\n') => 1,
        _ => 0,
    }
}

/// How long an escape is in the file, and in the value.
fn escape(raw: &str) -> (usize, usize) {
    let digits = match raw.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            let blank = raw[1..].len() - raw[1..].trim_start().len();
            return (1 + blank, 0);
        }
        _ => return (raw.len().min(2), 1),
    };
    let code = raw
        .get(2..2 + digits)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .and_then(char::from_u32);
    ((2 + digits).min(raw.len()), code.map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::offset_in_file;

    /// Each `x` of a value is found again in the file.
    #[test]
    fn every_spelling_of_a_string() {
        for text in [
            "a = \"12x\"",
            "a = 'é\\x'",
            r#"a = "\"\té\u00e9 x""#,
            r#"a = "\x41\U0001F600x""#,
            "a = \"\"\"\nab\n x\"\"\"",
            "a = '''\r\nab\r\n x'''",
            "a = \"\"\"ab \\\n   \n  cx\"\"\"",
            "a = \"\"\"\"quoted\" x\"\"\"",
        ] {
            let table = toml::de::DeTable::parse(text).expect(text);
            let (_, value) = table.get_ref().iter().next().expect(text);
            let string = value.get_ref().as_str().expect(text);
            let raw = &text[value.span()];
            let x = string.rfind('x').expect(text);
            let found = offset_in_file(raw, value.span().start, string, x);
            assert_eq!(Some(found), text.rfind('x'), "{text}");
        }
    }
}

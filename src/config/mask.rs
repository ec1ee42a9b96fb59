//! Secrets in the text of a configuration file, overwritten so that the text can be shown.

/// Overwrites each secret by as many `*` as it has bytes, so that offsets stay valid. Works on
/// files that are not valid TOML too: what a message shows may be the very line that is broken.
pub fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for word in ["password", "secret", "url"] {
        for (at, _) in text.match_indices(word) {
            if in_mapping(&text[..at]) {
                continue;
            }
            let rest = &text[at + word.len()..];
            let value = rest
                .trim_start_matches(['"', '\''])
                .trim_start()
                .strip_prefix('=')
                .map(str::trim_start);
            let Some(value) = value.filter(|v| !v.starts_with('{')) else {
                continue;
            };
            let start = text.len() - value.len();
            let end = start + length(value);
            let mut range = start..end;
            if word == "url" {
                let Some(user) = url_password(&text[range.clone()]) else {
                    continue;
                };
                range = start + user.start..start + user.end;
            }
            for byte in &mut bytes[range] {
                if !matches!(byte, b'\n' | b'\r' | b'"' | b'\'') {
                    *byte = b'*';
                }
            }
        }
    }
    // Only whole values were overwritten, and each byte of them: never a part of a character.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the text ends inside a section in which these words are columns.
fn in_mapping(before: &str) -> bool {
    let header = before
        .lines()
        .rev()
        .map(str::trim_start)
        .find(|l| l.starts_with('['));
    let name = header.map_or("", |h| h.trim_start_matches(['[', ' ', '\t']));
    ["cart", "into", "lookup", "merge"]
        .iter()
        .any(|s| name.starts_with(s))
}

/// Bytes of the TOML value at the start of the text; to the line's end where it has no quotes.
fn length(value: &str) -> usize {
    for quote in ["\"\"\"", "'''"] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.find(quote).map_or(value.len(), |n| n + 6);
        }
    }
    let line = value.find('\n').unwrap_or(value.len());
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return line;
    };
    let mut escaped = false;
    for (i, c) in value[..line].char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return i + 1,
            _ => {}
        }
    }
    line
}

/// Where the password of a URL stands; all of it if it is not in the form that we know.
fn url_password(value: &str) -> Option<std::ops::Range<usize>> {
    let Some(scheme) = value.find("://") else {
        return value.contains("password").then_some(0..value.len());
    };
    let start = scheme + 3;
    if value.contains("password=") {
        return Some(start..value.len());
    }
    let at = start + value[start..].rfind('@')?;
    let colon = start + value[start..at].find(':')?;
    Some(colon + 1..at)
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_are_overwritten_and_offsets_stay() {
        for (text, shown) in [
            (r#"password = "a\"bé" # x"#, r#"password = "**"***" # x"#),
            ("password = { env = \"X\" }", "password = { env = \"X\" }"),
            (
                "url = 'postgres://u:p@w@h/d'",
                "url = 'postgres://u:***@h/d'",
            ),
            ("url = 'postgres://u@h/d'", "url = 'postgres://u@h/d'"),
            (
                "a = {password=abc, b = 1}\nc",
                "a = {password=***********\nc",
            ),
            (
                "secret = \"\"\"\nab\n\"\"\"\nx",
                "secret = \"\"\"\n**\n\"\"\"\nx",
            ),
            ("url = 'host=h password=p'", "url = '*****************'"),
            (
                " [into.columns]\n password = 'p'",
                " [into.columns]\n password = 'p'",
            ),
            ("password = \"open\nx = 1", "password = \"****\nx = 1"),
        ] {
            let masked = masked(text);
            assert_eq!(masked, shown);
            assert_eq!(masked.len(), text.len());
        }
    }
}

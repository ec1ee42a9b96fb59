//! Names as expressions and TOML write them, and whether a text has one.

/// Whether `name(` stands there as a name by itself.
pub(super) fn calls(text: &str, name: &str) -> bool {
    places(text, name).any(|end| text[end..].starts_with('('))
}

pub(super) fn names(text: &str, name: &str) -> bool {
    places(text, name).next().is_some()
}

fn places<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).filter_map(move |(at, _)| {
        let end = at + name.len();
        let before = text[..at].chars().last();
        let after = text[end..].chars().next();
        (!before.is_some_and(of_a_name) && !after.is_some_and(of_a_name)).then_some(end)
    })
}

/// A column's name as expressions write it.
pub fn name_in(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    match plain && !super::words::RESERVED.contains(&name) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A TOML string on one line.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

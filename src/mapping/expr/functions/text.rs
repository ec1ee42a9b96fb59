//! Functions of text.

use super::{Args, Function, Takes, function};
use crate::mapping::expr::error::EvalError;
use crate::sqltype::Class;

const TEXT: Takes = Takes::Is(Class::Text);
const INT: Takes = Takes::Is(Class::Int4);

type Given = Result<Option<String>, EvalError>;

/// Longest text that a function builds: the server's own limit for a value is 1 GB.
const LIMIT: usize = 64 << 20;

pub(super) const ALL: &[Function] = &[
    function("lower", &[TEXT], Class::Text, |a| Ok(Some(lower(a.text(0))))),
    function("upper", &[TEXT], Class::Text, |a| Ok(Some(a.text(0).chars().map(upper).collect()))),
    function("initcap", &[TEXT], Class::Text, initcap),
    Function { least: 1, ..function("btrim", &[TEXT, TEXT], Class::Text, |a| trim(a, true, true)) },
    Function { least: 1, ..function("ltrim", &[TEXT, TEXT], Class::Text, |a| trim(a, true, false)) },
    Function { least: 1, ..function("rtrim", &[TEXT, TEXT], Class::Text, |a| trim(a, false, true)) },
    Function { least: 2, ..function("substring", &[TEXT, INT, INT], Class::Text, substring) },
    function("replace", &[TEXT, TEXT, TEXT], Class::Text, replace),
    function("left", &[TEXT, INT], Class::Text, left),
    function("right", &[TEXT, INT], Class::Text, right),
    Function { least: 2, ..function("lpad", &[TEXT, INT, TEXT], Class::Text, |a| pad(a, true)) },
    Function { least: 2, ..function("rpad", &[TEXT, INT, TEXT], Class::Text, |a| pad(a, false)) },
    function("split_part", &[TEXT, TEXT, INT], Class::Text, split_part),
    function("length", &[TEXT], Class::Int4, |a| Ok(Some(a.text(0).chars().count().to_string()))),
    function("md5", &[TEXT], Class::Text, |a| {
        use md5::Digest;
        Ok(Some(data_encoding::HEXLOWER.encode(&md5::Md5::digest(a.text(0)))))
    }),
    function("||", &[TEXT, TEXT], Class::Text, |a| Ok(Some([a.text(0), a.text(1)].concat()))),
    Function {
        strict: false,
        repeats: true,
        ..function("concat", &[Takes::Any], Class::Text, |a| Ok(Some(joined(a, "", 0))))
    },
    Function {
        strict: false,
        repeats: true,
        nullable: true,
        ..function("concat_ws", &[TEXT, Takes::Any], Class::Text, |a| {
            Ok(a.values[0].text().map(|separator| joined(a, separator, 1)))
        })
    },
];

/// Characters change case one by one: what would become two characters stays.
fn single(c: char, mut changed: impl Iterator<Item = char>) -> char {
    match (changed.next(), changed.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

fn upper(c: char) -> char {
    single(c, c.to_uppercase())
}

fn lower(text: &str) -> String {
    text.chars().map(|c| single(c, c.to_lowercase())).collect()
}

fn initcap(a: &Args<'_>) -> Given {
    let mut inside = false;
    let change = |c: char| {
        let changed = if inside { single(c, c.to_lowercase()) } else { upper(c) };
        inside = c.is_alphanumeric();
        changed
    };
    Ok(Some(a.text(0).chars().map(change).collect()))
}

fn trim(a: &Args<'_>, start: bool, end: bool) -> Given {
    let set = if a.has(1) { a.text(1) } else { " " };
    let mut text = a.text(0);
    if start {
        text = text.trim_start_matches(|c| set.contains(c));
    }
    if end {
        text = text.trim_end_matches(|c| set.contains(c));
    }
    Ok(Some(text.to_owned()))
}

fn substring(a: &Args<'_>) -> Given {
    let start = a.integer(1)?;
    let end = match a.has(2) {
        true => match a.integer(2)? {
            length if length < 0 => return Err(a.error("negative length")),
            length => start.saturating_add(length),
        },
        false => i64::MAX,
    };
    let skip = usize::try_from(start - 1).unwrap_or(0);
    let take = usize::try_from(end.saturating_sub(start.max(1))).unwrap_or(0);
    Ok(Some(a.text(0).chars().skip(skip).take(take).collect()))
}

fn replace(a: &Args<'_>) -> Given {
    Ok(Some(match a.text(1) {
        "" => a.text(0).to_owned(),
        from => a.text(0).replace(from, a.text(2)),
    }))
}

/// How many characters `n` keeps of a text: all but `-n` where it is negative.
fn kept(text: &str, n: i64) -> (usize, usize) {
    let length = text.chars().count();
    let magnitude = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    match n < 0 {
        true => (length.saturating_sub(magnitude), length),
        false => (magnitude.min(length), length),
    }
}

fn left(a: &Args<'_>) -> Given {
    let (kept, _) = kept(a.text(0), a.integer(1)?);
    Ok(Some(a.text(0).chars().take(kept).collect()))
}

fn right(a: &Args<'_>) -> Given {
    let (kept, length) = kept(a.text(0), a.integer(1)?);
    Ok(Some(a.text(0).chars().skip(length - kept).collect()))
}

fn pad(a: &Args<'_>, before: bool) -> Given {
    let width = usize::try_from(a.integer(1)?).unwrap_or(0);
    if width > LIMIT {
        return Err(a.error("the text would be too long"));
    }
    let (text, fill) = (a.text(0), if a.has(2) { a.text(2) } else { " " });
    let length = text.chars().count();
    if length >= width {
        return Ok(Some(text.chars().take(width).collect()));
    }
    let padding: String = match fill.is_empty() {
        true => String::new(),
        false => fill.chars().cycle().take(width - length).collect(),
    };
    Ok(Some(match before {
        true => padding + text,
        false => text.to_owned() + &padding,
    }))
}

fn split_part(a: &Args<'_>) -> Given {
    let (text, separator, n) = (a.text(0), a.text(1), a.integer(2)?);
    if n == 0 {
        return Err(a.error("field position must not be zero"));
    }
    let fields: Vec<&str> = match (text, separator) {
        ("", _) => Vec::new(),
        (text, "") => vec![text],
        (text, separator) => text.split(separator).collect(),
    };
    let at = match usize::try_from(n) {
        Ok(n) => n.checked_sub(1),
        Err(_) => usize::try_from(n.unsigned_abs()).ok().and_then(|back| fields.len().checked_sub(back)),
    };
    Ok(Some(at.and_then(|at| fields.get(at)).copied().unwrap_or("").to_owned()))
}

/// The arguments that are not null, from the one at `from` on.
fn joined(a: &Args<'_>, separator: &str, from: usize) -> String {
    let texts: Vec<&str> = a.values.iter().skip(from).filter_map(|v| v.text()).collect();
    texts.join(separator)
}

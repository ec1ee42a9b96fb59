//! What a column keeps of a value: some types print another text than was written.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::catalog::LogColumn;
use super::types::Kind;
use super::value::inet6;
use crate::mapping::expr::canonical;

/// The text that is read back where this one was written. Of a document in MySQL's JSON only the
/// server knows.
pub fn stored(column: &LogColumn, text: &str) -> Box<str> {
    let kept = match &column.kind {
        Kind::Text(_) if column.ty.name.starts_with("char") => text.trim_end_matches(' ').into(),
        Kind::Binary { length } => padded(text, *length),
        Kind::Set(labels) => ordered(text, labels),
        Kind::Inet6 => match text.parse::<Ipv6Addr>() {
            Ok(address) => inet6(address).into(),
            Err(_) => text.into(),
        },
        Kind::Float | Kind::Double => rounded(text, &column.ty.name),
        _ => text.into(),
    };
    canonical(&kept, &column.ty).unwrap_or_else(|_| kept.into())
}

fn padded(text: &str, length: usize) -> Cow<'_, str> {
    let full = length * 2 + "\\x".len();
    match text.starts_with("\\x") && text.len() < full {
        true => format!("{text:0<full$}").into(),
        false => text.into(),
    }
}

/// Members of a set come in the order of its definition, each once.
fn ordered<'t>(text: &'t str, labels: &[String]) -> Cow<'t, str> {
    let given: Vec<&str> = text.split(',').collect();
    match given.iter().all(|m| labels.iter().any(|l| l == m)) {
        true => {
            let kept = labels.iter().map(String::as_str);
            let kept: Vec<&str> = kept.filter(|label| given.contains(label)).collect();
            kept.join(",").into()
        }
        false => text.into(),
    }
}

/// A `FLOAT(7,2)` keeps two digits after the point.
fn rounded<'t>(text: &'t str, ty: &str) -> Cow<'t, str> {
    let digits = ty
        .split_once(',')
        .and_then(|(_, rest)| rest.split_once(')'))
        .and_then(|(digits, _)| digits.trim().parse::<usize>().ok());
    match (digits, text.parse::<f64>()) {
        (Some(digits), Ok(value)) if value.is_finite() => format!("{value:.digits$}").into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::types::{Declared, read};

    fn column(column_type: &str) -> LogColumn {
        let data_type = column_type.split([' ', '(']).next().unwrap_or_default();
        let (ty, kind) = read(&Declared {
            data_type,
            column_type,
            octets: Some(3),
            characters: Some(9),
            ..Declared::default()
        });
        LogColumn {
            name: "c".into(),
            ordinal: 1,
            ty,
            kind,
            charset: None,
            nullable: true,
            is_virtual: false,
            touched: false,
        }
    }

    #[test]
    fn what_columns_keep() {
        for (ty, written, kept) in [
            ("char(9)", "a b  ", "a b"),
            ("varchar(9)", "a b  ", "a b  "),
            ("binary(3)", "\\x01", "\\x010000"),
            ("varbinary(3)", "\\x01", "\\x01"),
            ("set('b','a','c')", "c,a,b,a", "b,a,c"),
            ("set('b','a','c')", "", ""),
            ("set('b','a','c')", "d,a", "d,a"),
            ("inet6", "::0001", "::1"),
            ("float(7,2)", "1.239", "1.24"),
            ("float", "1.239", "1.239"),
            ("double(9,0)", "2.6", "3"),
            ("int", "7", "7"),
        ] {
            assert_eq!(&*stored(&column(ty), written), kept, "{ty}");
        }
    }
}

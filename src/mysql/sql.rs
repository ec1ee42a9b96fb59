//! Names and values in MySQL's SQL, such that no `sql_mode` reads them otherwise.

use data_encoding::HEXUPPER;

pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

pub fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(table))
}

/// A user as the server names it (`user@host`), for a GRANT.
pub fn account(user: &str) -> String {
    match user.rsplit_once('@') {
        Some((user, host)) => format!("{}@{}", identifier(user), identifier(host)),
        None => identifier(user),
    }
}

/// A text. With a quote or a backslash in it, the meaning of quotes would be that of
/// `NO_BACKSLASH_ESCAPES`; and what is not ASCII would be in the session's charset.
pub fn text(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _-.,:;/+@#()[]{}=".contains(c);
    match value.chars().all(plain) {
        true => format!("'{value}'"),
        false => format!("_utf8mb4 {}", binary(value.as_bytes())),
    }
}

/// Bytes, compared as such.
pub fn binary(value: &[u8]) -> String {
    format!("X'{}'", HEXUPPER.encode(value))
}

/// One of the values that [`among`] is given.
pub fn one_of(columns: &[String], values: &[String]) -> String {
    match values {
        [value] => value.clone(),
        values => {
            let pairs = columns.iter().zip(values);
            let pairs: Vec<String> = pairs.map(|(c, value)| format!("{c} = {value}")).collect();
            format!("({})", pairs.join(" AND "))
        }
    }
}

/// These columns have one of the values. Rows of values are not written as such: where some of their
/// texts are ASCII and others are not, MariaDB compares them with a column of another charset without
/// converting all of them, and misses rows.
pub fn among(columns: &[String], values: &[String]) -> String {
    match columns {
        [column] => format!("{column} IN ({})", values.join(", ")),
        _ => format!("({})", values.join(" OR ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_name_or_a_text_early() {
        assert_eq!(qualified("sh`op", "t"), "`sh``op`.`t`");
        assert_eq!(account("a@b@%"), "`a@b`@`%`");
        assert_eq!(account("role"), "`role`");
        assert_eq!(text("open-7"), "'open-7'");
        for odd in ["it's", r"\", "é", "a\"b", "a`", "%", "\0"] {
            let code = odd.bytes().map(|b| format!("{b:02X}")).collect::<String>();
            assert_eq!(text(odd), format!("_utf8mb4 X'{code}'"));
        }
    }

    #[test]
    fn values_of_one_column_or_of_several() {
        let list = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let (one, two) = (list(&["a"]), list(&["a", "b"]));
        let values = [one_of(&one, &list(&["1"])), one_of(&one, &list(&["2"]))];
        assert_eq!(among(&one, &values), "a IN (1, 2)");
        let values = [
            one_of(&two, &list(&["1", "'x'"])),
            one_of(&two, &list(&["2", "'y'"])),
        ];
        let both = "((a = 1 AND b = 'x') OR (a = 2 AND b = 'y'))";
        assert_eq!(among(&two, &values), both);
    }
}

//! Names and values in MySQL's SQL, such that no `sql_mode` reads them otherwise.

use data_encoding::HEXUPPER;

pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

pub fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(table))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_name_or_a_text_early() {
        assert_eq!(qualified("sh`op", "t"), "`sh``op`.`t`");
        assert_eq!(text("open-7"), "'open-7'");
        for odd in ["it's", r"\", "é", "a\"b", "a`", "%", "\0"] {
            let code = odd.bytes().map(|b| format!("{b:02X}")).collect::<String>();
            assert_eq!(text(odd), format!("_utf8mb4 X'{code}'"));
        }
    }
}

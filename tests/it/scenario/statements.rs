//! Cutting SQL text into statements, so that each is a transaction of its own as in psql.

/// The statements of a script. Knows quotes, dollar quotes and line comments.
pub fn split(sql: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut rest = sql;
    let mut statement = String::new();
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\'' | '"' => quoted(rest, &rest[..1]),
            '$' => match rest[1..].find('$') {
                Some(end)
                    if rest[1..=end]
                        .chars()
                        .all(|c| c.is_alphanumeric() || c == '_') =>
                {
                    quoted(rest, &rest[..end + 2])
                }
                _ => 1,
            },
            '-' if rest.starts_with("--") => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            ';' => {
                statements.push(std::mem::take(&mut statement));
                rest = &rest[1..];
                continue;
            }
            c => c.len_utf8(),
        };
        statement.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    statements.push(statement);
    statements.retain(|s| !s.trim().is_empty());
    statements
        .iter_mut()
        .for_each(|s| *s = s.trim().to_string());
    statements
}

/// Bytes from an opening delimiter to the end of its closing one.
fn quoted(text: &str, delimiter: &str) -> usize {
    let start = delimiter.len();
    text[start..]
        .find(delimiter)
        .map_or(text.len(), |end| start + end + delimiter.len())
}

#[test]
fn statements_end_at_semicolons_outside_quotes() {
    let sql = "insert into a values ('x;''y'); -- note; more\n do $x$ begin; $$ end $x$ ;\n\n select \"a;b\"";
    assert_eq!(
        split(sql),
        [
            "insert into a values ('x;''y')",
            "do $x$ begin; $$ end $x$",
            "select \"a;b\"",
        ]
    );
}

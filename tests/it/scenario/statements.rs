//! Cutting SQL text into statements, so that each is a transaction of its own as in psql.

/// What a session does without a pause: one statement, or all rounds of a loop.
pub type Step = Vec<String>;

/// The steps of a script. Between the lines `-- for i in 1..=9` and `-- end` stands what is done once
/// for each number, with `{i}` in its place: many small transactions, one after the other.
pub fn steps(script: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut text, mut looping) = (String::new(), None);
    for line in script.lines() {
        match (line.strip_prefix("-- for "), &looping) {
            (Some(rounds), None) => {
                steps.extend(
                    split(&std::mem::take(&mut text))
                        .into_iter()
                        .map(|s| vec![s]),
                );
                looping = Some(numbers(rounds));
            }
            (None, Some((name, numbers))) if line == "-- end" => {
                let name = format!("{{{name}}}");
                let round = |n: u32| text.replace(&name, &n.to_string());
                steps.push(numbers.clone().map(round).collect());
                text.clear();
                looping = None;
            }
            (Some(_), Some(_)) => panic!("a loop within a loop: {line}"),
            (None, _) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    assert!(looping.is_none(), "a loop without an end: {text}");
    steps.extend(split(&text).into_iter().map(|s| vec![s]));
    steps
}

/// `i in 1..=9`
fn numbers(rounds: &str) -> (String, std::ops::RangeInclusive<u32>) {
    let read = || {
        let (name, range) = rounds.split_once(" in ")?;
        let (first, last) = range.split_once("..=")?;
        Some((name.to_owned(), first.parse().ok()?..=last.parse().ok()?))
    };
    read().unwrap_or_else(|| panic!("not `NAME in FIRST..=LAST`: {rounds}"))
}

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

#[test]
fn a_loop_is_one_step_of_many_rounds() {
    let script =
        "select 1;\n-- for n in 7..=8\nbegin; select {n};\ncommit;\n-- end\nselect 2; select 3";
    assert_eq!(
        steps(script),
        [
            vec!["select 1"],
            vec!["begin; select 7;\ncommit;\n", "begin; select 8;\ncommit;\n"],
            vec!["select 2"],
            vec!["select 3"],
        ]
    );
}

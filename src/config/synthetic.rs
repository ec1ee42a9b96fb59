//! `[synthetic]`: carts of our own in the old shop, and how they are made there.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::Synthetic;
use super::cart::alias_of;
use super::reader::{Problems, Section, table, wrong};
use crate::diagnostic::Diagnostic;
use crate::synthetic::plan::{Change, Made, Plan, Remove, Value};
use crate::synthetic::template::{self, Part};

const PERIOD: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn read(root: &mut Section<'_>, problems: &mut Problems) -> Option<Synthetic> {
    let mut section = root.table("synthetic", problems)?;
    let every = section.duration("every", problems).unwrap_or(PERIOD);
    let deadline = section.duration("deadline", problems).unwrap_or(DEADLINE);
    let mut plan = Plan::default();
    if !section.has("create") {
        section.missing("create", "[[synthetic.create]] tables", problems);
    }
    for part in list(&mut section, "create", problems) {
        let made = create(part, &plan, problems);
        plan.rows.extend(made);
    }
    for part in list(&mut section, "change", problems) {
        let changed = change(part, &plan, problems);
        plan.changes.extend(changed);
    }
    for part in list(&mut section, "remove", problems) {
        let removed = remove(part, &plan, problems);
        plan.removes.extend(removed);
    }
    section.finish(problems);
    Some(Synthetic {
        every: every.max(Duration::from_millis(100)),
        deadline,
        plan,
    })
}

fn list<'t>(
    section: &mut Section<'t>,
    key: &'static str,
    problems: &mut Problems,
) -> Vec<Section<'t>> {
    let Some((span, value)) = section.take(key) else {
        return Vec::new();
    };
    let name = format!("[[synthetic.{key}]]");
    let DeValue::Array(list) = value.get_ref() else {
        wrong(
            key,
            value,
            &format!("{name} with doubled brackets"),
            problems,
        );
        return Vec::new();
    };
    let mut parts = Vec::new();
    for item in list.iter() {
        let place = match item.span().is_empty() {
            true => span.clone(),
            false => item.span(),
        };
        parts.extend(table(name.clone(), place, item, problems));
    }
    parts
}

fn create(mut section: Section<'_>, plan: &Plan, problems: &mut Problems) -> Option<Made> {
    let into = section.required("table", "a table of the source", problems);
    let name = section.string("name", problems);
    let returning = section.string("returning", problems);
    let values = values(&mut section, "values", plan, problems);
    let span = section.span.clone();
    section.finish(problems);
    let (table, values) = (into?, values?);
    let name = name.map_or_else(|| alias_of(table.get_ref()).to_owned(), Spanned::into_inner);
    if plan.row(&name).is_some() {
        let message = format!("two rows are called `{name}`");
        problems.push(Diagnostic::error(span.clone(), message).expected("a `name` of its own"));
    }
    marked(&values, plan, span, problems);
    Some(Made {
        name,
        table: table.into_inner(),
        values,
        returning: returning.map(Spanned::into_inner),
    })
}

fn change(mut section: Section<'_>, plan: &Plan, problems: &mut Problems) -> Option<Change> {
    let row = section.required("row", "the name of a row of [[synthetic.create]]", problems);
    let set = values(&mut section, "set", plan, problems);
    section.finish(problems);
    let (row, set) = (row?, set?);
    let Some(made) = plan.row(row.get_ref()) else {
        let message = format!("no row of [[synthetic.create]] is called `{row}`");
        let names = super::reader::one_of(plan.rows.iter().map(|row| row.name.as_str()));
        problems.push(Diagnostic::error(row.span(), message).expected(names));
        return None;
    };
    let key = |column: &str| {
        made.returning.as_deref() == Some(column) || made.ties().any(|(tie, _)| tie == column)
    };
    if let Some((column, _)) = set.iter().find(|(column, _)| key(column)) {
        let message = format!("`{column}` is what the row is found again by");
        problems.push(Diagnostic::error(row.span(), message).expected("another column"));
    }
    Some(Change {
        row: row.into_inner(),
        set,
    })
}

fn remove(mut section: Section<'_>, plan: &Plan, problems: &mut Problems) -> Option<Remove> {
    let from = section.required("table", "a table of the source", problems);
    let matches = values(&mut section, "where", plan, problems);
    let span = section.span.clone();
    section.finish(problems);
    let matches = matches?;
    marked(&matches, plan, span, problems);
    Some(Remove {
        table: from?.into_inner(),
        matches,
    })
}

/// No row may be one that could be a customer's.
fn marked(values: &[Value], plan: &Plan, span: std::ops::Range<usize>, problems: &mut Problems) {
    let parts = values.iter().filter_map(|(_, t)| template::parse(t).ok());
    let good = match plan.rows.is_empty() {
        // Nothing is before the first row.
        true => parts.flatten().any(|part| part == Part::Marker),
        false => parts.into_iter().any(|parts| template::marks(&parts)),
    };
    if !good {
        let message = "nothing tells this row from a customer's";
        let expected = match plan.rows.is_empty() {
            true => "a column with {marker} in it",
            false => "a column with {marker} in it, or a value of a row before: {row.column}",
        };
        problems.push(Diagnostic::error(span, message).expected(expected));
    }
}

/// `{ column = value, … }`.
fn values(
    section: &mut Section<'_>,
    key: &'static str,
    plan: &Plan,
    problems: &mut Problems,
) -> Option<Vec<Value>> {
    if !section.has(key) {
        section.missing(key, "{ column = \"value\", … }", problems);
    }
    let inner = section.table(key, problems)?;
    let mut values = Vec::new();
    for entry in inner.into_entries() {
        let value = entry.value;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            // Both kinds read these as truth values, and one has them as numbers.
            DeValue::Boolean(truth) => i32::from(*truth).to_string(),
            _ => {
                wrong(
                    entry.key.get_ref(),
                    value,
                    "a text, a number or a boolean",
                    problems,
                );
                continue;
            }
        };
        match template::parse(&text) {
            Err(why) => problems.push(Diagnostic::error(value.span(), why)),
            Ok(parts) => {
                for part in parts {
                    let Part::Of { row, column } = part else {
                        continue;
                    };
                    let known = plan.row(&row).is_some_and(|made| {
                        made.returning.as_ref() == Some(&column)
                            || made.values.iter().any(|(name, _)| *name == column)
                    });
                    if !known {
                        let message = format!("{{{row}.{column}}} is no value of a row before");
                        let expected = "a row's name and a column of its `values` or `returning`";
                        let problem = Diagnostic::error(value.span(), message);
                        problems.push(problem.expected(expected));
                    }
                }
            }
        }
        values.push((entry.key.into_inner(), text));
    }
    Some(values)
}

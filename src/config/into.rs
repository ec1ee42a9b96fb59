//! `[[into]]` and `[merge]`: what a cart becomes in the new shop.

use toml::Spanned;
use toml::de::DeValue;

use super::cart::{alias_of, unknown_table};
use super::reader::{Entry, Problems, Section, string, table, wrong};
use super::{Cart, Column, Each, Fate, FieldRule, Into, Line, Merge, QuantityRule, Rows};
use crate::cart::layout::Layout;
use crate::diagnostic::Diagnostic;
use crate::mapping::expr::named_tables;
use crate::mapping::plan::Role;

const ROLES: [(&str, Role); 3] = [
    ("header", Role::Header),
    ("line", Role::Line),
    ("detail", Role::Detail),
];

pub(super) const FIELD_RULES: [(&str, FieldRule); 3] = [
    ("latest", FieldRule::Latest),
    ("source", FieldRule::Source),
    ("target", FieldRule::Target),
];

const QUANTITY_RULES: [(&str, QuantityRule); 6] = [
    ("both", QuantityRule::Both),
    ("latest", QuantityRule::Latest),
    ("max", QuantityRule::Max),
    ("sum", QuantityRule::Sum),
    ("source", QuantityRule::Source),
    ("target", QuantityRule::Target),
];

/// All `[[into]]`; `cart` is none where its section was wrong already.
pub(super) fn read_all(
    root: &mut Section<'_>,
    cart: Option<&Cart>,
    rows: &[Rows],
    problems: &mut Problems,
) -> Vec<Into> {
    if !root.has("into") {
        root.missing("into", "[[into]] tables", problems);
    }
    let Some((span, value)) = root.take("into") else {
        return Vec::new();
    };
    let DeValue::Array(list) = value.get_ref() else {
        wrong("into", value, "[[into]] with doubled brackets", problems);
        return Vec::new();
    };
    let mut intos = Vec::new();
    for item in list.iter() {
        let place = if item.span().is_empty() {
            span.clone()
        } else {
            item.span()
        };
        if let Some(section) = table("[[into]]".into(), place, item, problems) {
            intos.extend(read(section, cart, rows, problems));
        }
    }
    intos
}

fn read(
    mut section: Section<'_>,
    cart: Option<&Cart>,
    rows: &[Rows],
    problems: &mut Problems,
) -> Option<Into> {
    let table = section.required("table", "a table of the target", problems);
    if let Some(table) = &table {
        section.name = format!("[[into]] of `{table}`");
    }
    let mut per = section.required("per", "a table of the cart", problems);
    let each = per.as_ref().and_then(each);
    match (&mut per, cart, &each) {
        (Some(per), Some(cart), Some(each)) => *per = holder(each, cart, rows, problems),
        (Some(per), Some(cart), None) => check_per(per, cart, rows, problems),
        _ => {}
    }
    let role = section.choice("role", &ROLES, problems);
    let role = role.unwrap_or(Role::Detail);
    let lock = section.string("lock", problems);
    let filter = section.string("where", problems);
    let closed = section.string("closed", problems);
    let ended = fate(&mut section, "ended", problems);
    let deleted = fate(&mut section, "deleted", problems);
    let line = line(&mut section, role, problems);
    let grouped = section.has("group");
    let group = section.strings("group", problems);
    if grouped && role == Role::Header {
        let message = "a header stands for one source row, not for a group";
        problems.push(Diagnostic::error(section.span.clone(), message).expected("no `group`"));
    }
    if let (Some(each), Role::Header) = (&each, role) {
        let message = "a header stands for one source row, not for elements of a payload";
        problems.push(Diagnostic::error(each.written.span(), message).expected("the header table"));
    }
    let needs_end = cart.is_some_and(|c| c.live.is_some());
    if role == Role::Header && needs_end && !section.has("ended") {
        let expected = "\"delete\", \"keep\" or { set = { … } }, because `live` is given";
        section.missing("ended", expected, problems);
    }
    if !section.has("columns") {
        section.missing("columns", "{ target column = \"expression\", … }", problems);
    }
    let columns = section.table("columns", problems).map(|mut columns| {
        columns.name = "[into.columns]".into();
        let into = table.as_ref().map_or("", |t| t.get_ref());
        self::columns(columns, into, problems)
    });
    section.finish(problems);
    let (table, per) = (table?, per?);
    Some(Into {
        lock: lock.unwrap_or_else(|| Spanned::new(table.span(), "row".into())),
        table,
        per,
        each,
        group,
        role,
        filter,
        closed,
        ended,
        deleted,
        line,
        columns: columns?,
    })
}

fn check_per(per: &Spanned<String>, cart: &Cart, rows: &[Rows], problems: &mut Problems) {
    let name = per.get_ref().as_str();
    let header = cart.table.get_ref().as_str();
    let names =
        std::iter::once(alias_of(header)).chain(rows.iter().map(|r| r.alias.get_ref().as_str()));
    if name == header || name == Layout::MADE || names.clone().any(|n| n == name) {
        return;
    }
    problems.push(unknown_table(per, names));
}

/// `each(EXPR)`, if it is that.
fn each(per: &Spanned<String>) -> Option<Each> {
    let text = per.get_ref();
    let start = text.len() - text.trim_start().len();
    let word = text[start..]
        .get(..4)
        .filter(|w| w.eq_ignore_ascii_case("each"))?;
    let open = start + word.len();
    let open = open + text[open..].len() - text[open..].trim_start().len();
    let inner = text[open..]
        .trim_end()
        .strip_prefix('(')?
        .strip_suffix(')')?;
    Some(Each {
        written: per.clone(),
        payload: open + 1..open + 1 + inner.len(),
    })
}

/// The table whose rows hold the payload: the one that the expression names, else the header.
fn holder(each: &Each, cart: &Cart, rows: &[Rows], problems: &mut Problems) -> Spanned<String> {
    let is = |alias: &str, (name, quoted): &(String, bool)| {
        alias == name || !quoted && alias.eq_ignore_ascii_case(name)
    };
    let named = named_tables(each.payload());
    let aliases = rows.iter().map(|row| row.alias.get_ref());
    let held: Vec<&String> = aliases
        .filter(|alias| named.iter().any(|name| is(alias, name)))
        .collect();
    if let [first, second, ..] = held.as_slice() {
        let message = format!(
            "a payload stands in a row of one table, and this names `{first}` and `{second}`"
        );
        problems.push(Diagnostic::error(each.written.span(), message));
    }
    let holder = held.first().map_or(cart.table.get_ref(), |alias| *alias);
    Spanned::new(each.written.span(), holder.clone())
}

/// `"delete"`, `"keep"` or `{ set = { column = "expr" } }`.
fn fate(section: &mut Section<'_>, key: &'static str, problems: &mut Problems) -> Option<Fate> {
    let (span, value) = section.take(key)?;
    let expected = "`delete`, `keep` or { set = { column = \"expression\" } }";
    match value.get_ref() {
        DeValue::String(s) if s == "delete" => Some(Fate::Delete),
        DeValue::String(s) if s == "keep" => Some(Fate::Keep),
        DeValue::Table(_) => {
            let mut outer = table(format!("`{key}`"), span, value, problems)?;
            if !outer.has("set") {
                outer.missing("set", "{ column = \"expression\" }", problems);
            }
            let set = outer.table("set", problems);
            outer.finish(problems);
            let set = set?.into_entries().into_iter().filter_map(|entry| {
                let value = string(entry.key.get_ref(), entry.value, problems)?;
                Some((entry.key, value))
            });
            Some(Fate::Set(set.collect()))
        }
        _ => {
            wrong(key, value, expected, problems);
            None
        }
    }
}

fn line(section: &mut Section<'_>, role: Role, problems: &mut Problems) -> Option<Line> {
    let mut line = section.table("line", problems)?;
    line.name = "`line`".into();
    let product = line.required(
        "product",
        "the target column that names the product",
        problems,
    );
    let quantity = line.required("quantity", "the target column of the quantity", problems);
    let max_quantity = line.integer("max_quantity", 1..=i64::MAX, problems);
    if role != Role::Line {
        problems.push(
            Diagnostic::error(
                line.span.clone(),
                "`line` on a table that is not one of lines",
            )
            .expected("`role = \"line\"`"),
        );
    }
    line.finish(problems);
    Some(Line {
        product: product?,
        quantity: quantity?,
        max_quantity: max_quantity.unwrap_or(99),
    })
}

fn columns(section: Section<'_>, into: &str, problems: &mut Problems) -> Vec<Column> {
    let span = section.span.clone();
    let entries = section.into_entries();
    let count = entries.len();
    let columns: Vec<Column> = entries
        .into_iter()
        .filter_map(|entry| column(entry, into, problems))
        .collect();
    if columns.len() == count && !columns.iter().any(|c| c.key) {
        problems.push(
            Diagnostic::error(span, format!("no column of `{into}` is its key"))
                .expected("column = { key = \"expression\" }"),
        );
    }
    columns
}

/// `"expr"`, `{ key = "expr" }`, `{ once = "expr" }`, all spelled out, or `{ allocated = true }`.
fn column(entry: Entry<'_>, into: &str, problems: &mut Problems) -> Option<Column> {
    let name = entry.key;
    if let DeValue::String(_) = entry.value.get_ref() {
        return Some(Column {
            value: string(name.get_ref(), entry.value, problems)?,
            name,
            key: false,
            once: false,
            merge: None,
            allocated: false,
        });
    }
    if !matches!(entry.value.get_ref(), DeValue::Table(_)) {
        let expected = "\"expression\", { key = \"…\" }, { once = \"…\" } or { value = \"…\", … }";
        wrong(name.get_ref(), entry.value, expected, problems);
        return None;
    }
    let mut section = table(
        format!("column `{name}`"),
        name.span(),
        entry.value,
        problems,
    )?;
    if section.has("allocated") {
        return allocated(name, section, into, problems);
    }
    let mut values: Vec<Spanned<String>> = section.string("value", problems).into_iter().collect();
    let mut flag = |key: &'static str, problems: &mut Problems| {
        let (_, value) = section.take(key)?;
        match value.get_ref() {
            DeValue::Boolean(b) => Some(*b),
            DeValue::String(_) => {
                values.extend(string(key, value, problems));
                Some(true)
            }
            _ => {
                wrong(key, value, "true or an expression", problems);
                None
            }
        }
    };
    let key = flag("key", problems).unwrap_or(false);
    let once = flag("once", problems).unwrap_or(false);
    let merge = section.choice("merge", &FIELD_RULES, problems);
    let bad_value = ["value", "key", "once"].iter().any(|k| section.has(k));
    if values.is_empty() && !(bad_value && !key && !once) {
        section.missing("value", "\"expression\"", problems);
    }
    section.finish(problems);
    if let Some(second) = values.get(1) {
        problems.push(
            Diagnostic::error(
                second.span(),
                format!("column `{name}` has two expressions"),
            )
            .expected("one of `value`, `key` and `once`, the others `true`"),
        );
    }
    Some(Column {
        value: values.into_iter().next()?,
        name,
        key,
        once,
        merge,
        allocated: false,
    })
}

/// `{ allocated = true }`.
fn allocated(
    name: Spanned<String>,
    mut section: Section<'_>,
    into: &str,
    problems: &mut Problems,
) -> Option<Column> {
    let (_, value) = section.take("allocated")?;
    let is_true = matches!(value.get_ref(), DeValue::Boolean(true));
    if !is_true {
        wrong("allocated", value, "true", problems);
    }
    for key in ["value", "key", "once", "merge"] {
        if let Some((span, _)) = section.take(key) {
            let message =
                format!("column `{name}` has an expression, and the target gives its value");
            problems.push(Diagnostic::error(span, message).expected("{ allocated = true }"));
        }
    }
    section.finish(problems);
    is_true.then(|| Column {
        value: Spanned::new(name.span(), format!("allocated({})", allocated_table(into))),
        name,
        key: true,
        once: false,
        merge: None,
        allocated: true,
    })
}

/// A target table as the function `allocated` names it.
pub(crate) fn allocated_table(table: &str) -> String {
    format!("'{}'", table.replace('\'', "''"))
}

/// `[merge]`.
pub(super) fn merge(root: &mut Section<'_>, problems: &mut Problems) -> Merge {
    let (quantity, fields) = rules(root, problems);
    Merge {
        quantity: quantity.unwrap_or(QuantityRule::Both),
        fields: fields.unwrap_or(FieldRule::Latest),
    }
}

/// What `[merge]` says.
pub(super) fn rules(
    root: &mut Section<'_>,
    problems: &mut Problems,
) -> (Option<QuantityRule>, Option<FieldRule>) {
    let mut section = root
        .table("merge", problems)
        .unwrap_or_else(|| Section::absent("[merge]"));
    let quantity = section.choice("quantity", &QUANTITY_RULES, problems);
    let fields = section.choice("fields", &FIELD_RULES, problems);
    section.finish(problems);
    (quantity, fields)
}

/// The words for the rules of `[merge]`.
pub(super) fn merge_names(merge: Merge) -> (&'static str, &'static str) {
    (
        word(&QUANTITY_RULES, merge.quantity),
        field_rule_name(merge.fields),
    )
}

pub(super) fn field_rule_name(rule: FieldRule) -> &'static str {
    word(&FIELD_RULES, rule)
}

pub(super) fn role_name(role: Role) -> &'static str {
    word(&ROLES, role)
}

/// What the file calls a value; the tables above name every one.
fn word<T: PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    let found = words.iter().find(|(_, v)| *v == value);
    found.map_or("", |(word, _)| word)
}

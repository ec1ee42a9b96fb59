//! What `[reconcile]` says of comparing beyond rows: tokens, sums, quantities, the new backend's own.

use toml::Spanned;
use toml::de::DeValue;

use super::Into;
use super::reader::{Problems, Section, nearest, table, wrong};
use crate::diagnostic::Diagnostic;
use crate::mapping::plan::Role;

/// What a verification looks at beside the mapped columns of each row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beyond {
    /// Mapped columns by which storefronts find a cart.
    pub tokens: Vec<Token>,
    pub sums: Vec<Sum>,
    /// A condition in the target's SQL over its header table: the cart is the new backend's own.
    pub own: Option<Spanned<String>>,
    /// The least quantity of a line.
    pub min_quantity: i64,
    /// A line that nobody mapped makes its cart different.
    pub foreign_lines_differ: bool,
}

/// `token = "table.column"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Places among the `[[into]]`s; a table may be filled by several of them.
    pub intos: Vec<usize>,
    pub column: String,
}

/// One entry of `sums`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sum {
    /// The `[[into]]` of the header.
    pub header: usize,
    pub total: Spanned<String>,
    pub column: String,
    pub of: Spanned<String>,
    /// An expression in the target's SQL over the columns of `of`.
    pub value: Spanned<String>,
}

const FOREIGN_LINES: [(&str, bool); 2] = [("told", false), ("different", true)];

/// Takes its keys out of `[reconcile]`.
pub(super) fn read(section: &mut Section<'_>, intos: &[Into], problems: &mut Problems) -> Beyond {
    let named = section.strings("token", problems);
    let tokens = named.iter().filter_map(|name| token(name, intos, problems));
    let tokens = tokens.collect();
    Beyond {
        tokens,
        sums: sums(section, intos, problems),
        own: section.string("own", problems),
        min_quantity: section
            .integer("min_quantity", 0..=i64::MAX, problems)
            .unwrap_or(0),
        foreign_lines_differ: section
            .choice("foreign_lines", &FOREIGN_LINES, problems)
            .unwrap_or(false),
    }
}

/// The `[[into]]`s of the table in `table.column`, and the column.
fn split<'n>(name: &'n Spanned<String>, intos: &[Into]) -> Option<(Vec<usize>, &'n str)> {
    let (table, column) = name.get_ref().rsplit_once('.')?;
    let of = intos.iter().enumerate();
    let of = of.filter(|(_, into)| into.table.get_ref() == table);
    let places: Vec<usize> = of.map(|(at, _)| at).collect();
    (!places.is_empty()).then_some((places, column))
}

fn token(name: &Spanned<String>, intos: &[Into], problems: &mut Problems) -> Option<Token> {
    let found = split(name, intos).and_then(|(places, column)| {
        let fills = |at: &usize| {
            intos[*at]
                .columns
                .iter()
                .any(|c| c.name.get_ref() == column)
        };
        let intos: Vec<usize> = places.into_iter().filter(fills).collect();
        let column = column.to_owned();
        (!intos.is_empty()).then_some(Token { intos, column })
    });
    if found.is_none() {
        let known = intos.iter().flat_map(|into| {
            let column = |c: &super::Column| format!("{}.{}", into.table, c.name);
            into.columns.iter().map(column).collect::<Vec<_>>()
        });
        let known: Vec<String> = known.collect();
        let expected = match nearest(name.get_ref(), known.iter().map(String::as_str)) {
            Some(near) => format!("`{near}`?"),
            None => "`table.column` of the target, filled by an [[into]]".into(),
        };
        let message = format!("nothing fills `{name}`");
        problems.push(Diagnostic::error(name.span(), message).expected(expected));
    }
    found
}

fn sums(section: &mut Section<'_>, intos: &[Into], problems: &mut Problems) -> Vec<Sum> {
    let Some((_, value)) = section.take("sums") else {
        return Vec::new();
    };
    let expected = "[{ total = \"cart.total\", of = \"cart_line\", value = \"quantity * price\" }]";
    let DeValue::Array(list) = value.get_ref() else {
        wrong("sums", value, expected, problems);
        return Vec::new();
    };
    let sums = list.iter().filter_map(|entry| {
        let section = table("`sums`".into(), entry.span(), entry, problems)?;
        sum(section, intos, problems)
    });
    sums.collect()
}

fn sum(mut section: Section<'_>, intos: &[Into], problems: &mut Problems) -> Option<Sum> {
    let total = section.required("total", "the header's column: \"cart.total\"", problems);
    let of = section.required("of", "the table whose rows are summed up", problems);
    let value = section.required("value", "\"quantity * price\"", problems);
    section.finish(problems);
    let (total, of, value) = (total?, of?, value?);
    let header = split(&total, intos).and_then(|(places, column)| {
        let header = places
            .into_iter()
            .find(|at| intos[*at].role == Role::Header);
        Some((header?, column.to_owned()))
    });
    let Some((header, column)) = header else {
        let message = format!("`{total}` is no column of a header table");
        let expected = "`table.column`, with the table of the [[into]] whose role is \"header\"";
        problems.push(Diagnostic::error(total.span(), message).expected(expected));
        return None;
    };
    Some(Sum {
        header,
        total,
        column,
        of,
        value,
    })
}

//! The SQL of guarded writes: one statement for all rows that are written in the same way.
//!
//! Values travel as `text[]` and are cast by the server: exact for every type, and one code path.

use std::fmt::Write;

use super::{closed, rivals};
use crate::mapping::difference::RowWrite;
use crate::mapping::plan::{Into, Lock};
use crate::sqltype::{Class, SqlType};
use crate::switch::{self, Mutant};
use crate::target::closed::guards;
use crate::target::rivals::identity;
use crate::target::shape::{Kind, Shape, new_of, old_of};

/// A statement and its parameters, each an array with one element a row.
pub struct Bound<'a> {
    pub sql: String,
    pub params: Vec<Vec<Option<&'a str>>>,
}

/// How an insert of lines sees that the new backend has put the same line into the cart.
pub enum Guard<'a> {
    /// It looks for one that is not under these keys, which are those of our own lines.
    Look(Vec<&'a [Box<str>]>),
    /// It has the unique index over these columns look: should that index be gone, the server says so.
    Index(Vec<&'a str>),
}

impl Shape {
    /// The statement for these rows.
    pub fn bind<'a>(&self, rows: &[&'a RowWrite], guard: &Guard<'a>) -> Bound<'a> {
        let mut bound = Bound {
            sql: String::new(),
            params: Vec::new(),
        };
        let keys = 0..self.into.key.len();
        for i in keys.clone() {
            bound
                .params
                .push(rows.iter().map(|r| Some(&*r.key[i])).collect());
        }
        for &i in &self.compares {
            let column = rows.iter().map(|r| old_of(r).and_then(|old| old[i].text()));
            bound.params.push(column.collect());
        }
        for &i in &self.sets {
            let column = rows.iter().map(|r| new_of(r).and_then(|new| new[i].text()));
            bound.params.push(column.collect());
        }
        if self.token {
            bound
                .params
                .push(rows.iter().map(|r| r.token.as_deref()).collect());
        }
        let data = bound.params.len();
        bound.sql = match self.kind {
            Kind::Insert => self.insert(data, guard),
            Kind::Update => self.update(),
            Kind::Delete => format!(
                "DELETE FROM {} AS t USING {} WHERE {}",
                table(&self.into),
                self.data(data),
                self.condition()
            ),
            Kind::Check => format!(
                "SELECT 1 FROM {} AS t, {} WHERE {} FOR NO KEY UPDATE OF t",
                table(&self.into),
                self.data(data),
                self.condition()
            ),
        };
        if self.kind == Kind::Insert
            && identity(&self.into).is_some()
            && let Guard::Look(own) = guard
        {
            for i in keys {
                bound
                    .params
                    .push(own.iter().map(|key| Some(&*key[i])).collect());
            }
        }
        bound
    }

    /// `unnest($1::text[], …) AS d(k0, …, g0, …, n0, …, token)`
    pub(super) fn data(&self, params: usize) -> String {
        let (arrays, names) = self.columns(params);
        format!("unnest({}) AS d({})", arrays.join(", "), names.join(", "))
    }

    /// The same with the number of each row, from 1, as `ord`.
    pub(super) fn numbered(&self, params: usize) -> String {
        let (arrays, names) = self.columns(params);
        format!(
            "unnest({}) WITH ORDINALITY AS d({}, ord)",
            arrays.join(", "),
            names.join(", ")
        )
    }

    fn columns(&self, params: usize) -> (Vec<String>, Vec<String>) {
        let arrays: Vec<String> = (1..=params).map(|i| format!("${i}::text[]")).collect();
        let mut names: Vec<String> = (0..self.into.key.len()).map(|i| format!("k{i}")).collect();
        names.extend((0..self.compares.len()).map(|i| format!("g{i}")));
        names.extend((0..self.sets.len()).map(|i| format!("n{i}")));
        if self.token {
            names.push("token".to_owned());
        }
        (arrays, names)
    }

    /// The row is the one meant, and as we last left it.
    fn condition(&self) -> String {
        let mut sql = key_match(&self.into);
        for (n, &i) in self.compares.iter().enumerate() {
            let column = &self.into.columns[i];
            let _ = write!(
                sql,
                " AND {}",
                equal(&column.name, &column.ty, &format!("d.g{n}"))
            );
        }
        match &self.into.lock {
            Lock::Counter(column) => {
                let _ = write!(sql, " AND t.{} = d.token::bigint", quote(column));
            }
            Lock::Clock(column) => {
                let _ = write!(
                    sql,
                    " AND t.{0} IS NOT DISTINCT FROM d.token::timestamptz",
                    quote(column)
                );
            }
            Lock::Xmin => sql.push_str(" AND t.xmin = d.token::xid"),
            Lock::Mapped(_) | Lock::Row => {}
        }
        if guards(&self.into).is_some()
            && let Some(by_others) = closed::by_others(&self.into)
        {
            let _ = write!(sql, " AND NOT coalesce(({by_others}), false)");
        }
        sql
    }

    fn update(&self) -> String {
        let mut sets: Vec<String> = self
            .sets
            .iter()
            .enumerate()
            .map(|(n, &i)| {
                let column = &self.into.columns[i];
                format!("{} = d.n{n}::{}", quote(&column.name), cast(&column.ty))
            })
            .collect();
        sets.extend(bump(&self.into.lock));
        let params =
            self.into.key.len() + self.compares.len() + self.sets.len() + usize::from(self.token);
        format!(
            "UPDATE {} AS t SET {} FROM {} WHERE {}",
            table(&self.into),
            sets.join(", "),
            self.data(params),
            self.condition()
        )
    }

    fn insert(&self, params: usize, guard: &Guard<'_>) -> String {
        let into = &self.into;
        let mut names: Vec<String> = into.key.iter().map(|k| quote(&k.name)).collect();
        let mut values: Vec<String> = into
            .key
            .iter()
            .enumerate()
            .map(|(n, k)| format!("d.k{n}::{}", cast(&k.ty)))
            .collect();
        for (n, &i) in self.sets.iter().enumerate() {
            names.push(quote(&into.columns[i].name));
            values.push(format!("d.n{n}::{}", cast(&into.columns[i].ty)));
        }
        match &into.lock {
            Lock::Counter(column) => {
                names.push(quote(column));
                values.push("1".to_owned());
            }
            Lock::Clock(column) => {
                names.push(quote(column));
                values.push("clock_timestamp()".to_owned());
            }
            Lock::Mapped(_) | Lock::Xmin | Lock::Row => {}
        }
        let mut sql = format!(
            "INSERT INTO {} AS t ({}) SELECT {} FROM {}",
            table(into),
            names.join(", "),
            values.join(", "),
            self.data(params)
        );
        // A row under this key is looked at, or the same line under any key. A clash with another
        // unique key is the server's to name.
        let columns: Vec<String> = match guard {
            Guard::Index(columns) => columns.iter().map(|name| quote(name)).collect(),
            Guard::Look(_) => {
                if let Some(identity) = identity(into) {
                    sql.push_str(" WHERE ");
                    sql.push_str(&rivals::none(self, &identity, params));
                }
                into.key.iter().map(|k| quote(&k.name)).collect()
            }
        };
        let arbiter = match switch::mutant(Mutant::ClashUnnamed) {
            true => String::new(),
            false => format!("({})", columns.join(", ")),
        };
        let _ = write!(sql, " ON CONFLICT {arbiter} DO NOTHING");
        sql
    }
}

/// What moves the version of the row `t`.
pub fn bump(lock: &Lock) -> Option<String> {
    match lock {
        Lock::Counter(column) => Some(format!("{0} = t.{0} + 1", quote(column))),
        Lock::Clock(column) => Some(format!(
            "{0} = greatest(clock_timestamp(), t.{0} + interval '1 microsecond')",
            quote(column)
        )),
        Lock::Mapped(_) | Lock::Xmin | Lock::Row => None,
    }
}

/// Reads the tokens of rows by key, in the order of the keys.
pub fn read_tokens(into: &Into) -> Option<String> {
    let token = match &into.lock {
        Lock::Counter(column) | Lock::Clock(column) => format!("t.{}::text", quote(column)),
        Lock::Xmin => "t.xmin::text".to_owned(),
        Lock::Mapped(_) | Lock::Row => return None,
    };
    Some(format!(
        "SELECT d.ord, {token} FROM {} AS t, {} WHERE {}",
        table(into),
        keys(into),
        key_match(into)
    ))
}

/// `unnest($1::text[], …) WITH ORDINALITY AS d(k0, …, ord)`
pub fn keys(into: &Into) -> String {
    let count = into.key.len();
    let arrays: Vec<String> = (1..=count).map(|i| format!("${i}::text[]")).collect();
    let names: Vec<String> = (0..count).map(|i| format!("k{i}")).collect();
    format!(
        "unnest({}) WITH ORDINALITY AS d({}, ord)",
        arrays.join(", "),
        names.join(", ")
    )
}

pub fn key_match(into: &Into) -> String {
    let parts: Vec<String> = into
        .key
        .iter()
        .enumerate()
        .map(|(n, k)| format!("t.{} = d.k{n}::{}", quote(&k.name), k.ty.name))
        .collect();
    parts.join(" AND ")
}

/// `t.column` holds this text. Types without an equality of their own compare as text, and so do
/// those for which values are equal that a customer can tell apart: citext and texts of a loose
/// collation, a month and 30 days.
pub fn equal(column: &str, ty: &SqlType, value: &str) -> String {
    match ty.class {
        Class::Text => format!(
            "t.{}::text COLLATE \"C\" IS NOT DISTINCT FROM {value}",
            quote(column)
        ),
        Class::Interval | Class::Json | Class::Other => format!(
            "t.{}::text IS NOT DISTINCT FROM ({value}::{})::text",
            quote(column),
            ty.name
        ),
        _ => format!(
            "t.{} IS NOT DISTINCT FROM {value}::{}",
            quote(column),
            ty.name
        ),
    }
}

/// A column's value as its type's output function prints it. A cast to text differs for some types:
/// it adds the netmask of an inet, spells booleans out, and strips the blanks of a char. A composite
/// with a null inside is not NOT NULL, and yet distinct from null.
pub fn output(column: &str) -> String {
    let column = quote(column);
    format!("CASE WHEN t.{column} IS DISTINCT FROM NULL THEN format('%s', t.{column}) END")
}

/// The type to cast a value to be written to: without length or scale, so that the server refuses
/// what does not fit where an explicit cast would cut it.
pub fn cast(ty: &SqlType) -> &str {
    &ty.base
}

pub fn table(into: &Into) -> String {
    format!("{}.{}", quote(&into.schema), quote(&into.table))
}

/// A quoted identifier.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

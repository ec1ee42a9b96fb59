//! One `[[into]]` after the other: its columns, key and lock against the target table.

use std::collections::HashMap;
use std::sync::Arc;

use toml::Spanned;

use super::report::Report;
use super::{circle, death, line, shape, share};
use crate::cart::layout::Layout;
use crate::catalog::{Catalog, ColumnInfo, TableInfo, TableKind};
use crate::config::{self, Kind, Model, alias_of};
use crate::mapping::expr::{
    Assign, Expr, Scope, Shaped, TargetCondition, assignable, literal_fits,
};
use crate::mapping::lookup::Lookup;
use crate::mapping::plan::{Closed, Into, KeyColumn, Lock, MappedColumn, Role, Shape};
use crate::sqltype::{Class, SqlType};
use crate::switch::{self, Mutant};

/// All of them; those with a mistake, or all if there is no layout, are only checked.
pub(super) fn compile_all(
    model: &Model,
    (layout, lookups): (Option<&Layout>, &[Arc<Lookup>]),
    target: &Catalog,
    kind: Option<Kind>,
    report: &mut Report<'_>,
) -> Vec<Into> {
    let infos: Vec<Option<&TableInfo>> = model
        .into
        .iter()
        .map(|into| find(&into.table, target, report))
        .collect();
    check_roles(model, report);
    check_collisions(model, &infos, report);
    death::check(model, &infos, report);
    circle::check(model, &infos, report);
    let (mut intos, mut tables) = (Vec::new(), Vec::new());
    for (into, info) in model.into.iter().zip(&infos) {
        let Some(info) = info else { continue };
        let line = line::compile(model, into, &infos, info, layout, report);
        let scope = layout.and_then(|layout| {
            let per = layout.table(alias_of(into.per.get_ref()))?;
            Some(Scope { layout, per })
        });
        let place = Place {
            into,
            info,
            scope,
            shape: shape::compile(into, scope, lookups, report),
            lookups,
            kind,
            default_ended: death::default_ended(model),
        };
        if let Some(mut compiled) = place.compile(report) {
            compiled.line = line;
            intos.push(compiled);
            tables.push(&into.table);
        }
    }
    if let Some(layout) = layout {
        share::mark(layout, &mut intos);
    }
    for (into, table) in intos.iter().zip(tables).filter(|(into, _)| into.shareable) {
        let message = format!(
            "two carts could give one row of `{}`, for its key is not made of the source row's or \
             the cart's key; a row belongs to one cart, and the second cart would be held",
            into.table
        );
        // Beside a mistake it may only follow from that.
        if !report.has_errors() {
            report.warning(table, message);
        }
    }
    intos
}

fn find<'c>(
    name: &Spanned<String>,
    target: &'c Catalog,
    report: &mut Report<'_>,
) -> Option<&'c TableInfo> {
    let Some(info) = target.find(name.get_ref()) else {
        let known = target.tables.iter().map(|t| t.name.as_str());
        report.unknown(name, format!("the target has no table `{name}`"), known);
        return None;
    };
    if info.kind == TableKind::Other {
        let message = format!("`{name}` cannot be written row by row");
        report.error(name, message, "a table, not a view or a foreign table");
    }
    Some(info)
}

fn check_roles(model: &Model, report: &mut Report<'_>) {
    let header = model.cart.table.get_ref();
    let mut headers = model.into.iter().filter(|i| i.role == Role::Header);
    let Some(first) = headers.next() else {
        let message = "no [[into]] has `role = \"header\"`: nothing guards a cart as a whole";
        return report.warning(&model.cart.table, message);
    };
    for into in headers {
        let message = format!("`{}` has `role = \"header\"` too", first.table);
        report.error(&into.table, message, "one header; `detail` for the others");
    }
    let (per, message) = match model.is_headless() {
        true => (Layout::MADE, "these carts have no header row".to_owned()),
        false => (
            alias_of(header),
            format!("the header's rows are `{header}`"),
        ),
    };
    if alias_of(first.per.get_ref()) != per {
        report.error(&first.per, message, &format!("`{per}`"));
    }
}

/// Two `[[into]]` that would write one row.
fn check_collisions(model: &Model, infos: &[Option<&TableInfo>], report: &mut Report<'_>) {
    let identity = |into: &config::Into| -> Vec<(String, String)> {
        let keys = into.columns.iter().filter(|c| c.key);
        let mut keys: Vec<_> = keys
            .map(|c| (c.name.get_ref().clone(), line::normal(c.value.get_ref())))
            .collect();
        keys.sort();
        keys
    };
    for (i, later) in model.into.iter().enumerate() {
        for (j, earlier) in model.into.iter().enumerate().take(i) {
            let (Some(a), Some(b)) = (infos[i], infos[j]) else {
                continue;
            };
            let payload =
                |into: &config::Into| into.each.as_ref().map(|e| line::normal(e.payload()));
            let same_rows = later.per.get_ref() == earlier.per.get_ref()
                && payload(later) == payload(earlier)
                && identity(later) == identity(earlier);
            if !std::ptr::eq(a, b) || !same_rows {
                continue;
            }
            let message = format!("another [[into]] writes the same rows of `{}`", later.table);
            let filter = |into: &config::Into| into.filter.as_ref().map(|f| f.get_ref().clone());
            if filter(later).is_some()
                && filter(earlier).is_some()
                && filter(later) != filter(earlier)
            {
                report.warning(
                    &later.table,
                    format!("{message} wherever both `where` are true"),
                );
            } else {
                report.error(&later.table, message, "another key");
            }
        }
    }
}

/// Where an `[[into]]` is compiled.
pub(super) struct Place<'a> {
    pub into: &'a config::Into,
    pub info: &'a TableInfo,
    /// None where the source's tables are not all known.
    pub scope: Option<Scope<'a>>,
    pub lookups: &'a [Arc<Lookup>],
    /// None where what it says is wrong.
    pub shape: Option<Shape>,
    /// What kind of server the target is; none for a stored mapping, which was checked when it was
    /// stored.
    pub kind: Option<Kind>,
    pub default_ended: config::Fate,
}

impl Place<'_> {
    /// What names mean in expressions for a target row.
    pub fn shaped(&self) -> Option<Shaped<'_>> {
        let names = |shape| Shaped {
            lookups: self.lookups,
            ..shape::names(shape)
        };
        self.shape.as_ref().map(names)
    }

    fn compile(&self, report: &mut Report<'_>) -> Option<Into> {
        let (into, info) = (self.into, self.info);
        let filter = into.filter.as_ref();
        let filter = filter.map(|f| {
            let rows = Shaped {
                group: None,
                ..self.shaped()?
            };
            report.shaped_condition(f, &self.scope?, rows)
        });
        let (key, mut columns, all_compiled) = self.columns(report);
        let lock = self.lock(report);
        let closed = into.closed.as_ref().map(|text| self.closed(text, report));
        let ended = into.ended.as_ref().unwrap_or(&self.default_ended);
        let deleted = into.deleted.as_ref().unwrap_or(&config::Fate::Delete);
        death::add_columns(self, &mut columns, [ended, deleted], report);
        let ended = death::fate(self, ended, &columns, report);
        let deleted = death::fate(self, deleted, &columns, report);
        self.check_filled(&columns, lock.as_ref(), report);
        self.check_key(&key, report);
        if let Some(shape) = &self.shape {
            shape::check_key(into, shape, &key, report);
        }
        if !all_compiled {
            return None;
        }
        let shape = self.shape.clone()?;
        Some(Into {
            schema: info.schema.clone(),
            table: info.name.clone(),
            per: self.scope?.per,
            shape,
            role: into.role,
            lock: lock?,
            filter: match filter {
                Some(filter) => Some(filter?),
                None => None,
            },
            key,
            columns,
            ended: ended?,
            deleted: deleted?,
            closed: match closed {
                Some(closed) => Some(closed?),
                None => None,
            },
            has_triggers: !info.triggers.is_empty(),
            shareable: false,
            line: None,
        })
    }

    /// Key columns and other columns, in the order of the target table, and whether these are all.
    fn columns(&self, report: &mut Report<'_>) -> (Vec<KeyColumn>, Vec<MappedColumn>, bool) {
        let mut exprs: HashMap<&str, (&config::Column, Expr)> = HashMap::new();
        for column in &self.into.columns {
            let info = self.column(&column.name, report);
            let expr = self.scope.zip(self.shaped());
            let expr = expr.and_then(|(s, shaped)| report.shaped(&column.value, &s, shaped));
            if let (Some(info), Some(expr)) = (info, expr) {
                check_fits(&column.value, &expr, info, report);
                exprs.insert(info.name.as_str(), (column, expr));
            }
        }
        let all = exprs.len() == self.into.columns.len();
        let (mut key, mut columns) = (Vec::new(), Vec::new());
        for info in &self.info.columns {
            let Some((column, expr)) = exprs.remove(info.name.as_str()) else {
                continue;
            };
            let (name, ty) = (info.name.clone(), info.ty.clone());
            if column.key {
                key.push(KeyColumn { name, ty, expr });
            } else {
                columns.push(MappedColumn {
                    name,
                    ty,
                    expr: Some(expr),
                    once: column.once,
                    merge: column.merge,
                });
            }
        }
        (key, columns, all)
    }

    /// A column of the target that can be written.
    pub fn column(&self, name: &Spanned<String>, report: &mut Report<'_>) -> Option<&ColumnInfo> {
        let Some(info) = self.info.column(name.get_ref()) else {
            let message = format!("`{}` of the target has no column `{name}`", self.info.name);
            let known = self.info.columns.iter().map(|c| c.name.as_str());
            report.unknown(name, message, known);
            return None;
        };
        if info.generated && !switch::mutant(Mutant::GeneratedMapped) {
            let how = match info.identity {
                true => "an identity that the target always makes itself",
                false => "generated by the target",
            };
            let allocated = self
                .into
                .columns
                .iter()
                .any(|c| c.allocated && c.name == *name);
            let expected = match allocated {
                true => "GENERATED BY DEFAULT, which takes the value that was allocated",
                false => "no such column here",
            };
            report.error(name, format!("`{name}` is {how}"), expected);
            return None;
        }
        Some(info)
    }

    /// Statements find a row by its key, so the key has to be one to the target too.
    fn check_key(&self, key: &[KeyColumn], report: &mut Report<'_>) {
        let mut names: Vec<&str> = self
            .into
            .columns
            .iter()
            .filter(|c| c.key)
            .map(|c| c.name.get_ref().as_str())
            .collect();
        names.sort_unstable();
        let is_key = |columns: &Vec<String>| {
            let mut columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            columns.sort_unstable();
            columns == names
        };
        let first = self.into.columns.iter().find(|c| c.key);
        let at = first.map_or(&self.into.table, |c| &c.name);
        let table = &self.info.name;
        if !self
            .info
            .uniques
            .iter()
            .chain([&self.info.primary_key])
            .any(is_key)
        {
            let message = format!(
                "`{table}` has no unique index on exactly ({})",
                names.join(", ")
            );
            report.error(
                at,
                message,
                "the columns of its primary key or of a unique index",
            );
        }
        let mut varies = false;
        for column in key {
            column.expr.reads(&mut |_, _| varies = true);
            varies |= column.expr.names_element();
        }
        if key.len() == names.len() && !varies {
            let message = format!("all rows of `{table}` would have the same key");
            report.error(at, message, "an expression that names the row");
        }
    }

    fn lock(&self, report: &mut Report<'_>) -> Option<Lock> {
        let lock = &self.into.lock;
        let name = lock.get_ref();
        match name.as_str() {
            "row" => return Some(Lock::Row),
            "xmin" if self.kind == Some(Kind::Mysql) => {
                let message = "`xmin` is Postgres' row version, which MySQL has none of";
                report.error(lock, message, "`row`, or a column");
                return None;
            }
            "xmin" => return Some(Lock::Xmin),
            _ => {}
        }
        let info = self.column(lock, report)?;
        if let Some(column) = self.into.columns.iter().find(|c| c.name.get_ref() == name) {
            if column.once || column.key {
                let message =
                    format!("`{name}` is written on insert only, so it cannot be the lock");
                report.error(lock, message, "a column that changes with each write");
            }
            return Some(Lock::Mapped(name.clone()));
        }
        let rough = info.ty.fraction.is_some_and(|digits| digits < 6);
        match info.ty.class {
            Class::Int2 | Class::Int4 | Class::Int8 => Some(Lock::Counter(name.clone())),
            // Half of what a `bigint unsigned` holds cannot be counted to.
            Class::Numeric if info.ty.name.starts_with("bigint") => {
                Some(Lock::Counter(name.clone()))
            }
            // Two writes of one second would look like one.
            Class::Timestamp | Class::TimestampTz if rough && self.kind == Some(Kind::Mysql) => {
                let message = format!("`{name}` is {}, too coarse for a lock", info.ty.name);
                report.error(lock, message, "a datetime(6) or timestamp(6), or `row`");
                None
            }
            Class::Timestamp | Class::TimestampTz => Some(Lock::Clock(name.clone())),
            _ => {
                let message = format!("`{name}` is {}, which cannot be a lock", info.ty.name);
                let expected = match self.kind {
                    Some(Kind::Mysql) => "a whole number, a timestamp, a mapped column or `row`",
                    _ => "a whole number, a timestamp, a mapped column, `xmin` or `row`",
                };
                report.error(lock, message, expected);
                None
            }
        }
    }

    fn closed(&self, text: &Spanned<String>, report: &mut Report<'_>) -> Option<Closed> {
        let columns: Vec<(String, SqlType)> = self
            .info
            .columns
            .iter()
            .map(|c| (c.name.clone(), c.ty.clone()))
            .collect();
        let condition = TargetCondition::compile(text.get_ref(), &columns)
            .map_err(|mistakes| report.mistakes(text, mistakes))
            .ok()?;
        let sql = condition.sql();
        match self.kind {
            Some(Kind::Postgres) if sql.is_none() => {
                let message = "the target's server cannot judge this condition";
                report.error(text, message, "a condition that Postgres can state");
                return None;
            }
            Some(Kind::Mysql) => report.mistakes(text, condition.unsure()),
            _ => {}
        }
        Some(Closed {
            sql: sql.unwrap_or_default(),
            columns: condition.columns().to_vec(),
            condition,
        })
    }

    /// Columns that must hold something and that nothing fills.
    fn check_filled(&self, columns: &[MappedColumn], lock: Option<&Lock>, report: &mut Report<'_>) {
        let by_lock = match lock {
            Some(Lock::Counter(name) | Lock::Clock(name)) => Some(name),
            _ => None,
        };
        for info in self.info.columns.iter().filter(|c| c.not_null) {
            let mapped = self
                .into
                .columns
                .iter()
                .any(|c| c.name.get_ref() == &info.name);
            let set_null = columns
                .iter()
                .any(|c| c.name == info.name && c.expr.is_none());
            let own = info.has_default || info.generated || info.identity;
            let filled = mapped || by_lock == Some(&info.name) || own;
            if set_null && !mapped && self.scope.is_some() {
                let message = format!(
                    "`{}` is NOT NULL, and nothing says what it holds while the row lives",
                    info.name
                );
                report.error(
                    &self.into.table,
                    message,
                    "an expression for it in [into.columns]",
                );
            } else if !filled {
                let message = format!(
                    "`{}` is NOT NULL without a default, and nothing fills it",
                    info.name
                );
                report.error(
                    &self.into.table,
                    message,
                    "an expression for it in [into.columns]",
                );
            }
        }
    }
}

/// Whether the values of an expression go into a column.
pub(super) fn check_fits(
    text: &Spanned<String>,
    expr: &Expr,
    column: &ColumnInfo,
    report: &mut Report<'_>,
) {
    let name = &column.name;
    if expr.is_null_literal() {
        if column.not_null {
            report.error(text, format!("`{name}` is NOT NULL"), "a value");
        }
        return;
    }
    // Only a column that refuses null makes one a risk: said below.
    match assignable(&expr.sql_type(), false, &column.ty) {
        Assign::Exact => {}
        Assign::MayFail(why) => match expr.literal().and_then(|l| literal_fits(&l, &column.ty)) {
            Some(Assign::Exact) => {}
            Some(Assign::MayFail(why) | Assign::No(why)) => {
                report.warning(text, format!("does not fit into `{name}`: {why}"));
            }
            None => report.warning(text, format!("may not fit into `{name}`: {why}")),
        },
        Assign::No(why) => {
            let message = format!("cannot be written into `{name}`: {why}");
            report.error(text, message, &column.ty.name);
        }
    }
    if column.not_null && expr.nullable() {
        report.warning(text, format!("can be null, and `{name}` is NOT NULL"));
    }
}

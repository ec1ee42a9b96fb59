//! From the configuration and both catalogs to a [`Mapping`], or to all that does not fit.

mod allocated;
mod circle;
mod death;
mod into;
mod line;
mod lookup;
mod report;
mod shape;
mod share;
mod source;
pub mod stored;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use self::report::Report;
use self::stored::StoredSchemas;
use super::expr::{Expr, Scope, Shaped, Unknown};
use super::lookup::Lookup;
use super::plan::{Fate, Into, Mapping};
use crate::cart::layout::Layout;
use crate::catalog::Catalog;
use crate::config::{Config, Kind, Model};
use crate::diagnostic::Diagnostics;

/// A mapping, and what is worth saying of it.
#[derive(Debug)]
pub struct Compiled {
    pub mapping: Mapping,
    /// SHA-256, in hex, of the mapping and of the schemas that it was compiled against: equal
    /// hashes map equal images to equal rows.
    pub hash: String,
    /// What could fail by value.
    pub warnings: Diagnostics,
    /// The mapping part of the configuration; with `schemas` it compiles to the same mapping.
    pub text: String,
    pub schemas: StoredSchemas,
}

pub fn compile(
    config: &Config,
    source: &Catalog,
    target: &Catalog,
) -> Result<Compiled, Diagnostics> {
    let mut model = config.model();
    // What it says of the source is said once the keys are known.
    let keys = source::full_layout(&model.clone(), source, &mut Report::new(&model));
    allocated::spell_out(&mut model, &keys.layout);
    let mut report = Report::new(&model);
    let full = source::full_layout(&model, source, &mut report);
    let onto = (target, Some(config.target.kind));
    let asked = lookup::compile_all(&model, source, target, &mut report);
    let given = allocated::compile_all(&model, &full.layout, onto, &mut report);
    let asked = asked
        .zip(given)
        .map(|(asked, given)| [asked, given].concat());
    let complete = full.complete && asked.is_some();
    let asked = asked.unwrap_or_default();
    let shared = lookup::shared(&asked);
    let whole = build(&model, &full.layout, (complete, &shared), onto, &mut report);
    let changed_at = source::changed_at(&model, &full.layout, &mut report);
    if report.has_errors() {
        return Err(report.into_diagnostics());
    }
    report.warn_of_idle_maps();
    let warnings = report.into_diagnostics();

    let read = columns_read(&full.layout, &whole, changed_at);
    let layout = source::reduced(&full.layout, &read);
    let schemas = StoredSchemas::new(
        (layout, &full.layout),
        full.trusted_births,
        asked,
        whole.intos.iter(),
        target,
    );
    let text = model.mapping_text();
    let mapping = assemble(&Model::parse(&text)?, &schemas)?;
    Ok(Compiled {
        hash: fingerprint(&text, &mapping),
        mapping,
        warnings,
        text,
        schemas,
    })
}

/// Compiles a stored mapping against the schemas that were stored with it.
pub fn recompile(text: &str, schemas: &StoredSchemas) -> Result<Mapping, Diagnostics> {
    recompile_with(text, schemas, |_| {})
}

/// The same, as far as the target still has what it wrote: without the columns that were lost since,
/// where it can do without them.
pub fn recompile_kept(text: &str, schemas: &StoredSchemas) -> Result<Mapping, Diagnostics> {
    if schemas.lost.is_empty() {
        return recompile(text, schemas);
    }
    let kept = recompile_with(text, &schemas.without_lost(), |model| {
        for into in &mut model.into {
            let table = into.table.get_ref().clone();
            let lost = |name: &str| schemas.is_lost(&table, name);
            into.columns.retain(|c| c.key || !lost(c.name.get_ref()));
        }
    });
    kept.or_else(|_| recompile(text, schemas))
}

/// The same, with something altered in it.
pub fn recompile_with(
    text: &str,
    schemas: &StoredSchemas,
    alter: impl FnOnce(&mut Model),
) -> Result<Mapping, Diagnostics> {
    let mut model = Model::parse(text)?;
    alter(&mut model);
    assemble(&model, schemas)
}

fn assemble(model: &Model, schemas: &StoredSchemas) -> Result<Mapping, Diagnostics> {
    let mut model = model.clone();
    allocated::spell_out(&mut model, &schemas.layout);
    let model = &model;
    let mut report = Report::new(model);
    let target = schemas.target();
    let lookups = lookup::shared(&schemas.lookups);
    let onto = (&target, None);
    let built = build(model, &schemas.layout, (true, &lookups), onto, &mut report);
    let changed_at = source::changed_at(model, &schemas.layout, &mut report);
    if report.has_errors() {
        return Err(report.into_diagnostics());
    }
    Ok(Mapping {
        layout: Arc::new(schemas.layout.clone()),
        live: built.live,
        lookups,
        intos: built.intos.into_iter().map(Arc::new).collect(),
        changed_at,
        merge: model.merge,
        trusted_births: schemas.trusted_births,
        time_zone: model.time_zone.parse().unwrap_or(chrono_tz::UTC),
    })
}

/// All expressions, compiled against one layout.
struct Built {
    live: Option<Expr>,
    intos: Vec<Into>,
}

/// `complete` is false where a table of the source is missing: then expressions, which could name
/// it, are left alone. The target's kind is known where its rules are still to be checked.
fn build(
    model: &Model,
    layout: &Layout,
    (complete, lookups): (bool, &[Arc<Lookup>]),
    (target, kind): (&Catalog, Option<Kind>),
    report: &mut Report<'_>,
) -> Built {
    let live = model.cart.live.as_ref().filter(|_| complete);
    let live = live.and_then(|text| {
        let scope = Scope {
            layout,
            per: Layout::HEADER,
        };
        let shaped = Shaped {
            lookups,
            ..Shaped::default()
        };
        let live = report.shaped_condition(text, &scope, shaped)?;
        report.refuse(text, &live, &[Unknown::Skip, Unknown::Stop]);
        report.refuse_lookups(text, &live, "`live`");
        Some(live)
    });
    let source = complete.then_some(layout);
    let intos = into::compile_all(model, (source, lookups), target, kind, report);
    Built { live, intos }
}

/// The columns that images must hold, as (table, column) of the full layout.
fn columns_read(
    layout: &Layout,
    built: &Built,
    changed_at: Option<usize>,
) -> BTreeSet<(usize, usize)> {
    let mut read = BTreeSet::new();
    let mut report = |table, column| {
        read.insert((table, column));
    };
    for expr in built.live.iter().chain(built.intos.iter().flat_map(exprs)) {
        expr.reads(&mut report);
    }
    if let Some(column) = changed_at {
        report(layout.dated_in(), column);
    }
    read.extend(key_columns(layout));
    read
}

/// The columns by which rows are told apart and find their cart.
fn key_columns(layout: &Layout) -> BTreeSet<(usize, usize)> {
    let each = layout.tables.iter().enumerate().flat_map(|(t, table)| {
        let cart = table.cart.iter().flatten();
        let by = table.parent.iter().flat_map(|(_, by)| by);
        table
            .key
            .iter()
            .chain(cart)
            .chain(by)
            .map(move |column| (t, *column))
    });
    each.collect()
}

/// What of the source tells which rows are whose, without a word from the target; none where the source
/// lacks a table.
pub fn bare_layout(config: &Config, source: &Catalog) -> Option<Layout> {
    let model = config.model();
    let full = source::full_layout(&model, source, &mut Report::new(&model));
    full.complete
        .then(|| source::reduced(&full.layout, &key_columns(&full.layout)))
}

fn exprs(into: &Into) -> impl Iterator<Item = &Expr> {
    fn set(fate: &Fate) -> &[(usize, Expr)] {
        match fate {
            Fate::Set(set) => set,
            Fate::Delete | Fate::Keep => &[],
        }
    }
    let keys = into.key.iter().map(|k| &k.expr);
    let columns = into.columns.iter().filter_map(|c| c.expr.as_ref());
    let fates = set(&into.ended).iter().chain(set(&into.deleted));
    into.filter
        .iter()
        .chain(into.shape.exprs())
        .chain(keys)
        .chain(columns)
        .chain(fates.map(|(_, expr)| expr))
}

/// Over all that changes the rows which a mapping makes: neither indexes nor columns of the target
/// that it leaves alone do.
fn fingerprint(text: &str, mapping: &Mapping) -> String {
    let mut hash = Sha256::new();
    hash.update(text);
    for table in &mapping.layout.tables {
        hash.update(format!("\0{}.{}", table.schema, table.name));
        for column in &table.columns {
            hash.update(format!("\0{} {}", column.name, column.ty.name));
        }
    }
    for into in &mapping.intos {
        hash.update(format!("\0{}.{}", into.schema, into.table));
        let keys = into.key.iter().map(|k| (&k.name, &k.ty));
        for (name, ty) in keys.chain(into.columns.iter().map(|c| (&c.name, &c.ty))) {
            hash.update(format!("\0{name} {}", ty.name));
        }
    }
    for lookup in &mapping.lookups {
        hash.update(format!("\0{} {}", lookup.on.name(), lookup.full_name()));
        if lookup.allocated {
            hash.update("\0allocated");
        }
        let asked = lookup.matches.iter().chain(&lookup.filter_columns);
        for column in asked.chain(&lookup.get) {
            hash.update(format!("\0{} {}", column.name, column.ty.name));
        }
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

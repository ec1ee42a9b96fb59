//! Columns that came after the mapping was stored, and that nothing maps: worth a word, and no reason
//! to stop.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::info;

use crate::catalog::Catalog;
use crate::config::{Config, Kind};
use crate::mapping::compile::compile;
use crate::mapping::compile::stored::StoredSchemas;
use crate::mysql::sql::{identifier, qualified};
use crate::source::postgres::tables::{quoted, quoted_name};
use crate::target::control::{mapping_row, pipeline};
use crate::target::error::TargetError;
use crate::target::session::Target;

/// A column of a table that the mapping reads or writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmapped {
    /// `source` or `target`.
    pub end: &'static str,
    pub table: String,
    pub column: String,
}

/// What is in `now` and was not in `then`, which both are of the same mapping.
pub fn unmapped(config: &Config, then: &StoredSchemas, now: &StoredSchemas) -> Vec<Unmapped> {
    let mut found = Vec::new();
    if let (Some(before), Some(beside)) = (&then.beside, &now.beside) {
        for (at, table) in now
            .layout
            .tables
            .iter()
            .enumerate()
            .filter(|(_, t)| !t.is_made())
        {
            let (Some(before), Some(beside)) = (before.get(at), beside.get(at)) else {
                continue;
            };
            let known = then.layout.tables.get(at);
            let new = beside.iter().filter(|name| {
                !before.contains(name) && known.is_none_or(|t| t.column(name).is_none())
            });
            let names = (table.schema.as_str(), table.name.as_str());
            found.extend(new.map(|name| shown(config.source.kind, "source", names, name)));
        }
    }
    for table in &now.tables {
        let same = then.tables.iter();
        let mut same = same.filter(|t| (&t.schema, &t.name) == (&table.schema, &table.name));
        let Some(before) = same.next() else {
            continue;
        };
        let new = table
            .columns
            .iter()
            .filter(|c| before.column(&c.name).is_none());
        let names = (table.schema.as_str(), table.name.as_str());
        found.extend(new.map(|c| shown(config.target.kind, "target", names, &c.name)));
    }
    found
}

/// The same of a pipeline whose mapping may be stored, against both schemas as they are now. Where
/// another mapping is stored, or this one does not fit, there is more to say than this.
pub async fn since_stored(
    config: &Config,
    target: &Target,
    (source, onto): (&Catalog, &Catalog),
) -> Result<Vec<Unmapped>, TargetError> {
    if !pipeline::installed(target).await? {
        return Ok(Vec::new());
    }
    let id = pipeline::load(target, &config.name).await?;
    let Some(id) = id.and_then(|pipeline| pipeline.mapping) else {
        return Ok(Vec::new());
    };
    let Ok(compiled) = compile(config, source, onto) else {
        return Ok(Vec::new());
    };
    let stored = mapping_row::by_id(target, id).await?;
    let stored = stored.filter(|stored| stored.hash == compiled.hash);
    let then = stored.and_then(|stored| serde_json::from_value(stored.layout).ok());
    Ok(then.map_or(Vec::new(), |then| {
        unmapped(config, &then, &compiled.schemas)
    }))
}

fn shown(kind: Kind, end: &'static str, (schema, table): (&str, &str), column: &str) -> Unmapped {
    let (table, column) = match kind {
        Kind::Postgres => (quoted(schema, table), quoted_name(column)),
        Kind::Mysql => (qualified(schema, table), identifier(column)),
    };
    Unmapped { end, table, column }
}

/// What was said already, as long as this process lives.
#[derive(Clone, Debug, Default)]
pub struct Said(Arc<Mutex<BTreeSet<Unmapped>>>);

impl Said {
    /// Says each of these once; one that goes and comes again is said again.
    pub fn say(&self, found: Vec<Unmapped>) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for new in &found {
            if !said.contains(new) {
                let Unmapped { end, table, column } = new;
                info!(end, table, column, "a new column that nothing maps");
            }
        }
        *said = found.into_iter().collect();
    }
}

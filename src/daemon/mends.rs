//! Why the mapping in force does not fit any more: what has changed in either schema, which statement
//! puts it back, and where in the source's log it was noticed.

use super::DaemonError;
use crate::catalog::{Catalog, TableInfo};
use crate::config::{Config, Kind};
use crate::diagnostic::Diagnostics;
use crate::mapping::compile::recompile;
use crate::mapping::compile::stored::{Lost, StoredSchemas};
use crate::mysql::moved as unnumbered;
use crate::mysql::sql::identifier;
use crate::params;
use crate::postgres::moved::{self, Was};
use crate::source::Source;
use crate::source::postgres::tables::quoted_name;
use crate::target::control::pipeline::PipelineRow;
use crate::target::session::Target;
use crate::target::words::Words;

#[derive(Debug)]
pub struct Misfit {
    pub problems: Diagnostics,
    /// What has changed, and the statement that puts it back.
    pub mends: Vec<String>,
    pub noticed: Noticed,
}

/// Where the change was noticed.
#[derive(Debug)]
pub enum Noticed {
    /// The log itself has it, in the transaction at this place.
    InLog(String),
    /// By looking at the schemas, when the log ended here.
    Looking(String),
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for mend in &self.mends {
            writeln!(f, "{mend}")?;
        }
        match &self.noticed {
            Noticed::InLog(place) => writeln!(f, "noticed in the source's log at {place}")?,
            Noticed::Looking(place) => {
                writeln!(
                    f,
                    "noticed by looking, when the source's log ended at {place}"
                )?;
            }
        }
        write!(f, "{}", self.problems.render(false))
    }
}

/// What has changed since the mapping in force was stored, and what the target has lost by it.
pub async fn mends(
    config: &Config,
    pipeline: &PipelineRow,
    stored: &StoredSchemas,
    source: &Source,
    target: &Target,
) -> Result<(Vec<String>, Vec<Lost>), DaemonError> {
    let mut lost = Vec::new();
    let from = source.catalog(&config.source_schema()).await;
    let from = from.map_err(DaemonError::Source)?;
    let names = config.target_tables();
    let live = target.catalog(&names).await.map_err(DaemonError::Target)?;
    let types = !bears_types(config, stored, &from, &live);
    let mut mends = match source {
        Source::Postgres(_) => {
            let state = pipeline.publication_state.as_ref();
            let found = source.mends(state, &stored.layout, types).await;
            found.map_err(DaemonError::Source)?
        }
        Source::Mysql(session) => {
            let mut mends = Vec::new();
            for was in source_tables(stored) {
                let is = from.find(&format!("{}.{}", was.schema, was.name));
                let mut others = Vec::new();
                if is.is_none() {
                    let rows = session.query(unnumbered::lookalikes(&was)).await;
                    let rows = rows.map_err(DaemonError::Source)?;
                    others.extend(
                        rows.iter()
                            .filter_map(|row| row.get_opt::<String, _>(0)?.ok()),
                    );
                }
                others.retain(|name| !is_of(&config.source_tables(), &was.schema, name));
                mends.extend(unnumbered::mends(&was, is, &others, types));
            }
            mends
        }
    };
    for mend in &mut mends {
        *mend = format!("source: {mend}");
    }
    for table in &stored.tables {
        let mut found = match target {
            Target::Postgres(client) => moved::mends(client, &numbered(config, table), types)
                .await
                .map_err(|error| DaemonError::Target(error.into()))?,
            Target::Mysql(_) => {
                let was = unnumbered(config, table);
                let is = live.find(&format!("{}.{}", table.schema, table.name));
                let mut others: Vec<String> = Vec::new();
                if is.is_none() {
                    let sql = unnumbered::lookalikes(&was);
                    let rows = target
                        .query(Words::each(String::new(), sql), params![])
                        .await;
                    for row in rows.map_err(DaemonError::Target)? {
                        others.push(row.get(0).map_err(DaemonError::Target)?);
                    }
                }
                others.retain(|name| !is_of(&names, &table.schema, name));
                unnumbered::mends(&was, is, &others, types)
            }
        };
        lost.extend(gone(config, table, &found));
        let unfilled = unfilled(config, table, &live, &found);
        found.extend(unfilled);
        mends.extend(found.into_iter().map(|mend| format!("target: {mend}")));
    }
    Ok((mends, lost))
}

/// Whether the mapping bears the types that columns have now: then they need not be put back, and
/// something else is in its way.
fn bears_types(
    config: &Config,
    stored: &StoredSchemas,
    source: &Catalog,
    target: &Catalog,
) -> bool {
    let mut now = stored.clone();
    for table in &mut now.layout.tables {
        let live = source.find(&format!("{}.{}", table.schema, table.name));
        for column in &mut table.columns {
            if let Some(is) = live.and_then(|live| live.column(&column.name)) {
                column.ty = is.ty.clone();
            }
        }
    }
    for table in &mut now.tables {
        let live = target.find(&format!("{}.{}", table.schema, table.name));
        for column in &mut table.columns {
            if let Some(is) = live.and_then(|live| live.column(&column.name)) {
                column.ty = is.ty.clone();
            }
        }
    }
    recompile(&config.mapping_text(), &now).is_ok()
}

/// Whether the configuration names this table.
fn is_of(names: &[String], schema: &str, table: &str) -> bool {
    let full = format!("{schema}.{table}");
    names.iter().any(|name| *name == table || *name == full)
}

/// The source's tables as the mapping was compiled against them.
fn source_tables(stored: &StoredSchemas) -> Vec<unnumbered::Was> {
    let tables = stored.layout.tables.iter().enumerate();
    tables
        .filter(|(_, table)| !table.is_made())
        .map(|(at, table)| unnumbered::Was {
            schema: table.schema.clone(),
            name: table.name.clone(),
            columns: table
                .columns
                .iter()
                .map(|c| unnumbered::Column {
                    name: c.name.clone(),
                    ty: c.ty.name.clone(),
                    not_null: c.not_null,
                })
                .collect(),
            beside: stored
                .beside
                .as_ref()
                .and_then(|beside| beside.get(at).cloned())
                .unwrap_or_default(),
        })
        .collect()
}

/// Of a table of the target only what the configuration names.
fn numbered(config: &Config, table: &TableInfo) -> Was {
    let columns = table.columns.iter();
    Was {
        oid: Some(table.oid),
        schema: table.schema.clone(),
        name: table.name.clone(),
        columns: columns
            .filter(|c| named(config, table, &c.name))
            .map(|c| (Some(c.number), c.name.clone(), c.ty.name.clone()))
            .collect(),
    }
}

fn unnumbered(config: &Config, table: &TableInfo) -> unnumbered::Was {
    let (ours, others): (Vec<_>, Vec<_>) = table
        .columns
        .iter()
        .partition(|c| named(config, table, &c.name));
    unnumbered::Was {
        schema: table.schema.clone(),
        name: table.name.clone(),
        columns: ours
            .into_iter()
            .map(|c| unnumbered::Column {
                name: c.name.clone(),
                ty: c.ty.name.clone(),
                not_null: c.not_null,
            })
            .collect(),
        beside: others.into_iter().map(|c| c.name.clone()).collect(),
    }
}

/// Whether the configuration writes this column of the table, or locks by it.
fn named(config: &Config, table: &TableInfo, column: &str) -> bool {
    let intos = config.into.iter().filter(|into| {
        let name = into.table.get_ref();
        *name == table.name || *name == format!("{}.{}", table.schema, table.name)
    });
    let mut intos = intos;
    intos.any(|into| {
        into.lock.get_ref() == column || into.columns.iter().any(|c| c.name.get_ref() == column)
    })
}

/// Of a table's columns those that come back empty, if they do, by what the mends say.
fn gone(config: &Config, table: &TableInfo, mends: &[String]) -> Vec<Lost> {
    let quote = |name: &str| match config.target.kind {
        Kind::Postgres => quoted_name(name),
        Kind::Mysql => identifier(name),
    };
    let is_gone = |name: &str| {
        let added = format!(" ADD COLUMN {} ", quote(name));
        mends.iter().any(|mend| mend.contains(&added))
    };
    let gone = table.columns.iter().filter(|c| is_gone(&c.name));
    gone.map(|c| Lost {
        schema: table.schema.clone(),
        table: table.name.clone(),
        column: c.name.clone(),
    })
    .collect()
}

/// Columns that now must hold something, and did not when the mapping was compiled. One that is ours
/// under another name is filled once it has its own again, as `mends` say.
fn unfilled(config: &Config, was: &TableInfo, live: &Catalog, mends: &[String]) -> Vec<String> {
    let kind = config.target.kind;
    let quote = |name: &str| match kind {
        Kind::Postgres => quoted_name(name),
        Kind::Mysql => identifier(name),
    };
    let full = format!("{}.{}", quote(&was.schema), quote(&was.name));
    let Some(is) = live.find(&format!("{}.{}", was.schema, was.name)) else {
        return Vec::new();
    };
    let columns = is.columns.iter().filter(|c| {
        let filled = c.has_default || c.generated || c.identity || named(config, was, &c.name);
        let before = was
            .column(&c.name)
            .is_some_and(|b| b.not_null && !b.has_default);
        let back = format!("RENAME COLUMN {} TO ", quote(&c.name));
        let ours = mends.iter().any(|mend| mend.contains(&back));
        c.not_null && !filled && !before && !ours
    });
    columns
        .map(|c| {
            let column = quote(&c.name);
            let mend = match kind {
                Kind::Postgres => format!(
                    "ALTER TABLE {full} ALTER COLUMN {column} DROP NOT NULL, or give it a default"
                ),
                Kind::Mysql => format!(
                    "ALTER TABLE {full} MODIFY COLUMN {column} {} NULL, or give it a default",
                    c.ty.name
                ),
            };
            format!("{full}.{column} must hold something now, and nothing fills it: {mend}")
        })
        .collect()
}

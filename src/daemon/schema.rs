//! The mapping against both schemas as they are now: whether it still fits, and if not, what has
//! changed in them and which statement puts it back.

use super::DaemonError;
use crate::catalog::{Catalog, TableInfo};
use crate::config::{Config, Kind};
use crate::diagnostic::Diagnostics;
use crate::mapping::compile::stored::StoredSchemas;
use crate::mapping::compile::{Compiled, compile};
use crate::mysql::sql::identifier;
use crate::postgres::moved::{self, Was};
use crate::source::change::Lsn;
use crate::source::postgres::tables::quoted_name;
use crate::source::{LogTables, Source};
use crate::target::control::mapping_row;
use crate::target::control::pipeline::{self, PipelineRow};
use crate::target::session::Target;
use crate::target::tables::Tables;

/// A mapping compiled against the live schemas.
pub struct Live {
    pub compiled: Compiled,
    pub tables: Tables,
    pub shape: Shape,
    /// The end of the source's log before its schema was read.
    pub at: Lsn,
}

/// What the daemon's mapping, and its reading of the log, rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    hash: String,
    pub log_tables: LogTables,
}

/// Compiles the mapping against both live schemas.
pub async fn compile_live(
    config: &Config,
    source: &Source,
    target: &Target,
) -> Result<Live, DaemonError> {
    let at = source.log_end().await.map_err(DaemonError::Source)?;
    let catalog = source
        .catalog(&config.source_schema())
        .await
        .map_err(DaemonError::Source)?;
    let target = target
        .catalog(&config.target_schema())
        .await
        .map_err(DaemonError::Target)?;
    let compiled = compile(config, &catalog, &target)
        .map_err(|problems| DaemonError::Mapping(Box::new(problems)))?;
    let log_tables = LogTables::of(source, &compiled.mapping.layout, &catalog).await;
    Ok(Live {
        shape: Shape {
            hash: compiled.hash.clone(),
            log_tables: log_tables.map_err(DaemonError::Source)?,
        },
        tables: Tables::written(&target, &compiled.mapping),
        compiled,
        at,
    })
}

/// The same for a pipeline that has a mapping in force: if the configuration still is that mapping,
/// it is the schemas that have changed.
pub async fn fit(
    config: &Config,
    pipeline: &PipelineRow,
    source: &Source,
    target: &Target,
) -> Result<Live, DaemonError> {
    let problems = match compile_live(config, source, target).await {
        Err(DaemonError::Mapping(problems)) => problems,
        other => return other,
    };
    let Some(id) = pipeline.mapping else {
        return Err(DaemonError::Mapping(problems));
    };
    let stored = mapping_row::by_id(target, id)
        .await
        .map_err(DaemonError::Target)?
        .filter(|stored| stored.config == config.mapping_text());
    let Some(stored) = stored else {
        return Err(DaemonError::Mapping(problems));
    };
    let mends = match serde_json::from_value::<StoredSchemas>(stored.layout) {
        Ok(schemas) => mends(config, pipeline, &schemas, source, target).await?,
        Err(_) => Vec::new(),
    };
    Err(DaemonError::SchemaChanged(Box::new(Misfit {
        problems: *problems,
        mends,
    })))
}

/// A daemon that failed may have failed because a schema has changed. If the mapping does not fit any
/// more, that is the reason; if it does, but differently, the daemon begins anew with it.
pub async fn explain(config: &Config, shape: &Shape, error: DaemonError) -> DaemonError {
    let ends = async {
        let source = Source::connect(&config.source, "schema").await.ok()?;
        let target = Target::connect(&config.target, "schema").await.ok()?;
        let row = pipeline::load(&target, &config.name).await.ok()??;
        Some((source, target, row))
    };
    let Some((source, target, row)) = ends.await else {
        return error;
    };
    match fit(config, &row, &source, &target).await {
        Ok(live) if live.shape != *shape => DaemonError::SchemaMoved,
        Ok(live) => {
            // What the log lacks may lack in what the source publishes.
            let layout = &live.compiled.mapping.layout;
            let published = source.published(&row, layout).await.ok();
            let lack = published.and_then(|published| published.lack);
            lack.map_or(error, DaemonError::from)
        }
        Err(changed @ (DaemonError::SchemaChanged(_) | DaemonError::Mapping(_))) => changed,
        Err(_) => error,
    }
}

/// Why the mapping in force does not fit any more.
#[derive(Debug)]
pub struct Misfit {
    problems: Diagnostics,
    /// What has changed, and the statement that puts it back.
    mends: Vec<String>,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for mend in &self.mends {
            writeln!(f, "{mend}")?;
        }
        write!(f, "{}", self.problems.render(false))
    }
}

async fn mends(
    config: &Config,
    pipeline: &PipelineRow,
    stored: &StoredSchemas,
    source: &Source,
    target: &Target,
) -> Result<Vec<String>, DaemonError> {
    let mut mends = Vec::new();
    let state = pipeline.publication_state.as_ref();
    let found = source.mends(state, &stored.layout).await;
    let found = found.map_err(DaemonError::Source)?.into_iter();
    mends.extend(found.map(|mend| format!("source: {mend}")));
    // What has another name by now is known by its number, and MySQL numbers nothing.
    if let Target::Postgres(client) = target {
        for was in target_tables(config, stored) {
            let found = moved::mends(client, &was)
                .await
                .map_err(|error| DaemonError::Target(error.into()))?;
            mends.extend(found.into_iter().map(|mend| format!("target: {mend}")));
        }
    }
    let names = config.target_tables();
    let live = target.catalog(&names).await.map_err(DaemonError::Target)?;
    for was in &stored.tables {
        let unfilled = unfilled(config, was, &live).into_iter();
        mends.extend(unfilled.map(|mend| format!("target: {mend}")));
    }
    Ok(mends)
}

/// Of the target's tables only what the configuration names.
fn target_tables(config: &Config, stored: &StoredSchemas) -> Vec<Was> {
    let tables = stored.tables.iter();
    tables
        .map(|t| {
            let named = |name: &str| named(config, t, name);
            let columns = t.columns.iter().filter(|c| named(&c.name));
            Was {
                oid: Some(t.oid),
                schema: t.schema.clone(),
                name: t.name.clone(),
                columns: columns
                    .map(|c| (Some(c.number), c.name.clone(), c.ty.name.clone()))
                    .collect(),
            }
        })
        .collect()
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

/// Columns that now must hold something, and did not when the mapping was compiled.
fn unfilled(config: &Config, was: &TableInfo, live: &Catalog) -> Vec<String> {
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
        c.not_null && !filled && !before
    });
    columns
        .map(|c| {
            let column = quote(&c.name);
            let mend = match kind {
                Kind::Postgres => format!(
                    "ALTER TABLE {full} ALTER COLUMN {column} DROP NOT NULL, or give it a default"
                ),
                Kind::Mysql => "let it be null, or give it a default".to_owned(),
            };
            format!("{full}.{column} must hold something now, and nothing fills it: {mend}")
        })
        .collect()
}

//! The mapping against both schemas as they are now: whether it still fits, and if not, what has
//! changed in them and which statement puts it back.

use tokio_postgres::Client;
use tokio_postgres::types::Oid;

use super::DaemonError;
use crate::catalog::{Catalog, TableInfo};
use crate::config::Config;
use crate::diagnostic::Diagnostics;
use crate::mapping::compile::stored::StoredSchemas;
use crate::mapping::compile::{Compiled, compile};
use crate::postgres::connect::connect;
use crate::source::change::Lsn;
use crate::source::postgres::tables::{quoted, quoted_name};
use crate::source::postgres::{LogTables, identity, publication, slot};
use crate::target::control::mapping_row;
use crate::target::control::pipeline::{self, PipelineRow};
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
    source: &Client,
    target: &Client,
) -> Result<Live, DaemonError> {
    let at = slot::end_of_log(source)
        .await
        .map_err(DaemonError::Source)?;
    let source = Catalog::read(source, &config.source_tables())
        .await
        .map_err(DaemonError::Source)?;
    let target = Catalog::read(target, &config.target_tables())
        .await
        .map_err(DaemonError::Target)?;
    let compiled = compile(config, &source, &target)
        .map_err(|problems| DaemonError::Mapping(Box::new(problems)))?;
    Ok(Live {
        shape: Shape {
            hash: compiled.hash.clone(),
            log_tables: LogTables::of(&compiled.mapping.layout, &source),
        },
        tables: Tables::of(&target),
        compiled,
        at,
    })
}

/// The same for a pipeline that has a mapping in force: if the configuration still is that mapping,
/// it is the schemas that have changed.
pub async fn fit(
    config: &Config,
    pipeline: &PipelineRow,
    source: &Client,
    target: &Client,
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
        let source = connect(&config.source, "schema").await.ok()?;
        let target = connect(&config.target, "schema").await.ok()?;
        let row = pipeline::load(&target, &config.name).await.ok()??;
        Some((source, target, row))
    };
    let Some((source, target, row)) = ends.await else {
        return error;
    };
    match fit(config, &row, &source, &target).await {
        Ok(live) if live.shape != *shape => DaemonError::SchemaMoved,
        Ok(live) => {
            // What the log lacks may lack in the publication.
            let layout = &live.compiled.mapping.layout;
            let name = row.publication.as_deref().unwrap_or_default();
            let found = publication::find(&source, name).await.ok().flatten();
            let narrow = found.and_then(|p| identity::complete(name, &p, layout).err());
            narrow.map_or(error, DaemonError::from)
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

/// A table as the mapping in force was compiled against it.
struct Was {
    oid: Option<Oid>,
    schema: String,
    name: String,
    /// Number where it is known, name, type.
    columns: Vec<(Option<i16>, String, String)>,
}

async fn mends(
    config: &Config,
    pipeline: &PipelineRow,
    stored: &StoredSchemas,
    source: &Client,
    target: &Client,
) -> Result<Vec<String>, DaemonError> {
    let mut mends = Vec::new();
    for was in source_tables(pipeline, stored) {
        let found = table(source, &was).await.map_err(DaemonError::Source)?;
        mends.extend(found.into_iter().map(|mend| format!("source: {mend}")));
    }
    for was in target_tables(config, stored) {
        let found = table(target, &was).await.map_err(DaemonError::Target)?;
        mends.extend(found.into_iter().map(|mend| format!("target: {mend}")));
    }
    let names = config.target_tables();
    let live = Catalog::read(target, &names)
        .await
        .map_err(DaemonError::Target)?;
    for was in &stored.tables {
        let unfilled = unfilled(config, was, &live).into_iter();
        mends.extend(unfilled.map(|mend| format!("target: {mend}")));
    }
    Ok(mends)
}

/// The publication's state knows the source's tables by OID, and their columns by number.
fn source_tables(pipeline: &PipelineRow, stored: &StoredSchemas) -> Vec<Was> {
    let state = pipeline.publication_state.as_ref();
    let tables = &stored.layout.tables;
    tables
        .iter()
        .map(|t| {
            let known = state.and_then(|s| s.get("tables")?.get(quoted(&t.schema, &t.name)));
            let oid = known.and_then(|k| k.get("oid")?.as_u64());
            let number = |column: &str| -> Option<i16> {
                let number = known?.get("columns")?.get(column)?.get(0)?.as_i64()?;
                i16::try_from(number).ok()
            };
            let columns = t.columns.iter();
            Was {
                oid: oid.and_then(|oid| Oid::try_from(oid).ok()),
                schema: t.schema.clone(),
                name: t.name.clone(),
                columns: columns
                    .map(|c| (number(&c.name), c.name.clone(), c.ty.name.clone()))
                    .collect(),
            }
        })
        .collect()
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

async fn table(client: &Client, was: &Was) -> Result<Vec<String>, tokio_postgres::Error> {
    let full = quoted(&was.schema, &was.name);
    let sql = "
        SELECT c.oid, n.nspname::text, c.relname::text FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = $1 OR n.nspname = $2::text AND c.relname = $3::text
        ORDER BY c.oid <> $1 LIMIT 1";
    let oid = was.oid.unwrap_or_default();
    let Some(row) = client
        .query_opt(sql, &[&oid, &was.schema, &was.name])
        .await?
    else {
        return Ok(vec![format!(
            "the table {full} is gone: bring it back with its rows, or change the mapping"
        )]);
    };
    let is: Oid = row.try_get(0)?;
    let (schema, name): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let mut mends = Vec::new();
    if schema != was.schema {
        let now = quoted(&schema, &name);
        let back = quoted_name(&was.schema);
        mends.push(format!(
            "the table {full} has become {now}: ALTER TABLE {now} SET SCHEMA {back}"
        ));
    } else if name != was.name {
        let now = quoted(&schema, &name);
        let back = quoted_name(&was.name);
        mends.push(format!(
            "the table {full} has become {now}: ALTER TABLE {now} RENAME TO {back}"
        ));
    }
    let sql = "
        SELECT attnum, attname::text, pg_catalog.format_type(atttypid, atttypmod)
        FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped";
    let mut now: Vec<(i16, String, String)> = Vec::new();
    for row in client.query(sql, &[&is]).await? {
        now.push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    }
    for (number, column, ty) in &was.columns {
        let shown = quoted_name(column);
        let same = now.iter().find(|(_, name, _)| name == column);
        let moved = now
            .iter()
            .find(|(n, ..)| was.oid == Some(is) && Some(*n) == *number);
        match (same, moved) {
            (Some((_, _, found)), _) if found != ty => mends.push(format!(
                "{full}.{shown} was {ty} and is {found}: \
                 ALTER TABLE {full} ALTER COLUMN {shown} TYPE {ty} USING {shown}::{ty}"
            )),
            (Some(_), _) => {}
            (None, Some((_, name, _))) => {
                let name = quoted_name(name);
                mends.push(format!(
                    "{full}.{shown} has become {name}: ALTER TABLE {full} RENAME COLUMN {name} TO {shown}"
                ));
            }
            (None, None) => mends.push(format!(
                "{full} has lost its column {shown}: ALTER TABLE {full} ADD COLUMN {shown} {ty}"
            )),
        }
    }
    Ok(mends)
}

/// Columns that now must hold something, and did not when the mapping was compiled.
fn unfilled(config: &Config, was: &TableInfo, live: &Catalog) -> Vec<String> {
    let full = quoted(&was.schema, &was.name);
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
            let column = quoted_name(&c.name);
            format!(
                "{full}.{column} must hold something now, and nothing fills it: \
                 ALTER TABLE {full} ALTER COLUMN {column} DROP NOT NULL, or give it a default"
            )
        })
        .collect()
}

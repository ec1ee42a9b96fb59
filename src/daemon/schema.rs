//! The mapping against both schemas as they are now, and whether it still fits.

use super::DaemonError;
use super::mends::{Misfit, Noticed};
use crate::config::Config;
use crate::mapping::compile::stored::StoredSchemas;
use crate::mapping::compile::{Compiled, compile};
use crate::source::change::Lsn;
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
    let mut mends = Vec::new();
    if let Ok(mut schemas) = serde_json::from_value::<StoredSchemas>(stored.layout) {
        let found = super::mends::mends(config, pipeline, &schemas, source, target).await?;
        mends = found.0;
        // Once the column is back, nothing in it is what cartage has written, nor the new backend.
        if schemas.lose(found.1) {
            let layout = serde_json::to_value(&schemas)
                .map_err(|error| DaemonError::Broken(error.to_string()))?;
            mapping_row::set_layout(target, id, &layout)
                .await
                .map_err(DaemonError::Target)?;
        }
    }
    let end = source.log_end().await.map_err(DaemonError::Source)?;
    Err(DaemonError::SchemaChanged(Box::new(Misfit {
        problems: *problems,
        mends,
        noticed: Noticed::Looking(pipeline.spelling().show(end).to_string()),
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
        Err(DaemonError::SchemaChanged(mut misfit)) => {
            if let Some(place) = error.place() {
                misfit.noticed = Noticed::InLog(place);
            }
            DaemonError::SchemaChanged(misfit)
        }
        Err(changed @ DaemonError::Mapping(_)) => changed,
        Err(_) => error,
    }
}

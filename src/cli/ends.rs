//! The two ends of a pipeline, as commands open them.

use super::CommandError;
use crate::config::Config;
use crate::daemon::DaemonError;
use crate::daemon::schema::compile_live;
use crate::mapping::compile::Compiled;
use crate::params;
use crate::source::Source;
use crate::target::control::migrate;
use crate::target::control::pipeline::{self, PipelineRow};
use crate::target::session::Target;

pub async fn source(config: &Config, purpose: &str) -> Result<Source, CommandError> {
    Source::connect(&config.source, purpose)
        .await
        .map_err(|why| CommandError::failed(format!("source: {why}")))
}

pub async fn target(config: &Config, purpose: &str) -> Result<Target, CommandError> {
    Target::connect(&config.target, purpose)
        .await
        .map_err(|why| CommandError::failed(format!("target: {why}")))
}

/// The pipeline's row, if the control tables are there and hold one.
pub async fn find_pipeline(
    config: &Config,
    target: &Target,
) -> Result<Option<PipelineRow>, CommandError> {
    if !pipeline::installed(target).await? {
        return Ok(None);
    }
    if let Some(stale) = migrate::judge(target).await? {
        return Err(CommandError::failed(stale));
    }
    Ok(pipeline::load(target, &config.name).await?)
}

pub async fn pipeline(config: &Config, target: &Target) -> Result<PipelineRow, CommandError> {
    find_pipeline(config, target)
        .await?
        .ok_or_else(|| CommandError::failed(DaemonError::NotSetUp(config.name.clone())))
}

/// The mapping in the file against both live schemas.
pub async fn compiled(
    config: &Config,
    source: &Source,
    target: &Target,
) -> Result<Compiled, CommandError> {
    match compile_live(config, source, target).await {
        Ok(live) => Ok(live.compiled),
        Err(DaemonError::Mapping(problems)) => Err(CommandError::usage(problems.render(false))),
        Err(why) => Err(CommandError::failed(why)),
    }
}

/// Whether a daemon writes for the pipeline: even idle lanes commit every few seconds.
pub async fn daemon_works(target: &Target, pipeline: i32) -> Result<bool, CommandError> {
    let row = target
        .one(
            "SELECT coalesce(max(c.updated_at) > CURRENT_TIMESTAMP(6) - INTERVAL '10' SECOND, \
                             false) AND p.phase NOT IN ('new', 'stopped') \
             FROM cartage.pipeline p LEFT JOIN cartage.checkpoint c ON c.pipeline = p.id \
             WHERE p.id = $1 GROUP BY p.phase",
            params![pipeline],
        )
        .await?;
    Ok(row.get(0)?)
}

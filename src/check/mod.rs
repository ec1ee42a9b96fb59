//! Preflight: named checks of both ends, each with what it found and what mends it.

mod both;
mod grants;
mod into_tables;
mod mapping;
mod pipeline;
mod report;
mod server;
mod source_tables;
mod triggers;

pub use report::{End, Finding, Report, Verdict};

use tokio_postgres::{Client, Error};

use crate::catalog::Catalog;
use crate::config::Config;
use crate::source::postgres::outline::outline;
use crate::source::postgres::slot;

/// Both ends as their catalogs have them, for the mapping to be compiled against.
#[derive(Debug)]
pub struct Schemas {
    pub source: Catalog,
    pub target: Catalog,
}

pub async fn schemas(config: &Config, source: &Client, target: &Client) -> Result<Schemas, Error> {
    let mut into: Vec<String> = config
        .into
        .iter()
        .map(|into| into.table.get_ref().clone())
        .collect();
    into.dedup();
    Ok(Schemas {
        source: Catalog::read(source, &config.source_tables()).await?,
        target: Catalog::read(target, &into).await?,
    })
}

/// Asks everything that can be asked; an error means that a question could not be put, not that
/// the answer was bad.
pub async fn run(
    config: &Config,
    source: &Client,
    target: &Client,
    schemas: &Schemas,
) -> Result<Report, Error> {
    let mut report = Report::new(&config.name);
    let outline = outline(config, &schemas.source);
    for problem in &outline.problems {
        report.fail("source tables", End::Source, problem, None);
    }
    server::source(source, &slot::name_of(&config.name), &mut report).await?;
    server::target(target, &mut report).await?;
    both::clocks(source, target, &mut report).await?;
    grants::source(source, &outline.layout, &mut report).await?;
    grants::target(target, config, &schemas.target, &mut report).await?;
    source_tables::check(source, &outline.layout, &schemas.source, &mut report).await?;
    mapping::check(config, schemas, &mut report);
    into_tables::check(config, &schemas.target, &mut report);
    triggers::check(target, config, &schemas.target, &mut report).await?;
    if outline.problems.is_empty() {
        pipeline::check(config, source, target, &outline.layout, &mut report).await?;
    }
    Ok(report)
}

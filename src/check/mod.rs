//! Preflight: named checks of both ends, each with what it found and what mends it.

mod both;
mod grants;
mod into_tables;
mod mapping;
mod postgres;
mod mysql;
mod report;
mod server;
mod source;
mod source_tables;
mod triggers;

pub use report::{End, Finding, Report, Verdict};

use tokio_postgres::Client;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::fault::Fault;
use crate::postgres::fault;
use crate::source::outline::outline;
use crate::source::{AskError, Source};

/// A question could not be put to one of the ends.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Source(#[from] AskError),
    #[error("{}", fault::describe(.0))]
    Target(#[from] tokio_postgres::Error),
}

impl CheckError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Source(error) => error.fault(),
            Self::Target(error) => fault::of(error).without_row(),
        }
    }
}

/// Both ends as their catalogs have them, for the mapping to be compiled against.
#[derive(Debug)]
pub struct Schemas {
    pub source: Catalog,
    pub target: Catalog,
}

pub async fn schemas(
    config: &Config,
    source: &Source,
    target: &Client,
) -> Result<Schemas, CheckError> {
    let mut into: Vec<String> = config
        .into
        .iter()
        .map(|into| into.table.get_ref().clone())
        .collect();
    into.dedup();
    Ok(Schemas {
        source: source.catalog(&config.source_tables()).await?,
        target: Catalog::read(target, &into).await?,
    })
}

/// Asks everything that can be asked; an error means that a question could not be put, not that
/// the answer was bad.
pub async fn run(
    config: &Config,
    source: &Source,
    target: &Client,
    schemas: &Schemas,
) -> Result<Report, CheckError> {
    let mut report = Report::new(&config.name);
    let outline = outline(config, &schemas.source);
    for problem in &outline.problems {
        report.fail("source tables", End::Source, problem, None);
    }
    source::server(config, source, &mut report).await?;
    server::target(target, &mut report).await?;
    both::clocks(source, target, &mut report).await?;
    source::grants(source, &outline.layout, &mut report).await?;
    grants::target(target, config, &schemas.target, &mut report).await?;
    source::tables(source, &outline.layout, &schemas.source, &mut report).await?;
    source_tables::check(&outline.layout, &schemas.source, &mut report);
    mapping::check(config, schemas, &mut report);
    into_tables::check(config, &schemas.target, &mut report);
    triggers::check(target, config, &schemas.target, &mut report).await?;
    if outline.problems.is_empty() {
        source::pipeline(config, source, target, &outline.layout, &mut report).await?;
    }
    Ok(report)
}

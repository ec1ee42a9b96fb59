//! Preflight: named checks of both ends, each with what it found and what mends it.

mod allocated;
mod both;
mod into_tables;
mod lookups;
mod mapping;
mod postgres;
mod mysql;
mod report;
mod sequences;
mod rollback;
mod spell;
mod synthetic;
mod source;
mod source_tables;
mod target;
mod triggers;
mod unfilled;
mod uniques;
mod unmapped;
mod new_columns;

pub use report::{End, Finding, Report, Verdict};

use crate::catalog::{Catalog, TableInfo};
use crate::config::Config;
use crate::fault::Fault;
use crate::mapping::lookup;
use crate::source::outline::outline;
use crate::source::{AskError, Source};
use crate::target::error::TargetError;
use crate::target::session::Target;

/// A question could not be put to one of the ends.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Source(#[from] AskError),
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl CheckError {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Source(error) => error.fault(),
            Self::Target(error) => error.fault().without_row(),
        }
    }
}

impl From<tokio_postgres::Error> for CheckError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Target(error.into())
    }
}

/// Both ends as their catalogs have them, for the mapping to be compiled against.
#[derive(Debug)]
pub struct Schemas {
    pub source: Catalog,
    pub target: Catalog,
    /// Tables of the target that lookups ask.
    pub asked: Catalog,
}

impl Schemas {
    /// All of the target that the mapping is compiled against.
    pub fn whole_target(&self) -> Catalog {
        let mut whole = self.target.clone();
        let known = |t: &TableInfo, all: &Catalog| {
            let mut all = all.tables.iter();
            all.any(|k| (&k.schema, &k.name) == (&t.schema, &t.name))
        };
        for table in &self.asked.tables {
            if !known(table, &self.target) {
                whole.tables.push(table.clone());
            }
        }
        whole
    }
}

pub async fn schemas(
    config: &Config,
    source: &Source,
    target: &Target,
) -> Result<Schemas, CheckError> {
    let mut into: Vec<String> = config
        .into
        .iter()
        .map(|into| into.table.get_ref().clone())
        .collect();
    into.dedup();
    Ok(Schemas {
        source: source.catalog(&config.source_schema()).await?,
        asked: target
            .catalog(&config.lookup_tables(lookup::End::Target))
            .await?,
        target: target.catalog(&into).await?,
    })
}

/// Asks everything that can be asked; an error means that a question could not be put, not that
/// the answer was bad.
pub async fn run(
    config: &Config,
    source: &Source,
    target: &Target,
    schemas: &Schemas,
) -> Result<Report, CheckError> {
    let mut report = Report::new(&config.name);
    let outline = outline(config, &schemas.source);
    for problem in &outline.problems {
        report.fail("source tables", End::Source, problem, None);
    }
    source::server(config, source, &mut report).await?;
    target::server(target, config, &mut report).await?;
    both::clocks(source, target, &mut report).await?;
    source::grants(source, &outline.layout, &mut report).await?;
    target::rights(target, config, &schemas.target, &mut report).await?;
    source::tables(source, &outline.layout, &schemas.source, &mut report).await?;
    unmapped::check(
        config,
        source,
        &outline.layout,
        &schemas.source,
        &mut report,
    )
    .await?;
    source_tables::check(
        config.source.kind,
        &outline.layout,
        &schemas.source,
        &mut report,
    );
    mapping::check(config, schemas, &mut report);
    new_columns::check(config, target, schemas, &mut report).await?;
    lookups::check(config, source, target, schemas, &mut report).await?;
    allocated::check(config, target, &schemas.target, &mut report).await?;
    sequences::check(config, target, &schemas.target, &mut report).await?;
    source::columns(source, config, schemas, &mut report).await?;
    synthetic::check(config, source, schemas, &mut report).await?;
    into_tables::check(config, &schemas.target, &mut report);
    target::tables(target, config, schemas, &mut report).await?;
    if let (Source::Mysql(source), Target::Mysql(target)) = (source, target) {
        mysql::one::check(source, target, schemas, &mut report).await?;
    }
    if outline.problems.is_empty() {
        source::pipeline(config, source, target, &outline.layout, &mut report).await?;
    }
    Ok(report)
}

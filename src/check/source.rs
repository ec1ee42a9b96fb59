//! What the source must be, by its kind.

use super::report::Report;
use super::{CheckError, Schemas, mysql, postgres};
use crate::cart::layout::Layout;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::source::postgres::slot;
use crate::source::{AskError, Source};
use crate::target::session::Target;

/// Version, log and encoding.
pub async fn server(config: &Config, source: &Source, report: &mut Report) -> Result<(), AskError> {
    match source {
        Source::Postgres(client) => {
            Ok(postgres::server::check(client, &slot::name_of(&config.name), report).await?)
        }
        Source::Mysql(session) => mysql::source::server(config, session, report).await,
    }
}

/// What cartage's role may do.
pub async fn grants(source: &Source, layout: &Layout, report: &mut Report) -> Result<(), AskError> {
    match source {
        Source::Postgres(client) => Ok(postgres::grants::check(client, layout, report).await?),
        Source::Mysql(session) => mysql::source::grants(session, layout, report).await,
    }
}

/// What the log tells of each table.
pub async fn tables(
    source: &Source,
    layout: &Layout,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), AskError> {
    match source {
        Source::Postgres(client) => {
            Ok(postgres::tables::check(client, layout, catalog, report).await?)
        }
        Source::Mysql(session) => mysql::source::tables(session, layout, report).await,
    }
}

/// Whether the values that the mapping reads can be read.
pub async fn columns(
    source: &Source,
    config: &Config,
    schemas: &Schemas,
    report: &mut Report,
) -> Result<(), AskError> {
    match source {
        // Postgres prints every value.
        Source::Postgres(_) => Ok(()),
        Source::Mysql(session) => mysql::columns::check(config, session, schemas, report).await,
    }
}

/// What `setup` makes, and whether it is still what the daemon trusts.
pub async fn pipeline(
    config: &Config,
    source: &Source,
    target: &Target,
    layout: &Layout,
    report: &mut Report,
) -> Result<(), CheckError> {
    match source {
        Source::Postgres(client) => {
            postgres::pipeline::check(config, client, target, layout, report).await
        }
        Source::Mysql(session) => mysql::source::pipeline(config, session, target, report).await,
    }
}

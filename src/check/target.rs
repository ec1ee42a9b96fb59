//! What the target must be, by its kind.

use super::report::Report;
use super::{CheckError, Schemas, mysql, postgres};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::target::session::Target;

/// Version and settings.
pub async fn server(
    target: &Target,
    config: &Config,
    report: &mut Report,
) -> Result<(), CheckError> {
    match target {
        Target::Postgres(client) => Ok(postgres::version::target(client, report).await?),
        Target::Mysql(session) => Ok(mysql::target::server(config, session, report).await?),
    }
}

/// What cartage's role may do.
pub async fn rights(
    target: &Target,
    config: &Config,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), CheckError> {
    match target {
        Target::Postgres(client) => {
            Ok(postgres::rights::target(client, config, catalog, report).await?)
        }
        Target::Mysql(session) => Ok(mysql::rights::check(session, config, catalog, report).await?),
    }
}

/// What the catalog alone does not tell of the mapped tables.
pub async fn tables(
    target: &Target,
    config: &Config,
    schemas: &Schemas,
    report: &mut Report,
) -> Result<(), CheckError> {
    let catalog = &schemas.target;
    match target {
        Target::Postgres(client) => {
            Ok(postgres::triggers::check(client, config, catalog, report).await?)
        }
        Target::Mysql(session) => {
            mysql::target::engines(session, catalog, report).await?;
            mysql::target::cart_key(config, schemas, report);
            Ok(mysql::triggers::check(session, config, catalog, report).await?)
        }
    }
}

//! What each table of a Postgres source must be: logged, with enough of the row before.

use tokio_postgres::{Client, Error};

use crate::cart::layout::Layout;
use crate::catalog::{Catalog, TableInfo};
use crate::check::report::{End, Report};
use crate::source::postgres::identity::{IdentityError, too_small};
use crate::source::postgres::tables::quoted;

pub async fn check(
    source: &Client,
    layout: &Layout,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), Error> {
    identities(source, layout, report).await?;
    for table in &layout.tables {
        let qualified = format!("{}.{}", table.schema, table.name);
        if let Some(info) = catalog.find(&qualified) {
            logged(source, info, report).await?;
        }
    }
    Ok(())
}

async fn identities(source: &Client, layout: &Layout, report: &mut Report) -> Result<(), Error> {
    let errors = match too_small(source, layout).await {
        Ok(errors) => errors,
        Err(IdentityError::Query(error)) => return Err(error),
        Err(other) => vec![other],
    };
    if errors.is_empty() && !layout.tables.is_empty() {
        report.pass(
            "replica identity",
            End::Source,
            "the log holds the key, the cart and the parent of every old row",
        );
    }
    for error in errors {
        let sql = match &error {
            IdentityError::IdentityTooSmall { sql, .. } => Some(sql.clone()),
            _ => None,
        };
        report.fail("replica identity", End::Source, error.to_string(), sql);
    }
    Ok(())
}

/// Unlogged and temporary tables write no log.
async fn logged(source: &Client, info: &TableInfo, report: &mut Report) -> Result<(), Error> {
    let sql = "SELECT relpersistence = 'p' FROM pg_catalog.pg_class WHERE oid = $1";
    let Some(row) = source.query_opt(sql, &[&info.oid]).await? else {
        return Ok(());
    };
    if !row.try_get::<_, bool>(0)? {
        let name = quoted(&info.schema, &info.name);
        report.fail(
            "logged",
            End::Source,
            format!("{name} is unlogged: its changes are in no log"),
            Some(format!("ALTER TABLE {name} SET LOGGED")),
        );
    }
    Ok(())
}

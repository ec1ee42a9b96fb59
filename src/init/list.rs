//! The names of all tables that a database has for our user: those of the search path, or of the URL's
//! database.

use crate::params;
use crate::source::{AskError, Source};
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::Words;

const POSTGRES: &str = "
    SELECT DISTINCT c.relname::text FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (pg_catalog.current_schemas(false)) AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
    ORDER BY 1";

const MYSQL: &str = "
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = database() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
    ORDER BY 1";

pub async fn of_source(source: &Source) -> Result<Vec<String>, AskError> {
    let names = match source {
        Source::Postgres(client) => {
            let rows = client.query(POSTGRES, &[]).await?;
            rows.iter()
                .map(|row| row.try_get(0))
                .collect::<Result<_, _>>()?
        }
        Source::Mysql(session) => {
            let rows = session.query(MYSQL).await?;
            rows.into_iter()
                .filter_map(|mut row| row.take("name"))
                .collect()
        }
    };
    Ok(shops_own(names))
}

pub async fn of_target(target: &Target) -> Result<Vec<String>, TargetError> {
    let rows = target
        .query(Words::each(POSTGRES, MYSQL), params![])
        .await?;
    let names = rows
        .iter()
        .map(|row| row.get(0))
        .collect::<Result<_, _>>()?;
    Ok(shops_own(names))
}

/// Neither our control tables nor what a name cannot be written for.
fn shops_own(names: Vec<String>) -> Vec<String> {
    let ours = |name: &String| name.starts_with("cartage_") || name.contains('.');
    names.into_iter().filter(|name| !ours(name)).collect()
}

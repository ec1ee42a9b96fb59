//! What cartage's role may do in the target.

use tokio_postgres::{Client, Error};

use crate::catalog::Catalog;
use crate::check::report::{End, Report};
use crate::config::Config;
use crate::source::postgres::tables::{quoted, quoted_name};

pub async fn target(
    target: &Client,
    config: &Config,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), Error> {
    let sql = "
        SELECT current_user::text, pg_catalog.current_database()::text,
               pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
               (SELECT pg_catalog.pg_has_role(n.nspowner, 'USAGE')
                FROM pg_catalog.pg_namespace n WHERE n.nspname = 'cartage')";
    let row = target.query_one(sql, &[]).await?;
    let role = quoted_name(row.try_get(0)?);
    let database = quoted_name(row.try_get(1)?);
    let owns: Option<bool> = row.try_get(3)?;
    match (owns, row.try_get::<_, bool>(2)?) {
        (Some(true), _) | (None, true) => {
            report.pass(
                "control schema",
                End::Target,
                format!("{role} may keep its tables"),
            );
        }
        (Some(false), _) => report.fail(
            "control schema",
            End::Target,
            format!("the schema cartage exists and does not belong to {role}"),
            Some(format!("ALTER SCHEMA cartage OWNER TO {role}")),
        ),
        (None, false) => report.fail(
            "control schema",
            End::Target,
            format!("{role} may not create a schema in the database {database}"),
            Some(format!("CREATE SCHEMA cartage AUTHORIZATION {role}")),
        ),
    }
    let mut seen = Vec::new();
    for into in &config.into {
        let Some(info) = catalog.find(into.table.get_ref()) else {
            continue;
        };
        if seen.contains(&info.oid) {
            continue;
        }
        seen.push(info.oid);
        let name = quoted(&info.schema, &info.name);
        let sql = "
            SELECT pg_catalog.array_remove(ARRAY[
                CASE WHEN NOT pg_catalog.has_table_privilege($1::oid, 'SELECT') THEN 'SELECT' END,
                CASE WHEN NOT pg_catalog.has_table_privilege($1::oid, 'INSERT') THEN 'INSERT' END,
                CASE WHEN NOT pg_catalog.has_table_privilege($1::oid, 'UPDATE') THEN 'UPDATE' END,
                CASE WHEN NOT pg_catalog.has_table_privilege($1::oid, 'DELETE') THEN 'DELETE' END
            ], NULL)";
        let lacking: Vec<String> = target.query_one(sql, &[&info.oid]).await?.try_get(0)?;
        if lacking.is_empty() {
            report.pass(
                "write right",
                End::Target,
                format!("{role} may write {name}"),
            );
        } else {
            let lacking = lacking.join(", ");
            report.fail(
                "write right",
                End::Target,
                format!("{role} has no {lacking} on {name}"),
                Some(format!("GRANT {lacking} ON {name} TO {role}")),
            );
        }
    }
    Ok(())
}

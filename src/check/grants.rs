//! What cartage's role may do on each end.

use tokio_postgres::{Client, Error};

use super::report::{End, Report};
use crate::cart::layout::Layout;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::source::postgres::tables::{quoted, quoted_name};

pub async fn source(source: &Client, layout: &Layout, report: &mut Report) -> Result<(), Error> {
    // Managed services lend replication by membership: rds_replication, cloudsqlreplica's
    // attribute, Azure's azure_pg_admin gives the attribute itself.
    let sql = "
        SELECT current_user::text, pg_catalog.current_database()::text,
               r.rolsuper,
               r.rolreplication OR r.rolsuper OR EXISTS (
                   SELECT FROM pg_catalog.pg_roles m WHERE m.rolname = 'rds_replication'
                   AND pg_catalog.pg_has_role(current_user, m.oid, 'MEMBER')),
               pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";
    let row = source.query_one(sql, &[]).await?;
    let role = quoted_name(row.try_get(0)?);
    let database = quoted_name(row.try_get(1)?);
    let superuser: bool = row.try_get(2)?;
    if row.try_get(3)? {
        report.pass("replication", End::Source, format!("{role} may replicate"));
    } else {
        report.fail(
            "replication",
            End::Source,
            format!("{role} has no REPLICATION attribute"),
            Some(format!("ALTER ROLE {role} REPLICATION")),
        );
    }
    if !row.try_get::<_, bool>(4)? {
        report.fail(
            "publication right",
            End::Source,
            format!("{role} has no CREATE on the database {database}, which a publication needs"),
            Some(format!("GRANT CREATE ON DATABASE {database} TO {role}")),
        );
    }
    for table in &layout.tables {
        let name = quoted(&table.schema, &table.name);
        let sql = "
            SELECT pg_catalog.has_schema_privilege($2::text, 'USAGE'),
                   pg_catalog.has_table_privilege($1::text, 'SELECT'),
                   pg_catalog.pg_has_role(c.relowner, 'USAGE'),
                   c.relrowsecurity
            FROM pg_catalog.pg_class c WHERE c.oid = $1::text::regclass";
        let schema_name = &table.schema;
        let usage: bool = source
            .query_one(
                "SELECT pg_catalog.has_schema_privilege($1::text, 'USAGE')",
                &[schema_name],
            )
            .await?
            .try_get(0)?;
        if !usage {
            let schema = quoted_name(schema_name);
            report.fail(
                "read right",
                End::Source,
                format!("{role} has no USAGE on the schema {schema}"),
                Some(format!("GRANT USAGE ON SCHEMA {schema} TO {role}")),
            );
            continue;
        }
        let row = source.query_one(sql, &[&name, schema_name]).await?;
        if row.try_get(1)? {
            report.pass("read right", End::Source, format!("{role} may read {name}"));
        } else {
            report.fail(
                "read right",
                End::Source,
                format!("{role} has no SELECT on {name}"),
                Some(format!("GRANT SELECT ON {name} TO {role}")),
            );
        }
        if !row.try_get::<_, bool>(2)? && !superuser {
            report.warn(
                "publication right",
                End::Source,
                format!(
                    "{role} does not own {name}, so setup cannot publish it: let the owner or a \
                     superuser make the publication first (setup takes one that fits)"
                ),
                None,
            );
        }
        if row.try_get(3)? {
            report.warn(
                "row security",
                End::Source,
                format!(
                    "{name} has row security: rows that {role} may not see are missing from a \
                     backfill but not from the log"
                ),
                Some(format!("ALTER ROLE {role} BYPASSRLS")),
            );
        }
    }
    Ok(())
}

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

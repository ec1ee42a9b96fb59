//! What cartage's role may do on a Postgres source.

use tokio_postgres::{Client, Error};

use crate::cart::layout::Layout;
use crate::check::report::{End, Report};
use crate::source::postgres::tables::{quoted, quoted_name};

pub async fn check(source: &Client, layout: &Layout, report: &mut Report) -> Result<(), Error> {
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

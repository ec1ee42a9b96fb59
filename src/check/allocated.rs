//! Whether the sequences may be used that allocate keys, and are ahead of the numbers in their tables.

use super::CheckError;
use super::report::{End, Report};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::params;
use crate::source::postgres::tables::{quoted, quoted_name};
use crate::target::control::key_map;
use crate::target::session::Target;

pub async fn check(
    config: &Config,
    target: &Target,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), CheckError> {
    // A target of the other kind is refused where the mapping is compiled.
    if !matches!(target, Target::Postgres(_)) {
        return Ok(());
    }
    for into in &config.into {
        let mut columns = into.columns.iter().filter(|c| c.allocated);
        let (Some(column), Some(info)) = (columns.next(), catalog.find(into.table.get_ref()))
        else {
            continue;
        };
        let name = column.name.get_ref();
        if info.column(name).is_none() {
            continue;
        }
        let table = quoted(&info.schema, &info.name);
        let found = key_map::sequence(target, (&info.schema, &info.name, name)).await?;
        let Some(sequence) = found else {
            report.fail(
                "allocated key",
                End::Target,
                format!("no sequence belongs to {name} of {table}"),
                None,
            );
            continue;
        };
        let sql = "
            SELECT $1::bigint::pg_catalog.oid::pg_catalog.regclass::text,
                   pg_catalog.quote_ident(current_user),
                   pg_catalog.has_sequence_privilege($1::bigint::pg_catalog.oid, 'USAGE'),
                   pg_catalog.has_table_privilege($2::text, 'SELECT')";
        let row = target.one(sql, params![sequence, &table]).await?;
        let (spelled, role): (String, String) = (row.get(0)?, row.get(1)?);
        if !row.get::<bool>(2)? {
            report.fail(
                "allocated key",
                End::Target,
                format!("{role} has no USAGE on the sequence {spelled}, which numbers {table}"),
                Some(format!("GRANT USAGE ON SEQUENCE {spelled} TO {role}")),
            );
            continue;
        }
        // What may not be read is said beside the other rights.
        if !row.get::<bool>(3)? {
            continue;
        }
        let sql = format!(
            "SELECT coalesce((SELECT max({}) FROM {table}), 0)::bigint
                  > coalesce(pg_catalog.pg_sequence_last_value($1::bigint::pg_catalog.oid), 0)",
            quoted_name(name)
        );
        let behind: bool = target.one(sql.as_str(), params![sequence]).await?.get(0)?;
        match behind {
            true => report.warn(
                "allocated key",
                End::Target,
                format!(
                    "the sequence {spelled} is behind the largest {name} of {table}: it will give \
                     numbers that rows have already"
                ),
                Some(format!(
                    "SELECT setval('{}', (SELECT max({}) FROM {table}))",
                    spelled.replace('\'', "''"),
                    quoted_name(name)
                )),
            ),
            false => report.pass(
                "allocated key",
                End::Target,
                format!("{spelled} gives the numbers of {table}"),
            ),
        }
    }
    Ok(())
}

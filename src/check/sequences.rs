//! Whether the new backend's own numbers are behind those that the mapping writes.

use std::collections::BTreeSet;

use super::CheckError;
use super::report::{End, Report};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::sequences::postgres;
use crate::source::postgres::tables::{quoted, quoted_name};
use crate::target::session::Target;

pub async fn check(
    config: &Config,
    target: &Target,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), CheckError> {
    // AUTO_INCREMENT follows what is inserted by itself.
    let Target::Postgres(client) = target else {
        return Ok(());
    };
    let mut seen = BTreeSet::new();
    for into in &config.into {
        let Some(info) = catalog.find(into.table.get_ref()) else {
            continue;
        };
        // Those that are allocated are looked at elsewhere.
        for column in into.columns.iter().filter(|c| !c.allocated) {
            let name = column.name.get_ref().as_str();
            let numbered = |c: &crate::catalog::ColumnInfo| c.has_default || c.identity;
            let names = (&*info.schema, &*info.name, name);
            if !info.column(name).is_some_and(numbered) || !seen.insert(names) {
                continue;
            }
            let Some(sequence) = postgres::of(client, names).await? else {
                continue;
            };
            let table = quoted(names.0, names.1);
            let sql = "SELECT pg_catalog.has_table_privilege($1::text, 'SELECT')";
            // What may not be read is said beside the other rights.
            if !client
                .query_one(sql, &[&table])
                .await?
                .try_get::<_, bool>(0)?
            {
                continue;
            }
            let greatest = postgres::greatest(client, names).await?;
            let last = sequence.last.map_or(0, i128::from);
            if greatest.is_some_and(|greatest| greatest > last) {
                let quoted = sequence.spelled.replace('\'', "''");
                report.warn(
                    "sequence",
                    End::Target,
                    format!(
                        "{} is behind the largest {name} of {table}, as rows come over under their \
                         own numbers: the new backend's next rows would be refused as duplicates; \
                         cartage sequences --yes moves it, before the new backend puts rows in",
                        sequence.spelled
                    ),
                    Some(format!(
                        "SELECT setval('{quoted}', greatest((SELECT max({}) FROM {table}), \
                         (SELECT last_value FROM {})))",
                        quoted_name(name),
                        sequence.spelled
                    )),
                );
            }
        }
    }
    Ok(())
}

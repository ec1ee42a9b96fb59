//! Whether the tables that lookups ask may be read.

use tokio_postgres::error::SqlState;

use super::CheckError;
use super::report::{End, Report};
use super::spell::Spell;
use crate::config::{Config, Lookup};
use crate::mapping::lookup;
use crate::source::{AskError, Source};
use crate::target::session::Target;

/// Reads nothing of each, which takes the rights that reading takes.
pub async fn check(
    config: &Config,
    source: &Source,
    target: &Target,
    schemas: &super::Schemas,
    report: &mut Report,
) -> Result<(), CheckError> {
    for lookup in &config.lookups {
        let (end, kind, catalog) = match lookup.on {
            lookup::End::Source => (End::Source, config.source.kind, &schemas.source),
            lookup::End::Target => (End::Target, config.target.kind, &schemas.asked),
        };
        // That it is not there is said where the mapping is compiled.
        let Some(info) = catalog.find(lookup.table.get_ref()) else {
            continue;
        };
        let spell = Spell(kind);
        let table = spell.table(info);
        let sql = statement(lookup, spell, &table);
        let refused = match (lookup.on, source, target) {
            (lookup::End::Source, Source::Postgres(client), _)
            | (lookup::End::Target, _, Target::Postgres(client)) => {
                let code = client.batch_execute(&sql).await.err();
                let code = code.as_ref().and_then(tokio_postgres::Error::code);
                match code == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
                    true => {
                        let sql = "SELECT quote_ident(current_user)";
                        let row = client.query_one(sql, &[]).await.map_err(AskError::from)?;
                        Some(row.try_get::<_, String>(0).map_err(AskError::from)?)
                    }
                    false => None,
                }
            }
            // On MySQL, what our user may not read it is not shown either.
            (lookup::End::Source, Source::Mysql(_), _)
            | (lookup::End::Target, _, Target::Mysql(_)) => None,
        };
        let name = lookup.name.get_ref();
        if let Some(role) = refused {
            report.fail(
                "lookup",
                end,
                format!("lookup {name} reads {table}, on which {role} has no SELECT"),
                Some(format!("GRANT SELECT ON {table} TO {role}")),
            );
        } else {
            report.pass("lookup", end, format!("{name} reads {table}"));
        }
    }
    Ok(())
}

fn statement(lookup: &Lookup, spell: Spell, table: &str) -> String {
    let named = lookup.matches.iter().chain(&lookup.get);
    let columns: Vec<String> = named.map(|name| spell.column(name.get_ref())).collect();
    format!("SELECT {} FROM {table} LIMIT 0", columns.join(", "))
}

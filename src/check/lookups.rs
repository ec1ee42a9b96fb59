//! Whether the tables that lookups ask may be read.

use mysql_async::prelude::Queryable as _;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::CheckError;
use super::report::{End, Report};
use super::spell::Spell;
use crate::catalog::TableInfo;
use crate::config::{Config, Kind, Lookup};
use crate::mapping::lookup;
use crate::mysql::sql::account;
use crate::source::{AskError, Source};
use crate::target::session::Target;

/// ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR. The first one comes for a table that is
/// not there, too, where our user has no right to it.
const DENIED: [u16; 2] = [1142, 1143];

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
        let (spell, named) = (Spell(kind), lookup.table.get_ref());
        let info = catalog.find(named);
        let table = match (info, kind, catalog.search_path.first()) {
            (Some(info), ..) => spell.table(info),
            // What our user has no right to, MySQL does not show.
            (None, Kind::Mysql, Some(database)) => match named.split_once('.') {
                Some((database, table)) => spell.name(database, table),
                None => spell.name(database, named),
            },
            // That it is not there is said where the mapping is compiled.
            _ => continue,
        };
        let sql = statement(lookup, info, spell, &table);
        let refused = match (lookup.on, source, target) {
            (lookup::End::Source, Source::Postgres(client), _)
            | (lookup::End::Target, _, Target::Postgres(client)) => {
                by_postgres(client, &sql).await?
            }
            (lookup::End::Source, Source::Mysql(session), _) => {
                match session.query(sql).await.map(drop) {
                    Err(AskError::Mysql(error)) if is_denied(&error) => {
                        let row = session.first("SELECT current_user() AS user").await?;
                        row.and_then(|row| row.get::<String, _>("user"))
                    }
                    // What else is wrong with it is said where the mapping is compiled.
                    Err(AskError::Mysql(mysql_async::Error::Server(_))) | Ok(()) => None,
                    Err(error) => return Err(error.into()),
                }
            }
            (lookup::End::Target, _, Target::Mysql(session)) => {
                let ask = session.alone(move |state| {
                    let conn = &mut state.session.conn;
                    Box::pin(async move {
                        Ok(match conn.query_drop(sql).await {
                            Err(error) if is_denied(&error) => {
                                conn.query_first::<String, _>("SELECT current_user()")
                                    .await?
                            }
                            Err(mysql_async::Error::Server(_)) | Ok(()) => None,
                            Err(error) => return Err(error.into()),
                        })
                    })
                });
                ask.await?
            }
        };
        let name = lookup.name.get_ref();
        if let Some(user) = refused {
            let grantee = match kind {
                Kind::Postgres => user.clone(),
                Kind::Mysql => account(&user),
            };
            let hidden = match info {
                Some(_) => "",
                None => "; whether the table is there, the server does not say",
            };
            let message =
                format!("lookup {name} reads {table}, on which {user} has no SELECT{hidden}");
            let grant = format!("GRANT SELECT ON {table} TO {grantee}");
            report.fail("lookup", end, message, Some(grant));
        } else if info.is_some() {
            report.pass("lookup", end, format!("{name} reads {table}"));
        }
    }
    Ok(())
}

/// The role that may not, in quotes where it needs them.
async fn by_postgres(client: &Client, sql: &str) -> Result<Option<String>, AskError> {
    let refused = client.batch_execute(sql).await.err();
    let code = refused.as_ref().and_then(tokio_postgres::Error::code);
    if code != Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        return Ok(None);
    }
    let row = client
        .query_one("SELECT quote_ident(current_user)", &[])
        .await?;
    Ok(Some(row.try_get(0)?))
}

fn is_denied(error: &mysql_async::Error) -> bool {
    matches!(error, mysql_async::Error::Server(error) if DENIED.contains(&error.code))
}

/// All columns that the lookup names, where the table is seen.
fn statement(lookup: &Lookup, info: Option<&TableInfo>, spell: Spell, table: &str) -> String {
    let named = lookup.matches.iter().chain(&lookup.get);
    let columns: Vec<String> = match info {
        Some(_) => named.map(|name| spell.column(name.get_ref())).collect(),
        None => vec!["1".to_owned()],
    };
    format!("SELECT {} FROM {table} LIMIT 0", columns.join(", "))
}

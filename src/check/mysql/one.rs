//! Two ends that are one server: what is written must not be read again.

use mysql_async::prelude::FromValue as _;

use crate::check::report::{End, Report};
use crate::check::spell::Spell;
use crate::check::{CheckError, Schemas};
use crate::config::Kind;
use crate::source::mysql::Session as Source;
use crate::source::mysql::session::field;
use crate::switch::{self, Mutant};
use crate::target::mysql::Session as Target;

/// Two servers on one machine have neither a port nor a folder in common.
const SERVER: &str = "SELECT concat_ws(' ', @@hostname, @@port, @@datadir) AS server";

pub async fn check(
    source: &Source,
    target: &Target,
    schemas: &Schemas,
    report: &mut Report,
) -> Result<(), CheckError> {
    let there = source.first(SERVER).await?;
    let there: Option<String> = there.map(|row| field(&row, "server")).transpose()?;
    let rows = target.query(SERVER.to_owned(), Vec::new()).await?;
    let here = rows.first().and_then(|row| row.as_ref(0).cloned());
    let here = here.and_then(|value| String::from_value_opt(value).ok());
    if here.is_none() || here != there || switch::mutant(Mutant::OwnSource) {
        return Ok(());
    }
    for table in &schemas.target.tables {
        let is_read = |read: &&crate::catalog::TableInfo| {
            read.schema == table.schema && read.name == table.name
        };
        if schemas.source.tables.iter().any(|read| is_read(&read)) {
            report.fail(
                "same table",
                End::Target,
                format!(
                    "{} is a table of the source, too: cartage would read what it has written; \
                     correct one of the URLs, or the names",
                    Spell(Kind::Mysql).table(table)
                ),
                None,
            );
        }
    }
    Ok(())
}

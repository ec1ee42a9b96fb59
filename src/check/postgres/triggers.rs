//! Triggers in Postgres: PL/pgSQL is read; two functions that come with Postgres name the column in
//! their arguments.

use sqlparser::dialect::PostgreSqlDialect;
use tokio_postgres::{Client, Error};

use crate::catalog::Catalog;
use crate::check::report::Report;
use crate::check::triggers::{Trigger, writes_of};
use crate::config::Config;
use crate::switch::{self, Mutant};

/// Bits 2 to 4 of `tgtype` are INSERT, DELETE and UPDATE; `O` and `A` fire in an ordinary session.
const TRIGGERS: &str = "
    SELECT t.tgrelid, t.tgname, p.proname, p.prosrc, l.lanname, t.tgargs
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal
      AND t.tgenabled IN ('O', 'A') AND t.tgtype & 28 <> 0
    ORDER BY t.tgrelid, t.tgname";

pub async fn check(
    target: &Client,
    config: &Config,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), Error> {
    if switch::mutant(Mutant::TriggersTrusted) {
        return Ok(());
    }
    let oids: Vec<u32> = catalog.tables.iter().map(|t| t.oid).collect();
    for row in target.query(TRIGGERS, &[&oids]).await? {
        let oid: u32 = row.try_get(0)?;
        let Some(table) = catalog.tables.iter().find(|t| t.oid == oid) else {
            continue;
        };
        let source: &str = row.try_get(3)?;
        let arguments: &[u8] = row.try_get(5)?;
        let writes = match row.try_get(2)? {
            "moddatetime" | "tsvector_update_trigger" => first_argument(arguments)
                .map(|column| vec![(None, column)])
                .unwrap_or_default(),
            _ if row.try_get::<_, &str>(4)? == "plpgsql" => {
                writes_of(&PostgreSqlDialect {}, source)
            }
            _ => Vec::new(),
        };
        let trigger = Trigger {
            config,
            catalog,
            table,
            name: row.try_get(1)?,
        };
        trigger.judge(&writes, report);
    }
    Ok(())
}

/// `tgargs` holds each argument with a zero byte behind it.
fn first_argument(arguments: &[u8]) -> Option<String> {
    let first = arguments.split(|byte| *byte == 0).next()?;
    let text = std::str::from_utf8(first).ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}

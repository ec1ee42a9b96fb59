//! What a MySQL or MariaDB target must be: a server that takes writes at READ COMMITTED, and tables
//! that keep to transactions.

use std::collections::HashMap;

use mysql_async::prelude::{FromValue as _, Queryable as _};

use super::settings;
use crate::catalog::Catalog;
use crate::check::Schemas;
use crate::check::report::{End, Report};
use crate::check::spell::Spell;
use crate::config::{Config, Kind};
use crate::mysql::catalog;
use crate::mysql::connect::Flavor;
use crate::source::outline::outline;
use crate::sqltype::Class;
use crate::target::error::TargetError;
use crate::target::mysql::Session;

/// Characters of a cart's key in the control tables.
const CART: u32 = 700;

/// A session is not there at all where the server is too old, or takes no writes.
pub async fn server(
    config: &Config,
    session: &Session,
    report: &mut Report,
) -> Result<(), TargetError> {
    let values = all_settings(session).await?;
    let is = |name: &str| values.get(name).map(String::as_str).unwrap_or_default();
    let kind = match session.flavor {
        Flavor::MariaDb => "MariaDB",
        Flavor::MySql => "MySQL",
    };
    let version = format!("{kind} {}", is("version"));
    report.pass("server version", End::Target, version);
    logging(is("log_bin"), is("binlog_format"), report);
    settings::packet(End::Target, Some(is("max_allowed_packet")), report);
    let names = config.into.iter().map(|into| into.table.get_ref().as_str());
    let folds = Some(is("lower_case_table_names"));
    settings::names(End::Target, folds, names, report);
    durability(is("innodb_flush_log_at_trx_commit"), report);
    Ok(())
}

async fn all_settings(session: &Session) -> Result<HashMap<String, String>, TargetError> {
    session
        .alone(|state| {
            Box::pin(async move {
                let rows: Vec<(String, String)> =
                    state.session.conn.query("SHOW GLOBAL VARIABLES").await?;
                Ok(rows.into_iter().collect())
            })
        })
        .await
}

/// Statements say nothing of what READ COMMITTED made of them: the server refuses to write then.
fn logging(log: &str, format: &str, report: &mut Report) {
    if log == "ON" && format.eq_ignore_ascii_case("STATEMENT") {
        report.fail(
            "log format",
            End::Target,
            "binlog_format is STATEMENT, with which the server takes no writes at READ COMMITTED \
             (error 1665); change it in the server's option file too",
            Some("SET GLOBAL binlog_format = 'ROW'".to_owned()),
        );
    }
}

/// What is committed is on the disk.
fn durability(flush: &str, report: &mut Report) {
    if !flush.is_empty() && flush != "1" {
        report.warn(
            "durability",
            End::Target,
            format!(
                "innodb_flush_log_at_trx_commit is {flush}: a crash takes back the last of what \
                 cartage has written; where the source has been told to forget it, every cart is \
                 read again"
            ),
            Some("SET GLOBAL innodb_flush_log_at_trx_commit = 1".to_owned()),
        );
    }
}

/// A table without transactions keeps the half of a batch that is rolled back.
pub async fn engines(
    session: &Session,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), TargetError> {
    let spell = Spell(Kind::Mysql);
    let names: Vec<String> = catalog
        .tables
        .iter()
        .map(|table| format!("{}.{}", table.schema, table.name))
        .collect();
    let described = session
        .alone(move |state| {
            Box::pin(async move { Ok(catalog::read(&mut state.session, &names).await?) })
        })
        .await?;
    for table in described.tables {
        let name = spell.name(&table.schema, &table.name);
        if table.engine.eq_ignore_ascii_case("InnoDB") {
            report.pass("engine", End::Target, format!("{name} is of InnoDB"));
        } else if !table.engine.is_empty() {
            report.fail(
                "engine",
                End::Target,
                format!(
                    "{name} is of {}, which knows no transactions: what is rolled back would stay",
                    table.engine
                ),
                Some(format!("ALTER TABLE {name} ENGINE = InnoDB")),
            );
        }
    }
    Ok(())
}

/// The control tables hold a cart's key in an index, whose entries are no longer than that.
pub fn cart_key(config: &Config, schemas: &Schemas, report: &mut Report) {
    let layout = outline(config, &schemas.source).layout;
    let Some(header) = layout.tables.first() else {
        return;
    };
    // Numbers, dates and the like are short; texts without a length are not long either, as a rule.
    let key = header.cart.as_ref().unwrap_or(&header.key);
    let lengths = key.iter().map(|column| {
        let ty = &header.columns[*column].ty;
        ty.length
            .filter(|_| matches!(ty.class, Class::Text | Class::Char))
    });
    let longest = lengths.fold(0u32, |sum, n| sum.saturating_add(n.unwrap_or(40)));
    if longest > CART {
        report.warn(
            "cart key",
            End::Target,
            format!(
                "a cart's key could be longer than the {CART} characters that the control tables \
                 hold: nothing could be written of such a cart"
            ),
            None,
        );
    }
}

/// A text of a row, or nothing.
pub(super) fn text(row: &mysql_async::Row, at: usize) -> Option<String> {
    let value = row.as_ref(at).cloned()?;
    String::from_value_opt(value).ok()
}

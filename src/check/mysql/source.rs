//! What a MySQL or MariaDB source must be: a log of whole rows, tables that keep to transactions, and
//! a user that may read both.

use super::{columns, settings, unlogged};
use crate::cart::layout::Layout;
use crate::check::CheckError;
use crate::check::report::{End, Report};
use crate::config::Config;
use crate::mysql::connect::Flavor;
use crate::mysql::sql::{account, identifier};
use crate::source::error::AskError;
use crate::source::mysql::filters::Filters;
use crate::source::mysql::session::field;
use crate::source::mysql::settings::Settings;
use crate::source::mysql::snapshot::marker;
use crate::source::mysql::{Session, identity, load};
use crate::target::control::pipeline;
use crate::target::session::Target;

/// ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR.
const NO_SELECT: [u16; 2] = [1142, 1143];
/// ER_SPECIFIC_ACCESS_DENIED_ERROR.
const NO_PRIVILEGE: u16 = 1227;

pub async fn server(
    config: &Config,
    session: &Session,
    report: &mut Report,
) -> Result<(), AskError> {
    let (major, minor, patch) = session.version;
    let kind = match session.flavor {
        Flavor::MariaDb => "MariaDB",
        Flavor::MySql => "MySQL",
    };
    let version = format!("{kind} {major}.{minor}.{patch}");
    report.pass("server version", End::Source, version);
    if config.refresh.max_replica_lag.is_some() {
        report.warn(
            "standbys",
            End::Source,
            "max_replica_lag of [refresh] says nothing here: the server does not know how late its \
             replicas are; a guard query can",
            None,
        );
    }
    let values = Settings::read(session).await?;
    let wrong = values.wrong(session.flavor);
    if wrong.is_empty() {
        report.pass("log level", End::Source, "the log holds whole rows");
    }
    for wrong in wrong {
        report.fail("log level", End::Source, wrong.what, wrong.sql);
    }
    if let Some(value) = values.is("binlog_row_metadata").filter(|v| *v != "FULL") {
        report.warn(
            "log metadata",
            End::Source,
            format!(
                "binlog_row_metadata is {value}: the log does not name the columns of its rows, so \
                 that an ALTER of a mapped table has all carts read again"
            ),
            Some("SET GLOBAL binlog_row_metadata = 'FULL'".to_owned()),
        );
    }
    let packed = ["binlog_transaction_compression", "log_bin_compress"];
    let packed = packed.iter().find(|name| values.is(name) == Some("ON"));
    report.pass(
        "log compression",
        End::Source,
        match packed {
            Some(name) => format!("{name} is on, and read"),
            None => "the log is not compressed".to_owned(),
        },
    );
    retention(&values, report);
    let packet = values.is("max_allowed_packet");
    settings::packet(End::Source, packet, report);
    let tables = config.source_tables();
    let names = tables.iter().map(String::as_str);
    let folds = values.is("lower_case_table_names");
    settings::names(End::Source, folds, names, report);
    Ok(())
}

/// How long the server keeps its log, and how much of it.
fn retention(settings: &Settings, report: &mut Report) {
    const CHECK: &str = "log retention";
    let number = |name| settings.number(name).filter(|n| *n > 0.0);
    let limits = ["max_binlog_total_size", "binlog_space_limit"];
    if let Some((name, bytes)) = limits.iter().find_map(|name| Some((name, number(name)?))) {
        report.warn(
            CHECK,
            End::Source,
            format!(
                "{name} is {:.0} MiB: the oldest log is removed once all of it is larger, read or \
                 not, which a large import may bring about at any time",
                bytes / f64::from(1 << 20)
            ),
            Some(format!("SET GLOBAL {name} = 0")),
        );
    }
    let seconds = number("binlog_expire_logs_seconds");
    let days = number("expire_logs_days").map(|days| days * 86_400.0);
    let purges = settings.is("binlog_expire_logs_auto_purge") != Some("OFF");
    let Some(seconds) = seconds.or(days).filter(|_| purges) else {
        let message = "binary logs are kept until somebody purges them: watch the disk";
        report.pass(CHECK, End::Source, message);
        return;
    };
    let hours = seconds / 3600.0;
    let message = format!("binary logs are kept for {hours:.0} h, read or not");
    // Older servers count in days.
    let week = match settings.is("binlog_expire_logs_seconds") {
        Some(_) => "SET GLOBAL binlog_expire_logs_seconds = 604800",
        None => "SET GLOBAL expire_logs_days = 7",
    };
    match hours < 24.0 {
        true => report.warn(
            CHECK,
            End::Source,
            format!("{message}: a daemon that is down for longer has lost its place"),
            Some(week.to_owned()),
        ),
        false => report.pass(CHECK, End::Source, message),
    }
}

pub async fn grants(
    session: &Session,
    layout: &Layout,
    report: &mut Report,
) -> Result<(), AskError> {
    let row = session.first("SELECT current_user() AS user").await?;
    let user: String = field(&row.ok_or(AskError::Answer)?, "user")?;
    let account = account(&user);
    // Only the user's own: those of its roles do not stand here.
    let sql = "SELECT privilege_type AS privilege FROM information_schema.user_privileges \
               WHERE replace(grantee, '''', '') = current_user()";
    let mut held: Vec<String> = Vec::new();
    for row in session.query(sql).await? {
        held.push(field(&row, "privilege")?);
    }
    let has = |privilege: &str| held.iter().any(|h| h == privilege || h == "SUPER");
    let grant = |what: &str| Some(format!("GRANT {what} ON *.* TO {account}"));
    match has("REPLICATION SLAVE") {
        true => report.pass(
            "replication",
            End::Source,
            format!("{user} may read the log"),
        ),
        false => report.warn(
            "replication",
            End::Source,
            format!("{user} has no REPLICATION SLAVE of its own, which reading the log needs"),
            grant("REPLICATION SLAVE"),
        ),
    }
    match session.filters().await {
        Ok(filters) => {
            let message = format!("{user} may ask for it");
            report.pass("log position", End::Source, message);
            logged(&filters, layout, report);
        }
        Err(AskError::NoLog) => {}
        Err(error) if is_denied(&error, &[NO_PRIVILEGE]) => report.fail(
            "log position",
            End::Source,
            format!("{user} may not ask how far the log goes"),
            grant("REPLICATION CLIENT"),
        ),
        Err(error) => return Err(error),
    }
    match load::writers(session).await {
        Ok(_) => report.pass(
            "open transactions",
            End::Source,
            format!("{user} may see them"),
        ),
        Err(error) if is_denied(&error, &[NO_PRIVILEGE]) => report.fail(
            "open transactions",
            End::Source,
            format!("{user} may not see which transactions are open"),
            grant("PROCESS"),
        ),
        Err(error) => return Err(error),
    }
    if Settings::read(session).await?.lacks_ids(session.flavor) {
        let marker = marker(session.version);
        let needed = match session.version >= (8, 0, 23) {
            true => "FLUSH_OPTIMIZER_COSTS",
            false => "RELOAD",
        };
        match has("RELOAD") || has(needed) {
            true => report.pass(
                "transaction ids",
                End::Source,
                format!(
                    "gtid_mode is not ON: before carts are read, and at most once a second besides, \
                     {user} logs a statement that does nothing ({marker})"
                ),
            ),
            false => report.warn(
                "transaction ids",
                End::Source,
                format!(
                    "gtid_mode is not ON, and {user} has no {needed} of its own: it needs it to log \
                     a statement that does nothing ({marker}), which tells what is committed; or \
                     turn gtid_mode on (manual, \"Enabling GTID Transactions Online\")"
                ),
                grant(needed),
            ),
        }
    }
    for table in &layout.tables {
        let full = format!("{}.{}", identifier(&table.schema), identifier(&table.name));
        match session.query(format!("SELECT * FROM {full} LIMIT 0")).await {
            Ok(_) => report.pass("read right", End::Source, format!("{user} may read {full}")),
            Err(error) if is_denied(&error, &NO_SELECT) => report.fail(
                "read right",
                End::Source,
                format!("{user} has no SELECT on {full}"),
                Some(format!("GRANT SELECT ON {full} TO {account}")),
            ),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether changes of the mapped tables are in the log at all.
fn logged(filters: &Filters, layout: &Layout, report: &mut Report) {
    const CHECK: &str = "log filters";
    match (filters.verify(layout), filters.set()) {
        (Err(left_out), _) => report.fail(CHECK, End::Source, left_out.to_string(), None),
        (Ok(()), None) => report.pass(CHECK, End::Source, "the log has all databases"),
        (Ok(()), Some(options)) => report.warn(
            CHECK,
            End::Source,
            format!(
                "{options} leaves no mapped rows out of the log, but it leaves out an ALTER of a \
                 mapped table by a session that is in another database: USE the table's own first"
            ),
            None,
        ),
    }
}

fn is_denied(error: &AskError, numbers: &[u16]) -> bool {
    match error {
        AskError::Mysql(mysql_async::Error::Server(error)) => numbers.contains(&error.code),
        _ => false,
    }
}

/// Snapshots, and transactions in the log, are InnoDB's.
pub async fn tables(
    session: &Session,
    layout: &Layout,
    report: &mut Report,
) -> Result<(), AskError> {
    for (at, table) in layout.tables.iter().enumerate() {
        let described = session.described(table).await?;
        let full = format!("{}.{}", identifier(&table.schema), identifier(&table.name));
        if described.engine.eq_ignore_ascii_case("InnoDB") {
            report.pass("engine", End::Source, format!("{full} is of InnoDB"));
        } else {
            report.fail(
                "engine",
                End::Source,
                format!(
                    "{full} is of {}, which no snapshot covers",
                    described.engine
                ),
                Some(format!("ALTER TABLE {full} ENGINE = InnoDB")),
            );
        }
        columns::old_times(&described, &full, report);
        if described.versioned {
            report.fail(
                "system versioning",
                End::Source,
                format!("{full} is system-versioned: its log has rows of the past among its own"),
                Some(format!("ALTER TABLE {full} DROP SYSTEM VERSIONING")),
            );
        }
        if !unlogged::is_logged(session.flavor, session.version) {
            for change in unlogged::changes(layout, at, &described) {
                report.warn(
                    "unlogged changes",
                    End::Source,
                    format!(
                        "{change} without a word in the log; have the shop change these rows by \
                         itself, or afterwards run: cartage refresh --all"
                    ),
                    None,
                );
            }
        }
    }
    Ok(())
}

/// The control rows, and whether the log still holds what comes after the checkpoint.
pub async fn pipeline(
    config: &Config,
    session: &Session,
    target: &Target,
    report: &mut Report,
) -> Result<(), CheckError> {
    let row = match pipeline::installed(target).await? {
        true => pipeline::load(target, &config.name).await?,
        false => None,
    };
    let Some(row) = row else {
        let todo = "setup registers the pipeline";
        report.todo("control tables", End::Target, todo);
        return Ok(());
    };
    report.pass("control tables", End::Target, "the pipeline is registered");
    let Some(checkpoint) = pipeline::checkpoint(target, row.id).await? else {
        let todo = "setup was cut short; run it again";
        report.todo("checkpoint", End::Target, todo);
        return Ok(());
    };
    let facts = match session.facts().await {
        Ok(facts) => facts,
        Err(error) => {
            report.fail("log", End::Source, error.to_string(), None);
            return Ok(());
        }
    };
    match identity::holds(&facts, checkpoint) {
        Ok(()) => report.pass(
            "log",
            End::Source,
            format!(
                "it holds the checkpoint {}",
                row.spelling().show(checkpoint)
            ),
        ),
        Err(why) => report.fail("log", End::Source, why.to_string(), None),
    }
    Ok(())
}

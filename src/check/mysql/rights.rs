//! What cartage's user may do in the target.

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::grants::Grants;
use crate::catalog::{Catalog, TableInfo};
use crate::check::report::{End, Report};
use crate::check::spell::Spell;
use crate::config::{Config, Kind};
use crate::mysql::sql::{account, identifier};
use crate::target::control::TABLES;
use crate::target::error::TargetError;
use crate::target::mysql::Session;

/// ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR.
const DENIED: [u16; 3] = [1044, 1142, 1143];

/// What the control tables need at each moment, what making them needs, and what a later version or
/// a teardown does.
const ALWAYS: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];
const TO_MAKE: [&str; 2] = ["CREATE", "REFERENCES"];
const LATER: [&str; 3] = ["ALTER", "INDEX", "DROP"];

/// What the user is, and has.
struct User {
    name: String,
    database: String,
    grants: Grants,
    installed: bool,
}

pub async fn check(
    session: &Session,
    config: &Config,
    catalog: &Catalog,
    report: &mut Report,
) -> Result<(), TargetError> {
    let user = session
        .alone(|state| {
            let database = state.session.database.clone();
            Box::pin(async move { Ok(user(&mut state.session.conn, database).await?) })
        })
        .await?;
    control(&user, report);
    let account = account(&user.name);
    let mut seen: Vec<&TableInfo> = Vec::new();
    for into in &config.into {
        let Some(info) = catalog.find(into.table.get_ref()) else {
            continue;
        };
        if seen.iter().any(|known| std::ptr::eq(*known, info)) {
            continue;
        }
        seen.push(info);
        let name = Spell(Kind::Mysql).table(info);
        let columns = config
            .into
            .iter()
            .filter(|other| other.table == into.table)
            .flat_map(|into| &into.columns)
            .filter_map(|column| info.column(column.name.get_ref()));
        let mut columns: Vec<String> = columns
            .filter(|column| !column.generated)
            .map(|column| column.name.clone())
            .collect();
        columns.sort_unstable();
        columns.dedup();
        let questions = questions(&name, &columns);
        let lacking = session
            .alone(move |state| {
                Box::pin(async move { Ok(lacking(&mut state.session.conn, questions).await?) })
            })
            .await?;
        if lacking.is_empty() {
            let message = format!("{} may write {name}", user.name);
            report.pass("write right", End::Target, message);
        } else {
            let lacking = lacking.join(", ");
            report.fail(
                "write right",
                End::Target,
                format!("{} has no {lacking} on {name}", user.name),
                Some(format!("GRANT {lacking} ON {name} TO {account}")),
            );
        }
        // The server shows nobody else's triggers to a user without this.
        if !user.grants.has("TRIGGER", &info.schema, &info.name) {
            report.warn(
                "triggers",
                End::Target,
                format!("{} cannot see whether {name} has triggers", user.name),
                Some(format!("GRANT TRIGGER ON {name} TO {account}")),
            );
        }
    }
    Ok(())
}

async fn user(conn: &mut Conn, database: String) -> Result<User, mysql_async::Error> {
    let name: Option<String> = conn.query_first("SELECT current_user()").await?;
    let lines: Vec<String> = conn.query("SHOW GRANTS").await?;
    let installed = "SELECT 1 FROM information_schema.tables
                     WHERE table_schema = database() AND table_name = 'cartage_migrations'";
    let installed: Option<i64> = conn.query_first(installed).await?;
    Ok(User {
        name: name.unwrap_or_default(),
        database,
        grants: Grants::read(lines.iter().map(String::as_str)),
        installed: installed.is_some(),
    })
}

/// One statement for all that is missing: on a table that is not there yet, nothing can be granted.
fn control(user: &User, report: &mut Report) {
    let lacks = |privilege: &&str| {
        let has = |table: &&str| user.grants.has(privilege, &user.database, table);
        !TABLES.iter().all(has)
    };
    let needed = TO_MAKE.iter().filter(|_| !user.installed).chain(&ALWAYS);
    let needed: Vec<&str> = needed.filter(|p| lacks(p)).copied().collect();
    let later: Vec<&str> = LATER.iter().filter(|p| lacks(p)).copied().collect();
    let database = identifier(&user.database);
    let grant = |privileges: &[&str]| {
        let privileges = privileges.join(", ");
        let account = account(&user.name);
        Some(format!("GRANT {privileges} ON {database}.* TO {account}"))
    };
    let name = &user.name;
    if needed.is_empty() {
        let message = format!("{name} may keep its tables (cartage_…) in {database}");
        report.pass("control rights", End::Target, message);
    } else {
        report.fail(
            "control rights",
            End::Target,
            format!(
                "{name} has no {} on the control tables (cartage_…) in {database}",
                needed.join(", ")
            ),
            grant(&needed),
        );
    }
    if !later.is_empty() {
        report.warn(
            "control rights",
            End::Target,
            format!(
                "{name} has no {} on the control tables (cartage_…) in {database}, which later \
                 versions and teardown need",
                later.join(", ")
            ),
            grant(&later),
        );
    }
}

/// Statements that need the privileges. They are prepared, which asks for these, and not run.
fn questions(table: &str, columns: &[String]) -> Vec<(&'static str, String)> {
    let names: Vec<String> = columns.iter().map(|c| identifier(c)).collect();
    let nulls = vec!["NULL"; names.len()].join(", ");
    let sets: Vec<String> = names.iter().map(|name| format!("{name} = NULL")).collect();
    let mut questions = vec![
        ("SELECT", format!("SELECT * FROM {table} LIMIT 0")),
        ("DELETE", format!("DELETE FROM {table}")),
    ];
    if !names.is_empty() {
        let names = names.join(", ");
        questions.insert(
            1,
            (
                "INSERT",
                format!("INSERT INTO {table} ({names}) VALUES ({nulls})"),
            ),
        );
        questions.insert(
            2,
            ("UPDATE", format!("UPDATE {table} SET {}", sets.join(", "))),
        );
    }
    questions
}

async fn lacking(
    conn: &mut Conn,
    questions: Vec<(&'static str, String)>,
) -> Result<Vec<&'static str>, mysql_async::Error> {
    let mut lacking = Vec::new();
    for (privilege, sql) in questions {
        match conn.prep(sql).await {
            Ok(statement) => conn.close(statement).await?,
            Err(mysql_async::Error::Server(error)) if DENIED.contains(&error.code) => {
                lacking.push(privilege);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(lacking)
}

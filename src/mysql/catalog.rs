//! Reads `information_schema`: what the mapping is to know of the tables, and what the log's reader
//! needs to understand their rows.
//!
//! Each table is asked for by itself: only a schema and a table that stand in the statement keep
//! the server from opening every table that it has (manual, "Optimizing INFORMATION_SCHEMA
//! Queries").

use std::collections::{BTreeMap, HashSet};

use mysql_async::prelude::{FromValue, Queryable as _};
use mysql_async::{Error, Row};

use super::connect::{Flavor, Session};
use super::sql::qualified;
use super::types::{self, Declared, Kind};
use crate::catalog::{Catalog, ColumnInfo, ForeignKey, ReplicaIdentity, TableInfo, TableKind};
use crate::sqltype::SqlType;

/// The tables that were asked for and exist.
#[derive(Clone, Debug, Default)]
pub struct Described {
    pub catalog: Catalog,
    pub tables: Vec<LogTable>,
}

/// A table as its rows stand in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTable {
    pub schema: String,
    pub name: String,
    /// `InnoDB`, `MyISAM` and so on; empty for a view.
    pub engine: String,
    /// The server keeps old rows of it beside the new ones (MariaDB's system-versioned tables).
    pub versioned: bool,
    /// In the order in which the log has their values.
    pub columns: Vec<LogColumn>,
    pub foreign_keys: Vec<LogForeignKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogColumn {
    pub name: String,
    /// Counted from 1.
    pub ordinal: u32,
    pub ty: SqlType,
    pub kind: Kind,
    /// Of a text, by MySQL's name.
    pub charset: Option<String>,
    pub nullable: bool,
    /// Computed at each reading, not stored.
    pub is_virtual: bool,
    /// The server sets it with each update of the row that does not (`ON UPDATE`).
    pub touched: bool,
}

/// What the server does to the rows that refer to a row which goes or gets another key, without a
/// word in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    pub schema: String,
    pub table: String,
    pub referenced: Vec<String>,
    /// `CASCADE`, `SET NULL`, `RESTRICT`, `NO ACTION` or `SET DEFAULT`.
    pub on_delete: String,
    pub on_update: String,
}

const TABLE: &str = "
    SELECT table_name AS name, table_type AS kind, engine AS engine, create_options AS options
    FROM information_schema.tables WHERE table_schema = ? AND table_name = ?";

const COLUMNS: &str = "
    SELECT column_name AS name, ordinal_position AS number, column_default AS value,
           is_nullable = 'YES' AS nullable, data_type AS data_type, column_type AS column_type,
           character_maximum_length AS characters, character_octet_length AS octets,
           numeric_precision AS digits, numeric_scale AS scale, datetime_precision AS fraction,
           character_set_name AS charset, collation_name AS collation_name, extra AS extra,
           GENERATION AS expression
    FROM information_schema.columns WHERE table_schema = ? AND table_name = ?
    ORDER BY ordinal_position";

const INDEXES: &str = "
    SELECT index_name AS name, non_unique = 0 AS uniq, column_name AS col,
           sub_part IS NOT NULL AS part, index_type AS kind
    FROM information_schema.statistics WHERE table_schema = ? AND table_name = ?
    ORDER BY index_name, seq_in_index";

const KEY_COLUMNS: &str = "
    SELECT constraint_name AS name, column_name AS col,
           referenced_table_schema AS schema_there, referenced_table_name AS table_there,
           referenced_column_name AS col_there
    FROM information_schema.key_column_usage
    WHERE table_schema = ? AND table_name = ? AND referenced_table_name IS NOT NULL
    ORDER BY constraint_name, ordinal_position";

const RULES: &str = "
    SELECT constraint_name AS name, delete_rule AS on_delete, update_rule AS on_update
    FROM information_schema.referential_constraints
    WHERE constraint_schema = ? AND table_name = ?";

const TRIGGERS: &str = "
    SELECT trigger_name AS name FROM information_schema.triggers
    WHERE event_object_schema = ? AND event_object_table = ? ORDER BY trigger_name";

/// MariaDB has no type for JSON: its `JSON` makes a text with this check.
const CHECKS: &str = "
    SELECT check_clause AS clause FROM information_schema.check_constraints
    WHERE constraint_schema = ? AND table_name = ?";

/// What the server says of these tables, qualified or in the URL's database. Names that do not
/// exist, and tables on which our user may do nothing, are not in the answer.
pub async fn read(session: &mut Session, names: &[String]) -> Result<Described, Error> {
    let mut described = Described {
        catalog: Catalog {
            tables: Vec::new(),
            search_path: vec![session.database.clone()],
        },
        tables: Vec::new(),
    };
    let mut seen = HashSet::new();
    for name in names {
        let (schema, table) = match name.split_once('.') {
            Some((schema, table)) => (schema.to_owned(), table.to_owned()),
            None => (session.database.clone(), name.clone()),
        };
        if !seen.insert((schema.clone(), table.clone())) {
            continue;
        }
        settle(session, &schema, &table).await?;
        if let Some((info, log)) = one(session, &schema, &table).await? {
            described.catalog.tables.push(info);
            described.tables.push(log);
        }
    }
    Ok(described)
}

/// A definition is logged before the catalogs show it, and the table is locked until they do. Whoever
/// has looked where the log ends must not read an older one.
async fn settle(session: &mut Session, schema: &str, table: &str) -> Result<(), Error> {
    let touch = format!("SELECT 1 FROM {} LIMIT 0", qualified(schema, table));
    match session.conn.query_drop(touch).await {
        // What is wrong with the table is told by whoever needs it.
        Err(Error::Server(_)) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn one(
    session: &mut Session,
    schema: &str,
    table: &str,
) -> Result<Option<(TableInfo, LogTable)>, Error> {
    let place = (schema, table);
    let server = &session.server;
    // From this version on MySQL has generated columns.
    let generates = server.flavor == Flavor::MariaDb || server.version >= (5, 7, 6);
    let conn = &mut session.conn;
    // The catalogs compare names without case, two tables may differ in nothing else.
    let rows: Vec<Row> = conn.exec(TABLE, place).await?;
    let Some(row) = rows.into_iter().find(|row| text(row, "name") == table) else {
        return Ok(None);
    };
    let (kind, options) = (text(&row, "kind"), text(&row, "options"));
    let kind_of = match kind.as_str() {
        "BASE TABLE" | "SYSTEM VERSIONED" if options.contains("partitioned") => {
            TableKind::Partitioned
        }
        "BASE TABLE" | "SYSTEM VERSIONED" => TableKind::Ordinary,
        _ => TableKind::Other,
    };
    let checks: Vec<Row> = match session.server.flavor {
        Flavor::MariaDb => conn.exec(CHECKS, place).await?,
        Flavor::MySql => Vec::new(),
    };
    let checks: Vec<String> = checks.iter().map(|row| text(row, "clause")).collect();
    let generation = match generates {
        true => "generation_expression",
        false => "NULL",
    };
    let columns: Vec<Row> = conn
        .exec(COLUMNS.replace("GENERATION", generation), place)
        .await?;
    let (infos, columns) = columns.iter().map(|row| column(row, &checks)).unzip();
    let indexes = indexes(&conn.exec(INDEXES, place).await?);
    let keys: Vec<Row> = conn.exec(KEY_COLUMNS, place).await?;
    let rules: Vec<Row> = conn.exec(RULES, place).await?;
    let foreign_keys = foreign_keys(&keys, &rules);
    let triggers: Vec<Row> = conn.exec(TRIGGERS, place).await?;
    let info = TableInfo {
        oid: 0,
        schema: schema.to_owned(),
        name: table.to_owned(),
        kind: kind_of,
        columns: infos,
        primary_key: indexes.primary,
        uniques: indexes.uniques,
        indexes: indexes.leading,
        foreign_keys: foreign_keys.iter().map(neutral).collect(),
        triggers: triggers.iter().map(|row| text(row, "name")).collect(),
        // How much of the old row is logged is a setting of the server, not of the table.
        replica_identity: ReplicaIdentity::Full,
    };
    let log = LogTable {
        schema: schema.to_owned(),
        name: table.to_owned(),
        engine: text(&row, "engine"),
        versioned: kind == "SYSTEM VERSIONED",
        columns,
        foreign_keys,
    };
    Ok(Some((info, log)))
}

/// A default that is a call which gives another value each time; a text would stand in quotes.
fn is_distinct(default: &str) -> bool {
    let default = default.to_ascii_lowercase();
    let calls = ["uuid(", "sys_guid(", "nextval(", "uuid_to_bin(uuid("];
    calls.iter().any(|call| default.starts_with(call))
}

fn column(row: &Row, checks: &[String]) -> (ColumnInfo, LogColumn) {
    let name = text(row, "name");
    let (data_type, column_type) = (text(row, "data_type"), text(row, "column_type"));
    let (charset, collation) = (maybe(row, "charset"), maybe(row, "collation_name"));
    let check = format!("json_valid(`{}`)", name.replace('`', "``"));
    let (ty, kind) = types::read(&Declared {
        data_type: &data_type,
        column_type: &column_type,
        characters: number(row, "characters"),
        octets: number(row, "octets"),
        precision: number(row, "digits"),
        scale: number(row, "scale"),
        fraction: number(row, "fraction"),
        charset: charset.as_deref(),
        collation: collation.as_deref(),
        json_check: checks.contains(&check),
    });
    let extra = text(row, "extra").to_ascii_uppercase();
    let nullable = number(row, "nullable") == Some(1);
    let generated = !text(row, "expression").is_empty();
    let ordinal = number(row, "number").unwrap_or(0);
    let info = ColumnInfo {
        name: name.clone(),
        ty: ty.clone(),
        not_null: !nullable,
        // MariaDB writes the default as an expression: a column without one has the word NULL.
        has_default: maybe(row, "value").is_some_and(|value| value != "NULL"),
        generated,
        identity: extra.contains("AUTO_INCREMENT"),
        distinct_default: maybe(row, "value").is_some_and(|value| is_distinct(&value)),
        bytewise: collation.as_deref().is_some_and(types::is_bytewise),
        number: i16::try_from(ordinal).unwrap_or(0),
        type_oid: 0,
    };
    let log = LogColumn {
        name,
        ordinal: u32::try_from(ordinal).unwrap_or(0),
        ty,
        kind,
        charset: charset.clone(),
        nullable,
        is_virtual: generated && extra.contains("VIRTUAL"),
        touched: extra.contains("ON UPDATE"),
    };
    (info, log)
}

#[derive(Default)]
struct Indexes {
    primary: Vec<String>,
    uniques: Vec<Vec<String>>,
    leading: Vec<Vec<String>>,
}

/// A part of a column is as good as the column for finding a row, and says nothing of its being the
/// only one. An expression has no column, and ends what can be named.
fn indexes(rows: &[Row]) -> Indexes {
    let mut all: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        all.entry(text(row, "name")).or_default().push(row);
    }
    let mut found = Indexes::default();
    for (name, rows) in all {
        let columns: Vec<Option<String>> = rows.iter().map(|row| maybe(row, "col")).collect();
        let whole = rows.iter().all(|row| number(row, "part") == Some(0));
        let named: Option<Vec<String>> = columns.iter().cloned().collect();
        if let Some(named) = named.filter(|_| whole && number(rows[0], "uniq") == Some(1)) {
            if name == "PRIMARY" {
                found.primary.clone_from(&named);
            }
            found.uniques.push(named);
        }
        let leading: Vec<String> = columns.into_iter().map_while(|column| column).collect();
        let ordered = !matches!(text(rows[0], "kind").as_str(), "FULLTEXT" | "SPATIAL");
        if ordered && !leading.is_empty() {
            found.leading.push(leading);
        }
    }
    found
}

fn foreign_keys(columns: &[Row], rules: &[Row]) -> Vec<LogForeignKey> {
    let mut keys: Vec<LogForeignKey> = Vec::new();
    for row in columns {
        let name = text(row, "name");
        if keys.last().is_none_or(|key| key.name != name) {
            let rule = rules.iter().find(|rule| text(rule, "name") == name);
            let rule = |column| rule.map(|rule| text(rule, column)).unwrap_or_default();
            keys.push(LogForeignKey {
                name,
                columns: Vec::new(),
                schema: text(row, "schema_there"),
                table: text(row, "table_there"),
                referenced: Vec::new(),
                on_delete: rule("on_delete"),
                on_update: rule("on_update"),
            });
        }
        if let Some(key) = keys.last_mut() {
            key.columns.push(text(row, "col"));
            key.referenced.push(text(row, "col_there"));
        }
    }
    keys
}

fn neutral(key: &LogForeignKey) -> ForeignKey {
    ForeignKey {
        name: key.name.clone(),
        columns: key.columns.clone(),
        schema: key.schema.clone(),
        table: key.table.clone(),
        referenced: key.referenced.clone(),
        on_delete_cascade: key.on_delete == "CASCADE",
        deferrable: false,
        // A session may write without them (`foreign_key_checks`), and many tools do.
        enforced: false,
    }
}

fn maybe(row: &Row, column: &str) -> Option<String> {
    value(row, column)
}

fn text(row: &Row, column: &str) -> String {
    value(row, column).unwrap_or_default()
}

fn number(row: &Row, column: &str) -> Option<u64> {
    value(row, column)
}

/// Null, and what is not of the kind, are both none: the catalogs' own types differ from version to
/// version.
fn value<T: FromValue>(row: &Row, column: &str) -> Option<T> {
    row.get_opt::<Option<T>, _>(column)?.ok()?
}

//! Is this still the log that the checkpoint speaks of? Asked at every start, before a byte is read.

use mysql_async::Row;
use mysql_async::prelude::{FromValue, Queryable as _};
use serde::{Deserialize, Serialize};

use super::filters::Filters;
use super::gtid::{GtidSet, NotASet};
use super::place::{Base, NotAFile, Place};
use super::stream::Mark;
use crate::mysql::connect::{Flavor, Session};
use crate::mysql::fault::{self, Fault};
use crate::source::change::Lsn;
use crate::switch::{self, Mutant};

/// What mends a log that is another one.
const ANEW: &str =
    "run: cartage setup, which starts over here and reads every cart again (refresh --all)";

/// What lets a user log a statement that does nothing; before MySQL 8.0.23 RELOAD is it.
const NO_MARKER: &str = "GRANT FLUSH_OPTIMIZER_COSTS (before 8.0.23: RELOAD) ON *.* TO the user";

/// Each message names the object, and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("the source could not be asked for its identity: {}", fault::describe(.0))]
    Session(#[from] mysql_async::Error),
    #[error(transparent)]
    Set(#[from] NotASet),
    #[error(transparent)]
    File(#[from] NotAFile),
    #[error("the source keeps no binlog; set `log_bin` in its configuration and restart it")]
    NoLog,
    #[error(
        "the source leaves what changes in the database {databases} out of its log ({options}), so \
         that its carts cannot be followed: change that in the server's option file and restart it"
    )]
    LeftOut { databases: String, options: String },
    #[error(
        "the source is another server than the one that this pipeline was set up with ({is}, was \
         {was}); point [source] url at the old one, or, if this one replaces it, {ANEW}"
    )]
    OtherServer { was: String, is: String },
    #[error(
        "the files of the source's binlog are called {is} now, and were {was}: its log began anew; \
         {ANEW}"
    )]
    OtherLog { was: String, is: String },
    #[error(
        "the source's log does not have transactions that this pipeline has read (it has {is}, \
         read were {was}): it was reset (RESET MASTER), or the server restored to an earlier \
         state; {ANEW}"
    )]
    Reset { was: String, is: String },
    #[error(
        "the file of the binlog at {at} is not the one that this pipeline has read, although it is \
         called the same: the log was reset (RESET MASTER); {ANEW}"
    )]
    OtherFile { at: String },
    #[error(
        "the source has removed the binlog at {at} before it was read; {ANEW}; a larger \
         {setting} would have kept it",
        setting = "binlog_expire_logs_seconds"
    )]
    Purged { at: String },
    #[error(
        "the source's log ends before {at}, the checkpoint: it was reset, or the server restored \
         to an earlier state, and what it writes now would be taken for read; {ANEW}"
    )]
    Behind { at: String },
    #[error(
        "the source gives transactions no ids (`gtid_mode`), and our user may not log a statement of \
         its own, which tells what is committed: run on the source: {}, or turn gtid_mode on (MySQL's \
         manual, \"Enabling GTID Transactions Online\")",
        NO_MARKER
    )]
    NoMarker,
    #[error(
        "the source gives transactions no ids (`gtid_mode`), and commits them in no order: run on the \
         source: SET GLOBAL binlog_order_commits = ON"
    )]
    Unordered,
    #[error("the source's answer about {0} is not of the expected form")]
    Answer(&'static str),
}

impl IdentityError {
    /// Whether asking again may give another answer.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Session(error) => fault::of(error).without_row(),
            _ => Fault::Stop,
        }
    }
}

/// A server and its log, as it is now.
#[derive(Clone, Debug)]
pub struct Facts {
    /// MySQL's `server_uuid`; of MariaDB, which has none, `server_id` and GTID domain.
    pub server: String,
    pub base: Base,
    /// The files of the log, oldest first, with their lengths.
    pub files: Vec<(u32, u64)>,
    pub end: Lsn,
    /// The transactions in the log (MariaDB: `gtid_binlog_pos`, not those that a replica has applied
    /// without logging them), or executed (MySQL); none without ids.
    pub passed: Option<GtidSet>,
    /// Names of tables are one whatever their case.
    pub folds_names: bool,
    pub filters: Filters,
}

/// What is remembered of a source, beside the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    pub server: String,
    pub base: String,
    /// Where the rest holds, at or before every checkpoint.
    pub at: u64,
    pub passed: Option<String>,
    /// When the file there was begun.
    pub born: Option<u32>,
    /// The fingerprint of the mapping's tables as they were there.
    #[serde(default)]
    pub tables: Option<String>,
}

impl Remembered {
    pub fn of(server: &str, base: &Base, mark: &Mark) -> Self {
        Self {
            server: server.to_owned(),
            base: base.name().to_owned(),
            at: mark.at.0,
            passed: mark.passed.as_ref().map(GtidSet::to_string),
            born: mark.born,
            tables: mark.tables.as_deref().map(str::to_owned),
        }
    }

    /// The transactions that were passed there, as that kind of server has them.
    pub fn passed(&self, flavor: Flavor) -> Result<Option<GtidSet>, NotASet> {
        self.passed
            .as_deref()
            .map(|text| GtidSet::read(flavor, text))
            .transpose()
    }
}

/// Whether the log goes on from `start`, the least checkpoint. Asked for after the facts were read.
pub fn verify(
    facts: &Facts,
    flavor: Flavor,
    remembered: &Remembered,
    start: Lsn,
) -> Result<(), IdentityError> {
    if switch::mutant(Mutant::AnyBinlog) {
        return holds(facts, start);
    }
    if remembered.server != facts.server {
        return Err(IdentityError::OtherServer {
            was: remembered.server.clone(),
            is: facts.server.clone(),
        });
    }
    if remembered.base != facts.base.name() {
        return Err(IdentityError::OtherLog {
            was: remembered.base.clone(),
            is: facts.base.name().to_owned(),
        });
    }
    if let (Some(was), Some(is)) = (remembered.passed(flavor)?, &facts.passed)
        && !is.holds(&was)
    {
        return Err(IdentityError::Reset {
            was: was.to_string(),
            is: is.to_string(),
        });
    }
    holds(facts, start)
}

/// Whether the log has that place.
pub fn holds(facts: &Facts, start: Lsn) -> Result<(), IdentityError> {
    let place = Place::of(start).to_read();
    let at = facts.base.show(start).to_string();
    let first = facts.files.first().map_or(0, |(file, _)| *file);
    let file = facts.files.iter().find(|(file, _)| *file == place.file);
    match file {
        _ if switch::mutant(Mutant::LossUnseen) => Ok(()),
        Some((_, length)) if place.offset <= *length => Ok(()),
        Some(_) => Err(IdentityError::Behind { at }),
        None if place.file < first => Err(IdentityError::Purged { at }),
        None => Err(IdentityError::Behind { at }),
    }
}

impl GtidSet {
    pub fn read(flavor: Flavor, text: &str) -> Result<Self, NotASet> {
        match flavor {
            Flavor::MariaDb => text.parse().map(Self::MariaDb),
            Flavor::MySql => text.parse().map(Self::MySql),
        }
    }
}

/// Asks the server. The end is read before the list of files, so it is in one of them.
pub async fn facts(session: &mut Session) -> Result<Facts, IdentityError> {
    let flavor = session.server.flavor;
    let conn = &mut session.conn;
    let ours = match flavor {
        Flavor::MariaDb => {
            "CONCAT('server_id ', @@global.server_id, ', domain ', @@global.gtid_domain_id) AS it, \
             'ON' AS ids"
        }
        Flavor::MySql => "@@global.server_uuid AS it, @@global.gtid_mode AS ids",
    };
    let sql = format!(
        "SELECT @@global.log_bin AS log_bin, @@global.lower_case_table_names AS cases, {ours}"
    );
    let row: Row = first(conn.query_first(sql).await?, "its settings")?;
    let number = |name| value::<u64>(&row, name);
    if number("log_bin") != Some(1) {
        return Err(IdentityError::NoLog);
    }
    let ids = value::<String>(&row, "ids").unwrap_or_default();
    let server = value::<String>(&row, "it").ok_or(IdentityError::Answer("itself"))?;
    let folds_names = number("cases").unwrap_or_default() != 0;
    let end = end(session).await?;
    let passed = match flavor {
        Flavor::MariaDb => Some(binlog_position(session, &end.base, end.at).await?),
        Flavor::MySql if ids.starts_with("ON") => end.executed,
        Flavor::MySql => None,
    };
    Ok(Facts {
        server,
        files: files(session).await?,
        base: end.base,
        end: end.at,
        passed,
        folds_names,
        filters: end.filters,
    })
}

/// Where the log ends, and what goes into it.
#[derive(Clone, Debug)]
pub struct End {
    pub base: Base,
    pub at: Lsn,
    /// What MySQL has executed up to there.
    pub executed: Option<GtidSet>,
    pub filters: Filters,
}

pub async fn end(session: &mut Session) -> Result<End, IdentityError> {
    const WHAT: &str = "the end of its log";
    let server = &session.server;
    let sql = match server.flavor {
        Flavor::MySql if server.version >= (8, 2, 0) => "SHOW BINARY LOG STATUS",
        _ => "SHOW MASTER STATUS",
    };
    let row: Option<Row> = session.conn.query_first(sql).await?;
    let row = row.ok_or(IdentityError::NoLog)?;
    let file = value::<String>(&row, "File").ok_or(IdentityError::Answer(WHAT))?;
    let offset = value::<u64>(&row, "Position").ok_or(IdentityError::Answer(WHAT))?;
    let executed = value::<String>(&row, "Executed_Gtid_Set");
    let executed = executed.map(|text| GtidSet::read(Flavor::MySql, &text));
    let (base, file) = Base::split(&file)?;
    Ok(End {
        base,
        at: Place::at(file, offset).lsn(),
        executed: executed.transpose()?,
        filters: Filters::of(&row),
    })
}

/// The log's files, oldest first, with their lengths.
pub async fn files(session: &mut Session) -> Result<Vec<(u32, u64)>, IdentityError> {
    const WHAT: &str = "the files of its log";
    let rows: Vec<Row> = session.conn.query("SHOW BINARY LOGS").await?;
    let file = |row: &Row| {
        let name = value::<String>(row, "Log_name").ok_or(IdentityError::Answer(WHAT))?;
        let length = value::<u64>(row, "File_size").ok_or(IdentityError::Answer(WHAT))?;
        Ok((Base::split(&name)?.1, length))
    };
    rows.iter().map(file).collect()
}

/// MariaDB: the transactions in the log before a place.
pub async fn binlog_position(
    session: &mut Session,
    base: &Base,
    at: Lsn,
) -> Result<GtidSet, IdentityError> {
    let place = Place::of(at);
    let arguments = (base.file(place.file), place.offset);
    let sql = "SELECT BINLOG_GTID_POS(?, ?)";
    let text: Option<Option<String>> = session.conn.exec_first(sql, arguments).await?;
    let text = text.flatten();
    let text = text.ok_or(IdentityError::Answer("transaction ids in its log"))?;
    Ok(GtidSet::read(Flavor::MariaDb, &text)?)
}

fn first<T>(row: Option<T>, what: &'static str) -> Result<T, IdentityError> {
    row.ok_or(IdentityError::Answer(what))
}

/// Null, and what is not of the kind, are both none.
fn value<T: FromValue>(row: &Row, column: &str) -> Option<T> {
    row.get_opt::<Option<T>, _>(column)?.ok()?
}

//! Why the binlog cannot be read on, and who can mend it.

use mysql_async::ServerError;

use super::identity::IdentityError;
use crate::mysql::connect::ConnectError;
use crate::mysql::fault::{self, Fault};
use crate::mysql::value::ValueError;

/// What a session must log for its changes to be followed, for messages.
pub const AGAIN: &str = "then start again: every cart is then read again";

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("source: {0}")]
    Connect(#[from] ConnectError),
    #[error("source: {}", fault::describe(.0))]
    Session(#[from] mysql_async::Error),
    /// The log is not what it was.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the connection to the source's log broke: {cause}")]
    Lost { cause: String },
    #[error(
        "another reader has taken the log over with our server_id {server_id}{who}; stop it, or \
         give this pipeline a number of its own in [source] server_id"
    )]
    ReplicaId { server_id: u32, who: String },
    #[error(
        "the user {user} may not read the source's log ({message}); run on the source: \
         GRANT REPLICATION SLAVE ON *.* TO {user}"
    )]
    Permission { user: String, message: String },
    #[error(
        "column {column} of {table} {what} at {at}; correct the mapping, then run `cartage check`"
    )]
    Schema {
        table: String,
        column: String,
        what: String,
        at: String,
    },
    /// The daemon compiles the mapping again, and reads on.
    #[error("the table {table} was defined anew at {at}")]
    Moved { table: String, at: String },
    #[error(
        "the log does not hold {columns} of a row of {table} at {at}: {} does not \
         log whole rows; set there and globally on the source: binlog_row_image = 'FULL'; {AGAIN}", who(*.session)
    )]
    Image {
        table: String,
        columns: String,
        at: String,
        session: Option<u32>,
    },
    #[error(
        "the log holds only what has changed in the JSON of {table}.{column} at {at}, as {} \
         wrote it; set there and globally on the source: binlog_row_value_options = ''; {AGAIN}",
        who(*.session)
    )]
    PartialJson {
        table: String,
        column: String,
        at: String,
        session: Option<u32>,
    },
    #[error(
        "{} has logged {verb} {what} at {at} as a statement, without the rows it \
         changed; set there and globally on the source: binlog_format = 'ROW'; {AGAIN}",
        who(*.session)
    )]
    Statement {
        verb: String,
        what: String,
        at: String,
        session: Option<u32>,
    },
    #[error(
        "the log has an XA transaction of mapped tables at {at}, and the source gives transactions no \
         ids, without which nobody can tell when such a one is visible: turn `gtid_mode` on (MySQL's \
         manual, \"Enabling GTID Transactions Online\"); {AGAIN}"
    )]
    Xa { at: String },
    #[error(
        "the source has lost events of its log at {at} ({message}); look at the server's own log; \
         {AGAIN}"
    )]
    Incident { at: String, message: String },
    #[error(
        "the log has an event of kind {kind} at {at}, which this version does not know; nothing \
         after it can be trusted"
    )]
    Unknown { kind: u8, at: String },
    #[error("the log has a column of type {0}, which cannot be read")]
    ColumnType(u8),
    #[error(
        "column {column} of {table} is {ty} in the form of before MariaDB 10.1, of whose length the \
         log says nothing, so that no row of the table can be read: on the source, SET GLOBAL \
         mysql56_temporal_format = ON; ALTER TABLE {table} FORCE; {AGAIN}"
    )]
    OldTime {
        table: String,
        column: String,
        ty: String,
    },
    #[error("the source's table {table}: {error}")]
    Unreadable {
        table: String,
        error: Box<ValueError>,
    },
    #[error("the log's row of {table} at {at}: {error}")]
    Value {
        table: String,
        at: String,
        error: Box<ValueError>,
    },
    #[error("the source's log cannot be decoded: malformed {0}")]
    Malformed(&'static str),
    #[error("the source ended its log: {}", tell(.0))]
    Server(ServerError),
}

impl SourceError {
    /// A table that the log has otherwise: with the place where it does.
    pub(super) fn seen_at(self, place: String) -> Self {
        match self {
            Self::Schema {
                table,
                column,
                what,
                ..
            } => Self::Schema {
                table,
                column,
                what,
                at: place,
            },
            other => other,
        }
    }

    pub fn fault(&self) -> Fault {
        match self {
            Self::Connect(error) => error.fault(),
            Self::Session(error) => fault::of(error).without_row(),
            Self::Identity(error) => error.fault(),
            Self::Lost { .. } | Self::Moved { .. } => Fault::Retry,
            Self::Server(error) => fault::of_server(error).0.without_row(),
            _ => Fault::Stop,
        }
    }
}

/// MariaDB's log does not say which one wrote rows.
fn who(session: Option<u32>) -> String {
    session.map_or("a session".into(), |session| format!("session {session}"))
}

fn tell(error: &ServerError) -> String {
    fault::describe(&mysql_async::Error::Server(error.clone()))
}

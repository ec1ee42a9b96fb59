//! A session of a shop's own software, on a server of either kind.

use cartage::config::Kind;
use cartage::source::change::Lsn;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row, Value};
use tokio::sync::Mutex;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::servers;

/// One row's values as the server prints them.
pub type Printed = Vec<Option<String>>;

/// Texts as in Postgres: `||` joins them, and a backslash is a backslash.
const AS_POSTGRES: &str = "
    SET NAMES utf8mb4;
    SET SESSION time_zone = '+00:00', group_concat_max_len = 1000000,
        sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES')";

pub enum Session {
    Postgres(Client),
    Mysql(Mutex<Conn>),
}

impl Session {
    pub async fn open(kind: Kind, url: &str) -> Self {
        match kind {
            Kind::Postgres => Self::Postgres(servers::connect(url).await),
            Kind::Mysql => {
                let mut conn = Conn::from_url(url).await.unwrap();
                conn.query_drop(AS_POSTGRES).await.unwrap();
                Self::Mysql(Mutex::new(conn))
            }
        }
    }

    /// Runs statements, one or several.
    pub async fn run(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Postgres(client) => {
                let done = client.batch_execute(sql).await;
                done.map_err(|e| format!("{e:?}"))
            }
            Self::Mysql(conn) => {
                let done = conn.lock().await.query_drop(sql).await;
                done.map_err(|e| e.to_string())
            }
        }
    }
}

/// Who answers queries. Those of control tables are called `cartage.x` in both words.
pub trait Asked {
    async fn ask(&self, sql: &str) -> Result<Vec<Printed>, String>;

    /// A position as a literal of its column.
    fn literal(&self, position: Lsn) -> String;

    /// One number.
    async fn number_of(&self, sql: &str) -> i64 {
        let rows = self.ask(sql).await.unwrap_or_else(|e| panic!("{e}: {sql}"));
        let first = rows.first().and_then(|row| row.first()?.as_deref());
        let number = first.and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("no number, but {rows:?}: {sql}"))
    }
}

impl Asked for Client {
    async fn ask(&self, sql: &str) -> Result<Vec<Printed>, String> {
        let messages = self.simple_query(sql).await.map_err(|e| format!("{e:?}"))?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let value = |i| row.get(i).map(str::to_owned);
                Some((0..row.len()).map(value).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    fn literal(&self, position: Lsn) -> String {
        format!("'{position}'")
    }
}

impl Asked for Session {
    async fn ask(&self, sql: &str) -> Result<Vec<Printed>, String> {
        match self {
            Self::Postgres(client) => client.ask(sql).await,
            Self::Mysql(conn) => {
                let sql = sql.replace("cartage.", "cartage_");
                let rows: Result<Vec<Row>, _> = conn.lock().await.query(sql).await;
                let rows = rows.map_err(|e| e.to_string())?;
                Ok(rows.into_iter().map(printed).collect())
            }
        }
    }

    fn literal(&self, position: Lsn) -> String {
        match self {
            Self::Postgres(client) => client.literal(position),
            Self::Mysql(_) => position.0.to_string(),
        }
    }
}

/// What a plain query answers is text.
fn printed(row: Row) -> Printed {
    let text = |value| match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        value => panic!("{value:?} is not as it is printed"),
    };
    row.unwrap().into_iter().map(text).collect()
}

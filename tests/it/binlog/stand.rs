//! A server, a shop's tables on it, and what the log says of them.

use std::sync::Arc;
use std::time::Duration;

use cartage::cart::image::Cell;
use cartage::cart::layout::{Column, Layout, Table};
use cartage::config::Endpoint;
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mysql::catalog;
use cartage::mysql::connect::{Flavor, Session, connect};
use cartage::pulse::Pulses;
use cartage::source::change::{Event, Lsn, Op};
use cartage::source::mysql::identity::{self, Facts};
use cartage::source::mysql::place::Place;
use cartage::source::mysql::{Known, LogStream, LogTables, Origin, SourceError};
use tokio::time::{Instant, timeout_at};

use crate::mysql::endpoint;

const PATIENCE: Duration = Duration::from_secs(30);
pub const SERVER_ID: u32 = 4_242;

const SHOP: &str = "
    CREATE TABLE cart (
        id BIGINT UNSIGNED PRIMARY KEY, token VARCHAR(40), total DECIMAL(12,2), note TEXT
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
    CREATE TABLE item (
        id INT PRIMARY KEY, cart_id BIGINT UNSIGNED NOT NULL, qty INT, extra BLOB
    ) ENGINE=InnoDB;
    CREATE TABLE other (id INT PRIMARY KEY, a TEXT) ENGINE=InnoDB;
    CREATE TABLE hundred (n INT PRIMARY KEY) ENGINE=InnoDB;
    INSERT INTO hundred VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
    INSERT INTO hundred SELECT a.n * 10 + b.n FROM hundred AS a, hundred AS b WHERE a.n > 0;";

pub struct Stand {
    pub server: Server,
    pub endpoint: Endpoint,
    pub layout: Arc<Layout>,
}

/// A stand on every kind of server that this machine has.
pub async fn all(options: &Options) -> Vec<Stand> {
    let mut stands = Vec::new();
    for programs in Programs::all().unwrap() {
        stands.push(Stand::new(programs, options.clone()).await);
    }
    stands
}

pub async fn mariadb(options: Options) -> Stand {
    let all = Programs::all().unwrap();
    let programs = all.into_iter().find(|p| p.flavor == Flavor::MariaDb);
    Stand::new(programs.unwrap(), options).await
}

/// Where this machine has MySQL's own.
pub async fn mysql(options: Options) -> Option<Stand> {
    Some(Stand::new(mysql_programs()?, options).await)
}

/// The same, and it gives transactions no ids.
pub async fn mysql_without_ids(options: Options) -> Option<Stand> {
    let options = options.setting("gtid-mode", "OFF");
    let stand = Stand::of(mysql_programs()?, options).await;
    assert_eq!(stand.facts().await.passed, None);
    Some(stand)
}

fn mysql_programs() -> Option<Programs> {
    let all = Programs::all().unwrap();
    all.into_iter().find(|p| p.flavor == Flavor::MySql)
}

impl Stand {
    async fn new(programs: Programs, options: Options) -> Self {
        let options = options.with_ids(programs.flavor);
        Self::of(programs, options).await
    }

    async fn of(programs: Programs, options: Options) -> Self {
        let server = Server::start_of(programs, options).await.unwrap();
        server.run("CREATE DATABASE shop").await.unwrap();
        server.run(&format!("USE shop; {SHOP}")).await.unwrap();
        Self {
            endpoint: endpoint(server.url("shop")),
            server,
            layout: Arc::new(layout()),
        }
    }

    pub fn is_mariadb(&self) -> bool {
        self.server.programs().flavor == Flavor::MariaDb
    }

    /// Has the layout read another table in place of `table`.
    pub fn map(&mut self, table: &str, name: &str, columns: &[&str]) {
        let layout = Arc::make_mut(&mut self.layout);
        let this = layout.tables.iter_mut().find(|t| t.name == table);
        let this = this.unwrap();
        this.name = name.to_owned();
        this.columns = columns.iter().map(|name| column(name)).collect();
        (this.cart, this.parent) = (Some(vec![0]), None);
    }

    /// Statements of one session in the shop.
    pub async fn run(&self, sql: &str) {
        self.server.run(&format!("USE shop; {sql}")).await.unwrap();
    }

    pub async fn session(&self) -> Session {
        connect(&self.endpoint, "test").await.unwrap()
    }

    pub async fn facts(&self) -> Facts {
        identity::facts(&mut self.session().await).await.unwrap()
    }

    pub async fn end(&self) -> Lsn {
        self.facts().await.end
    }

    /// Has the server remove its log up to the file that it writes: MariaDB keeps a file until what is
    /// in it is safe elsewhere.
    pub async fn purge(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let facts = self.facts().await;
            let file = Place::of(facts.end).file;
            if facts.files.iter().all(|(first, _)| *first >= file) {
                return;
            }
            assert!(Instant::now() < deadline, "not purged: {:?}", facts.files);
            let name = facts.base.file(file);
            self.run(&format!("PURGE BINARY LOGS TO '{name}'")).await;
        }
    }

    /// What the daemon would know now.
    pub async fn known(&self) -> Known {
        let mut session = self.session().await;
        let names: Vec<String> = self.layout.tables.iter().map(|t| t.name.clone()).collect();
        let facts = identity::facts(&mut session).await.unwrap();
        let described = catalog::read(&mut session, &names).await.unwrap();
        Known {
            layout: self.layout.clone(),
            tables: LogTables::of(&self.layout, &described.tables),
            compiled_at: facts.end,
            before: None,
            base: facts.base,
            folds_names: facts.folds_names,
            passed: facts.passed,
            born: None,
        }
    }

    pub async fn open(&self, start: Lsn, known: Known) -> Result<LogStream, SourceError> {
        let origin = Origin {
            server_id: SERVER_ID,
            host: "test".into(),
            start,
            known,
            patience: Duration::from_secs(2),
        };
        let pulse = Pulses::default().of("log");
        LogStream::open(&self.endpoint, origin, pulse, |_| ()).await
    }

    /// Runs the statements, each line in a session of its own, and answers what the log says.
    pub async fn hear(&self, sql: &[&str]) -> Result<Vec<String>, SourceError> {
        let known = self.known().await;
        let start = known.compiled_at;
        let mut stream = self.open(start, known).await?;
        for sql in sql {
            self.run(sql).await;
        }
        let end = self.end().await;
        Ok(self.tell(&read(&mut stream, end).await?))
    }

    /// Events as short texts, without keepalives.
    pub fn tell(&self, events: &[Event]) -> Vec<String> {
        let cells = |cells: &[Cell]| {
            let text = |cell: &Cell| match cell {
                Cell::Null => "null".to_owned(),
                Cell::Missing => "?".to_owned(),
                Cell::Text(text) => text.to_string(),
            };
            cells.iter().map(text).collect::<Vec<_>>().join(",")
        };
        let name = |table: usize| &self.layout.tables[table].name;
        let told = |event: &Event| match event {
            Event::Begin { .. } => Some("begin".to_owned()),
            Event::Change(change) => {
                let name = name(change.table);
                Some(match &change.op {
                    Op::Insert { new } => format!("+{name} {}", cells(new)),
                    Op::Delete { old } => format!("-{name} {}", cells(old)),
                    Op::Update { old, new } => {
                        let old = old.as_deref().map_or("none".into(), cells);
                        format!("{name} {old} -> {}", cells(new))
                    }
                })
            }
            Event::Truncate(tables) => {
                let names: Vec<_> = tables.iter().map(|table| name(*table).as_str()).collect();
                Some(format!("truncate {}", names.join(",")))
            }
            Event::Commit { .. } => Some("commit".to_owned()),
            Event::Keepalive { .. } => None,
        };
        events.iter().filter_map(told).collect()
    }
}

/// Reads until the log has passed `upto`, and checks on the way that positions only go up.
pub async fn read(stream: &mut LogStream, upto: Lsn) -> Result<Vec<Event>, SourceError> {
    let deadline = Instant::now() + PATIENCE;
    let (mut events, mut last) = (Vec::new(), Lsn(0));
    loop {
        let next = timeout_at(deadline, stream.next()).await;
        let event =
            next.unwrap_or_else(|_| panic!("the log did not reach {upto:?}: {events:?}"))?;
        let at = match &event {
            Event::Begin { id, .. } => Some(id.commit),
            Event::Commit { end } | Event::Keepalive { end } => Some(*end),
            _ => None,
        };
        if let Some(at) = at {
            assert!(at >= last, "{at:?} after {last:?}");
            last = at;
        }
        let border = matches!(event, Event::Commit { .. } | Event::Keepalive { .. });
        events.push(event);
        if border && last >= upto {
            return Ok(events);
        }
    }
}

fn layout() -> Layout {
    let table = |name: &str, columns: &[&str]| Table {
        alias: name.to_owned(),
        schema: "shop".into(),
        name: name.to_owned(),
        columns: columns.iter().map(|name| column(name)).collect(),
        key: vec![0],
        cart: None,
        parent: None,
    };
    Layout {
        tables: vec![
            Table {
                cart: Some(vec![0]),
                ..table("cart", &["id", "token", "total"])
            },
            Table {
                cart: Some(vec![1]),
                parent: Some((0, vec![1])),
                ..table("item", &["id", "cart_id", "qty"])
            },
        ],
    }
}

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        ty: cartage::sqltype::SqlType::parse("text"),
        not_null: false,
        bytewise: true,
    }
}

//! Rows of a new backend on MySQL or MariaDB: each write under its guard, against every server that
//! this machine has.

mod arrays;
mod closing;
mod guards;
mod keys;
mod lines;
mod races;
mod texts;
mod touched;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use cartage::cart::image::{Cell, Cells};
use cartage::cart::layout::{Column, Layout, Table};
use cartage::config::{FieldRule, Merge, QuantityRule};
use cartage::demo::mysql::Server;
use cartage::mapping::difference::{Patch, RowOp, RowWrite};
use cartage::mapping::expr::{Expr, Scope, TargetCondition};
use cartage::mapping::map::{RowKey, TargetRow};
use cartage::mapping::plan::{
    Closed, Fate, Into, KeyColumn, Line, Lock, MappedColumn, Mapping, Role,
};
use cartage::source::change::{Lsn, Position};
use cartage::target::found::{self, Ask, Found};
use cartage::target::ledger::Records;
use cartage::target::session::Target;
use cartage::target::tables::Tables;
use cartage::target::writer::{Tally, Tokens, WriteError, Writer};
use mysql_async::prelude::Queryable as _;

use super::endpoint;

/// What a writer needs of the control tables.
const LANES: &str = "CREATE TABLE cartage_checkpoint (
        pipeline INT, lane INT, epoch BIGINT, lsn BIGINT UNSIGNED, seq BIGINT,
        patches BIGINT DEFAULT 0, rows_applied BIGINT DEFAULT 0, conflicts BIGINT DEFAULT 0,
        merged_items BIGINT DEFAULT 0, merge_conflicts BIGINT DEFAULT 0,
        late BIGINT DEFAULT 0, commit_time TIMESTAMP(6) NULL, updated_at TIMESTAMP(6) NULL,
        mirror BIGINT DEFAULT 0, merged BIGINT DEFAULT 0, handed_over BIGINT DEFAULT 0,
        held BIGINT DEFAULT 0, ended BIGINT DEFAULT 0, PRIMARY KEY (pipeline, lane)
    ) ENGINE = InnoDB;";

/// A table of the mapping, in a few words.
pub struct Sketch {
    pub table: &'static str,
    pub role: Role,
    pub lock: Lock,
    pub key: &'static [&'static str],
    pub columns: &'static [&'static str],
    pub closed: Option<&'static str>,
    pub line: Option<Line>,
}

impl Sketch {
    pub fn of(
        table: &'static str,
        lock: Lock,
        key: &'static [&'static str],
        columns: &'static [&'static str],
    ) -> Self {
        Self {
            table,
            role: Role::Header,
            lock,
            key,
            columns,
            closed: None,
            line: None,
        }
    }
}

/// A new shop and the mapping of its tables.
pub struct Stand<'s> {
    pub server: &'s Server,
    pub database: String,
    pub target: Target,
    pub mapping: Mapping,
    tables: Arc<Tables>,
    lanes: AtomicI32,
}

impl<'s> Stand<'s> {
    pub async fn open(
        server: &'s Server,
        database: &str,
        sql: &str,
        sketches: Vec<Sketch>,
    ) -> Self {
        let made = format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}");
        server.run(&made).await.unwrap();
        server
            .run(&format!("USE {database}; {LANES} {sql}"))
            .await
            .unwrap();
        let place = endpoint(server.url(database));
        let target = Target::connect(&place, "test").await.unwrap();
        let names: Vec<String> = sketches.iter().map(|s| s.table.to_owned()).collect();
        let catalog = target.catalog(&names).await.unwrap();
        let layout = Arc::new(source());
        let constant = |text: &str| {
            let scope = Scope {
                layout: &layout,
                per: 0,
            };
            Expr::compile(text, &scope).unwrap()
        };
        let into = |sketch: Sketch| {
            let info = catalog.find(sketch.table).unwrap();
            let ty = |name: &str| info.column(name).unwrap().ty.clone();
            let key = sketch.key.iter().map(|name| KeyColumn {
                name: (*name).to_owned(),
                ty: ty(name),
                expr: constant("id"),
            });
            let columns = sketch.columns.iter().map(|name| MappedColumn {
                name: (*name).to_owned(),
                ty: ty(name),
                expr: Some(constant("id")),
                once: false,
                merge: None,
            });
            let all = info.columns.iter().map(|c| (c.name.clone(), c.ty.clone()));
            let all: Vec<_> = all.collect();
            Arc::new(Into {
                schema: info.schema.clone(),
                table: info.name.clone(),
                per: 0,
                shape: Default::default(),
                role: sketch.role,
                lock: sketch.lock,
                filter: None,
                key: key.collect(),
                columns: columns.collect(),
                ended: Fate::Keep,
                deleted: Fate::Delete,
                closed: sketch.closed.map(|text| {
                    let condition = TargetCondition::compile(text, &all).unwrap();
                    Closed {
                        sql: String::new(),
                        columns: condition.columns().to_vec(),
                        condition,
                    }
                }),
                has_triggers: !info.triggers.is_empty(),
                shareable: false,
                line: sketch.line,
            })
        };
        let intos = sketches.into_iter().map(into).collect();
        Self {
            server,
            database: database.to_owned(),
            mapping: Mapping {
                lookups: Vec::new(),
                intos,
                layout,
                live: None,
                changed_at: None,
                merge: Merge {
                    quantity: QuantityRule::Max,
                    fields: FieldRule::Latest,
                },
                trusted_births: false,
                time_zone: chrono_tz::UTC,
            },
            tables: Arc::new(Tables::of(&catalog)),
            target,
            lanes: AtomicI32::new(0),
        }
    }

    /// A lane of its own, in a session of its own.
    pub async fn lane(&self) -> Lane {
        let lane = self.lanes.fetch_add(1, Ordering::Relaxed);
        let row = "INSERT INTO cartage_checkpoint (pipeline, lane, epoch, lsn, seq) VALUES (1, ";
        self.run(&format!("{row}{lane}, 1, 0, 0)")).await;
        let place = endpoint(self.server.url(&self.database));
        let target = Target::connect(&place, "lane").await.unwrap();
        let writer = Writer::new(target.clone(), self.tables.clone(), 1, lane, 1).await;
        Lane {
            writer: writer.unwrap(),
            target,
        }
    }

    /// What the shop itself does.
    pub async fn run(&self, sql: &str) {
        let sql = format!("USE {}; {sql}", self.database);
        self.server.run(&sql).await.unwrap();
    }

    /// Rows as texts.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let mut conn = self.server.conn(Some(&self.database)).await.unwrap();
        let rows: Vec<mysql_async::Row> = conn.query(sql).await.unwrap();
        rows.into_iter()
            .map(|row| {
                let texts = row.unwrap().into_iter().map(|value| match value {
                    mysql_async::Value::NULL => "NULL".to_owned(),
                    value => mysql_async::from_value(value),
                });
                texts.collect()
            })
            .collect()
    }

    pub fn write(&self, into: usize, key: &[&str], op: RowOp, token: Option<&str>) -> RowWrite {
        RowWrite {
            into: self.mapping.intos[into].clone(),
            index: Some(into),
            key: key_of(key),
            op,
            token: token.map(Box::from),
        }
    }

    /// Rows by their keys, in this order, with what we may have left in them.
    pub async fn find(&self, into: usize, rows: &[(&[&str], Cells)]) -> Vec<Option<Found>> {
        let rows: Vec<TargetRow> = rows
            .iter()
            .map(|(key, cells)| TargetRow {
                into,
                key: key_of(key),
                cells: cells.clone(),
                origin: None,
            })
            .collect();
        let found = found::find(&self.target, &self.mapping, rows.iter(), Ask::State).await;
        let mut found = found.unwrap();
        let take = |row: &TargetRow| found.remove(&(into, row.key.clone()));
        rows.iter().map(take).collect()
    }
}

/// A lane's connection to the target.
pub struct Lane {
    pub writer: Writer,
    /// The session that it writes in.
    pub target: Target,
}

impl Lane {
    /// Writes without a commit.
    pub async fn write(
        &mut self,
        patch: &Patch,
    ) -> Result<cartage::target::writer::Written, WriteError> {
        let at = self.writer.position();
        let to = Position {
            lsn: Lsn(at.lsn.0 + 1),
            seq: 0,
        };
        self.writer.write(&[patch], &[], to, Tally::default()).await
    }

    /// Writes and commits.
    pub async fn apply(&mut self, writes: Vec<RowWrite>) -> Result<Tokens, WriteError> {
        let patch = Patch {
            writes,
            ..Patch::default()
        };
        self.apply_patch(&patch).await
    }

    pub async fn apply_patch(&mut self, patch: &Patch) -> Result<Tokens, WriteError> {
        let written = self.write(patch).await?;
        let tokens = written.tokens.clone();
        self.writer.commit(written, &Records::default()).await?;
        Ok(tokens)
    }
}

/// The one table of an old shop of which nothing is read here.
fn source() -> Layout {
    let id = Column {
        name: "id".into(),
        ty: cartage::sqltype::SqlType::parse("bigint"),
        not_null: true,
        bytewise: false,
    };
    Layout {
        tables: vec![Table {
            alias: "carts".into(),
            schema: "public".into(),
            name: "carts".into(),
            columns: vec![id],
            key: vec![0],
            cart: Some(vec![0]),
            parent: None,
        }],
    }
}

pub fn key_of(key: &[&str]) -> RowKey {
    key.iter().map(|part| Box::from(*part)).collect()
}

/// Cells by their texts; `NULL` is none.
pub fn cells(texts: &[&str]) -> Cells {
    let cell = |text: &&str| match *text {
        "NULL" => Cell::Null,
        text => Cell::Text(text.into()),
    };
    texts.iter().map(cell).collect()
}

pub fn insert(new: &[&str]) -> RowOp {
    RowOp::Insert { new: cells(new) }
}

pub fn update(old: &[&str], new: &[&str]) -> RowOp {
    let differ = (0..new.len()).filter(|&i| old[i] != new[i]);
    RowOp::Update {
        changed: differ.collect(),
        old: cells(old),
        new: cells(new),
    }
}

pub fn delete(old: &[&str]) -> RowOp {
    RowOp::Delete { old: cells(old) }
}

pub fn check(old: &[&str]) -> RowOp {
    RowOp::Check { old: cells(old) }
}

/// A guard did not match so many rows.
pub fn assert_missed<T>(done: Result<T, WriteError>, wanted: u64) {
    match done {
        Err(WriteError::Guard { missed, .. }) => assert_eq!(missed, wanted),
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("written"),
    }
}

/// The server refused it, by its number.
pub fn assert_refused<T>(done: Result<T, WriteError>, codes: &[u16]) {
    match done {
        Err(WriteError::Database(error)) => {
            let code = error.code().unwrap_or_default();
            let known = codes.iter().any(|c| code == format!("error {c}"));
            assert!(known, "{code}: {error}");
            assert_eq!(error.fault(), cartage::fault::Fault::Row, "{error}");
        }
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("written"),
    }
}

//! Rows of a table that were inserted, as the log has them and as the pipeline gets them.

use std::sync::Arc;
use std::time::Duration;

use cartage::cart::image::Cells;
use cartage::cart::layout::{Column, Layout, Table};
use cartage::demo::mysql::Server;
use cartage::mysql::catalog::LogTable;
use cartage::mysql::connect::Session;
use cartage::pulse::Pulses;
use cartage::source::SourceError;
use cartage::source::change::{Change, Event, Op};
use cartage::source::mysql::identity::{self, Facts};
use cartage::source::mysql::{Known, LogStream, LogTables, Origin};
use futures_util::StreamExt as _;
use mysql_async::BinlogStreamRequest;
use mysql_async::binlog::events::EventData;
use mysql_async::binlog::value::BinlogValue;
use mysql_async::prelude::Queryable as _;
use tokio::time::timeout;

use crate::mysql::endpoint;

pub type Logged = Vec<Option<BinlogValue<'static>>>;

/// From the beginning of the log to its present end.
pub async fn rows(server: &Server, database: &str, table: &str) -> Vec<Logged> {
    let mut conn = server.conn(None).await.unwrap();
    conn.query_drop("SET @mariadb_slave_capability = 4")
        .await
        .unwrap();
    let request = BinlogStreamRequest::new(fastrand::u32(1000..))
        .with_filename(b"binlog.000001")
        .with_pos(4_u64)
        .with_non_blocking();
    let mut stream = conn.get_binlog_stream(request).await.unwrap();
    let mut rows = Vec::new();
    while let Some(event) = stream.next().await {
        let event = event.unwrap();
        let Ok(Some(EventData::RowsEvent(event))) = event.read_data() else {
            continue;
        };
        let map = stream.get_tme(event.table_id()).unwrap();
        if map.database_name() != database || map.table_name() != table {
            continue;
        }
        for row in event.rows(map) {
            let after = row.unwrap().1.unwrap();
            let value = |i| after.as_ref(i).cloned().map(BinlogValue::into_owned);
            rows.push((0..after.len()).map(value).collect());
        }
    }
    rows
}

/// What the pipeline gets of a table's inserts between `from` and the log's present end.
pub async fn cells(session: &mut Session, table: &LogTable, from: Facts) -> Vec<Cells> {
    let width = table.columns.len();
    first_cells(session, table, width, from).await.unwrap()
}

/// The same of its first columns only, or why there is nothing.
pub async fn first_cells(
    session: &mut Session,
    table: &LogTable,
    width: usize,
    from: Facts,
) -> Result<Vec<Cells>, SourceError> {
    let end = identity::facts(session).await.unwrap().end;
    let layout = Arc::new(layout(table, width));
    let known = Known {
        tables: LogTables::of(&layout, std::slice::from_ref(table)),
        layout,
        compiled_at: from.end,
        before: None,
        base: from.base,
        folds_names: from.folds_names,
        passed: from.passed,
        born: None,
    };
    let host = session.host.clone();
    let url = format!(
        "mysql://root@{}:{}/{}",
        host.name, host.port, session.database
    );
    let origin = Origin {
        server_id: fastrand::u32(1000..),
        host: "test".into(),
        start: from.end,
        known,
        patience: Duration::from_secs(2),
    };
    let pulse = Pulses::default().of("log");
    let mut stream = LogStream::open(&endpoint(url), origin, pulse, |_| ())
        .await
        .unwrap();
    let mut rows = Vec::new();
    loop {
        let event = timeout(Duration::from_secs(30), stream.next()).await;
        match event.expect("the log goes on")? {
            Event::Change(Change {
                op: Op::Insert { new },
                ..
            }) => rows.push(new),
            Event::Commit { end: at } | Event::Keepalive { end: at } if at >= end => {
                return Ok(rows);
            }
            _ => {}
        }
    }
}

fn layout(table: &LogTable, width: usize) -> Layout {
    let columns = table.columns.iter().take(width).map(|column| Column {
        name: column.name.clone(),
        ty: column.ty.clone(),
        not_null: !column.nullable,
        bytewise: true,
    });
    Layout {
        tables: vec![Table {
            alias: table.name.clone(),
            schema: table.schema.clone(),
            name: table.name.clone(),
            columns: columns.collect(),
            key: vec![0],
            cart: Some(vec![0]),
            parent: None,
        }],
    }
}

//! All rows of a table that were inserted, from the beginning of the log to its present end.

use cartage::demo::mysql::Server;
use futures_util::StreamExt as _;
use mysql_async::BinlogStreamRequest;
use mysql_async::binlog::events::EventData;
use mysql_async::binlog::value::BinlogValue;
use mysql_async::prelude::Queryable as _;

pub type Logged = Vec<Option<BinlogValue<'static>>>;

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

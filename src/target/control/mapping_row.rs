//! The mappings that ledger rows refer to, each stored once by its fingerprint.

use serde_json::Value;
use tokio_postgres::{Client, Error, Row};

/// A row of `cartage.mapping`.
#[derive(Clone, Debug, PartialEq)]
pub struct MappingRow {
    pub id: i32,
    pub hash: String,
    pub engine: i32,
    pub config: String,
    pub layout: Value,
}

/// Stores a mapping where it is new, and answers its id in either case.
pub async fn insert(
    target: &Client,
    pipeline: i32,
    hash: &str,
    engine: i32,
    config: &str,
    layout: &Value,
) -> Result<i32, Error> {
    let sql = "
        WITH made AS (
            INSERT INTO cartage.mapping (pipeline, hash, engine, config, layout)
            VALUES ($1, $2, $3, $4, $5::text::jsonb)
            ON CONFLICT (pipeline, hash) DO NOTHING RETURNING id)
        SELECT id FROM made
        UNION ALL SELECT id FROM cartage.mapping WHERE pipeline = $1 AND hash = $2
        LIMIT 1";
    target
        .query_one(
            sql,
            &[&pipeline, &hash, &engine, &config, &layout.to_string()],
        )
        .await?
        .try_get(0)
}

pub async fn by_hash(
    target: &Client,
    pipeline: i32,
    hash: &str,
) -> Result<Option<MappingRow>, Error> {
    let sql = "SELECT id, hash, engine, config, layout::text FROM cartage.mapping
               WHERE pipeline = $1 AND hash = $2";
    let row = target.query_opt(sql, &[&pipeline, &hash]).await?;
    row.map(|row| from_row(&row)).transpose()
}

pub async fn by_id(target: &Client, id: i32) -> Result<Option<MappingRow>, Error> {
    let sql = "SELECT id, hash, engine, config, layout::text FROM cartage.mapping WHERE id = $1";
    let row = target.query_opt(sql, &[&id]).await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<MappingRow, Error> {
    Ok(MappingRow {
        id: row.try_get("id")?,
        hash: row.try_get("hash")?,
        engine: row.try_get("engine")?,
        config: row.try_get("config")?,
        // The server wrote it from jsonb, so it parses.
        layout: serde_json::from_str(row.try_get("layout")?).unwrap_or(Value::Null),
    })
}

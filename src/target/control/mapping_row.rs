//! The mappings that ledger rows refer to, each stored once by its fingerprint.

use serde_json::Value;

use crate::params;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::{Param, Words};

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
    target: &Target,
    pipeline: i32,
    hash: &str,
    engine: i32,
    config: &str,
    layout: &Value,
) -> Result<i32, TargetError> {
    let words = Words::each(
        "INSERT INTO cartage.mapping (pipeline, hash, engine, config, layout)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (pipeline, hash) DO NOTHING",
        "INSERT INTO cartage_mapping (pipeline, hash, engine, config, layout)
         VALUES ($1, $2, $3, $4, $5) ON DUPLICATE KEY UPDATE hash = hash",
    );
    let params = params![pipeline, hash, engine, config, layout.to_string()];
    target.execute(words, params).await?;
    let sql = "SELECT id FROM cartage.mapping WHERE pipeline = $1 AND hash = $2";
    target.one(sql, params![pipeline, hash]).await?.get(0)
}

/// Stores other schemas with a mapping.
pub async fn set_layout(target: &Target, id: i32, layout: &Value) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.mapping SET layout = $2 WHERE id = $1";
    target.execute(sql, params![id, layout.to_string()]).await?;
    Ok(())
}

/// Has a mapping answer to its fingerprint no more: the next one that is stored under it is another.
pub async fn retire(target: &Target, row: &MappingRow) -> Result<(), TargetError> {
    let hash: String = row.hash.chars().take(40).collect();
    let hash = format!("{hash}-{}", row.id);
    let sql = "UPDATE cartage.mapping SET hash = $2 WHERE id = $1";
    target.execute(sql, params![row.id, &hash]).await?;
    Ok(())
}

/// The columns of a row, as Postgres gives them; as text they are the same elsewhere.
const ROW: &str = "SELECT id, hash, engine, config, CAST(layout AS text) FROM cartage.mapping";
const ROW_THERE: &str = "SELECT id, hash, engine, config, layout FROM cartage_mapping";

pub async fn by_hash(
    target: &Target,
    pipeline: i32,
    hash: &str,
) -> Result<Option<MappingRow>, TargetError> {
    row(
        target,
        "WHERE pipeline = $1 AND hash = $2",
        params![pipeline, hash],
    )
    .await
}

pub async fn by_id(target: &Target, id: i32) -> Result<Option<MappingRow>, TargetError> {
    row(target, "WHERE id = $1", params![id]).await
}

async fn row(
    target: &Target,
    condition: &str,
    params: &[Param<'_>],
) -> Result<Option<MappingRow>, TargetError> {
    let words = [ROW, ROW_THERE].map(|select| format!("{select} {condition}"));
    let [postgres, mysql] = words;
    let row = target.first(Words::each(postgres, mysql), params).await?;
    row.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<MappingRow, TargetError> {
    Ok(MappingRow {
        id: row.get(0)?,
        hash: row.get(1)?,
        engine: row.get(2)?,
        config: row.get(3)?,
        // It was written from JSON, so it parses.
        layout: serde_json::from_str(&row.get::<String>(4)?).unwrap_or(Value::Null),
    })
}

//! The records of what happened where both sides wrote a cart: reading them, and letting go of those
//! that are old.

use serde_json::Value;

use crate::config::Keep;
use crate::params;
use crate::source::change::Lsn;
use crate::switch::{self, Bound};
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::{Param, Words};

/// A record, without what its sides hold.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub id: i64,
    pub cart: String,
    pub kind: String,
    pub lsn: Lsn,
    /// RFC 3339, UTC.
    pub at: String,
    pub seen_at: String,
    pub times: i64,
    pub items: i64,
}

/// Which records are meant.
#[derive(Clone, Debug, Default)]
pub struct Which {
    pub cart: Option<String>,
    pub kind: Option<String>,
    /// Older than this one.
    pub before: Option<i64>,
}

/// What the sides of a record hold, and what was decided.
#[derive(Clone, Debug)]
pub struct Sides {
    pub base: Value,
    pub ours: Value,
    pub theirs: Value,
    pub decisions: Value,
}

/// What a merge looked at, as it was kept, for it to be decided again.
#[derive(Clone, Debug)]
pub struct Replayable {
    pub mapping: Option<i32>,
    pub inputs: Option<Vec<u8>>,
    pub decisions: Value,
}

impl Which {
    /// The condition and its parameters, the pipeline's first.
    fn condition(&self, pipeline: i32) -> (String, Vec<Param<'_>>) {
        let mut params = vec![Param::from(pipeline)];
        let mut sql = "pipeline = $1".to_owned();
        let mut and = |column: &str, param: Option<Param<'static>>| {
            if let Some(param) = param {
                params.push(param);
                sql += &format!(" AND {column} ${}", params.len());
            }
        };
        and("cart =", self.cart.clone().map(Param::from));
        and("kind =", self.kind.clone().map(Param::from));
        and("id <", self.before.map(Param::from));
        (sql, params)
    }
}

const COLUMNS: &str = "id, cart, kind, lsn, times, items, \
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
    to_char(seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
/// Our sessions there are in UTC.
const COLUMNS_THERE: &str = "id, cart, kind, lsn, times, items, \
    date_format(at, '%Y-%m-%dT%H:%i:%sZ'), date_format(seen_at, '%Y-%m-%dT%H:%i:%sZ')";

/// Records, the latest first.
pub async fn list(
    target: &Target,
    pipeline: i32,
    which: &Which,
    limit: u64,
) -> Result<Vec<Recorded>, TargetError> {
    let (condition, params) = which.condition(pipeline);
    let sql = |columns: &str, table: &str| {
        format!("SELECT {columns} FROM {table} WHERE {condition} ORDER BY id DESC LIMIT {limit}")
    };
    let words = Words::each(
        sql(COLUMNS, "cartage.conflict"),
        sql(COLUMNS_THERE, "cartage_conflict"),
    );
    let rows = target.query(words, &params).await?;
    rows.iter().map(recorded).collect()
}

fn recorded(row: &Row) -> Result<Recorded, TargetError> {
    Ok(Recorded {
        id: row.get(0)?,
        cart: row.get(1)?,
        kind: row.get(2)?,
        lsn: row.get(3)?,
        times: row.get(4)?,
        items: row.get(5)?,
        at: row.get(6)?,
        seen_at: row.get(7)?,
    })
}

/// How many there are.
pub async fn count(target: &Target, pipeline: i32, which: &Which) -> Result<i64, TargetError> {
    let (condition, params) = which.condition(pipeline);
    let sql = format!("SELECT count(*) FROM cartage.conflict WHERE {condition}");
    target.one(sql.as_str(), &params).await?.get(0)
}

/// None where it has gone since.
pub async fn sides(target: &Target, id: i64) -> Result<Option<Sides>, TargetError> {
    let words = Words::each(
        "SELECT base::text, ours::text, theirs::text, decisions::text \
         FROM cartage.conflict WHERE id = $1",
        "SELECT base, ours, theirs, decisions FROM cartage_conflict WHERE id = $1",
    );
    let row = target.first(words, params![id]).await?;
    row.map(|row| {
        Ok(Sides {
            base: document(&row, 0)?,
            ours: document(&row, 1)?,
            theirs: document(&row, 2)?,
            decisions: document(&row, 3)?,
        })
    })
    .transpose()
}

/// None where it has gone since.
pub async fn replayable(target: &Target, id: i64) -> Result<Option<Replayable>, TargetError> {
    let words = Words::each(
        "SELECT mapping, inputs, decisions::text FROM cartage.conflict WHERE id = $1",
        "SELECT mapping, inputs, decisions FROM cartage_conflict WHERE id = $1",
    );
    let row = target.first(words, params![id]).await?;
    row.map(|row| {
        Ok(Replayable {
            mapping: row.get(0)?,
            inputs: row.get(1)?,
            decisions: document(&row, 2)?,
        })
    })
    .transpose()
}

fn document(row: &Row, at: usize) -> Result<Value, TargetError> {
    let text: Option<String> = row.get(at)?;
    // It was written as JSON, so it parses.
    let parsed = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(parsed.unwrap_or(Value::Null))
}

/// Deletes what is not kept, the oldest first, so many at once that nobody waits for it. Answers how
/// many went; less than [`at_once`] means that the rest is kept.
pub async fn purge(target: &Target, pipeline: i32, keep: &Keep) -> Result<u64, TargetError> {
    let at_once = at_once();
    let age = keep.keep_for.as_secs_f64();
    let words = Words::each(
        format!(
            "DELETE FROM cartage.conflict WHERE id IN (SELECT id FROM cartage.conflict \
             WHERE pipeline = $1 AND seen_at < now() - $2::float8 * interval '1 second' \
             ORDER BY seen_at, id LIMIT {at_once})"
        ),
        format!(
            "DELETE FROM cartage_conflict WHERE pipeline = $1 \
             AND seen_at < CURRENT_TIMESTAMP(6) - INTERVAL $2 SECOND \
             ORDER BY seen_at, id LIMIT {at_once}"
        ),
    );
    let old = target.execute(words, params![pipeline, age]).await?;
    if old >= at_once {
        return Ok(old);
    }
    let too_many = format!(
        "SELECT id FROM cartage.conflict WHERE pipeline = $1 ORDER BY id DESC LIMIT 1 OFFSET {}",
        keep.keep_at_most
    );
    let Some(last) = target.first(too_many.as_str(), params![pipeline]).await? else {
        return Ok(old);
    };
    let last = last.get::<i64>(0)?;
    let rest = at_once - old;
    let words = Words::each(
        format!(
            "DELETE FROM cartage.conflict WHERE id IN (SELECT id FROM cartage.conflict \
             WHERE pipeline = $1 AND id <= $2 ORDER BY id LIMIT {rest})"
        ),
        format!(
            "DELETE FROM cartage_conflict WHERE pipeline = $1 AND id <= $2 ORDER BY id LIMIT {rest}"
        ),
    );
    let more = target.execute(words, params![pipeline, last]).await?;
    Ok(old + more)
}

/// Deletes records of one cart, so many at once. Answers how many went.
pub async fn forget(target: &Target, pipeline: i32, cart: &str) -> Result<u64, TargetError> {
    let at_once = at_once();
    let words = Words::each(
        format!(
            "DELETE FROM cartage.conflict WHERE id IN (SELECT id FROM cartage.conflict \
             WHERE pipeline = $1 AND cart = $2 LIMIT {at_once})"
        ),
        format!(
            "DELETE FROM cartage_conflict WHERE pipeline = $1 AND cart = $2 \
             ORDER BY id LIMIT {at_once}"
        ),
    );
    target.execute(words, params![pipeline, cart]).await
}

/// How many are deleted by one statement.
pub fn at_once() -> u64 {
    switch::bound(Bound::Purged, 500).max(1)
}

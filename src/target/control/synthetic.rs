//! Synthetic carts as they are written down: each before its first row is made.

use std::collections::BTreeMap;

use crate::params;
use crate::synthetic::plan::Plan;
use crate::target::error::TargetError;
use crate::target::row::Row;
use crate::target::session::Target;
use crate::target::words::Words;

/// Carts that are gone and still written down.
const KEPT: i64 = 100;

/// A cart whose rows may be in the old database.
#[derive(Clone, Debug)]
pub struct Left {
    pub number: i64,
    /// It is not known whether its rows are there.
    pub doubtful: bool,
    pub plan: Plan,
    pub known: BTreeMap<String, String>,
    /// Since it was begun.
    pub age_seconds: f64,
}

/// The last cart that is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Last {
    pub number: i64,
    pub seconds_ago: f64,
    pub create: Option<f64>,
    pub change: Option<f64>,
    pub remove: Option<f64>,
    pub failure: Option<String>,
    /// Of those that are written down.
    pub failures: i64,
    /// Since the last one without a failure.
    pub success_seconds_ago: Option<f64>,
}

/// Writes a new cart down, with a number that none had before.
pub async fn begin(
    target: &Target,
    pipeline: i32,
    by: &str,
    plan: &Plan,
) -> Result<i64, TargetError> {
    let plan = json(plan)?;
    // Another one may take the same number at the same time: then the key refuses ours.
    let next = "SELECT coalesce(max(n), 0) + 1 FROM cartage.synthetic WHERE pipeline = $1";
    let number: i64 = target.one(next, params![pipeline]).await?.get(0)?;
    let sql = "INSERT INTO cartage.synthetic (pipeline, n, made_by, step, plan, known) \
               VALUES ($1, $2, $3, 'begun', $4, '{}')";
    target
        .execute(sql, params![pipeline, number, by, plan])
        .await?;
    Ok(number)
}

/// Its rows are there.
pub async fn made(
    target: &Target,
    pipeline: i32,
    number: i64,
    cart: &str,
    known: &BTreeMap<String, String>,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.synthetic SET step = 'made', cart = $3, known = $4 \
               WHERE pipeline = $1 AND n = $2";
    let known = json(known)?;
    target
        .execute(sql, params![pipeline, number, cart, known])
        .await?;
    Ok(())
}

/// Its rows are gone from the old database.
pub async fn gone(target: &Target, pipeline: i32, number: i64) -> Result<(), TargetError> {
    let sql = Words::each(
        "UPDATE cartage.synthetic SET step = 'gone', finished_at = now() \
         WHERE pipeline = $1 AND n = $2",
        "UPDATE cartage_synthetic SET step = 'gone', finished_at = now(6) \
         WHERE pipeline = $1 AND n = $2",
    );
    target.execute(sql, params![pipeline, number]).await?;
    let sql = "DELETE FROM cartage.synthetic WHERE pipeline = $1 AND step = 'gone' AND n <= $2";
    target
        .execute(sql, params![pipeline, number - KEPT])
        .await?;
    Ok(())
}

/// What came of it: the delays of its steps, and what did not go as it should.
pub async fn judged(
    target: &Target,
    pipeline: i32,
    number: i64,
    delays: [Option<f64>; 3],
    failure: Option<&str>,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.synthetic \
               SET create_seconds = $3, change_seconds = $4, remove_seconds = $5, failure = $6 \
               WHERE pipeline = $1 AND n = $2";
    let [create, change, remove] = delays;
    let params = params![pipeline, number, create, change, remove, failure];
    target.execute(sql, params).await?;
    Ok(())
}

/// Those of one maker whose rows may be there, older than so many seconds.
pub async fn left(
    target: &Target,
    pipeline: i32,
    by: &str,
    seconds: f64,
) -> Result<Vec<Left>, TargetError> {
    let words = words_of_left();
    let rows = target.query(words, params![pipeline, by]).await?;
    let all: Result<Vec<Left>, TargetError> = rows.iter().map(one_left).collect();
    let mut all = all?;
    all.retain(|left| left.age_seconds >= seconds);
    Ok(all)
}

const AGE: &str = "extract(epoch FROM now() - made_at)::float8";
const AGE_THERE: &str = "timestampdiff(MICROSECOND, made_at, now(6)) / 1e6";

fn words_of_left() -> Words<'static> {
    let sql = |age: &str, table: &str| {
        format!(
            "SELECT n, step = 'begun', plan, known, {age} FROM {table} \
             WHERE pipeline = $1 AND made_by = $2 AND step <> 'gone' ORDER BY n"
        )
    };
    Words::each(
        sql(AGE, "cartage.synthetic"),
        sql(AGE_THERE, "cartage_synthetic"),
    )
}

fn words_of_last() -> Words<'static> {
    let sql = |ago: &str, best: &str, table: &str| {
        format!(
            "SELECT n, {ago}, create_seconds, change_seconds, remove_seconds, failure, \
                    (SELECT count(*) FROM {table} f WHERE f.pipeline = $1 AND f.failure IS NOT NULL), \
                    (SELECT {best} FROM {table} s WHERE s.pipeline = $1 AND s.failure IS NULL \
                     AND s.remove_seconds IS NOT NULL) \
             FROM {table} WHERE pipeline = $1 AND (failure IS NOT NULL OR remove_seconds IS NOT NULL) \
             ORDER BY n DESC LIMIT 1"
        )
    };
    Words::each(
        sql(
            "extract(epoch FROM now() - coalesce(finished_at, made_at))::float8",
            "extract(epoch FROM now() - max(s.finished_at))::float8",
            "cartage.synthetic",
        ),
        sql(
            "timestampdiff(MICROSECOND, coalesce(finished_at, made_at), now(6)) / 1e6",
            "timestampdiff(MICROSECOND, max(s.finished_at), now(6)) / 1e6",
            "cartage_synthetic",
        ),
    )
}

fn one_left(row: &Row) -> Result<Left, TargetError> {
    Ok(Left {
        number: row.get(0)?,
        doubtful: row.get(1)?,
        plan: read(&row.get::<String>(2)?)?,
        known: read(&row.get::<String>(3)?)?,
        age_seconds: row.get(4)?,
    })
}

/// How the last one went.
pub async fn last(target: &Target, pipeline: i32) -> Result<Option<Last>, TargetError> {
    let row = target.first(words_of_last(), params![pipeline]).await?;
    row.map(|row| {
        Ok(Last {
            number: row.get(0)?,
            seconds_ago: row.get(1)?,
            create: row.get(2)?,
            change: row.get(3)?,
            remove: row.get(4)?,
            failure: row.get(5)?,
            failures: row.get(6)?,
            success_seconds_ago: row.get(7)?,
        })
    })
    .transpose()
}

fn json(value: &impl serde::Serialize) -> Result<String, TargetError> {
    serde_json::to_string(value).map_err(|_| unreadable())
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, TargetError> {
    serde_json::from_str(text).map_err(|_| unreadable())
}

fn unreadable() -> TargetError {
    TargetError::Answer("cartage.synthetic".into())
}

//! What the control tables know of one cart and of its lane.

use serde_json::{Value, json};

use super::facts::Hold;
use crate::cart::image::Life;
use crate::cart::key::CartKey;
use crate::lanes::item::lane_of;
use crate::params;
use crate::source::Spelling;
use crate::source::change::Lsn;
use crate::target::control::conflicts::{self, Recorded, Which};
use crate::target::control::pipeline::PipelineRow;
use crate::target::error::TargetError;
use crate::target::ledger::{Entry, State};
use crate::target::session::Target;
use crate::target::words::Words;

/// Conflict records that are shown.
const RECORDS: u64 = 10;

/// Where a cart's change has got to.
#[derive(Debug)]
pub(super) struct Lane {
    pub number: usize,
    pub position: Option<Lsn>,
    pub commit_age: Option<f64>,
    pub quiet: Option<f64>,
}

pub(super) async fn ledger_row(
    target: &Target,
    pipeline: &PipelineRow,
    cart: &CartKey,
    current: Option<i32>,
    entry: &Entry,
) -> Result<Value, TargetError> {
    let sql = "SELECT patches, refreshed FROM cartage.ledger WHERE pipeline = $1 AND cart = $2";
    let row = target
        .first(sql, params![pipeline.id, cart.as_str()])
        .await?;
    let (mut patches, mut refreshed) = (None, None);
    if let Some(row) = row {
        patches = Some(row.get::<i64>(0)?);
        refreshed = row.get::<Option<Lsn>>(1)?;
    }
    let spelling = pipeline.spelling();
    let image = &entry.image;
    Ok(json!({
        "state": entry.state.name(),
        "position": spelling.show(entry.position.lsn),
        "seq": entry.position.seq,
        "mapping": entry.mapping,
        "mapping_is_current": current == Some(entry.mapping),
        "patches": patches,
        "refreshed": refreshed.map(|at| spelling.show(at)),
        "image": {
            "life": match image.life {
                Life::Live => "live",
                Life::Ended { .. } => "ended",
                Life::Deleted { .. } => "deleted",
            },
            "rows": image.tables.iter().map(Vec::len).sum::<usize>(),
            "ghosts": image.ghosts.len(),
            "lookups": image.answers.iter().count(),
        },
        "kept_by_merges": entry.kept.len(),
        "pending": entry.state == State::Held && entry.pending.is_some(),
    }))
}

pub(super) async fn lane(
    target: &Target,
    pipeline: i32,
    cart: &CartKey,
) -> Result<Lane, TargetError> {
    let sql = "SELECT count(*) FROM cartage.checkpoint WHERE pipeline = $1";
    let lanes: i64 = target.one(sql, params![pipeline]).await?.get(0)?;
    let number = lane_of(cart, usize::try_from(lanes).unwrap_or(1));
    let here = |time: &str| format!("extract(epoch FROM now() - {time})::float8");
    let there = |time: &str| format!("timestampdiff(MICROSECOND, {time}, now(6)) / 1e6");
    let sql = |ago: &dyn Fn(&str) -> String, table: &str| {
        format!(
            "SELECT lsn, {}, {} FROM {table} WHERE pipeline = $1 AND lane = $2",
            ago("commit_time"),
            ago("updated_at")
        )
    };
    let words = Words::each(
        sql(&here, "cartage.checkpoint"),
        sql(&there, "cartage_checkpoint"),
    );
    let at = i32::try_from(number).unwrap_or_default();
    let row = target.first(words, params![pipeline, at]).await?;
    let mut lane = Lane {
        number,
        position: None,
        commit_age: None,
        quiet: None,
    };
    if let Some(row) = row {
        lane.position = Some(row.get(0)?);
        lane.commit_age = row.get(1)?;
        lane.quiet = row.get(2)?;
    }
    Ok(lane)
}

/// A moment of the control tables in RFC 3339, UTC, in the words of each kind of server.
fn moment(column: &str) -> [String; 2] {
    [
        format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"),
        format!("date_format({column}, '%Y-%m-%dT%H:%i:%sZ')"),
    ]
}

pub(super) async fn hold(
    target: &Target,
    pipeline: i32,
    cart: &CartKey,
) -> Result<Option<Hold>, TargetError> {
    let ([since, since_there], [retry, retry_there]) = (moment("since"), moment("retry_at"));
    let sql = |since: String, retry: String, table: &str| {
        format!(
            "SELECT reason, message, {since}, attempts, {retry}, take, unit FROM {table} \
             WHERE pipeline = $1 AND cart = $2"
        )
    };
    let words = Words::each(
        sql(since, retry, "cartage.held"),
        sql(since_there, retry_there, "cartage_held"),
    );
    let Some(row) = target
        .first(words, params![pipeline, cart.as_str()])
        .await?
    else {
        return Ok(None);
    };
    Ok(Some(Hold {
        reason: row.get(0)?,
        message: row.get(1)?,
        since: row.get(2)?,
        attempts: row.get(3)?,
        retry_at: row.get(4)?,
        take: row.get(5)?,
        unit: row.get(6)?,
    }))
}

/// The reason, and since when.
pub(super) async fn wish(
    target: &Target,
    pipeline: i32,
    cart: &CartKey,
) -> Result<Option<(String, String)>, TargetError> {
    let [here, there] = moment("since");
    let sql = |since: String, table: &str| {
        format!("SELECT reason, {since} FROM {table} WHERE pipeline = $1 AND cart = $2")
    };
    let words = Words::each(sql(here, "cartage.wish"), sql(there, "cartage_wish"));
    let row = target
        .first(words, params![pipeline, cart.as_str()])
        .await?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// What the last verification that found something said of the cart. One that was found equal has
/// no row: then it is the last one that looked at all carts.
pub(super) async fn verification(
    target: &Target,
    pipeline: i32,
    cart: &CartKey,
) -> Result<Value, TargetError> {
    let [here, there] = moment("looked_at");
    let words = Words::each(
        format!(
            "SELECT run, verdict, {here}, differences::text FROM cartage.verify_cart \
             WHERE pipeline = $1 AND cart = $2"
        ),
        format!(
            "SELECT run, verdict, {there}, differences FROM cartage_verify_cart \
             WHERE pipeline = $1 AND cart = $2"
        ),
    );
    if let Some(row) = target
        .first(words, params![pipeline, cart.as_str()])
        .await?
    {
        let differences: Option<String> = row.get(3)?;
        let differences = differences.and_then(|text| serde_json::from_str::<Value>(&text).ok());
        return Ok(json!({
            "run": row.get::<i32>(0)?,
            "verdict": row.get::<String>(1)?,
            "at": row.get::<String>(2)?,
            "differences": differences,
        }));
    }
    let [here, there] = moment("finished_at");
    let sql = |at: String, table: &str| {
        format!(
            "SELECT id, {at} FROM {table} WHERE pipeline = $1 AND kind = 'full' \
             AND stage = 'done' AND finished_at IS NOT NULL ORDER BY id DESC LIMIT 1"
        )
    };
    let words = Words::each(
        sql(here, "cartage.verify_run"),
        sql(there, "cartage_verify_run"),
    );
    Ok(match target.first(words, params![pipeline]).await? {
        Some(row) => json!({
            "run": row.get::<i32>(0)?,
            "verdict": "nothing_found",
            "at": row.get::<String>(1)?,
            "differences": [],
        }),
        None => Value::Null,
    })
}

/// The records of both sides' writes: how many, and the latest.
pub(super) struct Records {
    pub total: i64,
    pub late: i64,
    latest: Vec<Recorded>,
}

impl Records {
    pub async fn of(target: &Target, pipeline: i32, cart: &CartKey) -> Result<Self, TargetError> {
        let which = Which {
            cart: Some(cart.to_string()),
            ..Which::default()
        };
        let late = Which {
            kind: Some("late".to_owned()),
            ..which.clone()
        };
        Ok(Self {
            total: conflicts::count(target, pipeline, &which).await?,
            late: conflicts::count(target, pipeline, &late).await?,
            latest: conflicts::list(target, pipeline, &which, RECORDS).await?,
        })
    }

    pub fn json(&self, spelling: &Spelling) -> Value {
        let record = |record: &Recorded| {
            json!({
                "id": record.id,
                "kind": record.kind,
                "position": spelling.show(record.lsn),
                "at": record.at,
                "last_at": record.seen_at,
                "times": record.times,
            })
        };
        json!({
            "total": self.total,
            "late": self.late,
            "latest": self.latest.iter().map(record).collect::<Vec<_>>(),
        })
    }
}

//! Reading both ends for one cart: nothing is written, and no lock is taken.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::conclude::{Conclusion, Facts, Hold, conclude};
use crate::cart::image::{Cell, Image, Life};
use crate::cart::key::CartKey;
use crate::cart::layout::Layout;
use crate::config::Config;
use crate::lanes::item::lane_of;
use crate::mapping::map::{Mapper, TargetRow};
use crate::mapping::plan::{Lock, Role};
use crate::params;
use crate::source::Spelling;
use crate::source::change::Lsn;
use crate::status::{self, Status};
use crate::target::control::conflicts::{self, Which};
use crate::target::control::pipeline::PipelineRow;
use crate::target::error::TargetError;
use crate::target::found::{self, Ask, FoundRows};
use crate::target::ledger::{self, Entry, State};
use crate::target::session::Target;
use crate::target::words::Words;
use crate::verify::{Difference, Kind, Outcome, Sight, Verifier, VerifyError};

/// Conflict records that are shown.
const RECORDS: u64 = 10;

/// All that is known of a cart, as the document of `--json`, with the conclusion.
#[derive(Debug)]
pub struct Explained {
    pub conclusion: Conclusion,
    pub document: Value,
}

/// Where a cart's change has got to.
#[derive(Debug)]
struct Lane {
    number: usize,
    position: Option<Lsn>,
    commit_age: Option<f64>,
    quiet: Option<f64>,
}

/// A target row as the mapping gives it, from the source or from what the ledger remembers.
struct Wanted {
    row: TargetRow,
    /// As cartage last left it.
    left: Option<TargetRow>,
    token_left: Option<Box<str>>,
}

pub async fn explain(
    config: &Config,
    verifier: &Verifier<'_>,
    pipeline: &PipelineRow,
    cart: &CartKey,
) -> Result<Option<Explained>, VerifyError> {
    let (target, mapper) = (verifier.target, verifier.mapper);
    let Some(sight) = verifier.sight(cart).await? else {
        return Ok(None);
    };
    let status = status::look(target, Ok(verifier.source), pipeline).await?;
    let loaded = ledger::load(target, pipeline.id, &[cart]).await?;
    let entry = loaded.into_iter().next().and_then(|loaded| loaded.entry);
    let wanted = wanted(mapper, &sight, entry.as_ref());
    let rows = wanted.iter().map(|wanted| &wanted.row);
    let found = found::find(target, &mapper.mapping, rows, Ask::State).await?;
    let lane = lane(target, pipeline.id, cart).await?;
    let hold = hold(target, pipeline.id, cart).await?;
    let wish = wish(target, pipeline.id, cart).await?;
    let walk = status.walk.as_ref().filter(|walk| !walk.finished);
    let which = Which {
        cart: Some(cart.to_string()),
        ..Which::default()
    };
    let total = conflicts::count(target, pipeline.id, &which).await?;
    let late = Which {
        kind: Some("late".to_owned()),
        ..which.clone()
    };
    let late = conflicts::count(target, pipeline.id, &late).await?;
    let records = conflicts::list(target, pipeline.id, &which, RECORDS).await?;
    let spelling = pipeline.spelling();
    let stale = sight.beside.iter().filter(|d| d.kind == Kind::StaleLookup);
    let live = sight.read.image.as_ref().map(|image| mapper.live(image));
    let facts = Facts {
        cart: cart.to_string(),
        outcome: sight.outcome.clone(),
        in_source: sight.read.image.is_some(),
        live: live.and_then(Result::ok),
        live_text: live_text(config),
        state: entry.as_ref().map(|entry| entry.state),
        in_force: pipeline.mapping == Some(mapper.id),
        mapped_so: entry
            .as_ref()
            .is_some_and(|entry| entry.mapping == mapper.id),
        hold: hold.clone(),
        wish: wish.as_ref().map(|(reason, _)| reason.clone()),
        walk: walk.map(|walk| walk.kind.clone()),
        passed: sight.passed || lane.position.is_some_and(|at| at >= sight.upto),
        upto: spelling.show(sight.upto),
        moving: sight.moving,
        ledger_agrees: sight.ledger_agrees,
        lag_seconds: status.lag_seconds(),
        stalled: status.stalled(),
        closed: closed(mapper, &wanted, &found),
        token_moved: wanted.iter().any(|wanted| moved(wanted, &found)),
        has_tokens: mapper
            .mapping
            .intos
            .iter()
            .any(|into| !matches!(into.lock, Lock::Row)),
        late,
        own: own(mapper, &wanted, &found),
        stale: stale.count(),
        beside: sight.beside.iter().map(|d| d.kind).collect(),
    };
    let conclusion = conclude(&facts);
    let document = json!({
        "cart": cart.as_str(),
        "conclusion": conclusion,
        "outcome": word(&sight.outcome),
        "differences": differences(&sight.outcome),
        "beside": sight.beside,
        "source": {
            "there": facts.in_source,
            "live": facts.live,
            "rows": sight.read.image.as_ref().map_or_else(Vec::new, |i| source_rows(mapper.layout(), i)),
        },
        "target": target_rows(mapper, &wanted, &found),
        "ledger": match &entry {
            Some(entry) => ledger_row(target, pipeline, cart, mapper, entry).await?,
            None => Value::Null,
        },
        "positions": positions(&spelling, &status, &sight, &lane, facts.passed),
        "last_batch": {
            "lane": lane.number,
            "source_commit_seconds_ago": lane.commit_age,
            "lane_committed_seconds_ago": lane.quiet,
        },
        "stalled": facts.stalled,
        "hold": hold,
        "wish": wish.map(|(reason, since)| json!({ "reason": reason, "since": since })),
        "walk": walk.map(|walk| json!({ "kind": walk.kind, "done": walk.done, "total": walk.total })),
        "conflicts": {
            "total": total,
            "late": late,
            "latest": records.iter().map(|record| json!({
                "id": record.id,
                "kind": record.kind,
                "position": spelling.show(record.lsn),
                "at": record.at,
                "last_at": record.seen_at,
                "times": record.times,
            })).collect::<Vec<_>>(),
        },
        "verification": verification(target, pipeline.id, cart).await?,
    });
    Ok(Some(Explained {
        conclusion,
        document,
    }))
}

fn live_text(config: &Config) -> Option<String> {
    let live = config.cart.live.as_ref()?;
    Some(live.get_ref().as_str().to_owned())
}

/// The rows that the cart has by the source, and those that it had by the ledger.
fn wanted(mapper: &Mapper, sight: &Sight, entry: Option<&Entry>) -> Vec<Wanted> {
    // The image of another mapping has other columns.
    let entry = entry.filter(|entry| entry.mapping == mapper.id);
    let left = entry.and_then(|entry| {
        let rows = mapper.map(&entry.image).ok()?;
        let tokens = entry.tokens.iter().cloned();
        Some(rows.into_iter().zip(tokens.chain(std::iter::repeat(None))))
    });
    let mut left: Vec<(TargetRow, Option<Box<str>>)> = left.into_iter().flatten().collect();
    let now = sight.read.image.as_ref().and_then(|image| {
        let mut image = image.clone();
        if mapper.live(&image) != Ok(true) {
            return None;
        }
        if let Some(entry) = entry {
            image.keep_stamps(mapper.layout(), &entry.image);
            image.ghosts = entry.image.ghosts.clone();
            image.answers = entry.image.answers.clone();
        }
        mapper.map(&image).ok()
    });
    let mut wanted: Vec<Wanted> = Vec::new();
    for row in now.unwrap_or_default() {
        let at = left.iter().position(|(old, _)| old.id() == row.id());
        let old = at.map(|at| left.swap_remove(at));
        let (left, token_left) = old.map_or((None, None), |(row, token)| (Some(row), token));
        wanted.push(Wanted {
            row,
            left,
            token_left,
        });
    }
    wanted.extend(left.into_iter().map(|(row, token_left)| Wanted {
        left: Some(row.clone()),
        row,
        token_left,
    }));
    wanted
}

/// The row has another token than the one that cartage left.
fn moved(wanted: &Wanted, found: &FoundRows) -> bool {
    let there = found.get(&(wanted.row.into, wanted.row.key.clone()));
    match (there, &wanted.token_left) {
        (Some(there), Some(left)) => there.token.as_ref() != Some(left),
        _ => false,
    }
}

/// The new backend has closed the header.
fn closed(mapper: &Mapper, wanted: &[Wanted], found: &FoundRows) -> bool {
    wanted.iter().any(|wanted| {
        let into = &mapper.mapping.intos[wanted.row.into];
        let there = found.get(&(wanted.row.into, wanted.row.key.clone()));
        let left: &[Cell] = wanted.left.as_ref().map_or(&[], |left| &left.cells);
        into.role == Role::Header
            && !left.is_empty()
            && there.is_some_and(|there| there.finished(into, left))
    })
}

/// Columns in which the target has something else than the source, mapped, gives.
fn own(mapper: &Mapper, wanted: &[Wanted], found: &FoundRows) -> Vec<String> {
    let mut named = HashSet::new();
    let mut own = Vec::new();
    for Wanted { row, .. } in wanted {
        let into = &mapper.mapping.intos[row.into];
        let Some(there) = found.get(&(row.into, row.key.clone())) else {
            continue;
        };
        for (i, (column, cell)) in into.columns.iter().zip(&*row.cells).enumerate() {
            let name = format!("{}.{}", into.full_name(), column.name);
            if !column.once
                && *cell != Cell::Missing
                && !there.holds(i, cell)
                && named.insert(name.clone())
            {
                own.push(name);
            }
        }
    }
    own
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Equal => "equal",
        Outcome::Missing(_) => "missing",
        Outcome::Extra(_) => "extra",
        Outcome::Different(_) => "different",
        Outcome::Pending => "pending",
        Outcome::Held => "held",
        Outcome::Merged => "merged",
        Outcome::Written(_) => "written",
        Outcome::NotOurs => "not_ours",
    }
}

fn differences(outcome: &Outcome) -> &[Difference] {
    match outcome {
        Outcome::Missing(list)
        | Outcome::Extra(list)
        | Outcome::Different(list)
        | Outcome::Written(list) => list,
        _ => &[],
    }
}

fn source_rows(layout: &Layout, image: &Image) -> Vec<Value> {
    let tables = layout.tables.iter().zip(&image.tables);
    tables
        .filter(|(table, _)| !table.is_made())
        .flat_map(|(table, rows)| {
            rows.iter().map(move |row| {
                let columns = table.columns.iter().zip(&*row.cells);
                let row: Map<String, Value> = columns
                    .map(|(column, cell)| (column.name.clone(), cell.text().into()))
                    .collect();
                json!({ "table": format!("{}.{}", table.schema, table.name), "row": row })
            })
        })
        .collect()
}

fn target_rows(mapper: &Mapper, wanted: &[Wanted], found: &FoundRows) -> Vec<Value> {
    let row = |wanted: &Wanted| {
        let row = &wanted.row;
        let there = found.get(&(row.into, row.key.clone()));
        let json = there.and_then(|there| serde_json::from_str::<Value>(there.json.as_ref()?).ok());
        json!({
            "table": mapper.mapping.intos[row.into].full_name(),
            "key": CartKey::of(row.key.iter().map(|part| &**part)).as_str(),
            "there": there.is_some(),
            "token": there.and_then(|there| there.token.as_deref()),
            "token_left": wanted.token_left.as_deref(),
            "row": json,
        })
    };
    wanted.iter().map(row).collect()
}

async fn ledger_row(
    target: &Target,
    pipeline: &PipelineRow,
    cart: &CartKey,
    mapper: &Mapper,
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
        "mapping_is_current": entry.mapping == mapper.id,
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

fn positions(
    spelling: &Spelling,
    status: &Status,
    sight: &Sight,
    lane: &Lane,
    passed: bool,
) -> Value {
    let show = |at: u64| spelling.show(Lsn(at));
    json!({
        "source_end": status.source.position.map(show),
        "read_up_to": spelling.show(sight.upto),
        "lane": lane.number,
        "lane_applied": lane.position.map(|at| spelling.show(at)),
        "lane_past_what_was_read": passed,
        "all_lanes_applied": status.applied.position.map(show),
        "lag_bytes": status.lag_bytes(),
        "lag_seconds": status.lag_seconds(),
    })
}

async fn lane(target: &Target, pipeline: i32, cart: &CartKey) -> Result<Lane, TargetError> {
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

async fn hold(target: &Target, pipeline: i32, cart: &CartKey) -> Result<Option<Hold>, TargetError> {
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
async fn wish(
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
async fn verification(
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

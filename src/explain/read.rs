//! Reading both ends for one cart: nothing is written, and no lock is taken.

use serde_json::{Value, json};

use super::conclude::conclude;
use super::document::Known;
use super::facts::{Conclusion, Facts};
use super::rows;
use crate::cart::key::CartKey;
use crate::config::Config;
use crate::mapping::plan::{Into, Lock, Mapping, Role};
use crate::status;
use crate::target::control::pipeline::PipelineRow;
use crate::target::found::{self, Ask};
use crate::verify::{Difference, Kind, Outcome, Verifier, VerifyError};

/// All that is known of a cart, as the document of `--json`, with the conclusion.
#[derive(Debug)]
pub struct Explained {
    pub conclusion: Conclusion,
    pub document: Value,
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
    let known = Known::of(target, status, pipeline, cart, Some(mapper.id)).await?;
    let entry = known.entry.as_ref();
    let image = sight.read.image.as_ref();
    let wanted = rows::wanted(mapper, cart, image, entry);
    let asked = wanted.iter().map(|wanted| &wanted.row);
    let found = found::find(target, &mapper.mapping, asked, Ask::State).await?;
    let stale = sight.beside.iter().filter(|d| d.kind == Kind::StaleLookup);
    let facts = Facts {
        cart: cart.to_string(),
        pipeline: pipeline.name.clone(),
        key: key(&mapper.mapping),
        outcome: sight.outcome.clone(),
        in_source: image.is_some(),
        in_target: rows::in_target(mapper, &wanted, &found),
        live: image.and_then(|image| mapper.live(image).ok()),
        live_text: live_text(config),
        state: entry.map(|entry| entry.state),
        never_ran: known.status.phase == "new",
        in_force: pipeline.mapping.is_none_or(|id| id == mapper.id),
        mapped_so: entry.is_some_and(|entry| entry.mapping == mapper.id),
        hold: known.hold.clone(),
        wish: known.wish.as_ref().map(|(reason, _)| reason.clone()),
        walk: known.walk(),
        passed: sight.passed || known.lane.position.is_some_and(|at| at >= sight.upto),
        upto: known.status.spelling.show(sight.upto),
        moving: sight.moving,
        ledger_agrees: sight.ledger_agrees,
        lag_seconds: known.status.lag_seconds(),
        stalled: known.stalled(pipeline),
        closed: rows::closed(mapper, &wanted, &found),
        token_moved: wanted.iter().any(|wanted| {
            tells(&mapper.mapping.intos[wanted.row.into].lock) && rows::moved(wanted, &found)
        }),
        lock_tells: headers(&mapper.mapping).all(|into| tells(&into.lock)),
        late: known.records.late,
        own: rows::own(mapper, &wanted, &found),
        stale: stale.count(),
        beside: sight.beside.iter().map(|d| d.kind).collect(),
    };
    let conclusion = conclude(&facts);
    let source = image.map_or_else(Vec::new, |i| rows::source_rows(mapper.layout(), i));
    let mut document = json!({
        "cart": cart.as_str(),
        "conclusion": conclusion,
        "outcome": word(&sight.outcome),
        "differences": differences(&sight.outcome),
        "beside": sight.beside,
        "source": { "there": facts.in_source, "live": facts.live, "rows": source },
        "target": rows::target_rows(mapper, &wanted, &found),
        "positions": known.positions(Some((sight.upto, facts.passed))),
        "stalled": facts.stalled.map(|stalled| stalled.why),
    });
    known.add_to(&mut document);
    Ok(Some(Explained {
        conclusion,
        document,
    }))
}

/// Every write moves a row's `xmin`, whoever wrote it.
fn tells(lock: &Lock) -> bool {
    matches!(lock, Lock::Counter(_) | Lock::Clock(_))
}

fn headers(mapping: &Mapping) -> impl Iterator<Item = &Into> {
    let intos = mapping.intos.iter().map(|into| &**into);
    intos.filter(|into| into.role == Role::Header)
}

fn live_text(config: &Config) -> Option<String> {
    let live = config.cart.live.as_ref()?;
    Some(live.get_ref().as_str().to_owned())
}

/// `store, session of public.basket`.
fn key(mapping: &Mapping) -> String {
    let (table, key) = mapping.layout.named_in();
    let columns: Vec<&str> = key
        .iter()
        .map(|&c| table.columns[c].name.as_str())
        .collect();
    format!("{} of {}.{}", columns.join(", "), table.schema, table.name)
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

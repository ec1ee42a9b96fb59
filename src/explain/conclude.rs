//! The table from facts to the one conclusion about a cart. Pure.

use serde::Serialize;

use crate::target::ledger::State;
use crate::verify::{Kind, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Well,
    /// Different, and what makes it equal is on its way.
    OnItsWay,
    NotWell,
}

/// What is known of a cart.
#[derive(Clone, Debug)]
pub struct Facts {
    pub cart: String,
    pub outcome: Outcome,
    /// The source has rows of it.
    pub in_source: bool,
    /// None: `live` cannot be evaluated, or there is nothing to evaluate it on.
    pub live: Option<bool>,
    /// `live` as the configuration spells it.
    pub live_text: Option<String>,
    /// None: the ledger has no such cart.
    pub state: Option<State>,
    /// The configuration's mapping is the one that the daemon applied last.
    pub in_force: bool,
    /// The ledger's row is of the configuration's mapping.
    pub mapped_so: bool,
    pub hold: Option<Hold>,
    /// Why it is to be read again.
    pub wish: Option<String>,
    /// The walk over all carts that goes on.
    pub walk: Option<String>,
    /// Its lane has passed what was read.
    pub passed: bool,
    pub upto: String,
    pub moving: bool,
    pub ledger_agrees: bool,
    pub lag_seconds: Option<f64>,
    /// Why nothing moves although it should.
    pub stalled: Option<String>,
    /// The header is closed by what the new backend has written.
    pub closed: bool,
    /// A target row has another lock token than the one that cartage left.
    pub token_moved: bool,
    /// The mapping has locks at all.
    pub has_tokens: bool,
    /// Late changes that were recorded.
    pub late: i64,
    /// `table.column` of what the new backend has for its own.
    pub own: Vec<String>,
    /// Lookups that would be answered otherwise today.
    pub stale: usize,
    /// Sums that do not match and the like.
    pub beside: Vec<Kind>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hold {
    pub reason: String,
    pub message: String,
    pub since: String,
    pub attempts: i32,
    pub retry_at: Option<String>,
    pub take: Option<String>,
    pub unit: Option<String>,
}

/// One clear word on the cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// Which line of the table.
    pub why: &'static str,
    pub verdict: Verdict,
    pub text: String,
    /// What to run.
    pub next: Option<String>,
}

impl Conclusion {
    pub fn is_well(&self) -> bool {
        self.verdict != Verdict::NotWell
    }
}

fn well(why: &'static str, text: impl Into<String>) -> Conclusion {
    Conclusion {
        why,
        verdict: Verdict::Well,
        text: text.into(),
        next: None,
    }
}

fn bad(why: &'static str, text: impl Into<String>, next: String) -> Conclusion {
    Conclusion {
        why,
        verdict: Verdict::NotWell,
        text: text.into(),
        next: Some(next),
    }
}

/// What has still to come does not, where nothing moves.
fn coming(facts: &Facts, why: &'static str, text: impl Into<String>) -> Conclusion {
    let text = text.into();
    match &facts.stalled {
        Some(stalled) => bad(
            why,
            format!("{text}; but it does not come: {stalled}"),
            "cartage status".to_owned(),
        ),
        None => Conclusion {
            why,
            verdict: Verdict::OnItsWay,
            text,
            next: None,
        },
    }
}

pub fn conclude(facts: &Facts) -> Conclusion {
    let cart = &facts.cart;
    if let Some(hold) = &facts.hold {
        return held(cart, hold);
    }
    if facts.state.is_some() && !facts.in_force {
        return bad(
            "other_mapping",
            "the mapping in the configuration is not the one that the daemon applied last: what \
             was written is of that one",
            "restart the daemon, which reads all carts that the new mapping changes".to_owned(),
        );
    }
    if let Some(why) = &facts.wish {
        let text = format!("it is to be read again from the source ({why}), which settles it");
        return coming(facts, "wished", text);
    }
    if facts.state.is_some() && !facts.mapped_so {
        return match &facts.walk {
            Some(walk) => coming(
                facts,
                "older_mapping",
                format!("it is mapped by an older mapping; the walk ({walk}) will come to it"),
            ),
            None => bad(
                "older_mapping",
                "it is mapped by an older mapping, and no walk goes on that would come to it",
                format!("cartage refresh {cart}"),
            ),
        };
    }
    if facts.state == Some(State::HandedOver) {
        return closed(facts);
    }
    match &facts.outcome {
        Outcome::Equal => equal(facts),
        Outcome::Merged => merged(facts),
        Outcome::Written(_) => beside(
            facts,
            well(
                "written_in_target",
                "the new backend has written it under its lock since cartage left it, and it differs in \
                 nothing else; at its next change in the old shop both are merged",
            ),
        ),
        Outcome::NotOurs => not_ours(facts),
        Outcome::Held => bad(
            "held",
            "it was held when it was looked at, and is no more",
            format!("cartage explain {cart}"),
        ),
        Outcome::Pending if facts.state.is_none() => match &facts.walk {
            Some(walk) => coming(
                facts,
                "not_read_yet",
                format!("no lane has it yet; the walk ({walk}) will come to it"),
            ),
            None => differs(facts),
        },
        _ => differs(facts),
    }
}

fn held(cart: &str, hold: &Hold) -> Conclusion {
    let mut text = format!(
        "held since {} because of {}: {}",
        hold.since, hold.reason, hold.message
    );
    match (&hold.take, &hold.retry_at) {
        (Some(side), _) => text += &format!("; the {side}'s rows are taken at the next try"),
        (None, Some(at)) => text += &format!("; it is tried again at {at}"),
        (None, None) => text += "; it is not tried again by itself",
    }
    if hold.unit.is_some() {
        text += "; other carts are held together with it";
    }
    bad("held", text, format!("cartage held show {cart}"))
}

fn closed(facts: &Facts) -> Conclusion {
    let mut text =
        "closed by the new backend, which owns it now: later changes of the old shop are late"
            .to_owned();
    if facts.late > 0 {
        text += &format!(" ({} were recorded)", facts.late);
    }
    well("closed", text)
}

fn merged(facts: &Facts) -> Conclusion {
    let text = match facts.own.is_empty() {
        true => "the new backend has written it: merged; all that the source changed is in it"
            .to_owned(),
        false => format!(
            "the new backend has written it: merged; these are its own: {}",
            facts.own.join(", ")
        ),
    };
    beside(facts, well("merged", text))
}

fn equal(facts: &Facts) -> Conclusion {
    let conclusion = match facts.live {
        Some(true) => well("equal", "the target holds what the source, mapped, gives"),
        _ if facts.in_source => well(
            "over",
            format!(
                "over in the source{}: the target holds what the mapping keeps of such a cart",
                live(facts)
            ),
        ),
        _ => well(
            "over",
            "deleted in the source: the target holds what the mapping keeps of such a cart",
        ),
    };
    beside(facts, conclusion)
}

/// `: live = … is false`.
fn live(facts: &Facts) -> String {
    let text = facts.live_text.as_deref();
    text.map_or_else(String::new, |text| format!(" (live = {text} is false)"))
}

/// What stands beside a cart that is well otherwise.
fn beside(facts: &Facts, well: Conclusion) -> Conclusion {
    if facts.beside.contains(&Kind::SumMismatch) {
        return bad(
            "sum",
            format!(
                "{}, but a total of the target is not the sum of its lines",
                well.text
            ),
            format!("cartage verify --carts {}", facts.cart),
        );
    }
    if facts.stale > 0 {
        return Conclusion {
            why: "stale_lookup",
            text: format!(
                "{}, by answers of lookups of which {} would be other ones today; a refresh asks again",
                well.text, facts.stale
            ),
            next: Some(format!("cartage refresh {}", facts.cart)),
            ..well
        };
    }
    well
}

fn not_ours(facts: &Facts) -> Conclusion {
    match (facts.in_source, facts.live) {
        (false, _) => well(
            "unknown",
            "no such cart in the source, and the ledger never knew it",
        ),
        (true, Some(false)) => well(
            "not_live",
            format!(
                "not live in the source{}, and the ledger never knew it",
                live(facts)
            ),
        ),
        (true, _) => differs(facts),
    }
}

/// Something is otherwise than it should be.
fn differs(facts: &Facts) -> Conclusion {
    let cart = &facts.cart;
    if let Outcome::Different(list) = &facts.outcome
        && let Some(why) = list.iter().find(|d| d.kind == Kind::Unmappable)
    {
        return bad(
            "unmappable",
            format!("it cannot be mapped: {}", why.table),
            format!("cartage preview {cart}"),
        );
    }
    if facts.moving {
        return coming(
            facts,
            "moving",
            "it changes faster than it can be compared; look again",
        );
    }
    if !facts.passed && !facts.ledger_agrees {
        let lag = facts.lag_seconds.map_or_else(
            || "not known".to_owned(),
            |seconds| format!("{seconds:.1} s"),
        );
        return coming(
            facts,
            "on_its_way",
            format!(
                "the log has not passed {}: the change is on its way (lag {lag})",
                facts.upto
            ),
        );
    }
    if facts.closed {
        return closed(facts);
    }
    if facts.state.is_none() {
        return bad(
            "never_came",
            format!(
                "it is live in the source, the log has passed {}, and the ledger does not know it",
                facts.upto
            ),
            format!("cartage refresh {cart}"),
        );
    }
    if matches!(facts.outcome, Outcome::Extra(_)) {
        return bad(
            "end_missed",
            format!(
                "no longer live in the source{}, the log has passed that, and rows of it are still in \
                 the target",
                live(facts)
            ),
            repair(cart),
        );
    }
    if !facts.ledger_agrees {
        return bad(
            "ledger_behind",
            format!(
                "the log has passed {}, and the ledger holds other rows than the source: a change was \
                 missed",
                facts.upto
            ),
            repair(cart),
        );
    }
    if matches!(facts.outcome, Outcome::Missing(_)) {
        return bad(
            "deleted_in_target",
            "what cartage wrote is no longer in the target: somebody has deleted it there",
            repair(cart),
        );
    }
    if facts.token_moved {
        return bad(
            "written_in_target",
            "somebody has written it in the target under its lock, as the new backend does, but that \
             does not explain all that differs",
            repair(cart),
        );
    }
    let lock = match facts.has_tokens {
        true => " without the lock moving",
        false => "",
    };
    bad(
        "drift",
        format!("somebody changed the target{lock}: drift"),
        repair(cart),
    )
}

fn repair(cart: &str) -> String {
    format!("cartage verify --carts {cart} --repair")
}

#[cfg(test)]
#[path = "conclude_tests.rs"]
mod tests;

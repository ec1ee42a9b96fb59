//! The table from facts to the one conclusion about a cart. Pure.

use super::differs::differs;
use super::facts::{Conclusion, Facts, Hold};
use super::why::Why;
use crate::target::ledger::State;
use crate::verify::{Kind, Outcome};

pub fn conclude(facts: &Facts) -> Conclusion {
    if let Some(hold) = &facts.hold {
        return held(facts, hold);
    }
    if facts.state == Some(State::HandedOver) {
        return closed(facts);
    }
    if !facts.in_force && (facts.state.is_some() || facts.in_source) {
        return Conclusion::bad(
            Why::OtherMapping,
            "the mapping, as the configuration and both schemas have it now, is not the one that the \
             daemon applied last: what was written is of that one, and cannot be held against this; a \
             changed file waits for a restart, a changed schema is noticed by itself",
            format!("systemctl restart cartage@{}", facts.pipeline),
        );
    }
    if let Some(why) = &facts.wish {
        let text = format!("it is to be read again from the source ({why}), which settles it");
        return Conclusion::coming(facts, Why::Wished, text);
    }
    if facts.state.is_some() && !facts.mapped_so {
        return older_mapping(facts);
    }
    if facts.closed && matches!(facts.state, Some(State::Mirror | State::Merged)) {
        return closed(facts);
    }
    if facts.never_ran && facts.in_source && facts.live != Some(false) {
        let text = "no lane has it yet; the first reading of all carts has not begun";
        return Conclusion::coming(facts, Why::NotReadYet, text);
    }
    match &facts.outcome {
        Outcome::Equal => equal(facts),
        Outcome::Merged => merged(facts),
        Outcome::Written(_) => beside(
            facts,
            Conclusion::well(
                Why::WrittenInTarget,
                "the new backend has written it under its lock since cartage left it, and it differs in \
                 nothing else; at its next change in the old shop both are merged",
            ),
        ),
        Outcome::NotOurs => not_ours(facts),
        Outcome::Held => Conclusion::bad(
            Why::Held,
            "it was held when it was looked at, and is no more",
            format!("cartage explain {}", facts.typed()),
        ),
        Outcome::Pending if facts.state.is_none() => match &facts.walk {
            Some(walk) => {
                let text = format!("no lane has it yet; {} will come to it", walk.text());
                Conclusion::coming(facts, Why::NotReadYet, text)
            }
            None => differs(facts),
        },
        _ => differs(facts),
    }
}

fn held(facts: &Facts, hold: &Hold) -> Conclusion {
    let cart = facts.typed();
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
    if hold.take.is_none() {
        text += &match hold.reason.as_str() {
            "conflict" => format!(
                "; one side's rows are taken by: cartage held resolve {cart} --take source (or target)"
            ),
            _ => format!("; once that is mended: cartage held retry {cart}"),
        };
    }
    if let Some(stalled) = &facts.stalled {
        text += &format!("; but nothing is tried: {}", stalled.why);
    }
    Conclusion::bad(Why::Held, text, format!("cartage held show {cart}"))
}

fn older_mapping(facts: &Facts) -> Conclusion {
    match &facts.walk {
        Some(walk) => {
            let text = format!(
                "it is mapped by an older mapping; {} will come to it",
                walk.text()
            );
            Conclusion::coming(facts, Why::OlderMapping, text)
        }
        None => Conclusion::bad(
            Why::OlderMapping,
            "it is mapped by an older mapping, and no walk goes on that would come to it",
            format!("cartage refresh {}", facts.typed()),
        ),
    }
}

pub(super) fn closed(facts: &Facts) -> Conclusion {
    let mut conclusion = Conclusion::well(
        Why::Closed,
        "closed by the new backend, which owns it now: later changes of the old shop are late",
    );
    if facts.late > 0 {
        conclusion.text += &format!(" ({} were recorded)", facts.late);
        conclusion.next = Some(format!(
            "cartage conflicts list --kind late --cart {}",
            facts.typed()
        ));
    }
    conclusion
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
    let mut merged = Conclusion::well(Why::Merged, text);
    merged.next = Some(format!("cartage conflicts show {}", facts.typed()));
    beside(facts, merged)
}

fn equal(facts: &Facts) -> Conclusion {
    let conclusion = match facts.live {
        Some(true) => Conclusion::well(
            Why::Equal,
            "the target holds what the source, mapped, gives",
        ),
        _ if facts.in_source => Conclusion::well(
            Why::Over,
            format!(
                "over in the source{}: the target holds what the mapping keeps of such a cart",
                live(facts)
            ),
        ),
        _ => Conclusion::well(
            Why::Over,
            "deleted in the source: the target holds what the mapping keeps of such a cart",
        ),
    };
    beside(facts, conclusion)
}

/// `: live = … is false`.
pub(super) fn live(facts: &Facts) -> String {
    let text = facts.live_text.as_deref();
    text.map_or_else(String::new, |text| format!(" (live = {text} is false)"))
}

/// What stands beside a cart that is well otherwise.
fn beside(facts: &Facts, well: Conclusion) -> Conclusion {
    if facts.beside.contains(&Kind::SumMismatch) {
        return Conclusion::bad(
            Why::Sum,
            format!(
                "{}, but a total of the target is not the sum of its lines (below: source is the sum, \
                 target the total); where the old shop keeps that total, it is put right there, else in \
                 the mapping",
                well.text
            ),
            format!("cartage preview {}", facts.typed()),
        );
    }
    if facts.stale > 0 {
        return Conclusion {
            why: Why::StaleLookup,
            text: format!(
                "{}, by answers of lookups of which {} would be other ones today; a refresh asks again",
                well.text, facts.stale
            ),
            next: Some(format!("cartage refresh {}", facts.typed())),
            ..well
        };
    }
    well
}

fn not_ours(facts: &Facts) -> Conclusion {
    if facts.in_source && facts.live != Some(false) {
        return differs(facts);
    }
    let lead = match facts.in_source {
        true => format!("not live in the source{}", live(facts)),
        false => "no such cart in the source".to_owned(),
    };
    if facts.in_target {
        return Conclusion {
            next: Some("cartage verify".to_owned()),
            ..Conclusion::well(
                Why::TargetOnly,
                format!(
                    "{lead}, and the ledger never knew it, but the target has a row under its key: \
                     cartage did not write it; a full verification counts such rows (target_only)"
                ),
            )
        };
    }
    match facts.in_source {
        true => Conclusion::well(
            Why::NotLive,
            format!("{lead}, and the ledger never knew it: it comes once it is live"),
        ),
        false => Conclusion::bad(
            Why::Unknown,
            format!("{lead}, and the ledger never knew it: is the key right?"),
            format!("look for it in the old shop: a cart's key is {}", facts.key),
        ),
    }
}

#[cfg(test)]
#[path = "conclude_tests.rs"]
mod tests;

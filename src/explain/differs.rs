//! The part of the table for carts that are not as they should be: why, and what mends them.

use super::conclude::{closed, live};
use super::facts::{Conclusion, Facts, Walk};
use super::why::Why;
use crate::target::ledger::State;
use crate::verify::{Kind, Outcome};

/// Something is otherwise than it should be.
pub(super) fn differs(facts: &Facts) -> Conclusion {
    let cart = facts.typed();
    if let Outcome::Different(list) = &facts.outcome
        && let Some(why) = list.iter().find(|d| d.kind == Kind::Unmappable)
    {
        return Conclusion::bad(
            Why::Unmappable,
            format!(
                "it cannot be mapped, and the daemon holds such a cart when it comes to it: {}",
                why.table
            ),
            format!("cartage preview {cart}"),
        );
    }
    if facts.moving {
        let text = "it changes faster than it can be compared; look again";
        return Conclusion::coming(facts, Why::Moving, text);
    }
    if !facts.passed && !facts.ledger_agrees {
        let lag = facts.lag_seconds.map_or_else(
            || "not known".to_owned(),
            |seconds| format!("{seconds:.1} s"),
        );
        let text = format!(
            "the log has not passed {}: the change is on its way (lag {lag})",
            facts.upto
        );
        return Conclusion::coming(facts, Why::OnItsWay, text);
    }
    if facts.closed {
        return closed(facts);
    }
    missed(facts).unwrap_or_else(|| written(facts))
}

/// The log has passed, and cartage has not done what it should have.
fn missed(facts: &Facts) -> Option<Conclusion> {
    let cart = facts.typed();
    if facts.state.is_none() {
        let text = format!(
            "it is live in the source, the log has passed {}, and the ledger does not know it",
            facts.upto
        );
        let next = format!("cartage refresh {cart}");
        return Some(Conclusion::bad(Why::NeverCame, text, next));
    }
    if matches!(facts.outcome, Outcome::Extra(_)) {
        return Some(match facts.state {
            Some(State::Ended) => Conclusion::bad(
                Why::Resurrected,
                "over in the source and by the ledger, and its header is in the target again: \
                 somebody has put it back, and customers could buy twice",
                repair(facts),
            ),
            _ => Conclusion::bad(
                Why::EndMissed,
                format!(
                    "no longer live in the source{}, the log has passed that, and rows of it are still \
                     in the target",
                    live(facts)
                ),
                format!("cartage refresh {cart}"),
            ),
        });
    }
    (!facts.ledger_agrees).then(|| {
        Conclusion::bad(
            Why::LedgerBehind,
            format!(
                "the log has passed {}, and the ledger holds other rows than the source: a change was \
                 missed",
                facts.upto
            ),
            format!("cartage refresh {cart}"),
        )
    })
}

/// Cartage did its part: somebody else has written the target.
fn written(facts: &Facts) -> Conclusion {
    if matches!(facts.outcome, Outcome::Missing(_)) {
        return Conclusion::bad(
            Why::DeletedInTarget,
            "what cartage wrote is no longer in the target: somebody has deleted it there",
            repair(facts),
        );
    }
    if all_are(facts, |kind| {
        matches!(
            kind,
            Kind::TokenMissing | Kind::TokenAmbiguous | Kind::TokenElsewhere
        )
    }) {
        return Conclusion::bad(
            Why::Token,
            "its rows are as they should be, but its token does not find it, or finds another row \
             (below: target): of two rows with one token the one that is not of this cart has to go",
            format!("cartage verify --carts {}", facts.typed()),
        );
    }
    if all_are(facts, |kind| {
        matches!(
            kind,
            Kind::DuplicateLines | Kind::ForeignLines | Kind::QuantityOutOfBounds
        )
    }) {
        return Conclusion::bad(
            Why::Lines,
            "its rows are as they should be, but beside them stand lines that nobody mapped, lines \
             that are there twice, or quantities that only the target has",
            repair(facts),
        );
    }
    if facts.token_moved {
        return Conclusion::bad(
            Why::WrittenInTarget,
            "somebody has written it in the target under its lock, as the new backend does, but that \
             does not explain all that differs",
            repair(facts),
        );
    }
    let text = match facts.lock_tells {
        true => "somebody changed the target without the lock moving",
        false => {
            "somebody changed the target, and its lock cannot tell whether the new backend did: a \
             repair keeps what it finds and merges; with --take source the source's rows are written \
             over it"
        }
    };
    Conclusion::bad(Why::Drift, text, repair(facts))
}

fn all_are(facts: &Facts, kind: impl Fn(Kind) -> bool) -> bool {
    match &facts.outcome {
        Outcome::Different(list) => !list.is_empty() && list.iter().all(|d| kind(d.kind)),
        _ => false,
    }
}

fn repair(facts: &Facts) -> String {
    format!("cartage verify --carts {} --repair", facts.typed())
}

impl Walk {
    pub(super) fn text(&self) -> String {
        let waiting = self.waiting.as_deref();
        let waiting = waiting.map_or_else(String::new, |why| format!(", which waits: {why}"));
        format!("the walk ({}{waiting})", self.kind)
    }
}

//! What is known of a cart, and what is concluded from it: plain values.

use serde::Serialize;

use super::why::Why;
use crate::target::ledger::State;
use crate::verify::{Kind, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Well,
    /// Different, and what makes it equal is on its way.
    OnItsWay,
    NotWell,
    /// An end is away, so that nobody can say.
    NotKnown,
}

/// What is known of a cart.
#[derive(Clone, Debug)]
pub struct Facts {
    pub cart: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// Where carts come from and by which columns, for people.
    pub key: String,
    pub outcome: Outcome,
    /// The source has rows of it.
    pub in_source: bool,
    /// The target has a row under its header's key.
    pub in_target: bool,
    /// None: `live` cannot be evaluated, or there is nothing to evaluate it on.
    pub live: Option<bool>,
    /// `live` as the configuration spells it.
    pub live_text: Option<String>,
    /// None: the ledger has no such cart.
    pub state: Option<State>,
    /// The pipeline is set up, and no daemon has ever run.
    pub never_ran: bool,
    /// The configuration's mapping is the one that the daemon applied last, or none was applied yet.
    pub in_force: bool,
    /// The ledger's row is of the configuration's mapping.
    pub mapped_so: bool,
    pub hold: Option<Hold>,
    /// Why it is to be read again.
    pub wish: Option<String>,
    /// The walk over all carts that goes on.
    pub walk: Option<Walk>,
    /// Its lane has passed what was read.
    pub passed: bool,
    pub upto: String,
    pub moving: bool,
    pub ledger_agrees: bool,
    pub lag_seconds: Option<f64>,
    /// Why nothing moves although it should.
    pub stalled: Option<Stalled>,
    /// The header is closed by what the new backend has written.
    pub closed: bool,
    /// A target row has another lock token than the one that cartage left, by a lock that tells.
    pub token_moved: bool,
    /// The header's lock tells the new backend's writes from others.
    pub lock_tells: bool,
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    pub kind: String,
    /// What it waits for.
    pub waiting: Option<String>,
}

/// Why nothing moves, and what to run about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stalled {
    pub why: String,
    pub next: String,
}

/// One clear word on the cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// Which line of the table.
    pub why: Why,
    pub verdict: Verdict,
    pub text: String,
    /// What to run.
    pub next: Option<String>,
}

impl Conclusion {
    pub(super) fn well(why: Why, text: impl Into<String>) -> Self {
        Self {
            why,
            verdict: Verdict::Well,
            text: text.into(),
            next: None,
        }
    }

    pub(super) fn bad(why: Why, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            why,
            verdict: Verdict::NotWell,
            text: text.into(),
            next: Some(next.into()),
        }
    }

    /// What has still to come does not, where nothing moves.
    pub(super) fn coming(facts: &Facts, why: Why, text: impl Into<String>) -> Self {
        let text = text.into();
        match &facts.stalled {
            Some(Stalled { why: stalled, next }) => Self::bad(
                why,
                format!("{text}; but it does not come: {stalled}"),
                next,
            ),
            None => Self {
                why,
                verdict: Verdict::OnItsWay,
                text,
                next: Some(format!("cartage explain {}", facts.typed())),
            },
        }
    }
}

impl Facts {
    /// The cart as a shell takes it.
    pub(super) fn typed(&self) -> String {
        quoted(&self.cart)
    }
}

/// A word as a shell takes it: keys of several columns hold a `|`.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/@,+=".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("4711"), "4711");
        assert_eq!(quoted("1|a\\|b"), "'1|a\\|b'");
        assert_eq!(quoted("o'neill"), r"'o'\''neill'");
        assert_eq!(quoted(""), "''");
    }
}

//! The judge: reads both shops' own tables and compares them cart by cart, in every column. It says
//! itself what the new shop should hold, and knows nothing of cartage's mapping.

mod carts;
mod read;

use std::collections::{BTreeMap, BTreeSet};

pub use self::carts::{Expected, Found, Line};
use self::read::{Backfill, Span};
use super::DemoError;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// Carts that are in memory at a time.
const PAGE: usize = 1_000;
const EXAMPLES: usize = 5;

/// What was found, in carts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Live carts of the old shop.
    pub carts_compared: i64,
    /// Orders that were bought in the old shop while we watched, and are closed in the new one.
    pub ended_compared: i64,
    /// Of MySQL and MariaDB, whose new carts are read before they are moved: orders that were bought
    /// before that.
    pub ended_unseen: i64,
    pub different: i64,
    pub missing: i64,
    pub extra: i64,
    /// Carts whose version is not the number of patches that the ledger counts.
    pub version_wrong: i64,
    pub held: i64,
    /// The first carts that are not equal, with what was expected and what was found.
    pub examples: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Equal,
    Different,
    Missing,
    Extra,
    /// An order that was bought before the backfill came to it was never a cart to move.
    NotMoved,
    /// Nor was one that was bought before it was read.
    Unseen,
}

impl Comparison {
    pub fn all_well(&self) -> bool {
        [
            self.different,
            self.missing,
            self.extra,
            self.version_wrong,
            self.held,
        ]
        .iter()
        .all(|count| *count == 0)
    }

    fn count(
        &mut self,
        token: &str,
        expected: Option<&Expected>,
        found: Option<&Found>,
        backfill: &Backfill,
    ) {
        let live = expected.is_some_and(|expected| expected.live);
        self.carts_compared += i64::from(live);
        let verdict = verdict(expected, found, backfill);
        let named = match verdict {
            Verdict::Equal | Verdict::NotMoved | Verdict::Unseen => None,
            Verdict::Different => Some("different"),
            Verdict::Missing => Some("missing"),
            Verdict::Extra => Some("extra"),
        };
        match verdict {
            Verdict::Equal => self.ended_compared += i64::from(!live),
            Verdict::Different => self.different += 1,
            Verdict::Missing => self.missing += 1,
            Verdict::Extra => self.extra += 1,
            Verdict::Unseen => self.ended_unseen += 1,
            Verdict::NotMoved => {}
        }
        if let (true, Some(expected), Some(found)) = (live, expected, found) {
            self.version_wrong += i64::from(expected.patches != Some(found.version));
        }
        if let Some(named) = named.filter(|_| self.examples.len() < EXAMPLES) {
            // The demo's own invention, so its values may be shown.
            self.examples.push(format!(
                "{token}: {named}\n  expected {}\n  found    {}",
                shown(expected),
                shown(found)
            ));
        }
    }
}

fn shown<T: serde::Serialize>(cart: Option<&T>) -> String {
    serde_json::json!(cart).to_string()
}

fn verdict(expected: Option<&Expected>, found: Option<&Found>, backfill: &Backfill) -> Verdict {
    match (expected, found) {
        (None, None) => Verdict::NotMoved,
        (None, Some(_)) => Verdict::Extra,
        (Some(expected), Some(found)) => match expected.is_met_by(found) {
            true => Verdict::Equal,
            false => Verdict::Different,
        },
        (Some(expected), None) if expected.live => Verdict::Missing,
        (Some(expected), None) => {
            let after = |time: Option<i64>, event: Option<i64>| event.is_some() && time > event;
            let born_later = after(Some(expected.cart.created_at), backfill.began);
            match after(expected.completed_at, backfill.ended) {
                false => Verdict::NotMoved,
                // Had it ever been moved, the ledger would know it.
                true if expected.born_unproved && born_later && expected.patches.is_none() => {
                    Verdict::Unseen
                }
                true => Verdict::Missing,
            }
        }
    }
}

/// Compares every cart of two shops that nobody writes to any more.
pub async fn compare(old: &Target, new: &Target) -> Result<Comparison, DemoError> {
    compare_with(old, new, &|_, _| {}).await
}

/// The same where the new shop has customers of its own: what they did is laid over what the old shop
/// demands, of each cart that is there.
pub async fn compare_with(
    old: &Target,
    new: &Target,
    amend: &(dyn Fn(&mut Expected, &Found) + Sync),
) -> Result<Comparison, DemoError> {
    let mut comparison = Comparison {
        held: read::held(new).await?,
        ..Comparison::default()
    };
    let backfill = read::backfill(new).await?;
    let mut span = Span::first(old).await?;
    loop {
        let mut expected: BTreeMap<String, Expected> = read::expected(old, new, &span).await?;
        let found: BTreeMap<String, Found> = read::found(new, &span).await?;
        for (token, expected) in &mut expected {
            if let Some(found) = found.get(token) {
                amend(expected, found);
            }
        }
        let tokens: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
        for token in tokens {
            comparison.count(token, expected.get(token), found.get(token), &backfill);
        }
        match span.next(old).await? {
            Some(next) => span = next,
            None => return Ok(comparison),
        }
    }
}

/// Changes one line of one live cart in the new shop, as no daemon would.
pub async fn sabotage(new: &Target) -> Result<u64, TargetError> {
    new.execute(
        "UPDATE cart_line SET quantity = quantity + 1
         WHERE id = (SELECT id FROM (SELECT cart_line.id FROM cart_line
                                     JOIN cart ON cart.id = cart_id
                                     WHERE completed_at IS NULL
                                     ORDER BY source_id LIMIT 1) AS victim)",
        &[],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::carts::Cart;
    use super::*;

    fn bought(born_unproved: bool, created_at: i64, patches: Option<i64>) -> Expected {
        Expected {
            live: false,
            completed_at: Some(created_at + 10),
            clock: 1,
            born_unproved,
            patches,
            cart: Cart {
                created_at,
                ..Cart::default()
            },
        }
    }

    #[test]
    fn an_order_that_was_not_moved_needs_a_reason() {
        let backfill = Backfill {
            began: Some(100),
            ended: Some(200),
        };
        let judged = |order: Expected| verdict(Some(&order), None, &backfill);
        assert_eq!(judged(bought(true, 300, None)), Verdict::Unseen);
        assert_eq!(judged(bought(true, 180, None)), Verdict::NotMoved);
        // The log tells all of it; the ledger knows it; the backfill was to read it.
        assert_eq!(judged(bought(false, 300, None)), Verdict::Missing);
        assert_eq!(judged(bought(true, 300, Some(1))), Verdict::Missing);
        let early = Expected {
            completed_at: Some(300),
            ..bought(true, 90, None)
        };
        assert_eq!(judged(early), Verdict::Missing);
        let live = Expected {
            live: true,
            ..bought(true, 300, None)
        };
        assert_eq!(judged(live), Verdict::Missing);
    }

    #[test]
    fn a_seconds_clock_may_tell_an_earlier_moment_of_that_second() {
        let order = |clock| Expected {
            completed_at: Some(5_700_000),
            clock,
            ..bought(true, 0, Some(1))
        };
        let found = |completed_at| Found {
            well_named: true,
            version: 1,
            completed_at,
            cart: Cart::default(),
        };
        assert!(order(1_000_000).is_met_by(&found(Some(5_000_000))));
        assert!(!order(1_000_000).is_met_by(&found(Some(4_999_999))));
        assert!(!order(1).is_met_by(&found(Some(5_000_000))));
        assert!(order(1).is_met_by(&found(Some(5_700_000))));
        assert!(!order(1).is_met_by(&found(Some(70_000_000))));
        assert!(!order(1).is_met_by(&found(None)));
    }
}

//! What a verification looks at beside the mapped columns of each row: tokens, lines that nobody
//! mapped, quantities, sums, and carts that only the target has.
//!
//! All of it is asked of the same snapshot of the target in which the rows were compared, a few
//! statements for each chunk of carts.

mod alone;
mod buckets;
mod lines;
mod plan;
mod recall;
mod subject;
mod sums;
mod tally;
mod token;
mod written;

pub use alone::{Alone, Claims};
pub use plan::{Plan, PlanError};
pub use subject::Subject;
pub use tally::Tally;

use super::judge::{Looked, Outcome};
use super::report::{Difference, Kind};
use super::{Verifier, VerifyError};
use crate::cart::key::CartKey;
use crate::mapping::plan::Mapping;
use crate::target::seen::Sights;

impl Verifier<'_> {
    /// Adds to the verdicts what is found beside rows; subjects and verdicts are of the same carts in
    /// the same order.
    pub(super) async fn look_beyond(
        &self,
        subjects: &[Subject<'_>],
        sights: &Sights,
        looked: &mut [Looked],
    ) -> Result<(), VerifyError> {
        let (target, mapping) = (self.target, &self.mapper.mapping);
        let mut found = vec![Vec::new(); subjects.len()];
        token::look(
            target,
            mapping,
            &self.beyond.tokens,
            subjects,
            sights,
            &mut found,
        )
        .await?;
        let suspects: Vec<bool> = looked.iter().map(is_suspect).collect();
        let look = lines::Look {
            target,
            mapping,
            pipeline: self.pipeline,
            min_quantity: self.beyond.min_quantity,
            subjects,
            suspects: &suspects,
            sights,
        };
        look.run(&mut found).await?;
        subject::resurrected(target, mapping, subjects, &mut found).await?;
        sums::look(target, mapping, &self.beyond.sums, subjects, &mut found).await?;
        for (cart, found) in looked.iter_mut().zip(found) {
            add(cart, found, self.beyond.foreign_lines_differ);
        }
        written::look(self, subjects, looked).await
    }
}

/// Worth a closer look at all lines of the cart.
fn is_suspect(cart: &Looked) -> bool {
    matches!(cart.outcome, Outcome::Different(_) | Outcome::Merged)
}

/// What the cart's verdict is with this. Some findings stand beside any verdict.
fn add(cart: &mut Looked, found: Vec<Difference>, foreign_differ: bool) {
    let is_beside = |difference: &Difference| match difference.kind {
        Kind::ForeignLines => !foreign_differ,
        kind => kind.is_beside(),
    };
    let (beside, against): (Vec<_>, Vec<_>) = found.into_iter().partition(is_beside);
    cart.stale.extend(beside);
    if against.is_empty() {
        return;
    }
    let resurrected = against.iter().any(|d| d.kind == Kind::Resurrected);
    match &mut cart.outcome {
        Outcome::Missing(list) | Outcome::Extra(list) | Outcome::Different(list) => {
            list.extend(against);
        }
        outcome @ (Outcome::Equal | Outcome::Merged) => {
            *outcome = match resurrected {
                true => Outcome::Extra(against),
                false => Outcome::Different(against),
            };
        }
        Outcome::Pending | Outcome::Held | Outcome::NotOurs | Outcome::Written(_) => {}
    }
}

impl Kind {
    /// It is counted and told, and the cart is no other for it.
    pub(super) fn is_beside(self) -> bool {
        matches!(
            self,
            Kind::StaleLookup
                | Kind::SumMismatch
                | Kind::QuantityOfSource
                | Kind::OwnLines
                | Kind::TargetOnly
        )
    }
}

impl Difference {
    /// About a row of the target, whether it is one of ours or not.
    pub(super) fn of_key<'k>(
        kind: Kind,
        mapping: &Mapping,
        cart: &CartKey,
        into: usize,
        key: impl IntoIterator<Item = &'k str>,
    ) -> Self {
        Self {
            kind,
            cart: cart.to_string(),
            table: mapping.intos[into].full_name(),
            key: CartKey::of(key).to_string(),
            column: None,
            source: None,
            target: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: Kind) -> Difference {
        Difference {
            kind,
            cart: "7".to_owned(),
            table: "s.cart".to_owned(),
            key: "7".to_owned(),
            column: None,
            source: None,
            target: None,
        }
    }

    fn cart(outcome: Outcome) -> Looked {
        Looked {
            key: CartKey::of(["7"]),
            outcome,
            ledger_agrees: true,
            position: None,
            stale: Vec::new(),
        }
    }

    #[test]
    fn a_finding_makes_a_cart_different_or_stands_beside_its_verdict() {
        let mut equal = cart(Outcome::Equal);
        add(
            &mut equal,
            vec![told(Kind::SumMismatch), told(Kind::OwnLines)],
            false,
        );
        assert_eq!(equal.outcome, Outcome::Equal);
        assert_eq!(equal.stale.len(), 2);
        assert!(equal.doubtful());
        add(&mut equal, vec![told(Kind::DuplicateLines)], false);
        let list = vec![told(Kind::DuplicateLines)];
        assert_eq!(equal.outcome, Outcome::Different(list));

        let mut over = cart(Outcome::Equal);
        add(&mut over, vec![told(Kind::Resurrected)], false);
        assert!(matches!(over.outcome, Outcome::Extra(_)));

        let mut foreign = cart(Outcome::Equal);
        add(&mut foreign, vec![told(Kind::ForeignLines)], false);
        assert_eq!(foreign.outcome, Outcome::Equal);
        add(&mut foreign, vec![told(Kind::ForeignLines)], true);
        assert!(matches!(foreign.outcome, Outcome::Different(_)));

        let mut held = cart(Outcome::Held);
        add(&mut held, vec![told(Kind::TokenMissing)], false);
        assert_eq!(held.outcome, Outcome::Held);
    }

    #[test]
    fn kinds_count_once_a_cart_and_carts_of_the_target_alone_where_own_ones_are_told() {
        let mut tally = Tally::default();
        let twice = [told(Kind::DuplicateLines), told(Kind::DuplicateLines)];
        tally.count(twice.iter());
        tally.count([told(Kind::TargetOnly)].iter());
        assert_eq!(tally.of("duplicate_lines"), 1);
        assert!(tally.is_well());
        tally.own_are_told = true;
        assert!(!tally.is_well());
        let mut document = serde_json::Map::new();
        tally.add_to(&mut document);
        assert!(document["target_only"].is_null());
        tally.looked_for_alone = true;
        tally.add_to(&mut document);
        assert_eq!(document["target_only"], 1);
        assert!(tally.text().contains("target_only: 1 carts"));
    }
}

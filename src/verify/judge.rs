//! The verdict on one cart.

use super::expect::Expected;
use super::report::{Difference, Kind};
use crate::cart::key::CartKey;
use crate::lanes::item::Read;
use crate::mapping::map::TargetRow;
use crate::mapping::plan::{Mapping, Role};
use crate::source::change::Position;
use crate::target::seen::{Seen, is_compared};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Equal,
    /// Its header row is not in the target.
    Missing(Vec<Difference>),
    /// Its rows are in the target, and the source no longer has it live.
    Extra(Vec<Difference>),
    Different(Vec<Difference>),
    /// It has still to come, or changes too fast to be compared.
    Pending,
    Held,
    /// Both sides have written it, and all that the source changed is in it.
    Merged,
    /// The new backend has written it since cartage left it, and it differs in nothing else.
    Written(Vec<Difference>),
    NotOurs,
}

impl Outcome {
    /// It is not in the target as it should be.
    pub fn differs(&self) -> bool {
        matches!(
            self,
            Outcome::Missing(_) | Outcome::Extra(_) | Outcome::Different(_)
        )
    }

    /// Worth a second look.
    pub fn doubtful(&self) -> bool {
        self.differs() || matches!(self, Outcome::Pending | Outcome::Written(_))
    }
}

impl Looked {
    /// Worth a second look.
    pub fn doubtful(&self) -> bool {
        // Shops write lines and totals in transactions of their own.
        let moves = |difference: &Difference| difference.kind == Kind::SumMismatch;
        self.outcome.doubtful() || self.stale.iter().any(moves)
    }
}

/// A cart that was looked at.
#[derive(Debug)]
pub struct Looked {
    pub key: CartKey,
    pub outcome: Outcome,
    /// The ledger holds what the source holds, so that no log can explain a difference.
    pub ledger_agrees: bool,
    /// Up to where the source's changes are in what the target holds; none where it knows no such cart.
    pub position: Option<Position>,
    /// What stands beside any verdict: lookups that would be answered otherwise today, sums that do
    /// not match.
    pub stale: Vec<Difference>,
}

/// `seen` is what stands for the cart's rows, in the order of [`Expected::rows`].
pub fn judge(mapping: &Mapping, key: CartKey, expected: &Expected, seen: &[Seen]) -> Looked {
    let cart = &key;
    let mut ledger_agrees = false;
    let outcome = match expected {
        Expected::Held => Outcome::Held,
        Expected::NotOurs => Outcome::NotOurs,
        Expected::Merged {
            ledger_agrees: true,
        } => {
            ledger_agrees = true;
            Outcome::Merged
        }
        Expected::Merged {
            ledger_agrees: false,
        } => Outcome::Pending,
        Expected::Awaited => Outcome::Pending,
        Expected::Unmappable(why) => {
            Outcome::Different(vec![Difference::unmappable(cart, why.clone())])
        }
        Expected::Unallocated { table, known } => {
            let missing = vec![Difference::unallocated(cart, table.clone())];
            match known {
                true => Outcome::Different(missing),
                false => Outcome::Missing(missing),
            }
        }
        Expected::Live {
            rows,
            gone,
            ledger_agrees: agrees,
        } => {
            ledger_agrees = *agrees;
            living(mapping, cart, [rows, gone], seen)
        }
        Expected::Gone { rows } => {
            let extra = still_there(mapping, cart, rows, seen);
            match extra.is_empty() {
                true => Outcome::Equal,
                false => Outcome::Extra(extra),
            }
        }
        Expected::Over { rows } => {
            // The ledger is all that is known of a cart that is over.
            ledger_agrees = true;
            let mut differences = Vec::new();
            for (row, seen) in rows.iter().zip(seen) {
                values(mapping, cart, row, seen, &mut differences);
            }
            of(differences)
        }
    };
    Looked {
        key,
        outcome,
        ledger_agrees,
        position: None,
        stale: Vec::new(),
    }
}

fn living(
    mapping: &Mapping,
    cart: &CartKey,
    [rows, gone]: [&[TargetRow]; 2],
    seen: &[Seen],
) -> Outcome {
    let mut differences = Vec::new();
    let mut headless = false;
    for (row, seen) in rows.iter().zip(seen) {
        // A ghost's row may be gone for good: the new backend cleans up as it likes.
        if row.origin.is_some() && !seen.is_there() {
            headless |= mapping.intos[row.into].role == Role::Header;
            differences.push(Difference::of_row(mapping, cart, row, Kind::MissingRow));
        } else {
            values(mapping, cart, row, seen, &mut differences);
        }
    }
    let seen = seen.get(rows.len()..).unwrap_or_default();
    differences.extend(still_there(mapping, cart, gone, seen));
    match headless {
        true => Outcome::Missing(differences),
        false => of(differences),
    }
}

fn of(differences: Vec<Difference>) -> Outcome {
    match differences.is_empty() {
        true => Outcome::Equal,
        false => Outcome::Different(differences),
    }
}

fn still_there(
    mapping: &Mapping,
    cart: &CartKey,
    rows: &[TargetRow],
    seen: &[Seen],
) -> Vec<Difference> {
    let both = rows.iter().zip(seen);
    both.filter(|(_, seen)| seen.is_there())
        .map(|(row, _)| Difference::of_row(mapping, cart, row, Kind::ExtraRow))
        .collect()
}

/// Columns in which the row found is not as expected.
fn values(
    mapping: &Mapping,
    cart: &CartKey,
    row: &TargetRow,
    seen: &Seen,
    differences: &mut Vec<Difference>,
) {
    let Seen::Other(there) = seen else {
        return;
    };
    let into = &mapping.intos[row.into];
    for (i, (column, expected)) in into.columns.iter().zip(&*row.cells).enumerate() {
        if is_compared(into, i, expected) && !there.holds(i, expected) {
            let mut difference = Difference::of_row(mapping, cart, row, Kind::Value);
            difference.column = Some(column.name.clone());
            difference.source = expected.text().map(str::to_owned);
            difference.target = there.cells[i].text().map(str::to_owned);
            differences.push(difference);
        }
    }
}

/// The source held the same rows both times; when they were read does not matter.
pub fn same_rows(a: &Read, b: &Read) -> bool {
    match (&a.image, &b.image) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            a.tables.len() == b.tables.len()
                && a.tables.iter().zip(&b.tables).all(|(a, b)| {
                    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.cells == b.cells)
                })
        }
        _ => false,
    }
}

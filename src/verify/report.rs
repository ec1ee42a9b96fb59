//! What a verification found, counted in carts.

use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::beyond::Tally;
use super::judge::Outcome;
use crate::cart::answers::{Answer, Given};
use crate::cart::key::CartKey;
use crate::mapping::lookup::Lookup;
use crate::mapping::map::TargetRow;
use crate::mapping::plan::Mapping;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Value,
    MissingRow,
    ExtraRow,
    Unmappable,
    /// A lookup would be answered otherwise today.
    StaleLookup,
    /// The token that the source gives finds nothing in the target.
    TokenMissing,
    /// It finds another row beside the cart's own.
    TokenAmbiguous,
    /// It finds another row only.
    TokenElsewhere,
    /// A total of the target is not the sum of its lines.
    SumMismatch,
    /// A quantity that only the target has.
    QuantityOutOfBounds,
    /// A quantity that the source has too: `map` never caps.
    QuantityOfSource,
    /// The target has a line more often than the source.
    DuplicateLines,
    /// A line that nobody mapped.
    ForeignLines,
    /// The same in a cart that the new backend has written, by its lock.
    OwnLines,
    /// The header of a cart that is over is in the target again.
    Resurrected,
    /// A header of the target that no cart gives.
    TargetOnly,
}

/// One difference. Its values are shop data: they are printed where they are asked for, and
/// nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub kind: Kind,
    pub cart: String,
    pub table: String,
    /// The target row's key; several columns are joined by `|`.
    pub key: String,
    /// None where it is about the whole row.
    pub column: Option<String>,
    pub source: Option<String>,
    pub target: Option<String>,
}

impl Difference {
    pub(super) fn of_row(mapping: &Mapping, cart: &CartKey, row: &TargetRow, kind: Kind) -> Self {
        Self {
            kind,
            cart: cart.to_string(),
            table: mapping.intos[row.into].full_name(),
            key: CartKey::of(row.key.iter().map(|part| &**part)).to_string(),
            column: None,
            source: None,
            target: None,
        }
    }

    pub(super) fn unmappable(cart: &CartKey, why: String) -> Self {
        Self {
            kind: Kind::Unmappable,
            cart: cart.to_string(),
            table: why,
            key: String::new(),
            column: None,
            source: None,
            target: None,
        }
    }

    /// A row that the target has not, for its key was never given.
    pub(super) fn unallocated(cart: &CartKey, table: String) -> Self {
        Self {
            kind: Kind::MissingRow,
            cart: cart.to_string(),
            table,
            key: "(no key allocated yet)".to_owned(),
            column: None,
            source: None,
            target: None,
        }
    }

    pub(super) fn stale(cart: &CartKey, lookup: &Lookup, answer: &Answer, now: &Given) -> Self {
        let shown = |given: &Given| match given {
            Given::Missing => Some("(no row)".to_owned()),
            Given::Ambiguous => Some("(several rows)".to_owned()),
            Given::Row(cells) => {
                let texts = cells.iter().map(|cell| cell.text().unwrap_or("null"));
                Some(texts.collect::<Vec<_>>().join(", "))
            }
        };
        Self {
            kind: Kind::StaleLookup,
            cart: cart.to_string(),
            table: lookup.full_name(),
            key: CartKey::of(answer.question.args.iter().map(|arg| &**arg)).to_string(),
            column: Some(lookup.name.clone()),
            source: shown(now),
            target: shown(&answer.given),
        }
    }

    fn text(&self) -> String {
        let Self {
            cart, table, key, ..
        } = self;
        let value = |text: &Option<String>| {
            text.as_ref()
                .map_or("null".to_owned(), |t| format!("{t:?}"))
        };
        match (self.kind, &self.column) {
            (Kind::MissingRow, _) => format!("cart {cart}: {table} {key} is not in the target"),
            (Kind::ExtraRow, _) => {
                format!("cart {cart}: {table} {key} is in the target, and no longer in the source")
            }
            (Kind::Unmappable, _) => format!("cart {cart} cannot be mapped: {table}"),
            (Kind::StaleLookup, column) => format!(
                "cart {cart}: lookup {} ({key}) of {table}: it was mapped with {}, now it gives {}",
                column.as_deref().unwrap_or_default(),
                value(&self.target),
                value(&self.source),
            ),
            (Kind::TokenMissing, _) => format!(
                "cart {cart}: {table} is not found by its token {}",
                value(&self.source)
            ),
            (Kind::TokenAmbiguous, _) => format!(
                "cart {cart}: the token {} of {table} {key} finds {} too",
                value(&self.source),
                value(&self.target)
            ),
            (Kind::TokenElsewhere, _) => format!(
                "cart {cart}: the token {} of {table} {key} finds {} instead",
                value(&self.source),
                value(&self.target)
            ),
            (Kind::SumMismatch, column) => format!(
                "cart {cart}: {table} {key}, {}: {}, and the sum is {}",
                column.as_deref().unwrap_or_default(),
                value(&self.target),
                value(&self.source)
            ),
            (Kind::QuantityOutOfBounds, _) => format!(
                "cart {cart}: {table} {key} has a quantity of {}, which is out of bounds",
                value(&self.target)
            ),
            (Kind::QuantityOfSource, _) => format!(
                "cart {cart}: {table} {key} has a quantity of {}, in the source too",
                value(&self.target)
            ),
            (Kind::DuplicateLines, _) => format!(
                "cart {cart}: {table} {key} is one line of {} too many",
                value(&self.target)
            ),
            (Kind::ForeignLines | Kind::OwnLines, _) => {
                format!("cart {cart}: {table} {key} is of no row of the source")
            }
            (Kind::Resurrected, _) => {
                format!("cart {cart} is over in the source, and {table} {key} is in the target")
            }
            (Kind::TargetOnly, _) => format!("{table} {key} is in the target alone"),
            (Kind::Value, column) => format!(
                "cart {cart}: {table} {key}, {}: source {}, target {}",
                column.as_deref().unwrap_or_default(),
                value(&self.source),
                value(&self.target)
            ),
        }
    }
}

/// Carts that a report names as differing; all are counted.
pub const DIFFERING: usize = 10_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub equal: u64,
    pub missing: u64,
    pub extra: u64,
    pub different: u64,
    pub pending: u64,
    pub held: u64,
    pub merged: u64,
    /// Carts that the new backend has written since cartage left them.
    pub written: u64,
    /// What was found beside rows.
    pub beyond: Tally,
    /// Carts that were mapped with answers of lookups that are others today.
    pub stale_lookups: u64,
    pub differences: Vec<Difference>,
    /// Differences beyond the limit.
    pub more: u64,
    /// Its row in `verify_run`, if it has one.
    pub run: Option<i32>,
    /// It went on where one before it was cut short.
    pub resumed: bool,
    /// Source rows read.
    pub rows: u64,
    pub worked: Duration,
    /// How much of that it waited for its rate or for the source.
    pub waited: Duration,
    pub(super) differing: Vec<CartKey>,
    pub(super) limit: usize,
}

impl Report {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub fn count(&mut self, cart: &CartKey, outcome: Outcome, stale: Vec<Difference>) {
        if outcome.differs() && self.differing.len() < DIFFERING {
            self.differing.push(cart.clone());
        }
        let is_lookup = |d: &Difference| d.kind == Kind::StaleLookup;
        self.stale_lookups += u64::from(stale.iter().any(is_lookup));
        let list = match &outcome {
            Outcome::Missing(list) | Outcome::Extra(list) | Outcome::Different(list) => &**list,
            _ => &[],
        };
        self.beyond.count(stale.iter().chain(list));
        self.keep(stale);
        let (counter, differences) = match outcome {
            Outcome::Equal => (&mut self.equal, Vec::new()),
            Outcome::Missing(list) => (&mut self.missing, list),
            Outcome::Extra(list) => (&mut self.extra, list),
            Outcome::Different(list) => (&mut self.different, list),
            Outcome::Pending => (&mut self.pending, Vec::new()),
            Outcome::Held => (&mut self.held, Vec::new()),
            Outcome::Merged => (&mut self.merged, Vec::new()),
            Outcome::Written(_) => (&mut self.written, Vec::new()),
            Outcome::NotOurs => return,
        };
        *counter += 1;
        self.keep(differences);
    }

    /// Something of no cart.
    pub fn told(&mut self, difference: Difference) {
        self.beyond.count(std::iter::once(&difference));
        self.keep(vec![difference]);
    }

    pub(super) fn keep(&mut self, differences: Vec<Difference>) {
        let room = self.limit.saturating_sub(self.differences.len());
        self.more += differences.len().saturating_sub(room) as u64;
        self.differences.extend(differences.into_iter().take(room));
    }

    /// The carts that are missing, extra or different: the first ten thousand of them.
    pub fn differing(&self) -> &[CartKey] {
        &self.differing
    }

    /// Carts whose two sides could be held against each other.
    pub fn carts_compared(&self) -> u64 {
        self.equal + self.missing + self.extra + self.different
    }

    pub fn looked_at(&self) -> u64 {
        self.carts_compared() + self.pending + self.held + self.merged + self.written
    }

    pub fn is_well(&self) -> bool {
        self.missing + self.extra + self.different + self.held == 0 && self.beyond.is_well()
    }

    /// The document of `--json`.
    pub fn json(&self) -> Value {
        let mut document = json!({
            "carts_compared": self.carts_compared(),
            "equal": self.equal,
            "missing": self.missing,
            "extra": self.extra,
            "different": self.different,
            "pending": self.pending,
            "held": self.held,
            "merged": self.merged,
            "written": self.written,
            "stale_lookups": self.stale_lookups,
            "differences": self.differences,
            "differences_left_out": self.more,
            "run": self.run,
            "resumed": self.resumed,
            "rows": self.rows,
            "seconds": rounded(self.worked),
            "waited_seconds": rounded(self.waited),
        });
        if let Value::Object(document) = &mut document {
            self.beyond.add_to(document);
        }
        document
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        for difference in &self.differences {
            let _ = writeln!(out, "{}", difference.text());
        }
        if self.more > 0 {
            let _ = writeln!(out, "and {} more differences (--limit)", self.more);
        }
        let _ = writeln!(
            out,
            "{} carts compared: {} equal, {} missing, {} extra, {} different; {} pending, {} held",
            self.carts_compared(),
            self.equal,
            self.missing,
            self.extra,
            self.different,
            self.pending,
            self.held
        );
        if self.pending > 0 {
            out.push_str(
                "Pending carts have still to be brought over, or changed while they were \
                 compared; look again later.\n",
            );
        }
        if self.merged > 0 {
            let _ = writeln!(
                out,
                "{} merged carts hold what both sides wrote, and were not held against the source.",
                self.merged
            );
        }
        if self.stale_lookups > 0 {
            let _ = writeln!(
                out,
                "{} carts were mapped with answers of lookups that are others today; a refresh \
                 asks again.",
                self.stale_lookups
            );
        }
        if self.written > 0 {
            let _ = writeln!(
                out,
                "{} carts were written by the new backend since, and differ for that alone.",
                self.written
            );
        }
        out.push_str(&self.beyond.text());
        if self.held > 0 {
            out.push_str("Held carts need a look: cartage held list\n");
        }
        out
    }
}

fn rounded(time: Duration) -> f64 {
    time.as_millis() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CartKey {
        CartKey::of(["7"])
    }

    #[test]
    fn all_differences_count_and_some_are_kept() {
        let difference = Difference::unmappable(&CartKey::of(["7"]), "why".to_owned());
        let mut report = Report::new(3);
        report.count(
            &key(),
            Outcome::Different(vec![difference.clone(); 2]),
            Vec::new(),
        );
        report.count(&key(), Outcome::Missing(vec![difference; 2]), Vec::new());
        report.count(&key(), Outcome::Equal, Vec::new());
        report.count(&key(), Outcome::NotOurs, Vec::new());
        report.count(&key(), Outcome::Pending, Vec::new());
        assert_eq!(report.carts_compared(), 3);
        assert_eq!(report.differing(), [key(), key()]);
        assert_eq!((report.differences.len(), report.more), (3, 1));
        assert!(!report.is_well());
        assert_eq!(report.json()["pending"], 1);
        assert_eq!(report.json()["stale_lookups"], 0);
    }

    #[test]
    fn a_held_cart_is_not_well_and_a_pending_one_is_no_difference() {
        let mut report = Report::new(1);
        report.count(&key(), Outcome::Pending, Vec::new());
        assert!(report.is_well());
        report.count(&key(), Outcome::Held, Vec::new());
        assert!(!report.is_well());
    }
}

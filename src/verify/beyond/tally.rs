//! How many carts each finding beyond rows was made of, and what that means.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::report::{Difference, Kind};

/// The kinds of findings, the word under which each is counted, and what is said of it.
const KINDS: [(Kind, &str, &str); 11] = [
    (
        Kind::TokenMissing,
        "token_missing",
        "carts cannot be found by their token in the target",
    ),
    (
        Kind::TokenAmbiguous,
        "token_ambiguous",
        "carts share their token with another row of the target",
    ),
    (
        Kind::TokenElsewhere,
        "token_elsewhere",
        "carts have a token that finds another row of the target",
    ),
    (
        Kind::SumMismatch,
        "sum_mismatch",
        "carts have a total in the target that is not the sum of their lines",
    ),
    (
        Kind::QuantityOutOfBounds,
        "quantity_out_of_bounds",
        "carts have a quantity out of bounds that only the target has",
    ),
    (
        Kind::QuantityOfSource,
        "quantity_of_source",
        "carts have a quantity out of bounds in the source already; no difference",
    ),
    (
        Kind::DuplicateLines,
        "duplicate_lines",
        "carts have a line twice that the source has once",
    ),
    (
        Kind::ForeignLines,
        "foreign_lines",
        "carts have lines that nobody mapped",
    ),
    (
        Kind::OwnLines,
        "own_lines",
        "carts have lines that nobody mapped, and that the new backend has written; no difference",
    ),
    (
        Kind::Resurrected,
        "resurrected",
        "carts that are over in the source are in the target again",
    ),
    (
        Kind::TargetOnly,
        "target_only",
        "carts are in the target alone",
    ),
];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    carts: BTreeMap<&'static str, u64>,
    /// The configuration tells the new backend's own carts: others are not well.
    pub own_are_told: bool,
    /// All headers of the target were held against all carts.
    pub looked_for_alone: bool,
    /// Why carts of the target alone were not looked for.
    pub not_alone: Option<String>,
}

impl Tally {
    /// What was found of one cart: each kind counts once.
    pub fn count<'d>(&mut self, found: impl Iterator<Item = &'d Difference> + Clone) {
        for (kind, word, _) in &KINDS {
            if found.clone().any(|difference| difference.kind == *kind) {
                *self.carts.entry(word).or_default() += 1;
            }
        }
    }

    pub fn of(&self, word: &str) -> u64 {
        self.carts.get(word).copied().unwrap_or_default()
    }

    /// As it is kept for a run that is cut short.
    pub fn kept(&self) -> String {
        let carts = self
            .carts
            .iter()
            .map(|(word, n)| ((*word).to_owned(), json!(n)));
        Value::Object(carts.collect()).to_string()
    }

    /// Takes up what was kept. What the target has alone is counted at a run's end, and then anew.
    pub fn take_up(&mut self, kept: &str) {
        let kept: Map<String, Value> = serde_json::from_str(kept).unwrap_or_default();
        for (kind, word, _) in &KINDS {
            let count = kept.get(*word).and_then(Value::as_u64);
            if let Some(count) = count.filter(|_| *kind != Kind::TargetOnly) {
                self.carts.insert(word, count);
            }
        }
    }

    /// What counts beside the verdicts.
    pub fn is_well(&self) -> bool {
        self.of("sum_mismatch") == 0 && (!self.own_are_told || self.of("target_only") == 0)
    }

    pub fn add_to(&self, document: &mut Map<String, Value>) {
        for (_, word, _) in &KINDS {
            document.insert((*word).to_owned(), self.of(word).into());
        }
        if !self.looked_for_alone {
            document.insert("target_only".to_owned(), Value::Null);
        }
        if let Some(why) = &self.not_alone {
            document.insert("target_only_not_looked_for".to_owned(), json!(why));
        }
    }

    /// A line for each kind that was found.
    pub fn text(&self) -> String {
        let found = KINDS.iter().filter(|(_, word, _)| self.of(word) > 0);
        let lines = found.map(|(_, word, what)| format!("{}: {} {what}\n", word, self.of(word)));
        let mut text: String = lines.collect();
        if let Some(why) = &self.not_alone {
            text += &format!("Carts of the target alone were not looked for: {why}\n");
        }
        text
    }
}

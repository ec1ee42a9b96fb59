//! A held unit of which a human has said whose rows it is to have (`cartage held resolve`).

use super::lane::{Lane, LaneError};
use super::resolve::parts;
use super::sight::Lines;
use super::unit::{Merging, Unit};
use crate::cart::owner::Take;
use crate::mapping::map::TargetRow;
use crate::mapping::plan::{Mapping, Role};
use crate::merge;
use crate::switch::{self, Place};
use crate::target::examine::{self, Part, evidence};
use crate::target::found::FoundRows;
use crate::target::rivals::Rivals;

impl Lane {
    /// Reads what the target holds of a unit that is to have one side's rows, and makes its patch.
    pub(super) async fn read_taken(&mut self, unit: &mut Unit) -> Result<(), LaneError> {
        // Again where some of its carts turned out to be finished with.
        while let Some(take) = unit.taking().filter(|_| !unit.is_read) {
            self.take(unit, take).await?;
        }
        Ok(())
    }

    async fn take(&mut self, unit: &mut Unit, take: Take) -> Result<(), LaneError> {
        let mapper = &self.mappers.current;
        let mapping = &mapper.mapping;
        let (places, parts) = parts(unit);
        let Some(seen) = self.see(&[unit], Lines::All).await?.pop() else {
            return Ok(());
        };
        let found = &seen.found;
        // Whoever sold or deleted it in the new backend goes before this, too.
        let finished = examine::finished(mapping, &parts, found);
        if !finished.is_empty() {
            self.finished(unit, &places, finished);
            return Ok(());
        }
        if take == Take::Source && is_closed(mapping, &parts, found) {
            let evidence = evidence(mapping, &parts, found, &Rivals::new());
            let why =
                "a header that cartage never wrote is there, and closed: it is not written over";
            self.hold(unit, "conflict", why.to_owned(), Some(evidence));
            return Ok(());
        }
        let taken = self.with_inputs(unit, (&places, &parts), &seen, |inputs| match take {
            Take::Source => merge::take_source(inputs),
            Take::Target => Ok(merge::take_target(inputs)),
        });
        let taken = match taken {
            Ok(taken) => taken,
            Err(why) => {
                let evidence = evidence(mapping, &parts, found, &Rivals::new());
                self.hold(unit, "conflict", why.to_string(), Some(evidence));
                return Ok(());
            }
        };
        let evidence = evidence(mapping, &parts, found, &Rivals::new());
        let mut writes = taken.writes;
        if take == Take::Source {
            writes.extend(unit.dropped());
        }
        let decided = taken.decisions.len();
        let decisions = taken.decisions.iter().map(merge::Decision::json).collect();
        unit.merge = Some(Merging {
            kept: places.into_iter().zip(taken.kept).collect(),
            evidence: Some(evidence),
            decisions: serde_json::Value::Array(decisions).to_string(),
            decided,
            items: 0,
            inputs: None,
            taken: true,
            trusted: false,
        });
        unit.patch.writes = writes;
        unit.patch.own = taken.own;
        unit.is_read = true;
        switch::place(Place::TakeRead);
        Ok(())
    }
}

/// Where cartage left the header, that it is closed was seen before.
fn is_closed(mapping: &Mapping, parts: &[Part<'_>], found: &FoundRows) -> bool {
    let known = |row: &TargetRow| {
        let mut left = parts.iter().flat_map(|part| part.left);
        left.any(|left| left.row.id() == row.id())
    };
    let closed = |row: &TargetRow| {
        let there = found.get(&(row.into, row.key.clone()));
        mapping.intos[row.into].role == Role::Header
            && !known(row)
            && there.is_some_and(|there| there.closed)
    };
    parts.iter().flat_map(|part| part.want).any(closed)
}

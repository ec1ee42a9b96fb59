//! What the target holds of units that are merged, read for many of them at once: a cart that both
//! sides write is read before each write, and a round trip for each would take longer than the next
//! change of it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::lane::{Lane, LaneError};
use super::merge::time;
use super::resolve::parts;
use super::unit::{Merging, Unit};
use crate::cart::image::Cell;
use crate::mapping::map::{Mapper, RowKey, TargetRow};
use crate::merge::{self, Line};
use crate::target::examine::{self, Part};
use crate::target::found::{self, Ask, FoundRows};
use crate::target::rivals;
use crate::target::writer::WriteError;

/// What was found of one unit.
pub(super) struct Seen {
    pub found: FoundRows,
    /// Rows of the new backend's, and ours, that are these lines.
    pub lines: HashMap<(usize, RowKey), Line>,
}

/// The lines of which the new backend's rows are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// That the source has changed.
    Touched,
    All,
}

impl Lane {
    /// What was found to be written by the new backend must have been, and not be spelled otherwise
    /// because the type of its column has changed.
    pub(super) async fn trust(&self, units: &mut [Unit]) -> Result<(), LaneError> {
        let doubtful: Vec<&mut Merging> = units.iter_mut().filter_map(unseen).collect();
        if doubtful.is_empty() {
            return Ok(());
        }
        let (target, mapping) = (self.writer.target(), &self.mappers.current.mapping);
        let changed = self.writer.tables().changed(target, mapping).await;
        if let Some(table) = changed.map_err(WriteError::from)? {
            return Err(LaneError::TargetChanged(table));
        }
        for merge in doubtful {
            merge.trusted = true;
        }
        Ok(())
    }

    /// What the target holds of the rows of these units.
    pub(super) async fn see(&self, units: &[&Unit], which: Lines) -> Result<Vec<Seen>, LaneError> {
        let (target, mapping) = (self.writer.target(), &self.mappers.current.mapping);
        let parts: Vec<Vec<Part<'_>>> = units.iter().map(|unit| parts(unit).1).collect();
        let asked: Vec<Vec<Cow<'_, TargetRow>>> =
            parts.iter().map(|parts| examine::rows(parts)).collect();
        let rows = asked.iter().flatten().map(|row| &**row);
        let all = found::find(target, mapping, rows, Ask::State)
            .await
            .map_err(WriteError::from)?;
        let founds = asked.iter().map(|rows| {
            let ids = rows.iter().map(|row| (row.into, row.key.clone()));
            ids.filter_map(|id| Some((id.clone(), all.get(&id)?.clone())))
                .collect()
        });
        self.see_lines(units, founds.collect(), which).await
    }

    /// Adds to what was found of these units the new backend's rows of their lines.
    pub(super) async fn see_lines(
        &self,
        units: &[&Unit],
        mut founds: Vec<FoundRows>,
        which: Lines,
    ) -> Result<Vec<Seen>, LaneError> {
        let mapper = &self.mappers.current;
        let (target, mapping) = (self.writer.target(), &mapper.mapping);
        let parts: Vec<_> = units.iter().map(|unit| parts(unit)).collect();
        let sides: Vec<Vec<merge::Part<'_>>> = units
            .iter()
            .zip(&parts)
            .map(|(unit, (places, parts))| sides(mapper, unit, places, parts))
            .collect();
        // A merge has to know of the lines that the source has changed.
        let new: Vec<Vec<merge::Part<'_>>> = match which {
            Lines::Touched => Vec::new(),
            Lines::All => sides.iter().map(|sides| all_new(sides)).collect(),
        };
        let mut wanted: Vec<(usize, Line, &TargetRow)> = Vec::new();
        for all in [&sides, &new] {
            for (nth, sides) in all.iter().enumerate() {
                let touched = merge::touched(mapping, sides).into_iter();
                wanted.extend(touched.map(|(line, row)| (nth, line, row)));
            }
        }
        let samples: Vec<&TargetRow> = wanted.iter().map(|(_, _, row)| *row).collect();
        let keys = rivals::keys(target, mapping, &samples).await;
        let mut lines: Vec<HashMap<_, _>> = units.iter().map(|_| HashMap::new()).collect();
        let mut unknown = Vec::new();
        for (at, key) in keys.map_err(WriteError::from)? {
            let (nth, line, _) = &wanted[at];
            let id = (line.into, key);
            if !founds[*nth].contains_key(&id) {
                unknown.push((*nth, row_of(mapper, &id)));
            }
            lines[*nth].insert(id, line.clone());
        }
        if !unknown.is_empty() {
            let rows = unknown.iter().map(|(_, row)| row);
            let more = found::find(target, mapping, rows, Ask::State)
                .await
                .map_err(WriteError::from)?;
            for (nth, row) in &unknown {
                let id = (row.into, row.key.clone());
                if let Some(there) = more.get(&id) {
                    founds[*nth].insert(id, there.clone());
                }
            }
        }
        let seen = founds.into_iter().zip(lines);
        Ok(seen.map(|(found, lines)| Seen { found, lines }).collect())
    }
}

/// A merge that takes something for the new backend's, for the first time.
fn unseen(unit: &mut Unit) -> Option<&mut Merging> {
    let merge = unit.merge.as_mut().filter(|merge| !merge.trusted)?;
    let mut kept = merge.kept.iter();
    let new = kept.any(|(at, kept)| *kept != unit.carts[*at].known.kept);
    (merge.evidence.is_some() || new).then_some(merge)
}

/// The parts as if the source had made all of it just now.
fn all_new<'a>(sides: &[merge::Part<'a>]) -> Vec<merge::Part<'a>> {
    let new = |part: &merge::Part<'a>| merge::Part { base: &[], ..*part };
    sides.iter().map(new).collect()
}

/// A row of which nothing but the key is known.
pub(super) fn row_of(mapper: &Mapper, (into, key): &(usize, RowKey)) -> TargetRow {
    TargetRow {
        into: *into,
        key: key.clone(),
        cells: vec![Cell::Missing; mapper.mapping.intos[*into].columns.len()].into(),
        origin: None,
    }
}

/// The parts of a unit as a merge takes them.
pub(super) fn sides<'a>(
    mapper: &Mapper,
    unit: &Unit,
    places: &[usize],
    parts: &[Part<'a>],
) -> Vec<merge::Part<'a>> {
    let side = |(at, part): (&usize, &Part<'a>)| merge::Part {
        base: part.left,
        ours: part.want,
        kept: part.kept,
        time: unit.carts[*at]
            .image
            .as_ref()
            .and_then(|image| time(mapper, image)),
    };
    places.iter().zip(parts).map(side).collect()
}

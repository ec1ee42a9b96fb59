//! `map`: the target rows that an image should be, and what becomes of rows that it no longer gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use super::error::MapError;
use super::expr::{Env, EvalError, IdKey};
use super::former::{Before, Former, FormerRow};
use super::plan::{Fate, Into, Mapping};
use super::row::{At, cell, failed, row_cells, row_key};
use crate::cart::answers::{Answers, Question};
use crate::cart::fold::Folding;
use crate::cart::image::{Cell, Cells, Ghost, Image, Life, Row};
use crate::cart::layout::Layout;
use crate::hash::HashSet;
use crate::switch::{self, Bound, Mutant};

/// Ghosts of one cart beyond this number are forgotten, the oldest first; their target rows stay.
pub const MAX_GHOSTS: u64 = 1_000;

/// A compiled mapping with all that its expressions may ask for.
#[derive(Debug)]
pub struct Mapper {
    pub mapping: Mapping,
    /// `mapping.id` in the control tables.
    pub id: i32,
    pub secret: IdKey,
}

/// The key of a target row, as text in the form in which the server prints it.
pub type RowKey = Arc<[Box<str>]>;

/// One target row that a cart should have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRow {
    /// Index of its `[[into]]`.
    pub into: usize,
    pub key: RowKey,
    /// In the order of the `[[into]]`'s columns; missing where nothing is known of the value.
    pub cells: Cells,
    /// The source row that it stands for; a ghost has none.
    pub origin: Option<(usize, usize)>,
}

impl TargetRow {
    pub fn id(&self) -> (usize, &RowKey) {
        (self.into, &self.key)
    }
}

/// A number for a target row, the same in every run: the first bytes of SHA-256 over its table and
/// key, each with its length before it.
pub fn row_number(into: &Into, key: &RowKey) -> i64 {
    let mut hash = Sha256::new();
    let parts = [&*into.schema, &*into.table].into_iter();
    for part in parts.chain(key.iter().map(|part| &**part)) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    i64::from_be_bytes(first)
}

/// How good a cart's claim is on the target rows that it gives, where carts of a unit share one:
/// the living before the ended, the later before the earlier end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    Ending(i64),
    Living,
}

impl Claim {
    pub fn of(life: Life) -> Self {
        match life {
            Life::Live => Claim::Living,
            Life::Ended { stamp } | Life::Deleted { stamp } => Claim::Ending(stamp),
        }
    }
}

impl Mapper {
    pub fn layout(&self) -> &Layout {
        &self.mapping.layout
    }

    pub(super) fn env<'a>(&'a self, image: &'a Image, row: &'a Row, stamp: i64) -> Env<'a> {
        Env {
            layout: self.layout(),
            image,
            row,
            stamp,
            secret: &self.secret,
            time_zone: self.mapping.time_zone,
        }
    }

    /// Whether `live` holds for the cart; a cart without a header is not live.
    pub fn live(&self, image: &Image) -> Result<bool, String> {
        let Some(header) = image.header() else {
            return Ok(false);
        };
        match &self.mapping.live {
            None => Ok(true),
            Some(live) => live
                .evaluate(&self.env(image, header, header.stamp))
                .map(|value| value.is_true())
                .map_err(|why| format!("cart.live: {why}")),
        }
    }

    /// All target rows of the cart, ghosts included, sorted by table and key.
    pub fn map(&self, image: &Image) -> Result<Vec<TargetRow>, MapError> {
        let mut rows = match image.life {
            Life::Live => self.living(image, None)?,
            Life::Ended { .. } | Life::Deleted { .. } => Vec::new(),
        };
        self.add_ghosts(image, &mut rows);
        Ok(rows)
    }

    fn add_ghosts(&self, image: &Image, rows: &mut Vec<TargetRow>) {
        if image.ghosts.is_empty() {
            return;
        }
        let ghosts: Vec<TargetRow> = {
            let living: HashSet<_> = rows.iter().map(TargetRow::id).collect();
            let stays = |g: &&Ghost| !living.contains(&(g.into, &g.key));
            let row = |g: &Ghost| TargetRow {
                into: g.into,
                key: g.key.clone(),
                cells: g.cells.clone(),
                origin: None,
            };
            image.ghosts.iter().filter(stays).map(row).collect()
        };
        rows.extend(ghosts);
        rows.sort_by(|a, b| a.id().cmp(&b.id()));
    }

    /// The rows that the source rows give, as if the cart were live.
    fn living(
        &self,
        image: &Image,
        known: Option<&Former<'_>>,
    ) -> Result<Vec<TargetRow>, MapError> {
        let mut rows = Vec::new();
        let probing = image.answers.is_probe();
        for (index, into) in self.mapping.intos.iter().enumerate() {
            if !into.shape.is_plain() {
                match self.shaped(image, index) {
                    Err(_) if probing => {}
                    shaped => rows.extend(shaped?),
                }
                continue;
            }
            let mut last: Option<usize> = None;
            for (at, row) in image.tables[into.per].iter().enumerate() {
                let env = self.env(image, row, row.stamp);
                let former = known.and_then(|known| known.row(index, into.per, at, image, row));
                // Of what has no former row the row before it may tell something.
                let beside = match former {
                    None => last.and_then(|last| FormerRow::beside(&rows[last], image, row)),
                    Some(_) => None,
                };
                if let Some(filter) = &into.filter
                    && !former.as_ref().is_some_and(|former| former.still(filter))
                {
                    match filter.evaluate(&env) {
                        Ok(passes) if passes.is_true() => {}
                        Ok(_) | Err(EvalError::Skip) => continue,
                        Err(_) if probing => continue,
                        Err(why) => return Err(failed(into, "where", why)),
                    }
                }
                let env = At::from(env);
                let given = || {
                    Ok(TargetRow {
                        into: index,
                        key: row_key(into, &env, former.as_ref())?,
                        cells: row_cells(into, &env, former.as_ref(), beside.as_ref())?,
                        origin: Some((into.per, at)),
                    })
                };
                match given() {
                    Err(why) if MapError::is_skip(&why) || probing => {}
                    row => {
                        last = Some(rows.len());
                        rows.push(row?);
                    }
                }
            }
        }
        rows.sort_by(|a, b| a.id().cmp(&b.id()));
        match rows.windows(2).find(|pair| pair[0].id() == pair[1].id()) {
            Some(pair) => Err(MapError::Collision {
                table: self.mapping.intos[pair[0].into].full_name(),
            }),
            None => Ok(rows),
        }
    }

    /// What the mapping asks of lookups for the cart, as far as it can be told by the answers that
    /// the image holds. Of a question without an answer, what is asked with it comes to light once
    /// it has one.
    pub fn asks(&self, image: &Image) -> BTreeSet<Question> {
        if self.mapping.lookups.is_empty() {
            return BTreeSet::new();
        }
        let probe = Image {
            answers: image.answers.probe(),
            ghosts: Vec::new(),
            ..image.clone()
        };
        // Rows that cannot be made are for those to judge who make them.
        let _ = self.living(&probe, None);
        probe.answers.asked()
    }

    /// Whether the answers of the image say all that its rows take.
    pub fn is_known(&self, image: &Image) -> bool {
        self.living(image, None).is_ok()
    }

    /// Settles a cart after a fold: what it was (`before`) and no longer gives leaves a ghost or
    /// goes, as `ended` and `deleted` say. `elsewhere` tells of rows to which another cart has the better claim.
    /// Returns all its target rows.
    pub fn settle(
        &self,
        before: Option<Before<'_>>,
        folding: &mut Folding,
        elsewhere: &dyn Fn(&TargetRow) -> bool,
    ) -> Result<Vec<TargetRow>, MapError> {
        let Some(mut image) = folding.image.take() else {
            return Ok(Vec::new());
        };
        let result = self.settle_image(before, &mut image, folding, elsewhere);
        folding.image = Some(image);
        result
    }

    /// The target rows that the cart's source rows stand for now. A cart that ends now ends as it
    /// last was: changes that are folded with its end count.
    pub fn gives(
        &self,
        was: Option<Life>,
        image: &Image,
        before: Option<Before<'_>>,
    ) -> Result<Vec<TargetRow>, MapError> {
        if image.life != Life::Live && was.is_some_and(|was| was != Life::Live) {
            return Ok(Vec::new());
        }
        let former = before.and_then(|before| Former::of(self.layout(), before, image));
        self.living(image, former.as_ref())
    }

    fn settle_image(
        &self,
        before: Option<Before<'_>>,
        image: &mut Image,
        folding: &Folding,
        elsewhere: &dyn Fn(&TargetRow) -> bool,
    ) -> Result<Vec<TargetRow>, MapError> {
        let was = folding.was(before.map(|before| before.image.life), image.life);
        if let Some(before) = before
            && image.life == Life::Live
        {
            image.moments = self.moments(before.image, image);
        }
        let given = self.gives(was, image, before)?;
        let (mut rows, last) = match image.life {
            Life::Live => (given, Vec::new()),
            Life::Ended { .. } | Life::Deleted { .. } => (Vec::new(), given),
        };
        let mut ghosts = Vec::new();
        for row in last.iter().filter(|row| !elsewhere(row)) {
            ghosts.extend(self.leave([image, image], row, image.life, folding)?);
        }
        if let Some(Before {
            image: old_image,
            rows: old_rows,
            ..
        }) = before
        {
            let same = |(row, old): (&TargetRow, &TargetRow)| row.id() == old.id();
            // Mostly the same rows are there, and none is to be looked for.
            let all_stay = rows.len() == old_rows.len() && rows.iter().zip(old_rows).all(same);
            let left = if all_stay { &[][..] } else { old_rows };
            let given = rows.iter().chain(&last).map(TargetRow::id);
            let given: HashSet<_> = given.take_while(|_| !left.is_empty()).collect();
            let gone = match left {
                [] => Vec::new(),
                _ => self.gone(old_image, image),
            };
            let gone: HashSet<_> = gone.iter().map(TargetRow::id).collect();
            for old in left {
                if given.contains(&old.id()) || elsewhere(old) {
                    continue;
                }
                let gone = gone.contains(&old.id());
                ghosts.extend(self.fade([old_image, image], old, gone, folding)?);
            }
        }
        if switch::mutant(Mutant::GhostsForgotten) {
            ghosts.clear();
        }
        image.ghosts = ghosts;
        self.add_ghosts(image, &mut rows);
        match image.life {
            Life::Live => {}
            // Kept rows may still have to be told of the header's delete.
            Life::Ended { .. } if !image.ghosts.is_empty() => {}
            Life::Ended { .. } | Life::Deleted { .. } => {
                image.tables.iter_mut().for_each(Vec::clear);
                image.moments.clear();
                image.answers = Answers::default();
            }
        }
        Ok(rows)
    }

    /// Rows that an end left in an image and that are not in the cart any more: they were removed
    /// while the cart was away, or between its return and its next end.
    fn gone(&self, old: &Image, new: &Image) -> Vec<TargetRow> {
        if !matches!(old.life, Life::Ended { .. }) || matches!(new.life, Life::Deleted { .. }) {
            return Vec::new();
        }
        let (Ok(mut gone), Ok(new)) = (self.living(old, None), self.living(new, None)) else {
            return Vec::new();
        };
        let stays: HashSet<_> = new.iter().map(TargetRow::id).collect();
        gone.retain(|row| !stays.contains(&row.id()));
        gone
    }

    /// What remains of a row that was there before and that the cart no longer gives: a ghost stays
    /// one, until the header is deleted.
    fn fade(
        &self,
        [old_image, image]: [&Image; 2],
        old: &TargetRow,
        gone: bool,
        folding: &Folding,
    ) -> Result<Option<Ghost>, MapError> {
        let life = image.life;
        let both = [old_image, image];
        let known = old_image
            .ghosts
            .iter()
            .find(|g| g.into == old.into && g.key == old.key);
        let is_over = |life: Life| matches!(life, Life::Deleted { .. });
        match known {
            Some(_) if gone => self.leave(both, old, Life::Live, folding),
            Some(ghost) if !is_over(life) || is_over(old_image.life) => Ok(Some(ghost.clone())),
            // The row itself went before its cart ended.
            None if matches!(life, Life::Ended { .. }) => {
                self.leave(both, old, Life::Live, folding)
            }
            _ => self.leave(both, old, life, folding),
        }
    }

    /// Forgets ghosts beyond the bound, before anything is compared with them: a row forgotten on
    /// both sides of the difference is left alone.
    pub fn forget_old_ghosts(image: &mut Image) -> Vec<Ghost> {
        let most = usize::try_from(switch::bound(Bound::Ghosts, MAX_GHOSTS)).unwrap_or(usize::MAX);
        if image.ghosts.len() <= most || switch::mutant(Mutant::GhostsUnbounded) {
            return Vec::new();
        }
        image.ghosts.sort_by_key(|g| std::cmp::Reverse(g.stamp));
        image.ghosts.split_off(most)
    }

    /// What `ended` or `deleted` leaves of a target row whose source row is in `image`, or was;
    /// `now` is the cart as it is.
    fn leave(
        &self,
        [image, now]: [&Image; 2],
        row: &TargetRow,
        life: Life,
        folding: &Folding,
    ) -> Result<Option<Ghost>, MapError> {
        let into = &self.mapping.intos[row.into];
        let (fate, life_stamp) = match life {
            Life::Ended { stamp } => (&into.ended, Some(stamp)),
            Life::Deleted { stamp } => (&into.deleted, Some(stamp)),
            Life::Live => (&into.deleted, None),
        };
        if matches!(fate, Fate::Delete) {
            return Ok(None);
        }
        let members = match (life_stamp, fate) {
            (Some(_), Fate::Keep) => Vec::new(),
            _ => self.behind(image, row),
        };
        let removed = members
            .iter()
            .filter_map(|member| self.removal(folding, into.per, member.row));
        // Where its row has stayed, what a payload holds or a group has been made of changed with it.
        let changed = members.iter().filter_map(|member| {
            let after = now.row(self.layout(), into.per, &member.row.cells)?;
            let changed = !into.shape.is_plain() && after.cells != member.row.cells;
            changed.then_some(after.stamp)
        });
        let stamp = life_stamp
            .or_else(|| removed.max())
            .or_else(|| changed.max())
            .or(folding.time)
            .or(members.first().map(|member| member.stamp))
            .unwrap_or_default();
        let mut cells = row.cells.clone();
        match fate {
            Fate::Delete | Fate::Keep => {}
            Fate::Set(sets) => {
                let blank = blank_row(self.layout(), into.per);
                let mut at = self.at(image, into, &members, &blank);
                at.env.stamp = stamp;
                for (column, expr) in sets {
                    Arc::make_mut(&mut cells)[*column] = cell(into, *column, expr, &at)?;
                }
            }
        }
        Ok(Some(Ghost {
            into: row.into,
            key: row.key.clone(),
            cells,
            stamp,
        }))
    }

    /// When the row was taken out of the cart, if it was.
    fn removal(&self, folding: &Folding, table: usize, row: &Row) -> Option<i64> {
        let order = &self.layout().tables[table];
        folding
            .removed
            .iter()
            .rev()
            .find(|(t, cells, _)| *t == table && order.compare_keys(cells, &row.cells).is_eq())
            .map(|(_, _, stamp)| *stamp)
    }
}

impl Mapper {
    /// A ghost's source row is found again among the rows that its cart kept.
    pub(super) fn origin(&self, image: &Image, row: &TargetRow) -> Option<(usize, usize)> {
        let living = self.living(image, None).unwrap_or_default();
        let same = living.iter().find(|living| living.id() == row.id());
        same.and_then(|living| living.origin)
    }
}

fn blank_row(layout: &Layout, table: usize) -> Row {
    Row {
        cells: layout.tables[table]
            .columns
            .iter()
            .map(|_| Cell::Null)
            .collect(),
        stamp: 0,
    }
}

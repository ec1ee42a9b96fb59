//! From work to units: what the ledger knows, plus reads and changes, gives for each cart the rows
//! to write. Carts between which rows move form one unit, applied or held together.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::item::{Read, Work};
use super::ties::Ties;
use crate::cart::fold::{self, Folding, Foldings, Rules};
use crate::cart::image::{Image, Life, footprint};
use crate::cart::key::CartKey;
use crate::cart::owner::{Action, Wish};
use crate::mapping::convert::convert;
use crate::mapping::difference::{Left, Patch, RowWrite, Sides, difference};
use crate::mapping::map::{Claim, MapError, Mapper, RowKey, TargetRow};
use crate::source::change::Position;
use crate::target::ledger::{Entry, Evidence, Loaded, State};

/// The mapping in force, and those that ledger rows may still refer to.
#[derive(Debug)]
pub struct Mappers {
    pub current: Arc<Mapper>,
    pub former: HashMap<i32, Arc<Mapper>>,
    /// Tables that `live` names beside the header.
    pub live_reads: Vec<bool>,
    pub trusted_births: bool,
}

/// A cart as the ledger has it, in the terms of the mapping in force.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub entry: Option<Entry>,
    pub wished: bool,
    pub left: Vec<Left>,
    /// Rows of tables that the mapping in force no longer has.
    pub dropped: Vec<RowWrite>,
    /// Its image or its target rows are of an older mapping.
    pub older: bool,
    /// The image lacks columns that the mapping in force reads.
    pub lacking: bool,
}

impl Known {
    pub fn of(mappers: &Mappers, loaded: Loaded) -> Result<Self, MapError> {
        let mut known = Known {
            wished: loaded.wished,
            ..Known::default()
        };
        let Some(mut entry) = loaded.entry else {
            return Ok(known);
        };
        let current = &mappers.current;
        let former = mappers
            .former
            .get(&entry.mapping)
            .filter(|_| entry.mapping != current.id);
        if let Some(former) = former {
            let tokens = std::mem::take(&mut entry.tokens);
            let converted = convert(former, current, &entry.image, tokens)?;
            known.older = true;
            known.lacking = converted.image.is_none() || entry.pending.is_some();
            known.left = converted.left;
            known.dropped = converted.dropped;
            entry.image = converted.image.unwrap_or_else(|| Image {
                life: entry.image.life,
                ..Image::empty(current.layout())
            });
            if known.lacking {
                entry.pending = entry.pending.map(|(_, unit)| (entry.image.clone(), unit));
            }
        } else {
            let tokens = std::mem::take(&mut entry.tokens).into_iter();
            let rows = current.map(&entry.image)?.into_iter();
            known.left = rows
                .zip(tokens.chain(std::iter::repeat(None)))
                .map(|(row, token)| Left { row, token })
                .collect();
            let forgotten = Mapper::forget_old_ghosts(&mut entry.image);
            if !forgotten.is_empty() {
                let gone = |left: &Left| {
                    let is = |g: &crate::cart::image::Ghost| (g.into, &g.key) == left.row.id();
                    forgotten.iter().any(is)
                };
                known.left.retain(|left| !gone(left));
            }
        }
        known.entry = Some(entry);
        Ok(known)
    }

    /// About how many bytes it takes in memory.
    pub fn footprint(&self) -> usize {
        let images = self.entry.iter().map(|entry| {
            let pending = entry.pending.as_ref();
            entry.image.footprint() + pending.map_or(0, |(image, _)| image.footprint())
        });
        let left = self.left.iter().map(|left| {
            let key = left.row.key.iter().map(|part| part.len() + 32);
            size_of::<Left>() + footprint(&left.row.cells) + key.sum::<usize>()
        });
        size_of::<Self>() + images.sum::<usize>() + left.sum::<usize>()
    }

    fn state(&self) -> Option<State> {
        self.entry.as_ref().map(|e| e.state)
    }

    /// The carts that it is held with.
    pub fn held_unit(&self) -> Option<&str> {
        let (_, unit) = self.entry.as_ref()?.pending.as_ref()?;
        unit.as_deref()
    }
}

/// What is to be done with a unit.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Write the patch (which may be empty) and the ledger.
    Apply,
    /// Set its carts aside, with what was found.
    Hold {
        reason: &'static str,
        message: String,
        evidence: Option<Evidence>,
        /// It is a new or repeated attempt, not just a change to what is pending.
        tried: bool,
    },
    /// The new backend has finished with its carts.
    HandOver { evidence: Evidence },
}

/// One cart of a unit.
#[derive(Debug)]
pub struct UnitCart {
    pub key: CartKey,
    pub known: Arc<Known>,
    pub image: Option<Image>,
    pub rows: Vec<TargetRow>,
    pub position: Position,
    pub time: Option<i64>,
    /// A wish that is not in the table yet.
    pub wish: Option<Wish>,
    pub refreshed: bool,
    pub touched: bool,
    pub late: u64,
}

#[derive(Debug)]
pub struct Unit {
    pub carts: Vec<UnitCart>,
    pub patch: Patch,
    pub decision: Decision,
    pub attempts: u32,
    /// A source end that wins over the new backend's edits: what was overwritten.
    pub overruled: Option<Evidence>,
}

impl Unit {
    /// Nothing to write, not even into the ledger.
    fn idle(&self) -> bool {
        let still = |c: &UnitCart| !c.touched && !c.refreshed && c.wish.is_none() && c.late == 0;
        self.patch.is_empty() && self.carts.iter().all(still)
    }

    /// All its carts have ended or been deleted in the source.
    pub fn ends(&self) -> bool {
        let over = |c: &UnitCart| c.image.as_ref().is_some_and(|i| i.life != Life::Live);
        self.carts.iter().all(over)
    }
}

/// All carts that work concerns, each once, in order of appearance.
pub fn carts_of(works: &[Work]) -> Vec<CartKey> {
    let mut seen = HashSet::new();
    let mut carts = Vec::new();
    for work in works {
        let reads = work.reads.iter().map(|r| &r.cart);
        let changes = work.changes.iter().flat_map(|c| c.action.carts());
        for cart in reads.chain(changes) {
            if seen.insert(cart) {
                carts.push(cart.clone());
            }
        }
    }
    carts
}

/// Folds the work into units. `known` holds every cart of it.
pub fn units(
    mappers: &Mappers,
    works: Vec<Work>,
    mut known: HashMap<CartKey, Arc<Known>>,
) -> Vec<Unit> {
    let mapper = &mappers.current;
    let live = |image: &Image| mapper.live(image);
    let rules = Rules {
        layout: mapper.layout(),
        live: &live,
        live_reads: &mappers.live_reads,
        trusted_births: mappers.trusted_births,
    };
    let mut foldings: Foldings = known
        .iter()
        .map(|(key, known)| (key.clone(), begin(known)))
        .collect();
    let mut ties = Ties::default();
    let mut refreshed: HashMap<CartKey, Position> = HashMap::new();
    let mut retried = HashSet::new();
    for work in works {
        for read in work.reads {
            refreshed.insert(read.cart.clone(), read.at);
            if let Some(folding) = foldings.get_mut(&read.cart) {
                take_read(mapper, folding, read);
            }
        }
        for change in work.changes {
            match &change.action {
                Action::Move { from, to, .. } => ties.tie(from, to),
                Action::Touch { cart } => {
                    retried.insert(cart.clone());
                }
                _ => {}
            }
            fold::apply(&rules, &mut foldings, change);
        }
    }
    for (cart, at) in &refreshed {
        if let Some(folding) = foldings.get_mut(cart) {
            folding.position = folding.position.max(*at);
        }
    }
    // Carts held together come back together, where they are here together.
    let mut by_unit: BTreeMap<String, CartKey> = BTreeMap::new();
    for (key, known) in &known {
        if let Some(unit) = known.held_unit() {
            let first = by_unit
                .entry(unit.to_owned())
                .or_insert_with(|| key.clone());
            ties.tie(&first.clone(), key);
        }
    }
    ties.groups(foldings.keys().cloned().collect())
        .into_iter()
        .map(|keys| {
            let carts: Vec<(UnitCart, Folding)> = keys
                .into_iter()
                .filter_map(|key| {
                    let folding = foldings.remove(&key)?;
                    let known = known.remove(&key)?;
                    Some((key, folding, known))
                })
                .map(|(key, folding, known)| {
                    let refreshed = refreshed.contains_key(&key);
                    let retried = retried.contains(&key);
                    unit_cart(key, folding, known, refreshed, retried)
                })
                .collect();
            decide(mapper, carts, &retried)
        })
        .filter(|unit| !unit.idle())
        .collect()
}

fn begin(known: &Known) -> Folding {
    let Some(entry) = &known.entry else {
        let mut folding = Folding::new(None, Position::default());
        folding.wish = known.wished.then_some(Wish::BecameLive);
        return folding;
    };
    let image = match &entry.pending {
        Some((pending, _)) => pending.clone(),
        None => entry.image.clone(),
    };
    let mut folding = Folding::new(Some(image), entry.position);
    folding.handed_over = entry.state == State::HandedOver;
    if known.wished {
        folding.wish = Some(Wish::BecameLive);
    } else if known.lacking && !folding.handed_over {
        folding.wish = Some(Wish::Mapping);
    }
    folding
}

/// The cart becomes what was read. Rows that did not change keep their stamps. The changes that
/// follow were kept for it: none of them is old, whatever the ledger's position.
fn take_read(mapper: &Mapper, folding: &mut Folding, read: Read) {
    folding.wish = None;
    if folding.handed_over {
        return;
    }
    folding.position = Position::default();
    folding.fault = None;
    folding.touched = true;
    let before = folding.image.take();
    let stamp = read.stamp;
    folding.image = match (read.image, before) {
        (None, None) => None,
        (None, Some(mut before)) => {
            if !matches!(before.life, Life::Deleted { .. }) {
                before.life = Life::Deleted { stamp };
                folding.time = Some(stamp);
            }
            Some(before)
        }
        (Some(mut image), before) => {
            if let Some(before) = &before {
                image.keep_stamps(mapper.layout(), before);
            }
            match (mapper.live(&image), before) {
                (Ok(true), _) => Some(image),
                (Ok(false), None) => None,
                (Ok(false), Some(before)) if before.life == Life::Live => {
                    image.life = Life::Ended { stamp };
                    folding.time = Some(stamp);
                    Some(image)
                }
                (Ok(false), Some(before)) => Some(before),
                (Err(why), _) => {
                    folding.fault = Some(why);
                    Some(image)
                }
            }
        }
    };
}

fn unit_cart(
    key: CartKey,
    folding: Folding,
    known: Arc<Known>,
    refreshed: bool,
    retried: bool,
) -> (UnitCart, Folding) {
    // A read fulfils the wish of before; one that came up after it is another.
    let newly_wished = folding.wish.filter(|_| refreshed || !known.wished);
    let remapped = known.older && retried && folding.wish.is_none();
    let cart = UnitCart {
        key,
        image: None,
        rows: Vec::new(),
        position: folding.position,
        time: folding.time,
        wish: newly_wished,
        refreshed,
        touched: folding.touched || remapped,
        late: folding.late,
        known,
    };
    (cart, folding)
}

/// Settles the carts of a unit and decides what becomes of them.
fn decide(mapper: &Mapper, carts: Vec<(UnitCart, Folding)>, retried: &HashSet<CartKey>) -> Unit {
    let (mut carts, mut foldings): (Vec<UnitCart>, Vec<Folding>) = carts.into_iter().unzip();
    let held = carts.iter().any(|c| c.known.state() == Some(State::Held));
    let retry = carts
        .iter()
        .all(|c| c.known.state() != Some(State::Held) || retried.contains(&c.key) || c.refreshed);
    let fault = foldings.iter().find_map(|f| f.fault.clone());
    let outcome = match fault {
        Some(why) => Err(Refused::Unmappable(why)),
        None => settle(mapper, &mut carts, &mut foldings),
    };
    for (cart, folding) in carts.iter_mut().zip(foldings) {
        cart.image = folding.image;
    }
    let (patch, decision) = match outcome {
        Ok(_) if held && !retry => (
            Patch::default(),
            Decision::Hold {
                reason: "conflict",
                message: "it is held, and has changed in the source since".to_owned(),
                evidence: None,
                tried: false,
            },
        ),
        Ok(patch) => (patch, Decision::Apply),
        Err(Refused::Missing) => {
            for cart in &mut carts {
                cart.touched = false;
                if !cart.known.wished {
                    cart.wish = cart.wish.or(Some(Wish::Toast));
                }
            }
            (Patch::default(), Decision::Apply)
        }
        Err(Refused::Unmappable(message)) => (
            Patch::default(),
            Decision::Hold {
                reason: "unmappable",
                message,
                evidence: None,
                tried: true,
            },
        ),
    };
    Unit {
        carts,
        patch,
        decision,
        attempts: 0,
        overruled: None,
    }
}

enum Refused {
    Missing,
    Unmappable(String),
}

fn settle(
    mapper: &Mapper,
    carts: &mut [UnitCart],
    foldings: &mut [Folding],
) -> Result<Patch, Refused> {
    let refuse = |why: MapError| match why.is_missing() {
        true => Refused::Missing,
        false => Refused::Unmappable(why.to_string()),
    };
    // In a unit of several carts, what one no longer gives another may: it moved.
    let mut given: HashMap<(usize, RowKey), (Claim, usize)> = HashMap::new();
    if foldings.len() > 1 {
        for (at, (cart, folding)) in carts.iter().zip(foldings.iter()).enumerate() {
            let was = cart.known.entry.as_ref().map(|e| e.image.life);
            let Some(image) = &folding.image else {
                continue;
            };
            let claim = (Claim::of(image.life), at);
            for row in mapper.gives(was, image).map_err(refuse)? {
                let best = given.entry((row.into, row.key)).or_insert(claim);
                *best = claim.max(*best);
            }
        }
    }
    let elsewhere = |row: &TargetRow, at: usize| {
        let claim = given.get(&(row.into, row.key.clone()));
        claim.is_some_and(|(_, owner)| *owner != at)
    };
    // A ghost is given up to the cart in which its source row now lives.
    for (at, (cart, folding)) in carts.iter_mut().zip(foldings.iter()).enumerate() {
        let ghost = |left: &Left| left.row.origin.is_none() && elsewhere(&left.row, at);
        cart.touched |= !folding.handed_over && cart.known.left.iter().any(ghost);
    }
    for (at, (cart, folding)) in carts.iter_mut().zip(foldings.iter_mut()).enumerate() {
        let known = cart.known.clone();
        let old_rows: Vec<TargetRow> = known.left.iter().map(|l| l.row.clone()).collect();
        let before = known
            .entry
            .as_ref()
            .map(|e| (&e.image, old_rows.as_slice()));
        if folding.handed_over || !(cart.touched || cart.refreshed) {
            cart.rows = old_rows;
            continue;
        }
        cart.rows = mapper
            .settle(before, folding, &|row| elsewhere(row, at))
            .map_err(refuse)?;
    }
    let sides: Vec<Sides<'_>> = carts
        .iter()
        .map(|cart| Sides {
            old: &cart.known.left,
            new: &cart.rows,
        })
        .collect();
    let mut patch = difference(&mapper.mapping, &sides)
        .map_err(|shared| Refused::Unmappable(shared.to_string()))?;
    if carts.iter().any(|c| c.touched) {
        for cart in carts.iter() {
            patch.writes.extend(cart.known.dropped.iter().cloned());
        }
    }
    Ok(patch)
}

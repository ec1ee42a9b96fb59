//! From work to units: what the ledger knows, plus reads and changes, gives for each cart the rows
//! to write.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::item::{Read, Work};
use super::known::{Known, Mappers};
use super::settle::decide;
use super::ties::Ties;
use super::unit::{Unit, UnitCart};
use crate::cart::answers::Answers;
use crate::cart::fold::{self, Folding, Foldings, Rules};
use crate::cart::image::{Image, Life};
use crate::cart::key::CartKey;
use crate::cart::owner::{Action, Take, Wish};
use crate::hash::{HashMap, HashSet};
use crate::lookup::Open;
use crate::mapping::map::Mapper;
use crate::repair::Repair;
use crate::source::change::Position;
use crate::switch::{self, Mutant};
use crate::target::ledger::State;

/// Carts that belong together, with what the work makes of them.
pub type Gathered = Vec<(UnitCart, Folding)>;

/// Folds the work into carts. `known` holds every cart of it.
pub fn gather(
    mappers: &Mappers,
    works: Vec<Work>,
    mut known: HashMap<CartKey, Arc<Known>>,
) -> Vec<Gathered> {
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
    let mut refreshed: HashMap<CartKey, Position> = HashMap::default();
    let mut retried = HashSet::default();
    let mut takes: HashMap<CartKey, Take> = HashMap::default();
    let mut repairs: HashMap<CartKey, Repair> = HashMap::default();
    for work in works {
        for read in work.reads {
            refreshed.insert(read.cart.clone(), read.at);
            repairs.extend(read.repair.map(|repair| (read.cart.clone(), repair)));
            if let Some(folding) = foldings.get_mut(&read.cart) {
                take_read(mapper, folding, read);
            }
        }
        for change in work.changes {
            match &change.action {
                Action::Move { from, to, .. } => ties.tie(from, to),
                Action::Touch { cart, take } => {
                    retried.insert(cart.clone());
                    takes.extend(take.map(|take| (cart.clone(), take)));
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
            keys.into_iter()
                .filter_map(|key| {
                    let folding = foldings.remove(&key)?;
                    let known = known.remove(&key)?;
                    Some((key, folding, known))
                })
                .map(|(key, folding, known)| {
                    let refreshed = refreshed.contains_key(&key);
                    let retried = retried.contains(&key);
                    let take = takes.remove(&key);
                    let repair = repairs.remove(&key);
                    let (mut cart, folding) = unit_cart(key, folding, known, refreshed, retried);
                    cart.repair = repair;
                    // One that was released in the meantime is nobody's to decide.
                    cart.take = take.filter(|_| cart.known.state() == Some(State::Held));
                    (cart, folding)
                })
                .collect()
        })
        .collect()
}

/// Decides what becomes of the carts.
pub fn units(mappers: &Mappers, gathered: Vec<Gathered>) -> Vec<Unit> {
    gathered
        .into_iter()
        .map(|carts| decide(&mappers.current, carts))
        .filter(|unit| !unit.idle())
        .collect()
}

/// The images that are about to be mapped.
pub fn to_be_mapped(gathered: &mut [Gathered]) -> Vec<Open<'_>> {
    let mut open = Vec::new();
    for carts in gathered {
        let several = carts.len() > 1;
        if several && !switch::mutant(Mutant::AnswersStay) {
            share_answers(carts);
        }
        for (cart, folding) in carts {
            let entry = cart.known.entry.as_ref();
            let was = entry.map(|entry| entry.image.life);
            let concerned = several || cart.touched || cart.refreshed || cart.retried;
            let now = folding.image.as_ref().map(|image| image.life);
            let lived = now.and_then(|now| folding.was(was, now));
            let Some(image) = folding.image.as_mut() else {
                continue;
            };
            // What was over already is not made of its source rows any more.
            let maps = image.life == Life::Live || lived.is_none_or(|was| was == Life::Live);
            if maps && concerned && !folding.handed_over {
                open.push(Open {
                    image,
                    again: cart.retried,
                    frozen: entry.map(|entry| &entry.image.answers),
                });
            }
        }
    }
    open
}

/// What was found for a row goes with it where it moves. A cart that was read asks anew.
fn share_answers(carts: &mut Gathered) {
    let known: Vec<Answers> = carts
        .iter()
        .filter_map(|(cart, _)| cart.known.entry.as_ref())
        .map(|entry| match &entry.pending {
            Some((pending, _)) => pending.answers.clone(),
            None => entry.image.answers.clone(),
        })
        .filter(|answers| !answers.is_empty())
        .collect();
    for (_, folding) in carts.iter_mut().filter(|(cart, _)| !cart.refreshed) {
        if let Some(image) = &mut folding.image {
            image.answers.learn(known.iter().flat_map(Answers::iter));
        }
    }
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
    // A held cart may have come back long since.
    let came_back = image.life == Life::Live && entry.image.life != Life::Live;
    let mut folding = Folding::new(Some(image), entry.position);
    folding.came_back = came_back;
    folding.handed_over = entry.state == State::HandedOver && !switch::mutant(Mutant::NoTombstone);
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
    let was_over = before.as_ref().is_some_and(|b| b.life != Life::Live);
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
                (Ok(true), _) => {
                    folding.came_back |= was_over;
                    Some(image)
                }
                (Ok(false), None) => None,
                (Ok(false), Some(before)) if before.life == Life::Live => {
                    image.life = Life::Ended { stamp };
                    folding.time = Some(stamp);
                    Some(image)
                }
                (Ok(false), Some(mut before)) => {
                    before.drop_rows_that_left(mapper.layout(), &image);
                    Some(before)
                }
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
        wish: newly_wished,
        refreshed,
        touched: folding.touched || remapped,
        retried,
        take: None,
        repair: None,
        late: folding.late,
        handed_over: folding.handed_over,
        finding: None,
        known,
    };
    (cart, folding)
}

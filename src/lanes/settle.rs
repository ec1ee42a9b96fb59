//! What becomes of the carts of a unit: their target rows, and the patch that leads there.

use super::unit::{Decision, Unit, UnitCart};
use crate::cart::fold::Folding;
use crate::cart::image::{Image, Life};
use crate::cart::owner::Wish;
use crate::hash::HashMap;
use crate::mapping::difference::{Left, Patch, Sides, difference};
use crate::mapping::former::Before;
use crate::mapping::map::{Claim, MapError, Mapper, RowKey, TargetRow};
use crate::switch::{self, Mutant};
use crate::target::ledger::{Evidence, State};

/// Settles the carts of a unit and decides what becomes of them.
pub(super) fn decide(mapper: &Mapper, carts: Vec<(UnitCart, Folding)>) -> Unit {
    let (mut carts, mut foldings): (Vec<UnitCart>, Vec<Folding>) = carts.into_iter().unzip();
    for (cart, folding) in carts.iter_mut().zip(&foldings) {
        cart.touched |= asked_again(cart, folding);
    }
    let before = match foldings.len() {
        1 => Vec::new(),
        _ => foldings.clone(),
    };
    let open = carts.iter().filter(|c| !c.handed_over);
    let take = open.filter_map(|c| c.take).next();
    let is_held = |c: &&UnitCart| !c.handed_over && c.known.state() == Some(State::Held);
    let held = carts.iter().any(|c| is_held(&c));
    let retry = carts
        .iter()
        .filter(is_held)
        .all(|c| c.retried || c.refreshed);
    // An end in the source wins, so it does not wait for its turn.
    let retry = retry || ends_now(&carts, &foldings);
    let fault = foldings
        .iter()
        .filter(|f| !f.handed_over)
        .find_map(|f| f.fault.clone());
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
            for cart in carts.iter_mut().filter(|c| !c.handed_over) {
                cart.touched = false;
                if !cart.known.wished {
                    cart.wish = cart.wish.or(Some(Wish::Toast));
                }
            }
            (Patch::default(), Decision::Apply)
        }
        Err(Refused::Stop(message)) => (Patch::default(), Decision::Stop(message)),
        Err(Refused::Unknown(message)) => (
            Patch::default(),
            Decision::Hold {
                reason: "lookup",
                message,
                evidence: None,
                // Where nothing was asked again, a change is no attempt: it does not put off the next.
                tried: !held || retry || switch::mutant(Mutant::ChangesAreAttempts),
            },
        ),
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
        take,
        merge: None,
        ordinary: None,
        mend: None,
        is_read: false,
        owner: None,
        foldings: before,
    }
}

/// What no lookup had found was asked again for a cart that is not held: either there is an answer now,
/// or it is noted when it was asked.
fn asked_again(cart: &UnitCart, folding: &Folding) -> bool {
    let Some(entry) = cart.known.entry.as_ref().filter(|e| e.pending.is_none()) else {
        return false;
    };
    let live = folding.image.as_ref().filter(|i| i.life == Life::Live);
    cart.retried
        && !switch::mutant(Mutant::NullForGood)
        && !folding.handed_over
        && live.is_some_and(|image| image.answers.lacks() || image.answers != entry.image.answers)
}

/// All open carts of the unit are over, and for one that is held this is new.
fn ends_now(carts: &[UnitCart], foldings: &[Folding]) -> bool {
    let over = |f: &Folding| f.image.as_ref().is_some_and(|i| i.life != Life::Live);
    let lived = |c: &UnitCart| {
        let pending = c.known.entry.as_ref().and_then(|e| e.pending.as_ref());
        pending.is_some_and(|(image, _)| image.life == Life::Live)
    };
    foldings.iter().filter(|f| !f.handed_over).all(over)
        && carts.iter().any(lived)
        && !switch::mutant(Mutant::EndWaits)
}

/// The unit without the carts that the new backend turned out to have finished with, by their
/// places: their target rows stay, and what moves between them and the others leaves or arrives as
/// if they were not cartage's (protocol rules 5 and 9).
pub(super) fn hand_over(mapper: &Mapper, unit: Unit, finished: Vec<(usize, Evidence)>) -> Unit {
    let attempts = unit.attempts;
    let mut carts = unit.carts;
    let mut foldings = unit.foldings;
    if foldings.is_empty() {
        // Of one cart, which stays as it is.
        let folding = carts
            .iter()
            .map(|c| Folding::new(c.image.clone(), c.position));
        foldings = folding.collect();
    }
    let mut finished = finished;
    while let Some((at, evidence)) = finished.pop() {
        let cart = &mut carts[at];
        cart.handed_over = true;
        cart.finding = Some(evidence.clone());
        cart.touched = true;
        cart.late = cart.late.max(1);
        cart.wish = None;
        foldings[at].handed_over = true;
        // Under a new key it is the same cart.
        let heir = |f: &Folding| !f.handed_over && f.heir_of.as_ref() == Some(&carts[at].key);
        let heirs = (0..foldings.len()).filter(|&i| heir(&foldings[i]));
        finished.extend(heirs.map(|i| (i, evidence.clone())));
    }
    let unit = decide(mapper, carts.into_iter().zip(foldings).collect());
    Unit { attempts, ..unit }
}

/// A cart that ends with a row of which a lookup does not know a value ends as it was written last:
/// an end does not wait (protocol rule 23).
fn end_as_known(mapper: &Mapper, cart: &UnitCart, folding: &mut Folding) {
    let entry = cart.known.entry.as_ref();
    let was = entry.map(|entry| entry.image.life);
    let Some(image) = folding.image.as_ref().filter(|_| !folding.handed_over) else {
        return;
    };
    let over = image.life != Life::Live && image.answers.lacks();
    if !over || switch::mutant(Mutant::EndWaits) {
        return;
    }
    let gives = mapper.gives(folding.was(was, image.life), image, None);
    if !gives.is_err_and(|why| why.is_unknown()) {
        return;
    }
    let written = match entry {
        Some(entry) if !cart.known.older => entry.image.clone(),
        _ => Image::empty(mapper.layout()),
    };
    folding.image = Some(Image {
        life: image.life,
        ..written
    });
}

enum Refused {
    Missing,
    Unmappable(String),
    /// A lookup does not know a value.
    Unknown(String),
    Stop(String),
}

fn settle(
    mapper: &Mapper,
    carts: &mut [UnitCart],
    foldings: &mut [Folding],
) -> Result<Patch, Refused> {
    let refuse = |why: MapError| match why {
        // What was not asked for this state of the cart is asked once it is read again.
        why if why.is_missing() || why.is_unasked() => Refused::Missing,
        why if why.is_unknown() => Refused::Unknown(why.to_string()),
        why if why.is_stop() => Refused::Stop(why.to_string()),
        why => Refused::Unmappable(why.to_string()),
    };
    for (cart, folding) in carts.iter().zip(foldings.iter_mut()) {
        end_as_known(mapper, cart, folding);
    }
    // In a unit of several carts, what one no longer gives another may: it moved.
    let mut given: HashMap<(usize, RowKey), (Claim, usize)> = HashMap::default();
    if foldings.len() > 1 {
        for (at, (cart, folding)) in carts.iter().zip(foldings.iter()).enumerate() {
            let Some(image) = folding.image.as_ref().filter(|_| !folding.handed_over) else {
                continue;
            };
            let was = cart.known.entry.as_ref().map(|e| e.image.life);
            let was = folding.was(was, image.life);
            let claim = (Claim::of(image.life), at);
            for row in mapper.gives(was, image, None).map_err(refuse)? {
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
        let before = known.entry.as_ref().map(|entry| Before {
            image: &entry.image,
            rows: &old_rows,
            current: !known.older,
        });
        if folding.handed_over {
            continue;
        }
        if !(cart.touched || cart.refreshed) {
            cart.rows = old_rows;
            continue;
        }
        cart.rows = mapper
            .settle(before, folding, &|row| elsewhere(row, at))
            .map_err(refuse)?;
    }
    let sides: Vec<Sides<'_>> = carts
        .iter()
        .map(|cart| match cart.handed_over {
            true => Sides::default(),
            false => Sides {
                old: &cart.known.left,
                new: &cart.rows,
                dropped: match cart.touched {
                    true => &cart.known.dropped,
                    false => &[],
                },
            },
        })
        .collect();
    difference(&mapper.mapping, &sides).map_err(|shared| Refused::Unmappable(shared.to_string()))
}

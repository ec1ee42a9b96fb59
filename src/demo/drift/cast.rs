//! Who does what to which cart, so that what must be found is one certain set of carts.
//!
//! A drift is what the new shop holds although nobody wrote it there by its rules. Whether a cart has
//! drifted is certain only where nobody writes what drifted: what the old shop changes is written over
//! it, and what the new shop's customers change is theirs from then on, with all that they saw in that
//! cart. So carts are dealt out once, from the seed:
//!
//! - **moving** carts are the old shop's, written, bought, merged and deleted the whole time. They never
//!   drift, and none may be called different.
//! - **drifting** carts are of customers who have left. Some *return* to the old shop once, after the
//!   drift, for something that did not drift: the drift must survive their visit and be found. Some are
//!   *visited* in the new shop, but only once the drift has been found, and just what drifted is written
//!   over: the repair must leave it to them.
//! - **new** carts are written by the new shop's customers under its lock. Customers of the old shop come
//!   by at some of these, for another value: both must stand. None may be called different for being
//!   other than the old shop, and no repair may undo it.
//! - **left** carts are written by nobody, and are as they should be.

use fastrand::Rng;

use super::kinds::{COLUMNS, Column, Kind, NAME, NOTE};

/// A live cart of the old shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub id: i64,
    pub token: String,
    pub lines: i64,
}

/// A drift that is to be: of two carts where they exchange a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifting {
    pub kind: Kind,
    pub column: Option<Column>,
    pub carts: Vec<Known>,
    pub returns: bool,
    pub visited: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Cast {
    pub moving: Vec<i64>,
    pub drifting: Vec<Drifting>,
    pub new: Vec<Known>,
    pub left: Vec<Known>,
}

/// Of this many drifts of a value one returns, and another one is visited.
const SOME: usize = 8;

/// Deals out the carts.
pub fn deal(mut carts: Vec<Known>, drifts: usize, rng: &mut Rng) -> Cast {
    rng.shuffle(&mut carts);
    let mut cast = Cast::default();
    for (kind, share) in Kind::ALL {
        let count = (drifts * share).div_ceil(100);
        match kind {
            Kind::SwappedBetween => {
                let some = take(&mut carts, count + count % 2, kind.lines());
                for pair in some.chunks_exact(2) {
                    cast.drifting.push(drifting(kind, None, pair.to_vec()));
                }
            }
            Kind::Value => {
                for n in 0..count {
                    cast.drifting.extend(of_value(&mut carts, n));
                }
            }
            _ => {
                let some = take(&mut carts, count, kind.lines());
                let each = some
                    .into_iter()
                    .map(|cart| drifting(kind, None, vec![cart]));
                cast.drifting.extend(each);
            }
        }
    }
    rng.shuffle(&mut cast.drifting);
    cast.new = take(&mut carts, drifts / 3, 1);
    cast.left = take(&mut carts, drifts / 2, 0);
    cast.moving = carts.into_iter().map(|cart| cart.id).collect();
    cast.moving.sort_unstable();
    cast
}

fn of_value(carts: &mut Vec<Known>, n: usize) -> Option<Drifting> {
    let (returns, visited) = (n % SOME == 1, n % SOME == 5);
    let column = match (returns, visited) {
        (true, _) => NAME,
        (_, true) => NOTE,
        _ => COLUMNS[n % COLUMNS.len()],
    };
    let lines = i64::from(column.table == "cart_line");
    let cart = take(carts, 1, lines).pop()?;
    Some(Drifting {
        returns,
        visited,
        ..drifting(Kind::Value, Some(column), vec![cart])
    })
}

fn drifting(kind: Kind, column: Option<Column>, carts: Vec<Known>) -> Drifting {
    Drifting {
        kind,
        column,
        carts,
        returns: false,
        visited: false,
    }
}

/// Takes so many carts with so many lines out of these, or as many as there are.
fn take(carts: &mut Vec<Known>, count: usize, lines: i64) -> Vec<Known> {
    let mut taken = Vec::new();
    let mut at = carts.len();
    while taken.len() < count && at > 0 {
        at -= 1;
        if carts[at].lines >= lines {
            taken.push(carts.swap_remove(at));
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn carts() -> Vec<Known> {
        let cart = |id| Known {
            id,
            token: format!("token {id}"),
            lines: id % 5,
        };
        (1..=3_000).map(cart).collect()
    }

    #[test]
    fn nobody_has_two_parts() {
        let cast = deal(carts(), 600, &mut Rng::with_seed(3));
        let drifting = cast.drifting.iter().flat_map(|drift| &drift.carts);
        let others = cast.new.iter().chain(&cast.left);
        let named: Vec<i64> = drifting.chain(others).map(|cart| cart.id).collect();
        let all: Vec<i64> = named.iter().chain(&cast.moving).copied().collect();
        assert_eq!(all.len(), 3_000);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 3_000);
    }

    #[test]
    fn every_kind_and_column_is_cast() {
        let cast = deal(carts(), 600, &mut Rng::with_seed(4));
        let count: usize = cast.drifting.iter().map(|drift| drift.carts.len()).sum();
        assert!((600..=610).contains(&count), "{count}");
        for (kind, share) in Kind::ALL {
            let of_kind = cast.drifting.iter().filter(|drift| drift.kind == kind);
            let count: usize = of_kind.map(|drift| drift.carts.len()).sum();
            assert!(count >= 6 * share, "{kind:?}: {count}");
        }
        for column in COLUMNS {
            let drifts = |drift: &&Drifting| drift.column == Some(column);
            assert!(
                cast.drifting.iter().any(|drift| drifts(&drift)),
                "{column:?}"
            );
        }
        let returning = cast.drifting.iter().filter(|drift| drift.returns).count();
        let visited = cast.drifting.iter().filter(|drift| drift.visited).count();
        assert!(returning >= 20 && visited >= 20, "{returning} {visited}");
    }

    #[test]
    fn carts_have_the_lines_that_their_drift_needs() {
        let cast = deal(carts(), 300, &mut Rng::with_seed(5));
        for drift in &cast.drifting {
            let in_a_line = drift
                .column
                .is_some_and(|column| column.table == "cart_line");
            let least = drift.kind.lines().max(i64::from(in_a_line));
            assert!(
                drift.carts.iter().all(|cart| cart.lines >= least),
                "{drift:?}"
            );
        }
    }
}

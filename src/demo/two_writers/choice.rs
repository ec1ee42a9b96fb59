//! What a customer wants of a product, so that it can be told afterwards what must have come of it.
//!
//! Of the hot carts neither floor nor cap is ever met, whatever the order in which changes of both
//! shops come together: then what is left of a product is the sum of all that was meant. The products
//! are of three kinds for that. Of the edge carts anything goes, and only the bounds are certain.

use fastrand::Rng;

/// Different products, `sku-0` and so on.
pub const PRODUCTS: i64 = 12;
/// What is in a hot cart of a counted product at the beginning.
const BEGIN: i64 = 40;
pub const MOST: i64 = 99;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Both shops change the quantity, neither far enough to meet zero or the most.
    Counted,
    /// The old shop removes and adds it; what the new one changes never adds up to less than nothing.
    OldRemoves,
    /// The new shop removes and adds it; the old one only adds.
    NewRemoves,
}

fn manner(product: i64) -> Manner {
    match product {
        0..4 => Manner::Counted,
        4..8 => Manner::OldRemoves,
        _ => Manner::NewRemoves,
    }
}

/// The quantity that a customer of the old shop wants instead of the one seen; none if it is to stay.
pub fn in_old_shop(rng: &mut Rng, edge: bool, product: i64, seen: i64) -> Option<i64> {
    let step = step(rng);
    let wanted = match (edge, manner(product)) {
        (true, _) => anything(rng),
        (_, Manner::Counted) => within(seen + step, BEGIN - 15..=BEGIN + 15)?,
        (_, Manner::OldRemoves) if rng.u8(..4) == 0 => 0,
        (_, Manner::OldRemoves) => within(seen + step, 0..=20)?,
        (_, Manner::NewRemoves) => within(seen + step.abs(), 0..=40)?,
    };
    (wanted != seen).then_some(wanted)
}

/// The same in the new shop, whose changes of this product in this cart add up to `own` so far.
pub fn in_new_shop(rng: &mut Rng, edge: bool, product: i64, seen: i64, own: i64) -> Option<i64> {
    let step = step(rng);
    let wanted = match (edge, manner(product)) {
        (true, _) => anything(rng),
        (_, Manner::Counted) => seen - own + within(own + step, -15..=15)?,
        (_, Manner::OldRemoves) => seen - own + within(own + step, 0..=20)?,
        (_, Manner::NewRemoves) if rng.u8(..4) == 0 => 0,
        (_, Manner::NewRemoves) => within(seen + step, 0..=40)?,
    };
    (wanted != seen).then_some(wanted)
}

fn step(rng: &mut Rng) -> i64 {
    let size = rng.i64(1..=3);
    if rng.bool() { size } else { -size }
}

/// Often all or nothing.
fn anything(rng: &mut Rng) -> i64 {
    match rng.u8(..4) {
        0 => 0,
        1 => MOST,
        _ => rng.i64(1..=MOST),
    }
}

fn within(wanted: i64, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
    bounds.contains(&wanted).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the new shop sees of the old one's changes, and however late, neither bound is met.
    #[test]
    fn hot_carts_meet_no_bound() {
        let mut rng = Rng::with_seed(7);
        let (mut least, mut most, mut removed) = (MOST, 0, [0, 0]);
        for product in 0..PRODUCTS {
            for _ in 0..200 {
                let mut old = if product < 4 { BEGIN } else { 2 };
                let (mut applied, mut own) = (old, 0);
                for _ in 0..100 {
                    match rng.u8(..3) {
                        0 => {
                            let wanted = in_old_shop(&mut rng, false, product, old);
                            removed[0] += i32::from(wanted == Some(0));
                            old = wanted.unwrap_or(old);
                        }
                        1 => {
                            let seen = applied + own;
                            let wanted = in_new_shop(&mut rng, false, product, seen, own);
                            removed[1] += i32::from(wanted == Some(0));
                            own += wanted.map_or(0, |wanted| wanted - seen);
                        }
                        _ => applied = old,
                    }
                    assert!((0..=MOST).contains(&(applied + own)), "{product}");
                    assert!((0..=MOST).contains(&(old + own)), "{product}");
                    (least, most) = (least.min(old + own), most.max(old + own));
                }
            }
        }
        assert_eq!(least, 0);
        assert!(most > 60, "{most}");
        assert!(removed.iter().all(|n| *n > 100), "{removed:?}");
    }
}

//! Random histories against a model: images must be what the plain tables hold.

mod headless;
pub(crate) mod shop;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::source::change::{Lsn, TransactionId};
use shop::{Shop, key, layout};

fn live(image: &Image) -> Result<bool, String> {
    let state = image.header().and_then(|row| row.cells[1].text());
    Ok(state == Some("cart"))
}

pub(crate) fn rules<'a>(layout: &'a Layout, trusted_births: bool) -> Rules<'a> {
    Rules {
        layout,
        live: &live,
        live_reads: &[false, false, false],
        trusted_births,
    }
}

pub(crate) fn nothing() -> Foldings {
    let start = Position::default();
    Shop::CARTS
        .iter()
        .map(|id| (key(id), Folding::new(None, start)))
        .collect()
}

/// One transaction as routed changes.
pub(crate) fn routed(lsn: u64, actions: Vec<Action>) -> Vec<Routed> {
    let changes = (1..).zip(actions).map(|(seq, action)| Routed {
        position: Position { lsn: Lsn(lsn), seq },
        time: lsn as i64,
        transaction: TransactionId::default(),
        action,
    });
    changes.collect()
}

fn rows(image: &Image) -> Vec<Vec<&Cells>> {
    image
        .tables
        .iter()
        .map(|rows| rows.iter().map(|r| &r.cells).collect())
        .collect()
}

fn check(shop: &Shop, carts: &Foldings, trusted: bool) -> Result<(), TestCaseError> {
    for id in Shop::CARTS {
        let cart = &carts[&key(id)];
        if cart.wish.is_some() {
            continue;
        }
        let held = cart.image.as_ref().filter(|i| i.life == Life::Live);
        let wanted = shop.read(id, 0);
        prop_assert_eq!(
            held.is_some(),
            wanted.is_some(),
            "cart {} ({})",
            id,
            trusted
        );
        prop_assert_eq!(held.map(rows), wanted.as_ref().map(rows), "cart {}", id);
    }
    Ok(())
}

fn shown(carts: &Foldings) -> Vec<String> {
    let show = |id: &&str| format!("{:?}", carts[&key(id)]);
    Shop::CARTS.iter().map(show).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn images_are_what_the_tables_hold(seed: u64, trusted: bool) {
        let (layout, mut rng) = (layout(), Rng::with_seed(seed));
        let rules = rules(&layout, trusted);
        let (mut shop, mut carts, mut history) = (Shop::default(), nothing(), Vec::new());
        for lsn in 1..40 {
            let wished: Vec<_> = Shop::CARTS
                .iter()
                .filter(|id| carts[&key(id)].wish.is_some())
                .map(|id| (key(id), format!("{:?}", carts[&key(id)].image)))
                .collect();
            let mut moved = Vec::new();
            for change in routed(lsn, shop.transaction(&mut rng)) {
                if let Action::Move { .. } | Action::Remove { .. } = change.action {
                    moved.extend(change.action.carts().cloned());
                }
                history.push(change.clone());
                apply(&rules, &mut carts, change);
            }
            check(&shop, &carts, trusted)?;
            // Rows leave even carts that wait to be read; else these change nothing.
            for (cart, image) in wished.into_iter().filter(|(cart, _)| !moved.contains(cart)) {
                prop_assert_eq!(format!("{:?}", carts[&cart].image), image);
            }
            // Now and then the wishes are fulfilled by a snapshot.
            if rng.u32(..3) == 0 {
                for id in Shop::CARTS {
                    let cart = carts.get_mut(&key(id)).unwrap();
                    if cart.wish.take().is_some() {
                        cart.image = shop.read(id, lsn as i64);
                        cart.position = Position { lsn: Lsn(lsn), seq: u32::MAX };
                    }
                }
                check(&shop, &carts, trusted)?;
            }
        }
        // What is in the images already changes nothing when it comes again.
        let last = carts.values().map(|c| c.position).max().unwrap_or_default();
        for cart in carts.values_mut() {
            cart.position = last;
        }
        let before = shown(&carts);
        let from = rng.usize(..=history.len());
        for change in history.drain(from..) {
            apply(&rules, &mut carts, change);
        }
        prop_assert_eq!(shown(&carts), before);
    }

    /// A batch that is applied again after a crash gives the same images: each cart skips what it
    /// already has, and takes the rest.
    #[test]
    fn a_replay_over_some_images_gives_all(seed: u64) {
        let (layout, mut rng) = (layout(), Rng::with_seed(seed));
        let rules = rules(&layout, true);
        let (mut shop, mut whole) = (Shop::default(), nothing());
        let mut batch = Vec::new();
        for lsn in 1..20 {
            batch.extend(routed(lsn, shop.transaction(&mut rng)));
        }
        let cut = rng.usize(..=batch.len());
        for change in &batch {
            apply(&rules, &mut whole, change.clone());
        }
        let mut again = nothing();
        for change in &batch[..cut] {
            apply(&rules, &mut again, change.clone());
        }
        for change in &batch {
            apply(&rules, &mut again, change.clone());
        }
        for (key, cart) in &whole {
            prop_assert_eq!(&cart.image, &again[key].image);
            prop_assert_eq!(cart.wish, again[key].wish);
        }
    }
}

/// One statement makes a cart and moves a row into it; the log may tell of the row first.
#[test]
fn a_row_that_moves_before_its_cart_is_born_is_not_lost() {
    let layout = layout();
    let rules = rules(&layout, true);
    let mut carts = nothing();
    let cells = |texts: &[&str]| -> Cells {
        let each = texts.iter().map(|text| Cell::Text((*text).into()));
        each.collect()
    };
    let [from, to] = [Shop::CARTS[0], Shop::CARTS[1]];
    let put = |cart: &str, table: usize, row: &[&str]| Action::Put {
        cart: key(cart),
        table,
        old: None,
        new: cells(row),
        insert: true,
    };
    let born = vec![
        put(from, shop::HEAD, &[from, "cart"]),
        put(from, shop::LINE, &["l", from, "1", ""]),
    ];
    let moved = vec![
        Action::Move {
            from: key(from),
            to: key(to),
            table: shop::LINE,
            old: cells(&["l", from, "1", ""]),
            new: cells(&["l", to, "1", ""]),
        },
        put(to, shop::HEAD, &[to, "cart"]),
    ];
    for change in routed(1, born).into_iter().chain(routed(2, moved)) {
        apply(&rules, &mut carts, change);
    }
    assert_eq!(carts[&key(from)].wish, None);
    assert_eq!(carts[&key(to)].wish, Some(Wish::BornUnproved));
}

//! A cart's target rows: all of them, those after a sale, and what is to be written then.

use std::cell::RefCell;
use std::hint::black_box;

use cartage::cart::fold::Folding;
use cartage::cart::image::Image;
use cartage::mapping::difference::{Left, Sides, difference};
use cartage::mapping::former::Before;
use cartage::mapping::map::{Mapper, TargetRow};

use crate::cart;
use crate::fold;
use crate::measured::Measured;

/// All rows, as for a cart that is read for the first time.
pub struct Whole {
    mapper: Mapper,
    image: Image,
}

impl Measured for Whole {
    type Input = ();

    fn ready() -> Self {
        let mapper = cart::mapper();
        let image = cart::image(mapper.layout());
        assert_eq!(rows(&mapper, &image).len(), 4);
        Self { mapper, image }
    }

    fn input(&self) {}

    fn run(&self, (): ()) {
        let _ = black_box(self.mapper.map(black_box(&self.image)));
    }
}

fn rows(mapper: &Mapper, image: &Image) -> Vec<TargetRow> {
    mapper.map(image).unwrap_or_else(|why| panic!("{why}"))
}

/// A cart before a sale, with its target rows, and after.
struct Sold {
    mapper: Mapper,
    image: Image,
    rows: Vec<TargetRow>,
    folding: Folding,
}

impl Sold {
    fn new() -> Self {
        let mapper = cart::mapper();
        let mut carts = fold::carts(&mapper);
        let sale = fold::actions(&mapper, &cart::SOLD_CART, &cart::LINES[1], &cart::SOLD_LINE);
        fold::fold(&mapper, &mut carts, 1, sale);
        let image = cart::image(mapper.layout());
        Self {
            rows: rows(&mapper, &image),
            folding: carts.remove(&cart::key()).expect("the cart"),
            mapper,
            image,
        }
    }

    fn settle(&self, folding: &mut Folding) -> Vec<TargetRow> {
        let before = Before {
            image: &self.image,
            rows: &self.rows,
            current: true,
        };
        let settled = self.mapper.settle(Some(before), folding, &|_| false);
        settled.unwrap_or_else(|why| panic!("{why}"))
    }
}

/// The rows after a sale, where those before are known: only cells that may have changed are
/// evaluated again. A live cart is settled again and again to the same.
pub struct Settled {
    sold: Sold,
    folding: RefCell<Folding>,
}

impl Measured for Settled {
    type Input = ();

    fn ready() -> Self {
        let sold = Sold::new();
        let mut folding = sold.folding.clone();
        let image = folding.image.clone().expect("an image");
        assert_eq!(sold.settle(&mut folding), rows(&sold.mapper, &image));
        assert_eq!(folding.image, Some(image));
        Self {
            sold,
            folding: RefCell::new(folding),
        }
    }

    fn input(&self) {}

    fn run(&self, (): ()) {
        black_box(self.sold.settle(&mut self.folding.borrow_mut()));
    }
}

/// What is to be written: the header's row and that of a line.
pub struct Difference {
    mapper: Mapper,
    old: Vec<Left>,
    new: Vec<TargetRow>,
}

impl Measured for Difference {
    type Input = ();

    fn ready() -> Self {
        let sold = Sold::new();
        let new = sold.settle(&mut sold.folding.clone());
        let left = |row: TargetRow| Left {
            token: (row.into == 0).then(|| "1".into()),
            row,
        };
        let difference = Self {
            mapper: sold.mapper,
            old: sold.rows.into_iter().map(left).collect(),
            new,
        };
        let patch = difference.patch();
        assert!(patch.is_some_and(|patch| patch.writes.len() == 2));
        difference
    }

    fn input(&self) {}

    fn run(&self, (): ()) {
        black_box(self.patch());
    }
}

impl Difference {
    fn patch(&self) -> Option<cartage::mapping::difference::Patch> {
        let sides = Sides {
            old: black_box(&self.old),
            new: black_box(&self.new),
            dropped: &[],
        };
        difference(&self.mapper.mapping, &[sides]).ok()
    }
}

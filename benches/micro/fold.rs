//! A sale's two changes, of the header and of a line, folded into a cart that is known.

use std::cell::{Cell, RefCell};

use cartage::cart::fold::{Folding, Foldings, Rules, apply};
use cartage::cart::image::Image;
use cartage::cart::owner::{Action, Routed};
use cartage::mapping::map::Mapper;
use cartage::source::change::{Lsn, Position, TransactionId};

use crate::cart::{self, CartRow, HEADER, LINE, LineRow};
use crate::measured::Measured;

pub struct Sale {
    mapper: Mapper,
    carts: RefCell<Foldings>,
    /// Sales made ready so far, and folded: each one must differ from the last and come later.
    made: Cell<u64>,
    folded: Cell<u64>,
}

/// The header without what it was, as the log has it; the line with that, for its replica identity is
/// FULL.
pub fn actions(mapper: &Mapper, header: &CartRow, old: &LineRow, new: &LineRow) -> [Action; 2] {
    let layout = mapper.layout();
    let put = |table, old, new| Action::Put {
        cart: cart::key(),
        table,
        old,
        new,
        insert: false,
    };
    [
        put(HEADER, None, cart::header(layout, header)),
        put(LINE, Some(cart::item(layout, old)), cart::item(layout, new)),
    ]
}

/// Folds a transaction's actions into the carts.
pub fn fold(mapper: &Mapper, carts: &mut Foldings, number: u64, actions: [Action; 2]) {
    let live = |image: &Image| mapper.live(image);
    let rules = Rules {
        layout: mapper.layout(),
        live: &live,
        live_reads: &[false, false],
        trusted_births: mapper.mapping.trusted_births,
    };
    for (seq, action) in (1..).zip(actions) {
        let change = Routed {
            position: Position {
                lsn: Lsn(number),
                seq,
            },
            time: cart::SOLD,
            transaction: TransactionId::default(),
            action,
        };
        apply(&rules, carts, change);
    }
}

/// The cart before the sale, alone in its batch.
pub fn carts(mapper: &Mapper) -> Foldings {
    let image = cart::image(mapper.layout());
    let folding = Folding::new(Some(image), Position::default());
    Foldings::from_iter([(cart::key(), folding)])
}

/// A sale, and one that takes it back.
const STATES: [(&CartRow, &LineRow); 2] = [
    (&cart::SOLD_CART, &cart::SOLD_LINE),
    (&cart::CART, &cart::LINES[1]),
];

impl Measured for Sale {
    type Input = [Action; 2];

    fn ready() -> Self {
        let mapper = cart::mapper();
        let mut carts = carts(&mapper);
        let before = carts[&cart::key()].image.clone();
        let sale = actions(&mapper, &cart::SOLD_CART, &cart::LINES[1], &cart::SOLD_LINE);
        fold(&mapper, &mut carts, 1, sale);
        let after = &carts[&cart::key()];
        assert!(after.touched && after.wish.is_none() && after.image != before);
        Self {
            mapper,
            carts: RefCell::new(carts),
            made: Cell::new(1),
            folded: Cell::new(1),
        }
    }

    fn input(&self) -> [Action; 2] {
        let made = self.made.replace(self.made.get() + 1);
        let state = |at: u64| STATES[usize::from(at % 2 == 1)];
        let (_, old) = state(made - 1);
        let (header, new) = state(made);
        actions(&self.mapper, header, old, new)
    }

    fn run(&self, input: [Action; 2]) {
        let number = self.folded.get() + 1;
        self.folded.set(number);
        fold(&self.mapper, &mut self.carts.borrow_mut(), number, input);
    }
}

//! Random histories of carts without a header row, against the plain tables whose rows make them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::cart::layout::{Column, Table};
use crate::cart::owner::Router;
use crate::source::change::{Change, Op};
use crate::sqltype::SqlType;

const LINE: usize = 1;
const CHOICE: usize = 2;

fn table(alias: &str, name: &str, columns: &[&str]) -> Table {
    let column = |name: &&str| Column {
        name: (*name).into(),
        ty: SqlType::parse("text"),
        not_null: false,
        bytewise: true,
    };
    Table {
        alias: alias.into(),
        schema: "shop".into(),
        name: name.into(),
        columns: columns.iter().map(column).collect(),
        key: vec![0],
        cart: None,
        parent: None,
    }
}

/// Lines that share customer and session are a cart; a choice belongs to its line.
fn layout(choices: bool) -> Layout {
    let header = Table {
        key: vec![0, 1],
        cart: Some(vec![0, 1]),
        ..table("cart", "", &["customer", "session"])
    };
    let line = Table {
        cart: Some(vec![1, 2]),
        ..table("line", "line", &["id", "customer", "session", "qty"])
    };
    let choice = Table {
        parent: Some((LINE, vec![1])),
        ..table("choice", "choice", &["id", "line", "value"])
    };
    let tables = [header, line].into_iter().chain(choices.then_some(choice));
    Layout {
        tables: tables.collect(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lives {
    Always,
    /// A guest's cart is not live.
    Customers,
    /// Only where something is in it.
    Filled,
}

fn live(lives: Lives, image: &Image) -> bool {
    let lines = || image.tables[LINE].iter();
    match lives {
        Lives::Always => image.header().is_some(),
        Lives::Customers => image
            .header()
            .is_some_and(|row| row.cells[0].text() != Some("0")),
        Lives::Filled => lines().any(|row| row.cells[3].text() != Some("0")),
    }
}

type Line = [Option<String>; 4];

#[derive(Debug, Default)]
struct Shop {
    lines: BTreeMap<String, Line>,
    choices: BTreeMap<String, [String; 3]>,
    next: u32,
}

fn cells(values: impl IntoIterator<Item = Option<String>>) -> Cells {
    let cell = |text: Option<String>| text.map_or(Cell::Null, |text| Cell::Text(text.into()));
    values.into_iter().map(cell).collect()
}

fn line_cells(line: &Line) -> Cells {
    cells(line.clone())
}

fn choice_cells(choice: &[String; 3]) -> Cells {
    cells(choice.clone().map(Some))
}

const CUSTOMERS: [&str; 3] = ["0", "1", "2"];
const SESSIONS: [&str; 2] = ["x", "y"];

fn all_keys() -> Vec<CartKey> {
    let with = |c: &'static str| SESSIONS.map(|s| CartKey::of([c, s]));
    CUSTOMERS.into_iter().flat_map(with).collect()
}

impl Shop {
    fn read(&self, layout: &Layout, cart: &CartKey) -> Option<Image> {
        let mut image = Image::empty(layout);
        let mut own = BTreeSet::new();
        for (id, line) in &self.lines {
            let cells = line_cells(line);
            let named = layout.tables[LINE].cart_key(&cells, &[1, 2]);
            if named.as_ref() == Some(cart) {
                own.insert(id);
                let header = layout.made_header(&cells);
                let stamp = 0;
                image.put(
                    layout,
                    Layout::HEADER,
                    Row {
                        cells: header,
                        stamp,
                    },
                );
                image.put(layout, LINE, Row { cells, stamp });
            }
        }
        for choice in self.choices.values().filter(|c| own.contains(&c[1])) {
            let cells = choice_cells(choice);
            image.put(layout, CHOICE, Row { cells, stamp: 0 });
        }
        image.header().is_some().then_some(image)
    }

    fn put_line(&mut self, line: Line, changes: &mut Vec<Change>) {
        let id = line[0].clone().unwrap_or_default();
        let new = line_cells(&line);
        let op = match self.lines.insert(id, line) {
            None => Op::Insert { new },
            Some(old) => Op::Update {
                old: Some(line_cells(&old)),
                new,
            },
        };
        changes.push(Change { table: LINE, op });
    }

    fn put_choice(&mut self, choice: [String; 3], changes: &mut Vec<Change>) {
        let new = choice_cells(&choice);
        let op = match self.choices.insert(choice[0].clone(), choice) {
            None => Op::Insert { new },
            Some(old) => Op::Update {
                old: Some(choice_cells(&old)),
                new,
            },
        };
        changes.push(Change { table: CHOICE, op });
    }

    fn delete_line(&mut self, id: &str, changes: &mut Vec<Change>) {
        let Some(line) = self.lines.remove(id) else {
            return;
        };
        let old = line_cells(&line);
        let op = Op::Delete { old };
        changes.push(Change { table: LINE, op });
        let below = self.choices.values().filter(|c| c[1] == id);
        let below: Vec<String> = below.map(|c| c[0].clone()).collect();
        for id in below {
            if let Some(choice) = self.choices.remove(&id) {
                let old = choice_cells(&choice);
                let op = Op::Delete { old };
                changes.push(Change { table: CHOICE, op });
            }
        }
    }

    fn some_key(rng: &mut Rng) -> [Option<String>; 2] {
        let customer = CUSTOMERS[rng.usize(..CUSTOMERS.len())];
        let session = SESSIONS[rng.usize(..SESSIONS.len())];
        // A row of nobody is in no cart.
        let session = (rng.u32(..12) > 0).then(|| session.to_owned());
        [Some(customer.to_owned()), session]
    }

    fn some_line(&self, rng: &mut Rng) -> Option<String> {
        rng.choice(self.lines.keys()).cloned()
    }

    /// One statement, often over many rows.
    fn statement(&mut self, rng: &mut Rng, choices: bool, changes: &mut Vec<Change>) {
        let quantity = |rng: &mut Rng| Some(rng.u32(..3).to_string());
        match rng.u32(..if choices { 11 } else { 8 }) {
            0..=2 => {
                // Sometimes under the key of a row that is gone.
                let id = match rng.bool() {
                    true => rng.u32(..8).to_string(),
                    false => {
                        self.next += 1;
                        format!("n{}", self.next)
                    }
                };
                let [customer, session] = Self::some_key(rng);
                let held = self.lines.get(&id).cloned();
                let [_, customer, session, _] = held.unwrap_or([None, customer, session, None]);
                let line = [Some(id), customer, session, quantity(rng)];
                self.put_line(line, changes);
            }
            3 => {
                if let Some(id) = self.some_line(rng) {
                    self.delete_line(&id, changes);
                }
            }
            // A login, or a new session: all lines of a customer change their cart.
            4 | 5 => {
                let [of, _] = Self::some_key(rng);
                let [customer, session] = Self::some_key(rng);
                let own = self.lines.values().filter(|line| line[1] == of);
                let own: Vec<Line> = own.cloned().collect();
                for line in own {
                    let [id, _, _, qty] = line;
                    self.put_line([id, customer.clone(), session.clone(), qty], changes);
                }
            }
            // One of them.
            6 => {
                if let Some(id) = self.some_line(rng) {
                    let [customer, session] = Self::some_key(rng);
                    let line = [Some(id), customer, session, quantity(rng)];
                    self.put_line(line, changes);
                }
            }
            // Expiry: all lines of a customer go at once.
            7 => {
                let [of, _] = Self::some_key(rng);
                let own = self.lines.iter().filter(|(_, line)| line[1] == of);
                let own: Vec<String> = own.map(|(id, _)| id.clone()).collect();
                for id in own {
                    self.delete_line(&id, changes);
                }
            }
            8 | 9 => {
                if let Some(line) = self.some_line(rng) {
                    let id = format!("c{}", rng.u32(..6));
                    self.put_choice([id, line, rng.u32(..3).to_string()], changes);
                }
            }
            _ => {
                let id = format!("c{}", rng.u32(..6));
                if let Some(choice) = self.choices.remove(&id) {
                    let old = choice_cells(&choice);
                    let op = Op::Delete { old };
                    changes.push(Change { table: CHOICE, op });
                }
            }
        }
    }
}

/// What a lane makes of a read.
fn take_read(lives: Lives, cart: &mut Folding, read: Option<Image>) {
    let before = cart.image.take();
    let stamp = 0;
    cart.image = match (read, before) {
        (None, None) => None,
        (None, Some(mut before)) => {
            before.life = Life::Deleted { stamp };
            // As it is stored.
            before.tables.iter_mut().for_each(Vec::clear);
            Some(before)
        }
        (Some(image), _) if live(lives, &image) => Some(image),
        (Some(mut image), Some(before)) if before.life == Life::Live => {
            image.life = Life::Ended { stamp };
            Some(image)
        }
        (Some(_), before) => before,
    };
}

fn check(
    layout: &Layout,
    lives: Lives,
    shop: &Shop,
    carts: &Foldings,
) -> Result<(), TestCaseError> {
    for key in all_keys() {
        let cart = &carts[&key];
        if cart.wish.is_some() {
            continue;
        }
        let held = cart.image.as_ref().filter(|i| i.life == Life::Live);
        let wanted = shop.read(layout, &key).filter(|image| live(lives, image));
        prop_assert_eq!(held.map(rows), wanted.as_ref().map(rows), "cart {}", key);
    }
    Ok(())
}

/// A transaction of the shop as the log tells it, on its way to the carts.
fn actions(router: &mut Router, changes: Vec<Change>) -> Vec<Action> {
    let mut changes: Vec<(u32, Change)> = (1..).zip(changes).collect();
    router.join_moves(&mut changes);
    changes.iter().for_each(|(_, change)| router.learn(change));
    let mut actions = Vec::new();
    let mut returned = Vec::new();
    for (_, change) in changes {
        let routing = router.route(change).expect("traceable");
        assert!(routing.questions.is_empty(), "each line is known");
        actions.extend(routing.action);
        returned.extend(routing.returned);
    }
    let why = Wish::Owner;
    actions.extend(
        returned
            .into_iter()
            .map(|cart| Action::Refresh { cart, why }),
    );
    actions
}

fn carts() -> Foldings {
    let start = Position::default();
    let each = |key| (key, Folding::new(None, start));
    all_keys().into_iter().map(each).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(768))]

    #[test]
    fn images_of_carts_without_a_header_are_what_the_tables_hold(
        seed: u64,
        choices: bool,
        lives in prop::sample::select(vec![Lives::Always, Lives::Customers, Lives::Filled]),
    ) {
        let (layout, mut rng) = (layout(choices), Rng::with_seed(seed));
        let is_live = |image: &Image| Ok(live(lives, image));
        let live_reads = [false, lives == Lives::Filled, false];
        let rules = Rules {
            layout: &layout,
            live: &is_live,
            live_reads: &live_reads[..layout.tables.len()],
            trusted_births: false,
        };
        let remembered = NonZeroUsize::new(1_000).expect("not zero");
        let mut router = Router::new(Arc::new(layout.clone()), remembered, true);
        let (mut shop, mut carts, mut history) = (Shop::default(), carts(), Vec::new());
        for lsn in 1..40 {
            let mut changes = Vec::new();
            for _ in 0..rng.usize(1..4) {
                shop.statement(&mut rng, choices, &mut changes);
            }
            for change in routed(lsn, actions(&mut router, changes)) {
                history.push(change.clone());
                apply(&rules, &mut carts, change);
            }
            check(&layout, lives, &shop, &carts)?;
            // What has been settled forgets the rows of carts that are over.
            for cart in carts.values_mut() {
                if let Some(image) = &mut cart.image
                    && matches!(image.life, Life::Deleted { .. })
                {
                    image.tables.iter_mut().for_each(Vec::clear);
                }
            }
            if rng.u32(..3) == 0 {
                for key in all_keys() {
                    let cart = carts.get_mut(&key).expect("one of all");
                    if cart.wish.take().is_some() {
                        take_read(lives, cart, shop.read(&layout, &key));
                        cart.position = Position { lsn: Lsn(lsn), seq: u32::MAX };
                    }
                }
                check(&layout, lives, &shop, &carts)?;
            }
        }
        let last = carts.values().map(|c| c.position).max().unwrap_or_default();
        for cart in carts.values_mut() {
            cart.position = last;
        }
        let shown = |carts: &Foldings| -> Vec<String> {
            all_keys().iter().map(|key| format!("{:?}", carts[key].image)).collect()
        };
        let before = shown(&carts);
        let from = rng.usize(..=history.len());
        for change in history.drain(from..) {
            apply(&rules, &mut carts, change);
        }
        prop_assert_eq!(shown(&carts), before);
    }
}

/// A cart of one line, live.
fn held(layout: &Layout, key: [&str; 2]) -> Folding {
    let line = ["7", key[0], key[1], "1"].map(|v| Some(v.to_owned()));
    let cells = line_cells(&line);
    let mut image = Image::empty(layout);
    let header = layout.made_header(&cells);
    image.put(
        layout,
        Layout::HEADER,
        Row {
            cells: header,
            stamp: 1,
        },
    );
    image.put(layout, LINE, Row { cells, stamp: 1 });
    Folding::new(Some(image), Position::default())
}

fn moved(from: [&str; 2], to: [&str; 2]) -> Action {
    let line = |key: [&str; 2]| {
        let values = ["7", key[0], key[1], "1"].map(|v| Some(v.to_owned()));
        line_cells(&values)
    };
    Action::Move {
        from: CartKey::of(from),
        to: CartKey::of(to),
        table: LINE,
        old: line(from),
        new: line(to),
    }
}

fn fold(carts: &mut Foldings, actions: Vec<Action>) {
    let layout = layout(false);
    let rules = Rules {
        layout: &layout,
        live: &|_| Ok(true),
        live_reads: &[false, false],
        trusted_births: false,
    };
    for change in routed(5, actions) {
        apply(&rules, carts, change);
    }
}

#[test]
fn a_cart_whose_rows_all_leave_ends_and_the_other_has_them_until_it_is_read() {
    let (from, to) = (["1", "x"], ["1", "y"]);
    let mut carts = carts();
    carts.insert(CartKey::of(from), held(&layout(false), from));
    fold(&mut carts, vec![moved(from, to)]);
    let left = &carts[&CartKey::of(from)];
    assert_eq!(
        left.image.as_ref().map(|i| i.life),
        Some(Life::Deleted { stamp: 5 })
    );
    let came = &carts[&CartKey::of(to)];
    assert_eq!(came.wish, Some(Wish::Arrival));
    assert_eq!(came.heir_of, Some(CartKey::of(from)));
    let image = came.image.as_ref().expect("it has the row");
    assert_eq!((image.tables[0].len(), image.tables[LINE].len()), (1, 1));
}

#[test]
fn a_finished_cart_under_a_new_key_is_finished() {
    let (from, to) = (["1", "x"], ["1", "y"]);
    let mut carts = carts();
    let mut finished = held(&layout(false), from);
    finished.handed_over = true;
    carts.insert(CartKey::of(from), finished);
    fold(&mut carts, vec![moved(from, to)]);
    let came = &carts[&CartKey::of(to)];
    assert!(came.handed_over && came.image.is_none() && came.late == 1);
    // One that is there already has its own life.
    let mut carts = self::carts();
    let mut finished = held(&layout(false), from);
    finished.handed_over = true;
    carts.insert(CartKey::of(from), finished);
    carts.insert(CartKey::of(to), held(&layout(false), to));
    fold(&mut carts, vec![moved(from, to)]);
    assert!(!carts[&CartKey::of(to)].handed_over);
}

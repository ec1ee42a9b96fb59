//! Two mergers, one in each direction: what they bring across comes to the same on both sides.

use std::collections::VecDeque;

use super::model::{
    CART, EMAIL, LINE, Memory, QUANTITY, Target, at, head, key, line, mapping, row, text,
};
use crate::config::{FieldRule, QuantityRule};
use crate::mapping::map::TargetRow;
use crate::mapping::plan::Mapping;

/// One side: its tables, and its log of what has not been brought across.
#[derive(Clone)]
struct Side {
    table: Target,
    /// The cart after each transaction, and whether that was the other direction's.
    log: VecDeque<(Vec<TargetRow>, bool)>,
    made: usize,
    name: &'static str,
}

impl Side {
    fn rows(&self) -> Vec<TargetRow> {
        let rows = self.table.rows.iter();
        rows.map(|((into, key), cells)| row(*into, &key[0], cells.to_vec()))
            .collect()
    }

    fn log(&mut self, echo: bool) {
        let rows = self.rows();
        self.log.push_back((rows, echo));
    }

    /// The customer takes so many more. False where there are not so many to be taken out.
    fn take(&mut self, by: i64) -> bool {
        let there = self.table.rows.iter().find(|((into, _), _)| *into == LINE);
        let there = there.map(|((_, key), cells)| {
            let quantity: i64 = cells[QUANTITY].text().unwrap().parse().unwrap();
            (key[0].to_string(), quantity)
        });
        match there {
            Some((_, quantity)) if quantity + by < 0 => return false,
            Some((id, quantity)) if quantity + by == 0 => self.table.remove(LINE, &id),
            Some((id, quantity)) => self.table.put(&line(&id, "tea", quantity + by)),
            None if by < 0 => return false,
            None => {
                self.made += 1;
                let id = format!("{}{}", self.name, self.made);
                self.table.put(&line(&id, "tea", by));
            }
        }
        self.log(false);
        true
    }

    fn write(&mut self, email: &str, seconds: i64) {
        self.table.put(&head(email, seconds));
        self.log(false);
    }
}

#[derive(Clone)]
struct World {
    sides: [Side; 2],
    /// What the pipeline from each side remembers.
    memories: [Memory; 2],
    intended: i64,
    bound: bool,
}

impl World {
    fn new(start: i64) -> Self {
        let mut rows = vec![head("e", 0)];
        if start > 0 {
            rows.push(line("m", "tea", start));
        }
        let side = |name| Side {
            table: Target::of(&rows),
            log: VecDeque::new(),
            made: 0,
            name,
        };
        Self {
            sides: [side("a"), side("z")],
            memories: [Memory::of(&rows), Memory::of(&rows)],
            intended: start,
            bound: false,
        }
    }

    fn take(mut self, side: usize, by: i64) -> Option<Self> {
        self.intended += by;
        self.sides[side].take(by).then_some(self)
    }

    /// Brings one transaction across. None where there is none.
    fn deliver(mut self, mapping: &Mapping, from: usize) -> Option<Self> {
        let (rows, echo) = self.sides[from].log.pop_front()?;
        if echo {
            self.memories[from].rows = rows;
            return Some(self);
        }
        let to = &mut self.sides[1 - from];
        let before = to.table.quantity("tea");
        let sum = |rows: &[TargetRow]| -> i64 {
            let lines = rows.iter().filter(|row| row.into == LINE);
            lines
                .map(|r| r.cells[QUANTITY].text().unwrap().parse::<i64>().unwrap())
                .sum()
        };
        let change = sum(&rows) - sum(&self.memories[from].rows);
        let merged = self.memories[from].merge(mapping, &rows, &to.table);
        let wrote = to.table.apply(&merged);
        self.memories[from].rows = rows;
        self.memories[from].kept = merged.kept[0].clone();
        self.bound |= to.table.quantity("tea") != before + change;
        if wrote {
            to.log(true);
        }
        Some(self)
    }

    fn drained(mut self, mapping: &Mapping) -> Self {
        loop {
            let next = [0, 1]
                .into_iter()
                .find(|&side| !self.sides[side].log.is_empty());
            let Some(side) = next else { return self };
            self = self.deliver(mapping, side).unwrap();
        }
    }
}

fn explore(mapping: &Mapping, world: World, left: usize, count: &mut [u64; 2]) {
    let end = world.clone().drained(mapping);
    count[usize::from(end.bound)] += 1;
    if !end.bound {
        let both = [0, 1].map(|side: usize| end.sides[side].table.quantity("tea"));
        assert_eq!(both, [end.intended; 2]);
    }
    if left == 0 {
        return;
    }
    for side in 0..2 {
        for by in [1, -1] {
            if let Some(next) = world.clone().take(side, by) {
                explore(mapping, next, left - 1, count);
            }
        }
        if let Some(next) = world.clone().deliver(mapping, side) {
            explore(mapping, next, left - 1, count);
        }
    }
}

#[test]
fn both_sides_come_to_what_was_intended_on_either() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Latest);
    let mut count = [0; 2];
    for start in [0, 1, 3] {
        explore(&mapping, World::new(start), 6, &mut count);
    }
    println!("{count:?} histories without and with a bound");
    assert!(count[0] > 20_000 && count[1] > 100, "{count:?}");
}

#[test]
fn both_sides_come_to_the_latest_values() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Latest);
    for seed in 0..500 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut world = World::new(0);
        let mut latest = (0, "e".to_owned());
        for second in 1..rng.i64(2..10) {
            // Now and then both write in one second, each its own.
            for side in 0..2 {
                if rng.bool() {
                    let email = format!("{}{second}", world.sides[side].name);
                    world.sides[side].write(&email, second);
                    latest = latest.max((second, email));
                }
            }
            let side = rng.usize(0..2);
            if let Some(next) = world.clone().deliver(&mapping, side) {
                world = next;
            }
        }
        let end = world.drained(&mapping);
        for side in &end.sides {
            let cells = &side.table.rows[&(CART, key("c"))];
            assert_eq!(cells[EMAIL], text(&latest.1), "seed {seed}");
            assert_eq!(cells[1], text(&at(latest.0)), "seed {seed}");
        }
    }
}

//! All short histories of two writers over two products, each judged by an oracle that only counts
//! what the two intended.

use super::model::{
    LINE, Memory, QUANTITY, REMOVED, Target, head, line, mapping, soft, text, with,
};
use crate::cart::image::Cells;
use crate::config::{FieldRule, QuantityRule};
use crate::mapping::map::TargetRow;
use crate::mapping::plan::{Fate, Mapping};

const PRODUCTS: [&str; 2] = ["tea", "milk"];
const MOST: i64 = 9;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many more of a product in the source, or less.
    Source(usize, i64),
    Target(usize, i64),
    Deliver,
}

/// What the source has: rows get a new key each time that they come.
#[derive(Clone, Default)]
struct Source {
    lines: Vec<(String, usize, i64)>,
    next: usize,
}

impl Source {
    fn change(&mut self, product: usize, by: i64) -> bool {
        match self.lines.iter_mut().find(|(_, p, _)| *p == product) {
            Some(line) => line.2 += by,
            None if by < 0 => return false,
            None => {
                self.next += 1;
                self.lines.push((format!("k{}", self.next), product, by));
            }
        }
        self.lines.retain(|(_, _, quantity)| *quantity > 0);
        true
    }

    fn rows(&self) -> Vec<TargetRow> {
        let lines = self.lines.iter();
        let lines = lines.map(|(id, product, quantity)| line(id, PRODUCTS[*product], quantity));
        std::iter::once(head("e", 0)).chain(lines).collect()
    }

    fn quantity(&self, product: usize) -> i64 {
        let lines = self.lines.iter().filter(|(_, p, _)| *p == product);
        lines.map(|(_, _, quantity)| quantity).sum()
    }
}

/// Counts, and knows nothing of rows.
#[derive(Clone, Default)]
struct Oracle {
    intended: [i64; 2],
    applied: [i64; 2],
    there: [i64; 2],
    bound: bool,
}

impl Oracle {
    fn deliver(&mut self, product: usize, source: i64) {
        let change = source - self.applied[product];
        self.applied[product] = source;
        let before = self.there[product];
        let sum = before + change;
        let most = MOST.max(before).max(source);
        self.there[product] = sum.clamp(0, most);
        self.bound |= change != 0 && self.there[product] != sum;
    }
}

#[derive(Clone)]
struct World {
    source: Source,
    target: Target,
    memory: Memory,
    oracle: Oracle,
    rivals: usize,
}

impl World {
    fn new(start: [i64; 2]) -> Self {
        let mut source = Source::default();
        for (product, quantity) in start.into_iter().enumerate() {
            if quantity > 0 {
                source.change(product, quantity);
            }
        }
        Self {
            target: Target::of(&source.rows()),
            memory: Memory::of(&source.rows()),
            source,
            oracle: Oracle {
                intended: start,
                applied: start,
                there: start,
                bound: false,
            },
            rivals: 0,
        }
    }

    /// None where the step is none: nobody takes out of a cart what is not in it.
    fn step(mut self, mapping: &Mapping, step: Step) -> Option<Self> {
        let left = match step {
            Step::Source(product, by) => self.source.quantity(product) + by,
            Step::Target(product, by) => self.target.quantity(PRODUCTS[product]) + by,
            Step::Deliver => 0,
        };
        if left < 0 {
            return None;
        }
        match step {
            Step::Source(product, by) => {
                if !self.source.change(product, by) {
                    return None;
                }
                self.oracle.intended[product] += by;
            }
            Step::Target(product, by) => {
                self.write(mapping, product, by)?;
                self.oracle.intended[product] += by;
                self.oracle.there[product] += by;
            }
            Step::Deliver => self.deliver(mapping),
        }
        Some(self)
    }

    /// The new backend adds to the line that it finds, or makes one of its own.
    fn write(&mut self, mapping: &Mapping, product: usize, by: i64) -> Option<()> {
        let name = PRODUCTS[product];
        let is_it = |((into, _), cells): &(&(usize, _), &Cells)| {
            *into == LINE && cells[1].text() == Some(name) && cells[REMOVED].text().is_none()
        };
        let found = self.target.rows.iter().find(is_it);
        let found = found.map(|((_, key), cells)| {
            let before: i64 = cells[QUANTITY].text().unwrap().parse().unwrap();
            (key[0].to_string(), before)
        });
        match found {
            Some((id, before)) if before + by > 0 => {
                self.target.put(&line(&id, name, before + by));
            }
            Some((id, before)) => {
                let is_soft = matches!(mapping.intos[LINE].deleted, Fate::Set(_));
                match is_soft {
                    true => {
                        let dead = with(line(&id, name, before), REMOVED, text("left"));
                        self.target.put(&dead);
                    }
                    false => self.target.remove(LINE, &id),
                }
            }
            None if by < 0 => return None,
            None => {
                self.rivals += 1;
                // Sorts before and after the keys of the source, in turns.
                let id = format!("{}{}", ["a", "r"][self.rivals % 2], self.rivals);
                self.target.put(&line(&id, name, by));
            }
        }
        Some(())
    }

    fn deliver(&mut self, mapping: &Mapping) {
        let mut rows = self.source.rows();
        if matches!(mapping.intos[LINE].deleted, Fate::Set(_)) {
            // What has gone is a ghost from then on.
            let gone =
                |old: &&TargetRow| old.into == LINE && !rows.iter().any(|new| new.key == old.key);
            let ghosts = self.memory.rows.iter().filter(gone).map(|old| TargetRow {
                origin: None,
                ..with(old.clone(), REMOVED, text("gone"))
            });
            let ghosts: Vec<TargetRow> = ghosts.collect();
            rows.extend(ghosts);
        }
        self.memory.deliver(mapping, &rows, &mut self.target);
        for product in 0..PRODUCTS.len() {
            self.oracle.deliver(product, self.source.quantity(product));
        }
    }

    /// Everything is delivered: what is there is what the two intended.
    fn judge(mut self, mapping: &Mapping, history: &[Step]) -> bool {
        self.deliver(mapping);
        for (product, name) in PRODUCTS.into_iter().enumerate() {
            let there = self.target.quantity(name);
            assert_eq!(there, self.oracle.there[product], "{name}: {history:?}");
            if !self.oracle.bound {
                assert_eq!(there, self.oracle.intended[product], "{name}: {history:?}");
            }
        }
        self.oracle.bound
    }
}

#[derive(Debug, Default)]
struct Count {
    free: u64,
    bound: u64,
}

fn explore(
    mapping: &Mapping,
    steps: &[Step],
    world: &World,
    history: &mut Vec<Step>,
    left: usize,
    count: &mut Count,
) {
    match world.clone().judge(mapping, history) {
        true => count.bound += 1,
        false => count.free += 1,
    }
    if left == 0 {
        return;
    }
    for step in steps {
        let Some(next) = world.clone().step(mapping, *step) else {
            continue;
        };
        history.push(*step);
        explore(mapping, steps, &next, history, left - 1, count);
        history.pop();
    }
}

/// All histories of up to so many steps.
fn all(mapping: &Mapping, start: [i64; 2], by: &[i64], length: usize) -> Count {
    let mut steps = vec![Step::Deliver];
    for product in 0..PRODUCTS.len() {
        for by in by {
            steps.push(Step::Source(product, *by));
            steps.push(Step::Target(product, *by));
        }
    }
    let mut count = Count::default();
    let world = World::new(start);
    explore(mapping, &steps, &world, &mut Vec::new(), length, &mut count);
    println!("{start:?} by {by:?}, up to {length} steps: {count:?}");
    count
}

fn length(of: usize) -> usize {
    let more = std::env::var("CARTAGE_HISTORIES").ok();
    of + more.and_then(|more| more.parse().ok()).unwrap_or(0)
}

#[test]
fn all_short_histories_come_to_what_both_sides_intended() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Latest);
    let mut total = Count::default();
    for (start, by, steps) in [
        ([0, 0], &[1, -1][..], 5),
        ([1, 2], &[1, -1][..], 5),
        ([5, 0], &[4, -3][..], 5),
    ] {
        let count = all(&mapping, start, by, length(steps));
        total.free += count.free;
        total.bound += count.bound;
    }
    println!("{} histories", total.free + total.bound);
    assert!(total.free > 50_000 && total.bound > 1_000, "{total:?}");
}

#[test]
fn also_where_removed_lines_are_marked() {
    let mapping = soft(mapping(QuantityRule::Both, FieldRule::Latest));
    let count = all(&mapping, [1, 0], &[1, -1], length(5));
    assert!(count.free > 10_000 && count.bound > 100, "{count:?}");
}

/// Longer ones at random, with more of everything.
#[test]
fn random_histories_come_to_what_both_sides_intended() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Latest);
    let mut count = Count::default();
    for seed in 0..2_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut world = World::new([rng.i64(0..4), rng.i64(0..4)]);
        let mut history = Vec::new();
        for _ in 0..rng.usize(5..40) {
            let (product, by) = (rng.usize(0..2), [-2, -1, 1, 2][rng.usize(0..4)]);
            let step = match rng.u8(0..3) {
                0 => Step::Source(product, by),
                1 => Step::Target(product, by),
                _ => Step::Deliver,
            };
            if let Some(next) = world.clone().step(&mapping, step) {
                history.push(step);
                world = next;
            }
        }
        match world.judge(&mapping, &history) {
            true => count.bound += 1,
            false => count.free += 1,
        }
    }
    println!("{count:?}");
    assert!(count.free > 200 && count.bound > 200, "{count:?}");
}

//! What floor and cap do to the order of things.

use super::model::{Memory, Target, head, line, mapping};
use crate::config::{FieldRule, QuantityRule};

#[test]
fn beyond_the_bounds_the_order_matters_and_is_the_same_each_time() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Latest);
    let lines = |n: i64| [head("e", 0), line("k", "tea", n)];
    let run = |changes: &[i64]| {
        let mut target = Target::of(&lines(5));
        let mut memory = Memory::of(&lines(5));
        target.put(&line("k", "tea", 8));
        for ours in changes {
            memory.deliver(&mapping, &lines(*ours), &mut target);
        }
        target.quantity("tea")
    };
    // Three more there, and in the end one more here.
    assert_eq!(run(&[6]), 9);
    assert_eq!(run(&[4, 6]), 9);
    // By way of five more, of which the cap takes four.
    assert_eq!(run(&[10, 6]), 6);
    assert_eq!(run(&[10, 6]), 6);
}

#[test]
fn a_side_that_has_more_than_the_most_is_not_cut() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Latest);
    let lines = |n: i64| [head("e", 0), line("k", "tea", n)];
    let mut target = Target::of(&lines(20));
    let mut memory = Memory::of(&lines(20));
    target.put(&line("k", "tea", 22));
    memory.deliver(&mapping, &lines(21), &mut target);
    assert_eq!(target.quantity("tea"), 22, "no more than it had");
    memory.deliver(&mapping, &lines(18), &mut target);
    assert_eq!(target.quantity("tea"), 19);
}

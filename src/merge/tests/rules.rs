//! The quantity of a line under each rule.

use super::model::{LINE, Memory, Target, head, line, mapping, soft};
use crate::config::{FieldRule, QuantityRule};

/// What becomes of a line of tea that had `base`, has `ours` in the source now, and `theirs` in the
/// target; then of a second merge in which the source has two more.
fn quantities(rule: QuantityRule, base: i64, ours: i64, theirs: i64) -> [i64; 2] {
    let mapping = mapping(rule, FieldRule::Latest);
    let lines = |n: i64| match n {
        0 => vec![head("e", 0)],
        n => vec![head("e", 0), line("k", "tea", n)],
    };
    let mut target = Target::of(&lines(base));
    let mut memory = Memory::of(&lines(base));
    match (base, theirs) {
        (b, t) if b == t => {}
        (0, t) => target.put(&line("r", "tea", t)),
        (_, 0) => target.remove(LINE, "k"),
        (_, t) => target.put(&line("k", "tea", t)),
    }
    memory.deliver(&mapping, &lines(ours), &mut target);
    let first = target.quantity("tea");
    let merged = memory.deliver(&mapping, &lines(ours + 2), &mut target);
    // What the source had not changed was not looked at before.
    assert!(!merged.conflict || ours == base, "nobody wrote in between");
    [first, target.quantity("tea")]
}

#[test]
fn both_counts_each_sides_change() {
    let both = |b, o, t| quantities(QuantityRule::Both, b, o, t);
    assert_eq!(both(2, 3, 2), [3, 5], "the source alone");
    assert_eq!(both(2, 2, 4), [4, 6], "the target alone");
    assert_eq!(both(2, 3, 4), [5, 7]);
    assert_eq!(both(0, 1, 3), [4, 6], "put into the cart here and there");
    assert_eq!(both(2, 3, 0), [1, 3], "removed there, one more here");
    assert_eq!(both(2, 0, 5), [3, 5], "removed here, three more there");
    assert_eq!(both(2, 0, 0), [0, 2], "removed by both");
    assert_eq!(both(2, 1, 1), [0, 2], "one less on each side");
    assert_eq!(both(1, 0, 0), [0, 2]);
}

#[test]
fn max_takes_the_greater() {
    let max = |b, o, t| quantities(QuantityRule::Max, b, o, t);
    assert_eq!(max(2, 3, 4), [4, 5]);
    assert_eq!(max(2, 4, 3), [4, 6]);
    assert_eq!(max(2, 1, 2), [1, 3], "the source alone");
    assert_eq!(max(2, 3, 0), [3, 5]);
    assert_eq!(max(2, 0, 3), [3, 3]);
}

#[test]
fn sum_adds_both_up_once() {
    let sum = |b, o, t| quantities(QuantityRule::Sum, b, o, t);
    assert_eq!(sum(1, 2, 3), [5, 7], "then by difference");
    assert_eq!(sum(0, 2, 3), [5, 7]);
    assert_eq!(sum(2, 3, 0), [3, 5]);
    assert_eq!(sum(2, 0, 3), [3, 5]);
    assert_eq!(sum(2, 3, 2), [3, 5], "the source alone");
}

#[test]
fn source_and_target_take_their_side_where_both_changed() {
    let source = |b, o, t| quantities(QuantityRule::Source, b, o, t);
    assert_eq!(source(2, 3, 5), [3, 5]);
    assert_eq!(source(2, 2, 5), [5, 4], "the source had changed nothing");
    assert_eq!(source(2, 0, 5), [0, 2]);
    let target = |b, o, t| quantities(QuantityRule::Target, b, o, t);
    assert_eq!(target(2, 3, 5), [5, 5]);
    assert_eq!(target(2, 3, 0), [0, 0]);
    assert_eq!(target(2, 3, 2), [3, 5], "the target had changed nothing");
}

#[test]
fn latest_takes_the_later_and_without_a_time_the_source() {
    let latest = |source: i64, target: i64| {
        let mapping = mapping(QuantityRule::Latest, FieldRule::Latest);
        let before = [head("e", 10), line("k", "tea", 2)];
        let mut shop = Target::of(&before);
        let mut memory = Memory::of(&before);
        shop.put(&head("e", target));
        shop.put(&line("k", "tea", 5));
        memory.deliver(
            &mapping,
            &[head("e", source), line("k", "tea", 3)],
            &mut shop,
        );
        shop.quantity("tea")
    };
    assert_eq!(latest(30, 20), 3);
    assert_eq!(latest(20, 30), 5);
    assert_eq!(latest(20, 20), 5, "of one time the greater");
    assert_eq!(
        latest(5, 10),
        3,
        "the target's time is the one that cartage wrote"
    );
}

#[test]
fn no_rule_goes_below_nothing_or_above_the_most() {
    for rule in [
        QuantityRule::Both,
        QuantityRule::Latest,
        QuantityRule::Max,
        QuantityRule::Sum,
        QuantityRule::Source,
        QuantityRule::Target,
    ] {
        for base in 0..=4 {
            for ours in 0..=12 {
                for theirs in 0..=12 {
                    let [first, _] = quantities(rule, base, ours, theirs);
                    let most = 9.max(ours).max(theirs);
                    assert!(
                        (0..=most).contains(&first),
                        "{rule:?} {base} {ours} {theirs}"
                    );
                }
            }
        }
    }
}

#[test]
fn fractions_are_exact() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Latest);
    let mut target = Target::of(&[head("e", 0), line("k", "tea", "0.30")]);
    let mut memory = Memory::of(&[head("e", 0), line("k", "tea", "0.10")]);
    memory.deliver(
        &mapping,
        &[head("e", 0), line("k", "tea", "0.3")],
        &mut target,
    );
    assert_eq!(target.lines(), "k tea 0.50");
}

#[test]
fn a_line_that_a_merge_removes_is_marked_where_deleted_marks() {
    let mapping = soft(mapping(QuantityRule::Both, FieldRule::Latest));
    let before = [head("e", 0), line("k", "tea", 3)];
    let mut target = Target::of(&before);
    let mut memory = Memory::of(&before);
    target.put(&line("k", "tea", 1));
    memory.deliver(&mapping, &[head("e", 0), line("k", "tea", 1)], &mut target);
    assert_eq!(target.lines(), "");
    assert_eq!(target.cell(LINE, "k", super::model::REMOVED), Some("gone"));
    // Two more: it comes back under its key.
    memory.deliver(&mapping, &[head("e", 0), line("k", "tea", 3)], &mut target);
    assert_eq!(target.lines(), "k tea 2");
}

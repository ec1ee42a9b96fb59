//! What a merge looked at is kept, and decided again; and one side's rows are taken.

use super::model::{
    CART, EMAIL, GIFT, LINE, Memory, Target, gift, head, line, mapping, text, with,
};
use crate::config::{FieldRule, QuantityRule};
use crate::mapping::map::TargetRow;
use crate::mapping::plan::Mapping;
use crate::merge::{Decision, Merged, Stored, encode_inputs, take_source, take_target};

fn both() -> Mapping {
    mapping(QuantityRule::Both, FieldRule::Latest)
}

/// Both sides have changed an email, a line, and put in the same product; a gift hangs below each line.
fn history() -> (Target, Memory, Vec<TargetRow>) {
    let before = [
        head("e", 0),
        line("a", "tea", 2),
        line("b", "milk", 1),
        gift("g", "a", "words"),
    ];
    let mut target = Target::of(&before);
    target.put(&head("theirs", 60));
    target.put(&line("a", "tea", 5));
    target.put(&line("z", "rice", 3));
    target.put(&line("y", "salt", 1));
    let ours = vec![
        head("ours", 30),
        line("a", "tea", 4),
        line("c", "rice", 1),
        gift("g", "a", "other words"),
    ];
    (target, Memory::of(&before), ours)
}

#[test]
fn what_is_kept_is_decided_again_as_it_was_and_by_other_rules_as_they_say() {
    let (target, memory, ours) = history();
    for rule in [QuantityRule::Both, QuantityRule::Max, QuantityRule::Source] {
        for fields in [FieldRule::Latest, FieldRule::Source] {
            let mapping = mapping(rule, fields);
            let merged = memory.merge(&mapping, &ours, &target);
            let stored = memory.see(&both(), &ours, &target, encode_inputs);
            let again = Stored::decode(&stored).unwrap().merge(&mapping).unwrap();
            assert_eq!(format!("{merged:?}"), format!("{again:?}"));
        }
    }
}

#[test]
fn what_is_damaged_is_no_merge() {
    let (target, memory, ours) = history();
    let mut stored = memory.see(&both(), &ours, &target, encode_inputs);
    assert!(Stored::decode(&stored[..stored.len() - 1]).is_err());
    stored[0] = 99;
    assert!(Stored::decode(&stored).is_err());
    assert!(Stored::decode(&[]).is_err());
}

fn rules(merged: &Merged) -> Vec<&str> {
    let mut rules: Vec<&str> = merged.decisions.iter().map(|d: &Decision| d.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn the_sources_rows_are_written_over_what_is_found() {
    let (mut target, mut memory, ours) = history();
    let taken = memory.see(&both(), &ours, &target, |inputs| {
        take_source(inputs).unwrap()
    });
    assert_eq!(rules(&taken), ["taken: source"]);
    target.apply(&taken);
    // The new backend's rice is the row that was there; its salt is nobody's to remove.
    assert_eq!(target.lines(), "a tea 4, y salt 1, z rice 1");
    assert_eq!(target.cell(CART, "c", EMAIL), Some("ours"));
    assert_eq!(target.cell(GIFT, "g", 1), Some("other words"));
    memory.rows = ours.clone();
    memory.kept = taken.kept[0].clone();
    let again = memory.merge(&both(), &ours, &target);
    assert!(!again.conflict && !target.clone().apply(&again));
    // What comes later is a difference again.
    let mut later = ours;
    later[2] = line("c", "rice", 2);
    target.put(&line("z", "rice", 3));
    memory.deliver(&both(), &later, &mut target);
    assert_eq!(target.lines(), "a tea 4, y salt 1, z rice 4");
}

#[test]
fn both_rows_of_a_product_become_the_sources_one() {
    let before = [head("e", 0), line("b", "tea", 1)];
    let (mut target, mut memory) = (Target::of(&before), Memory::of(&before));
    target.put(&line("z", "tea", 4));
    let ours = [head("e", 1), line("b", "tea", 2)];
    let taken = memory.see(&both(), &ours, &target, |inputs| {
        take_source(inputs).unwrap()
    });
    target.apply(&taken);
    assert_eq!(target.lines(), "b tea 2");
    memory.rows = ours.to_vec();
    memory.kept = taken.kept[0].clone();
    memory.deliver(&both(), &[head("e", 2), line("b", "tea", 3)], &mut target);
    assert_eq!(target.lines(), "b tea 3");
}

#[test]
fn what_is_found_stays_and_later_changes_are_put_into_it() {
    let (mut target, mut memory, ours) = history();
    let taken = memory.see(&both(), &ours, &target, take_target);
    assert_eq!(rules(&taken), ["taken: target"]);
    let before = target.clone();
    assert!(!target.apply(&taken), "it writes");
    assert_eq!(target, before);
    memory.rows = ours.clone();
    memory.kept = taken.kept[0].clone();
    let again = memory.merge(&both(), &ours, &target);
    assert!(!again.conflict && !target.clone().apply(&again));
    let mut later = ours;
    later[1] = line("a", "tea", 6);
    later[2] = line("c", "rice", 2);
    let merged = memory.deliver(&both(), &later, &mut target);
    assert!(!merged.conflict, "the new backend has not written since");
    assert_eq!(target.lines(), "a tea 7, b milk 1, y salt 1, z rice 4");
    assert_eq!(target.cell(CART, "c", EMAIL), Some("theirs"));
}

#[test]
fn a_row_that_the_new_backend_deleted_comes_back_with_the_sources_and_stays_away_with_the_targets()
{
    let before = [head("e", 0), line("a", "tea", 2), line("b", "milk", 1)];
    let ours = [head("f", 1), line("a", "tea", 3), line("b", "milk", 1)];
    let mut target = Target::of(&before);
    target.remove(LINE, "a");
    target.put(&with(line("b", "milk", 1), 3, text("5")));
    let memory = Memory::of(&before);
    let source = memory.see(&both(), &ours, &target, |inputs| {
        take_source(inputs).unwrap()
    });
    let found = memory.see(&both(), &ours, &target, take_target);
    let mut written = target.clone();
    written.apply(&source);
    assert_eq!(written.lines(), "a tea 3, b milk 1");
    target.apply(&found);
    assert_eq!(target.lines(), "b milk 5");
    let mut memory = memory;
    memory.rows = ours.to_vec();
    memory.kept = found.kept[0].clone();
    let later = [head("f", 1), line("a", "tea", 4), line("b", "milk", 2)];
    memory.deliver(&both(), &later, &mut target);
    assert_eq!(target.lines(), "a tea 1, b milk 6");
}

#[test]
fn a_row_that_may_be_another_carts_is_not_taken() {
    let before = [head("e", 0)];
    let mut target = Target::of(&before);
    // Under a key of ours, in another cart.
    target.put(&with(line("a", "tea", 5), 0, text("d")));
    let memory = Memory::of(&before);
    let ours = [head("e", 1), line("a", "tea", 1)];
    let refused = memory.see(&both(), &ours, &target, |inputs| {
        take_source(inputs).is_err()
    });
    assert!(refused);
    // The new backend's own line of this cart is.
    let mut target = Target::of(&before);
    target.put(&line("a", "tea", 5));
    let taken = memory.see(&both(), &ours, &target, |inputs| {
        take_source(inputs).unwrap()
    });
    target.apply(&taken);
    assert_eq!(target.lines(), "a tea 1");
}

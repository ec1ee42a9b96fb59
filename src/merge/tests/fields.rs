//! Single values that both sides changed.

use std::sync::Arc;

use super::model::{CART, CHANGED, EMAIL, Memory, Target, at, head, mapping};
use crate::config::{FieldRule, QuantityRule};

/// The email that was `base`, after the source made it `ours` and the new backend `theirs`.
fn email(
    rule: FieldRule,
    own: Option<FieldRule>,
    ours: (&str, i64),
    theirs: (&str, i64),
) -> String {
    let mut mapping = mapping(QuantityRule::Both, rule);
    let header = Arc::get_mut(&mut mapping.intos[CART]).unwrap();
    header.columns[EMAIL].merge = own;
    let mut target = Target::of(&[head("base", 10)]);
    let mut memory = Memory::of(&[head("base", 10)]);
    if theirs != ("base", 10) {
        target.put(&head(theirs.0, theirs.1));
    }
    memory.deliver(&mapping, &[head(ours.0, ours.1)], &mut target);
    target.cell(CART, "c", EMAIL).unwrap().to_owned()
}

#[test]
fn the_side_that_changed_it_has_it() {
    for rule in [FieldRule::Latest, FieldRule::Source, FieldRule::Target] {
        assert_eq!(email(rule, None, ("ours", 20), ("base", 10)), "ours");
        assert_eq!(email(rule, None, ("base", 20), ("theirs", 15)), "theirs");
        assert_eq!(email(rule, None, ("same", 20), ("same", 15)), "same");
    }
}

#[test]
fn where_both_did_the_rule_says() {
    let changed = [
        (("ours", 20), ("theirs", 30)),
        (("ours", 30), ("theirs", 20)),
    ];
    for (ours, theirs) in changed {
        assert_eq!(email(FieldRule::Source, None, ours, theirs), "ours");
        assert_eq!(email(FieldRule::Target, None, ours, theirs), "theirs");
    }
    let latest = |ours, theirs| email(FieldRule::Latest, None, ("ours", ours), ("theirs", theirs));
    assert_eq!(latest(20, 30), "theirs");
    assert_eq!(latest(30, 20), "ours");
    assert_eq!(latest(20, 20), "theirs", "of one time the greater");
    assert_eq!(latest(5, 10), "ours", "the target's time is cartage's own");
}

#[test]
fn a_column_of_its_own_mind() {
    let (ours, theirs) = (("ours", 20), ("theirs", 30));
    let own = |own| email(FieldRule::Latest, Some(own), ours, theirs);
    assert_eq!(own(FieldRule::Source), "ours");
    assert_eq!(own(FieldRule::Target), "theirs");
}

#[test]
fn what_the_new_backend_chose_is_not_undone_by_what_the_source_said_before() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Target);
    let mut target = Target::of(&[head("base", 10)]);
    let mut memory = Memory::of(&[head("base", 10)]);
    target.put(&head("theirs", 15));
    for (n, ours) in ["one", "two", "three"].into_iter().enumerate() {
        let merged = memory.deliver(&mapping, &[head(ours, 20)], &mut target);
        assert_eq!(target.cell(CART, "c", EMAIL), Some("theirs"));
        assert_eq!(merged.conflict, n == 0);
    }
}

#[test]
fn a_write_of_ours_does_not_pass_for_a_later_one_of_the_new_backend() {
    let mapping = mapping(QuantityRule::Both, FieldRule::Latest);
    let mut target = Target::of(&[head("base", 10)]);
    let mut memory = Memory::of(&[head("base", 10)]);
    target.put(&head("theirs", 20));
    // Later than it, and seen first.
    memory.deliver(&mapping, &[head("later", 40)], &mut target);
    assert_eq!(target.cell(CART, "c", EMAIL), Some("later"));
    assert_eq!(target.cell(CART, "c", CHANGED), Some(&*at(40)));
    assert!(memory.kept.is_empty(), "it is as the source has it");
    memory.deliver(&mapping, &[head("last", 30)], &mut target);
    assert_eq!(target.cell(CART, "c", EMAIL), Some("last"));
}

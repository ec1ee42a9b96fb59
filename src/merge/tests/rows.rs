//! Which rows there are after a merge: folded lines, removed and changed ones, and what hangs below.

use super::model::{
    CART, EMAIL, GIFT, LINE, Memory, NOTE, Target, gift, head, line, mapping, text, with,
};
use crate::config::{FieldRule, QuantityRule};
use crate::mapping::map::TargetRow;
use crate::mapping::plan::Mapping;

fn both() -> Mapping {
    mapping(QuantityRule::Both, FieldRule::Latest)
}

fn start(rows: &[TargetRow]) -> (Target, Memory) {
    (Target::of(rows), Memory::of(rows))
}

#[test]
fn the_same_product_here_and_there_becomes_the_row_that_is_there() {
    let (mut target, mut memory) = start(&[head("e", 0)]);
    target.put(&line("r", "tea", 2));
    let merged = memory.deliver(&both(), &[head("e", 0), line("k", "tea", 1)], &mut target);
    assert_eq!(target.lines(), "r tea 3");
    assert_eq!((merged.conflict, merged.items), (true, 1));
    let merged = memory.deliver(&both(), &[head("e", 0), line("k", "tea", 4)], &mut target);
    assert_eq!(target.lines(), "r tea 6");
    assert!(!merged.conflict, "the new backend has not written since");
    target.put(&line("r", "tea", 7));
    let merged = memory.deliver(&both(), &[head("e", 0)], &mut target);
    assert_eq!(target.lines(), "r tea 3", "its own two, and one more");
    assert!(merged.conflict);
}

#[test]
fn where_both_rows_are_there_the_lesser_key_stays() {
    for (ours, theirs) in [("a", "b"), ("b", "a")] {
        let (mut target, mut memory) = start(&[head("e", 0), line(ours, "tea", 1)]);
        target.put(&line(theirs, "tea", 2));
        let now = [head("e", 0), line(ours, "tea", 2)];
        memory.deliver(&both(), &now, &mut target);
        assert_eq!(target.lines(), "a tea 4");
        memory.deliver(&both(), &[head("e", 0)], &mut target);
        assert_eq!(target.lines(), "a tea 2");
    }
}

#[test]
fn a_line_that_the_source_has_not_changed_is_left_alone() {
    let (mut target, mut memory) = start(&[head("e", 0), line("a", "tea", 1)]);
    target.put(&line("b", "tea", 2));
    memory.deliver(&both(), &[head("f", 1), line("a", "tea", 1)], &mut target);
    assert_eq!(target.lines(), "a tea 1, b tea 2");
    assert_eq!(target.cell(CART, "c", EMAIL), Some("f"));
}

#[test]
fn two_lines_of_the_source_stay_two_where_nobody_else_has_one() {
    let (mut target, mut memory) = start(&[head("e", 0), line("a", "tea", 1), line("b", "tea", 2)]);
    target.put(&line("a", "tea", 2));
    let now = [head("e", 0), line("a", "tea", 2), line("b", "tea", 4)];
    memory.deliver(&both(), &now, &mut target);
    assert_eq!(target.lines(), "a tea 3, b tea 4");
}

#[test]
fn lines_that_the_new_backend_has_folded_are_one() {
    let (mut target, mut memory) = start(&[head("e", 0), line("a", "tea", 1), line("b", "tea", 2)]);
    target.remove(LINE, "a");
    target.put(&line("b", "tea", 3));
    let now = [head("e", 0), line("a", "tea", 2), line("b", "tea", 2)];
    memory.deliver(&both(), &now, &mut target);
    assert_eq!(target.lines(), "b tea 4");
    memory.deliver(&both(), &[head("e", 0), line("b", "tea", 2)], &mut target);
    assert_eq!(target.lines(), "b tea 2");
}

#[test]
fn a_line_that_comes_under_a_new_key_each_time_is_the_same_line() {
    let (mut target, mut memory) = start(&[head("e", 0), line("k1", "tea", 2)]);
    target.put(&line("k1", "tea", 3));
    memory.deliver(&both(), &[head("e", 0), line("k2", "tea", 2)], &mut target);
    assert_eq!(target.lines(), "k1 tea 3");
    memory.deliver(&both(), &[head("e", 0), line("k3", "tea", 4)], &mut target);
    assert_eq!(target.lines(), "k1 tea 5");
}

#[test]
fn another_product_under_the_same_key_takes_the_quantity_along() {
    let (mut target, mut memory) = start(&[head("e", 0), line("k", "tea", 2)]);
    target.put(&line("k", "tea", 3));
    memory.deliver(&both(), &[head("e", 0), line("k", "milk", 2)], &mut target);
    assert_eq!(target.lines(), "k milk 3");
}

#[test]
fn a_row_under_a_key_of_ours_that_nobody_remembers_is_the_new_backends() {
    let (mut target, mut memory) = start(&[head("e", 0)]);
    target.put(&line("k", "tea", 2));
    memory.deliver(&both(), &[head("e", 0), line("k", "tea", 3)], &mut target);
    assert_eq!(target.lines(), "k tea 5");
}

#[test]
fn a_folded_line_that_becomes_another_product_leaves_the_row_it_was_part_of() {
    for (first, second) in [("tea", "milk"), ("milk", "tea")] {
        let (mut target, mut memory) = start(&[head("e", 0)]);
        target.put(&line("r", first, 2));
        memory.deliver(&both(), &[head("e", 0), line("k", first, 3)], &mut target);
        assert_eq!(target.lines(), format!("r {first} 5"));
        memory.deliver(&both(), &[head("e", 0), line("k", second, 4)], &mut target);
        assert_eq!(target.lines(), format!("k {second} 4, r {first} 2"));
        memory.deliver(&both(), &[head("e", 0), line("k", second, 5)], &mut target);
        assert_eq!(target.lines(), format!("k {second} 5, r {first} 2"));
    }
}

#[test]
fn a_closed_line_is_not_written() {
    let (mut target, memory) = start(&[head("e", 0), line("k", "tea", 2)]);
    target.put(&line("k", "tea", 3));
    let mapping = both();
    let now = [head("f", 1), line("k", "tea", 5)];
    let open = memory.merge(&mapping, &now, &target);
    assert_eq!(open.writes.len(), 2);
    let closed = super::super::Theirs {
        into: LINE,
        key: super::model::key("k"),
        cells: line("k", "tea", 3).cells,
        found: line("k", "tea", 3).cells,
        token: None,
        closed: true,
        line: None,
    };
    let base = memory
        .rows
        .iter()
        .map(|row| crate::mapping::difference::Left {
            row: row.clone(),
            token: None,
        });
    let base: Vec<_> = base.collect();
    let parts = [super::super::Part {
        base: &base,
        ours: &now,
        kept: &[],
        time: None,
    }];
    let merged = super::super::merge(&super::super::Inputs {
        mapping: &mapping,
        links: &[],
        parts: &parts,
        theirs: &[closed],
        fated: &|_, _, _| None,
    });
    let writes = merged.unwrap().writes;
    assert!(writes.iter().all(|write| write.index != Some(LINE)));
}

#[test]
fn what_hangs_below_a_folded_line_hangs_below_the_row_it_became() {
    let (mut target, mut memory) = start(&[head("e", 0)]);
    target.put(&line("r", "tea", 2));
    let now = [head("e", 0), line("k", "tea", 1), gift("g", "k", "for you")];
    memory.deliver(&both(), &now, &mut target);
    assert_eq!(target.cell(GIFT, "g", 0), Some("r"));
    let now = [head("e", 0), line("k", "tea", 1), gift("g", "k", "for me")];
    memory.deliver(&both(), &now, &mut target);
    assert_eq!(target.cell(GIFT, "g", 1), Some("for me"));
    assert_eq!(target.cell(GIFT, "g", 0), Some("r"));
}

#[test]
fn what_hangs_below_a_line_comes_back_with_it() {
    let rows = [head("e", 0), line("k", "tea", 2), gift("g", "k", "for you")];
    let (mut target, mut memory) = start(&rows);
    target.remove(GIFT, "g");
    target.remove(LINE, "k");
    let now = [head("e", 0), line("k", "tea", 3), gift("g", "k", "for you")];
    memory.deliver(&both(), &now, &mut target);
    assert_eq!(target.lines(), "k tea 1");
    assert_eq!(target.cell(GIFT, "g", 1), Some("for you"));
}

#[test]
fn what_hangs_below_a_line_that_is_gone_is_left_out() {
    let rows = [head("e", 0), line("k", "tea", 2), gift("g", "k", "for you")];
    let (mut target, mut memory) = start(&rows);
    target.remove(GIFT, "g");
    target.remove(LINE, "k");
    let now = [head("e", 0), line("k", "tea", 2), gift("g", "k", "for me")];
    let merged = memory.deliver(&both(), &now, &mut target);
    assert_eq!(target.cell(GIFT, "g", 1), None);
    assert_eq!(merged.decisions[0].rule, "left out with its line");
}

#[test]
fn a_detail_that_one_deletes_and_the_other_changes_stays() {
    let rows = [head("e", 0), line("k", "tea", 2), gift("g", "k", "for you")];
    let kept = |words: &str| [head("e", 0), line("k", "tea", 2), gift("g", "k", words)];
    // Deleted there, changed here.
    let (mut target, mut memory) = start(&rows);
    target.remove(GIFT, "g");
    memory.deliver(&both(), &kept("for me"), &mut target);
    assert_eq!(target.cell(GIFT, "g", 1), Some("for me"));
    // Deleted here, changed there.
    let (mut target, mut memory) = start(&rows);
    target.put(&gift("g", "k", "for us"));
    memory.deliver(&both(), &rows[..2], &mut target);
    assert_eq!(target.cell(GIFT, "g", 1), Some("for us"));
    // Deleted here, and its line too.
    let (mut target, mut memory) = start(&rows);
    target.put(&gift("g", "k", "for us"));
    memory.deliver(&both(), &rows[..1], &mut target);
    assert_eq!(target.cell(GIFT, "g", 1), None);
    // Deleted there, and the same as ever here.
    let (mut target, mut memory) = start(&rows);
    target.remove(GIFT, "g");
    memory.deliver(&both(), &rows, &mut target);
    assert_eq!(target.cell(GIFT, "g", 1), None);
}

#[test]
fn the_values_of_a_folded_line_are_merged_into_its_row() {
    let note = |row: TargetRow, words: &str| with(row, NOTE, text(words));
    let (mut target, mut memory) = start(&[head("e", 0)]);
    target.put(&note(line("r", "tea", 2), "theirs"));
    let mapping = mapping(QuantityRule::Both, FieldRule::Target);
    let ours = |words| [head("e", 0), note(line("k", "tea", 1), words)];
    memory.deliver(&mapping, &ours("ours"), &mut target);
    assert_eq!(target.cell(LINE, "r", NOTE), Some("theirs"));
    memory.deliver(&mapping, &ours("again"), &mut target);
    assert_eq!(target.cell(LINE, "r", NOTE), Some("theirs"));
}

//! Each line of the table, one test.

use super::*;
use crate::verify::Difference;

/// A live cart that is mirrored and equal, with nothing left in the log.
fn equal_cart() -> Facts {
    Facts {
        cart: "7".to_owned(),
        outcome: Outcome::Equal,
        in_source: true,
        live: Some(true),
        live_text: Some("is_active = 1".to_owned()),
        state: Some(State::Mirror),
        in_force: true,
        mapped_so: true,
        hold: None,
        wish: None,
        walk: None,
        passed: true,
        upto: "0/1A0".to_owned(),
        moving: false,
        ledger_agrees: true,
        lag_seconds: Some(1.5),
        stalled: None,
        closed: false,
        token_moved: false,
        has_tokens: true,
        late: 0,
        own: Vec::new(),
        stale: 0,
        beside: Vec::new(),
    }
}

fn difference(kind: Kind) -> Difference {
    Difference {
        kind,
        cart: "7".to_owned(),
        table: "public.cart".to_owned(),
        key: "7".to_owned(),
        column: None,
        source: None,
        target: None,
    }
}

fn different() -> Facts {
    Facts {
        outcome: Outcome::Different(vec![difference(Kind::Value)]),
        ..equal_cart()
    }
}

#[track_caller]
fn concludes(facts: &Facts, why: &str, verdict: Verdict, part: &str) {
    let conclusion = conclude(facts);
    let got = (conclusion.why, conclusion.verdict);
    assert_eq!(got, (why, verdict), "{}", conclusion.text);
    assert!(conclusion.text.contains(part), "{}", conclusion.text);
    assert_eq!(conclusion.is_well(), verdict != Verdict::NotWell);
}

use Verdict::{NotWell, OnItsWay, Well};

#[test]
fn an_equal_cart_is_well() {
    concludes(
        &equal_cart(),
        "equal",
        Well,
        "the target holds what the source",
    );
}

#[test]
fn a_cart_that_is_over_says_why() {
    let ended = Facts {
        live: Some(false),
        state: Some(State::Ended),
        ..equal_cart()
    };
    concludes(&ended, "over", Well, "live = is_active = 1 is false");
    let deleted = Facts {
        in_source: false,
        live: None,
        ..ended
    };
    concludes(&deleted, "over", Well, "deleted in the source");
}

#[test]
fn a_stale_lookup_and_a_wrong_sum_stand_beside_an_equal_cart() {
    let stale = Facts {
        stale: 2,
        ..equal_cart()
    };
    concludes(&stale, "stale_lookup", Well, "2 would be other ones");
    assert_eq!(conclude(&stale).next.as_deref(), Some("cartage refresh 7"));
    let sum = Facts {
        beside: vec![Kind::SumMismatch],
        ..equal_cart()
    };
    concludes(&sum, "sum", NotWell, "not the sum of its lines");
}

#[test]
fn a_hold_comes_before_all_else() {
    let held = Facts {
        state: Some(State::Held),
        outcome: Outcome::Held,
        wish: Some("asked".to_owned()),
        hold: Some(Hold {
            reason: "constraint".to_owned(),
            message: "a check".to_owned(),
            since: "2026-11-29T06:00:00Z".to_owned(),
            attempts: 3,
            ..Hold::default()
        }),
        ..equal_cart()
    };
    concludes(&held, "held", NotWell, "because of constraint: a check");
    assert_eq!(conclude(&held).next.as_deref(), Some("cartage held show 7"));
}

#[test]
fn a_mapping_that_is_not_in_force_explains_nothing() {
    let facts = Facts {
        in_force: false,
        mapped_so: false,
        ..different()
    };
    concludes(
        &facts,
        "other_mapping",
        NotWell,
        "is not the one that the daemon applied",
    );
}

#[test]
fn an_older_mapping_waits_for_the_walk_if_there_is_one() {
    let mut facts = Facts {
        mapped_so: false,
        outcome: Outcome::Pending,
        walk: Some("mapping".to_owned()),
        ..equal_cart()
    };
    concludes(
        &facts,
        "older_mapping",
        OnItsWay,
        "the walk (mapping) will come to it",
    );
    facts.walk = None;
    concludes(&facts, "older_mapping", NotWell, "no walk goes on");
}

#[test]
fn a_wish_settles_it_unless_nothing_moves() {
    let mut facts = Facts {
        wish: Some("became_live".to_owned()),
        outcome: Outcome::Pending,
        ..equal_cart()
    };
    concludes(&facts, "wished", OnItsWay, "became_live");
    facts.stalled = Some("no lane has committed for 90 s".to_owned());
    concludes(&facts, "wished", NotWell, "no lane has committed for 90 s");
}

#[test]
fn what_the_log_has_not_brought_is_on_its_way() {
    let mut facts = Facts {
        passed: false,
        ledger_agrees: false,
        ..different()
    };
    concludes(
        &facts,
        "on_its_way",
        OnItsWay,
        "has not passed 0/1A0: the change is on its way (lag 1.5 s)",
    );
    facts.stalled = Some("does the daemon run?".to_owned());
    concludes(&facts, "on_its_way", NotWell, "does the daemon run?");
    facts.stalled = None;
    facts.moving = true;
    concludes(&facts, "moving", OnItsWay, "look again");
}

#[test]
fn a_cart_that_the_backfill_has_not_reached_waits_for_it() {
    let facts = Facts {
        outcome: Outcome::Pending,
        state: None,
        mapped_so: false,
        ledger_agrees: false,
        walk: Some("backfill".to_owned()),
        ..equal_cart()
    };
    concludes(&facts, "not_read_yet", OnItsWay, "the walk (backfill)");
}

#[test]
fn merged_and_closed_carts_are_the_new_backends_to_some_degree() {
    let merged = Facts {
        outcome: Outcome::Merged,
        state: Some(State::Merged),
        own: vec!["public.line.quantity".to_owned()],
        ..equal_cart()
    };
    concludes(&merged, "merged", Well, "its own: public.line.quantity");
    let closed = Facts {
        outcome: Outcome::NotOurs,
        state: Some(State::HandedOver),
        late: 2,
        ..equal_cart()
    };
    concludes(&closed, "closed", Well, "late (2 were recorded)");
    // Before a change of the source has met it.
    let not_met = Facts {
        closed: true,
        ..different()
    };
    concludes(&not_met, "closed", Well, "closed by the new backend");
    let written = Facts {
        outcome: Outcome::Written(Vec::new()),
        ..equal_cart()
    };
    concludes(
        &written,
        "written_in_target",
        Well,
        "differs in nothing else",
    );
}

#[test]
fn a_cart_that_is_not_there_or_not_live_is_said_to_be_so() {
    let unknown = Facts {
        outcome: Outcome::NotOurs,
        in_source: false,
        live: None,
        state: None,
        mapped_so: false,
        ..equal_cart()
    };
    concludes(&unknown, "unknown", Well, "no such cart in the source");
    let not_live = Facts {
        in_source: true,
        live: Some(false),
        ..unknown
    };
    concludes(&not_live, "not_live", Well, "live = is_active = 1 is false");
}

#[test]
fn a_change_that_was_missed_is_not_well() {
    let behind = Facts {
        ledger_agrees: false,
        ..different()
    };
    concludes(&behind, "ledger_behind", NotWell, "a change was missed");
    let never = Facts {
        outcome: Outcome::Missing(vec![difference(Kind::MissingRow)]),
        state: None,
        mapped_so: false,
        ledger_agrees: false,
        ..equal_cart()
    };
    concludes(&never, "never_came", NotWell, "the ledger does not know it");
    let extra = Facts {
        outcome: Outcome::Extra(vec![difference(Kind::ExtraRow)]),
        live: Some(false),
        ledger_agrees: false,
        ..equal_cart()
    };
    concludes(
        &extra,
        "end_missed",
        NotWell,
        "rows of it are still in the target",
    );
}

#[test]
fn what_was_written_behind_our_back_is_told_by_the_lock() {
    concludes(
        &different(),
        "drift",
        NotWell,
        "without the lock moving: drift",
    );
    let next = conclude(&different()).next;
    assert_eq!(next.as_deref(), Some("cartage verify --carts 7 --repair"));
    let moved = Facts {
        token_moved: true,
        ..different()
    };
    concludes(&moved, "written_in_target", NotWell, "does not explain all");
    let gone = Facts {
        outcome: Outcome::Missing(vec![difference(Kind::MissingRow)]),
        ..equal_cart()
    };
    concludes(
        &gone,
        "deleted_in_target",
        NotWell,
        "somebody has deleted it",
    );
}

#[test]
fn what_cannot_be_mapped_says_so() {
    let facts = Facts {
        outcome: Outcome::Different(vec![difference(Kind::Unmappable)]),
        ..equal_cart()
    };
    concludes(&facts, "unmappable", NotWell, "cannot be mapped");
}

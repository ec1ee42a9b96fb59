//! Each line of the table, one test.

use super::*;
use crate::explain::facts::{Stalled, Verdict, Walk};
use crate::verify::Difference;

/// A live cart that is mirrored and equal, with nothing left in the log.
fn equal_cart() -> Facts {
    Facts {
        cart: "7".to_owned(),
        pipeline: "shop".to_owned(),
        key: "id of public.quote".to_owned(),
        outcome: Outcome::Equal,
        in_source: true,
        in_target: true,
        live: Some(true),
        live_text: Some("is_active = 1".to_owned()),
        state: Some(State::Mirror),
        never_ran: false,
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
        lock_tells: true,
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

fn walk(kind: &str) -> Walk {
    Walk {
        kind: kind.to_owned(),
        waiting: None,
    }
}

fn stalled(why: &str) -> Stalled {
    Stalled {
        why: why.to_owned(),
        next: "systemctl status cartage@shop".to_owned(),
    }
}

#[track_caller]
fn concludes(facts: &Facts, why: Why, verdict: Verdict, part: &str) {
    let conclusion = conclude(facts);
    let got = (conclusion.why, conclusion.verdict);
    assert_eq!(got, (why, verdict), "{}", conclusion.text);
    assert!(conclusion.text.contains(part), "{}", conclusion.text);
}

use Verdict::{NotWell, OnItsWay, Well};

#[test]
fn an_equal_cart_is_well() {
    concludes(
        &equal_cart(),
        Why::Equal,
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
    concludes(&ended, Why::Over, Well, "live = is_active = 1 is false");
    let deleted = Facts {
        in_source: false,
        live: None,
        ..ended
    };
    concludes(&deleted, Why::Over, Well, "deleted in the source");
}

#[test]
fn a_stale_lookup_and_a_wrong_sum_stand_beside_an_equal_cart() {
    let stale = Facts {
        stale: 2,
        ..equal_cart()
    };
    concludes(&stale, Why::StaleLookup, Well, "2 would be other ones");
    assert_eq!(conclude(&stale).next.as_deref(), Some("cartage refresh 7"));
    let sum = Facts {
        beside: vec![Kind::SumMismatch],
        ..equal_cart()
    };
    concludes(&sum, Why::Sum, NotWell, "not the sum of its lines");
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
    concludes(&held, Why::Held, NotWell, "because of constraint: a check");
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
        Why::OtherMapping,
        NotWell,
        "is not the one that the daemon applied",
    );
}

#[test]
fn an_older_mapping_waits_for_the_walk_if_there_is_one() {
    let mut facts = Facts {
        mapped_so: false,
        outcome: Outcome::Pending,
        walk: Some(walk("mapping")),
        ..equal_cart()
    };
    concludes(
        &facts,
        Why::OlderMapping,
        OnItsWay,
        "the walk (mapping) will come to it",
    );
    facts.walk = None;
    concludes(&facts, Why::OlderMapping, NotWell, "no walk goes on");
}

#[test]
fn a_wish_settles_it_unless_nothing_moves() {
    let mut facts = Facts {
        wish: Some("became_live".to_owned()),
        outcome: Outcome::Pending,
        ..equal_cart()
    };
    concludes(&facts, Why::Wished, OnItsWay, "became_live");
    facts.stalled = Some(stalled("no lane has committed for 90 s"));
    concludes(
        &facts,
        Why::Wished,
        NotWell,
        "no lane has committed for 90 s",
    );
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
        Why::OnItsWay,
        OnItsWay,
        "has not passed 0/1A0: the change is on its way (lag 1.5 s)",
    );
    facts.stalled = Some(stalled("does the daemon run?"));
    concludes(&facts, Why::OnItsWay, NotWell, "does the daemon run?");
    facts.stalled = None;
    facts.moving = true;
    concludes(&facts, Why::Moving, OnItsWay, "look again");
}

#[test]
fn a_cart_that_the_backfill_has_not_reached_waits_for_it() {
    let facts = Facts {
        outcome: Outcome::Pending,
        state: None,
        mapped_so: false,
        ledger_agrees: false,
        walk: Some(walk("backfill")),
        ..equal_cart()
    };
    concludes(&facts, Why::NotReadYet, OnItsWay, "the walk (backfill)");
    // The log may have passed: nobody has read it.
    let never = Facts {
        outcome: Outcome::Missing(vec![difference(Kind::MissingRow)]),
        walk: None,
        never_ran: true,
        stalled: Some(stalled("its daemon has never run")),
        ..facts
    };
    concludes(&never, Why::NotReadYet, NotWell, "its daemon has never run");
}

#[test]
fn merged_and_closed_carts_are_the_new_backends_to_some_degree() {
    let merged = Facts {
        outcome: Outcome::Merged,
        state: Some(State::Merged),
        own: vec!["public.line.quantity".to_owned()],
        ..equal_cart()
    };
    concludes(&merged, Why::Merged, Well, "its own: public.line.quantity");
    let closed = Facts {
        outcome: Outcome::NotOurs,
        state: Some(State::HandedOver),
        late: 2,
        ..equal_cart()
    };
    concludes(&closed, Why::Closed, Well, "late (2 were recorded)");
    // Before a change of the source has met it.
    let not_met = Facts {
        closed: true,
        ..different()
    };
    concludes(&not_met, Why::Closed, Well, "closed by the new backend");
    let written = Facts {
        outcome: Outcome::Written(Vec::new()),
        ..equal_cart()
    };
    concludes(
        &written,
        Why::WrittenInTarget,
        Well,
        "differs in nothing else",
    );
}

#[test]
fn a_cart_that_is_not_there_or_not_live_is_said_to_be_so() {
    let unknown = Facts {
        outcome: Outcome::NotOurs,
        in_source: false,
        in_target: false,
        live: None,
        state: None,
        mapped_so: false,
        ..equal_cart()
    };
    concludes(
        &unknown,
        Why::Unknown,
        NotWell,
        "no such cart in the source",
    );
    let not_live = Facts {
        in_source: true,
        live: Some(false),
        ..unknown
    };
    concludes(
        &not_live,
        Why::NotLive,
        Well,
        "live = is_active = 1 is false",
    );
}

#[test]
fn a_change_that_was_missed_is_not_well() {
    let behind = Facts {
        ledger_agrees: false,
        ..different()
    };
    concludes(&behind, Why::LedgerBehind, NotWell, "a change was missed");
    let never = Facts {
        outcome: Outcome::Missing(vec![difference(Kind::MissingRow)]),
        state: None,
        mapped_so: false,
        ledger_agrees: false,
        ..equal_cart()
    };
    concludes(
        &never,
        Why::NeverCame,
        NotWell,
        "the ledger does not know it",
    );
    let extra = Facts {
        outcome: Outcome::Extra(vec![difference(Kind::ExtraRow)]),
        live: Some(false),
        ledger_agrees: false,
        ..equal_cart()
    };
    concludes(
        &extra,
        Why::EndMissed,
        NotWell,
        "rows of it are still in the target",
    );
}

#[test]
fn what_was_written_behind_our_back_is_told_by_the_lock() {
    concludes(&different(), Why::Drift, NotWell, "without the lock moving");
    let by_row = Facts {
        lock_tells: false,
        ..different()
    };
    concludes(&by_row, Why::Drift, NotWell, "its lock cannot tell");
    let next = conclude(&different()).next;
    assert_eq!(next.as_deref(), Some("cartage verify --carts 7 --repair"));
    let moved = Facts {
        token_moved: true,
        ..different()
    };
    concludes(
        &moved,
        Why::WrittenInTarget,
        NotWell,
        "does not explain all",
    );
    let gone = Facts {
        outcome: Outcome::Missing(vec![difference(Kind::MissingRow)]),
        ..equal_cart()
    };
    concludes(
        &gone,
        Why::DeletedInTarget,
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
    concludes(&facts, Why::Unmappable, NotWell, "cannot be mapped");
}

/// What an engineer is told to run, and nothing where nothing is to be done.
#[test]
fn what_is_not_well_or_not_there_yet_names_what_to_run() {
    let stuck = Facts {
        passed: false,
        ledger_agrees: false,
        stalled: Some(stalled("the daemon stopped and needs a human")),
        ..different()
    };
    let next = |facts: &Facts| conclude(facts).next.unwrap_or_default();
    assert_eq!(next(&stuck), "systemctl status cartage@shop");
    let coming = Facts {
        stalled: None,
        ..stuck
    };
    assert_eq!(next(&coming), "cartage explain 7");
    let several = Facts {
        cart: "1|a".to_owned(),
        ..different()
    };
    assert_eq!(next(&several), "cartage verify --carts '1|a' --repair");
    assert_eq!(conclude(&equal_cart()).next, None);
}

#[test]
fn a_closed_cart_is_closed_however_it_compares() {
    for outcome in [
        Outcome::Equal,
        Outcome::Written(Vec::new()),
        Outcome::Merged,
        different().outcome,
    ] {
        let facts = Facts {
            outcome,
            closed: true,
            ..equal_cart()
        };
        concludes(&facts, Why::Closed, Well, "closed by the new backend");
    }
}

#[test]
fn what_stands_beside_rows_that_are_as_they_should_be_is_no_drift() {
    let with = |kind| Facts {
        outcome: Outcome::Different(vec![difference(kind)]),
        ..equal_cart()
    };
    for kind in [
        Kind::TokenMissing,
        Kind::TokenAmbiguous,
        Kind::TokenElsewhere,
    ] {
        concludes(
            &with(kind),
            Why::Token,
            NotWell,
            "its token does not find it",
        );
    }
    for kind in [
        Kind::DuplicateLines,
        Kind::ForeignLines,
        Kind::QuantityOutOfBounds,
    ] {
        concludes(&with(kind), Why::Lines, NotWell, "lines that nobody mapped");
    }
    let resurrected = Facts {
        outcome: Outcome::Extra(vec![difference(Kind::Resurrected)]),
        state: Some(State::Ended),
        live: Some(false),
        ..equal_cart()
    };
    concludes(
        &resurrected,
        Why::Resurrected,
        NotWell,
        "in the target again",
    );
    let alone = Facts {
        outcome: Outcome::NotOurs,
        in_source: false,
        state: None,
        ..equal_cart()
    };
    concludes(&alone, Why::TargetOnly, Well, "cartage did not write it");
}

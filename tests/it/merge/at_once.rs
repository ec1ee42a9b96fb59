//! Customers of both shops at the same carts, and kills, between all pairs of servers: `cartage demo
//! --two-writers`, shorter, and with a new shop that makes it hard.
//!
//! - hazard 22: rows that somebody else has written are never passed over: what one shop meant and the
//!   new one does not show would be a difference here, and each conflict has its record.
//! - hazard 24: a clerk who locks rows in another order, and a trigger that breaks writes off.

use std::path::PathBuf;
use std::time::Duration;

use cartage::demo::kind::Kind;
use cartage::demo::mysql::Programs;
use cartage::demo::screen::Screen;
use cartage::demo::shops::Ground;
use cartage::demo::two_writers::report::Report;
use cartage::demo::two_writers::{Plan, run};
use cartage::mysql::connect::Flavor;
use tokio::sync::Mutex;

/// A pair of shops at work; several at a time only make each other late.
static ALONE: Mutex<()> = Mutex::const_new(());

async fn play(source: Kind, target: Kind, sabotage: bool) -> Report {
    let _alone = ALONE.lock().await;
    let seed = match std::env::var("CARTAGE_SEED") {
        Ok(seed) => seed.parse().expect("CARTAGE_SEED is a number"),
        Err(_) => fastrand::u64(..1_000_000),
    };
    println!("two writers, {source} to {target}: CARTAGE_SEED={seed}");
    let plan = Plan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_cartage")),
        ground: Ground::find(source, target).unwrap(),
        hot_carts: 150,
        seed,
        rate: 150,
        changes: 900,
        open_for: Duration::from_secs(15),
        kills: 5,
        sabotage,
        trouble: true,
    };
    let (report, _shops) = run(&plan, &Screen::new()).await.unwrap();
    println!("{report}");
    report
}

async fn is_well(source: Kind, target: Kind) {
    let report = play(source, target, false).await;
    assert!(report.all_well(), "{report:#?}");
    assert_eq!(report.carts_compared, 210, "{report:#?}");
    assert!(
        report.changes_old >= 900 && report.changes_new >= 900,
        "{report:#?}"
    );
    assert!(
        report.kills >= 5 && report.kills_with_lag >= 1,
        "{report:#?}"
    );
    assert!(report.conflicted_carts >= 100, "{report:#?}");
    assert!(report.quantity_carts >= 50, "{report:#?}");
    assert!(report.deadlocks.unwrap() > 0, "{report:#?}");
    if target == Kind::Postgres {
        assert!(report.broken_off.unwrap() > 0, "{report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_to_postgres() {
    is_well(Kind::Postgres, Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_to_mariadb() {
    is_well(Kind::Postgres, Kind::Mariadb).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_mariadb_to_postgres() {
    is_well(Kind::Mariadb, Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_mariadb_to_mariadb() {
    is_well(Kind::Mariadb, Kind::Mariadb).await;
}

/// MySQL, not MariaDB, is not everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn from_mysql_to_mysql() {
    if Programs::of(Flavor::MySql).is_ok() {
        is_well(Kind::Mysql, Kind::Mysql).await;
    }
}

/// One line that is changed behind the back of all is found.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_nobody_meant_is_found_out() {
    let report = play(Kind::Postgres, Kind::Postgres, true).await;
    assert!(!report.all_well());
    assert_eq!(
        (report.different, report.version_wrong),
        (1, 0),
        "{report:#?}"
    );
    assert_eq!((report.missing, report.held), (0, 0), "{report:#?}");
}

//! Drift: rows of the target that are changed behind cartage's back while both shops are at work and the
//! daemon is killed are found, all of them and no others, and mended: `cartage demo --drift`, smaller.
//! `make test-drift` plays ten seeds of each.

mod one_byte;

use std::path::PathBuf;
use std::time::Duration;

use cartage::demo::drift::report::Report;
use cartage::demo::drift::{Plan, run};
use cartage::demo::kind::Kind;
use cartage::demo::mysql::Programs;
use cartage::demo::screen::Screen;
use cartage::demo::shops::Ground;
use cartage::demo::storefront::Pace;
use cartage::mysql::connect::Flavor;
use tokio::sync::Mutex;

/// A pair of shops at work; several at a time only make each other late.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The seeds to play.
fn seeds() -> Vec<u64> {
    crate::seeds::seeds("CARTAGE_DRIFT_SEEDS", 1)
}

async fn play(source: Kind, target: Kind, seed: u64, sabotage: bool) -> Report {
    let _alone = ALONE.lock().await;
    println!("drift, {source} to {target}: CARTAGE_SEED={seed}");
    let plan = Plan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_cartage")),
        ground: Ground::find(source, target).unwrap(),
        carts: 2_400,
        drifts: 150,
        pace: Pace { seed, rate: 120 },
        open_for: Duration::from_secs(8),
        sabotage,
    };
    let played = run(&plan, &Screen::new()).await;
    let (report, _shops) = played.unwrap_or_else(|error| panic!("CARTAGE_SEED={seed}: {error}"));
    println!("{report}");
    report
}

async fn is_found_and_mended(source: Kind, target: Kind) {
    for seed in seeds() {
        let report = play(source, target, seed, false).await;
        let told = format!("CARTAGE_SEED={seed} {source} to {target}: {report:#?}");
        assert!(report.all_well(), "{told}");
        assert!(report.injected >= 140, "{told}");
        assert_eq!(report.found, report.injected, "{told}");
        assert_eq!(report.kinds.len(), 9, "{told}");
        let all = |count: &cartage::demo::drift::report::Count| count.found == count.injected;
        assert!(report.kinds.values().all(all), "{told}");
        assert!(report.columns.len() >= 15, "{told}");
        // Where a customer of the new shop has written what drifted there may be nothing left to do.
        let done = report.repaired + report.merged;
        assert!(done * 20 >= report.injected as i64 * 19, "{told}");
        assert!(report.new_backend_carts >= 50, "{told}");
        assert!(report.carts_compared > 500, "{told}");
        assert!(report.transactions_in_verification > 0, "{told}");
        assert!(report.kills >= 4, "{told}");
        assert!(report.kills_in_verification >= 1, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_to_postgres() {
    is_found_and_mended(Kind::Postgres, Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_mariadb_to_postgres() {
    is_found_and_mended(Kind::Mariadb, Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_to_mariadb() {
    is_found_and_mended(Kind::Postgres, Kind::Mariadb).await;
}

/// MySQL, not MariaDB, is not everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn from_mysql_to_mysql() {
    if Programs::of(Flavor::MySql).is_ok() {
        is_found_and_mended(Kind::Mysql, Kind::Mysql).await;
    }
}

/// The judge sees a line that drifts when all has been mended.
#[tokio::test(flavor = "multi_thread")]
async fn what_drifts_after_the_repair_is_found_out() {
    let report = play(Kind::Postgres, Kind::Postgres, seeds()[0], true).await;
    assert!(!report.all_well(), "{report:#?}");
    assert_eq!(report.different, 1, "{report:#?}");
    assert_eq!((report.missed, report.false_alarms), (0, 0), "{report:#?}");
}

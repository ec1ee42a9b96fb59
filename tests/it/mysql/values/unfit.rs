//! Values of Postgres that MySQL and MariaDB have not: each holds its cart under the name of its column,
//! whether it was read, inserted or updated, and nobody else's.

use std::time::{Duration, Instant};

use super::WARES;
use crate::scenario::daemon::{Daemon, command, json};
use crate::scenario::folder::{Expect, Scenario};
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};
use crate::scenario::session::Asked as _;
use crate::scenario::settled::{arrived, backfilled};

/// Column, its type in the old shop and in the new one, a value that fits, as the new shop has it, and one
/// that does not fit.
#[rustfmt::skip]
const COLUMNS: &[[&str; 6]] = &[
    ["wide", "double precision", "DOUBLE", "-0.5", "-0.5", "NaN"],
    ["wider", "double precision", "DOUBLE", "1e300", "1e300", "Infinity"],
    ["narrow", "real", "FLOAT", "0.125", "0.125", "-Infinity"],
    ["exact", "numeric", "DECIMAL(20,4)", "12.5", "12.5000", "NaN"],
    ["endless", "numeric", "DECIMAL(20,4)", "-1", "-1.0000", "Infinity"],
    ["large", "numeric", "BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615", "18446744073709551616"],
    ["signed", "bigint", "INT UNSIGNED", "4294967295", "4294967295", "-1"],
    ["day", "date", "DATE", "2024-02-29", "2024-02-29", "infinity"],
    ["ancient", "date", "DATE", "1000-01-01", "1000-01-01", "0044-03-15 BC"],
    ["moment", "timestamp", "DATETIME(6)", "9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999", "-infinity"],
    ["late", "timestamp", "DATETIME(6)", "2024-02-29 12:00", "2024-02-29 12:00:00.000000", "10000-01-01 00:00"],
    ["instant", "timestamptz", "TIMESTAMP(6) NULL", "2024-06-01 02:00+02", "2024-06-01 00:00:00.000000", "infinity"],
    ["early", "timestamptz", "TIMESTAMP(6) NULL", "1970-01-02 00:00+00", "1970-01-02 00:00:00.000000", "1960-01-01 00:00+00"],
    ["span", "interval", "TIME(6)", "-12:30:00.5", "-12:30:00.500000", "1 mon"],
    ["longer", "interval", "TIME(6)", "838:59:59", "838:59:59.000000", "839:00:00"],
    ["label", "text", "ENUM('a','b')", "b", "b", "c"],
    ["words", "text", "VARCHAR(5) CHARACTER SET latin1", "fünf!", "fünf!", "ж"],
    ["list", "integer[]", "VARCHAR(10)", "{1,NULL,3}", "{1,NULL,3}", "{1,NULL,30}"],
];

const PATIENCE: Duration = Duration::from_secs(60);

fn value(column: usize, bad: bool) -> &'static str {
    let [_, _, _, good, _, wrong] = COLUMNS[column];
    if bad { wrong } else { good }
}

/// An `INSERT` of a cart in which only the value in `bad` does not fit.
fn insert(id: usize, bad: Option<usize>) -> String {
    let values = (0..COLUMNS.len()).map(|n| format!(", '{}'", value(n, Some(n) == bad)));
    format!(
        "INSERT INTO goods VALUES ({id}{})",
        values.collect::<String>()
    )
}

fn scenario() -> Scenario {
    let columns = |at: usize| -> String {
        let columns = COLUMNS
            .iter()
            .map(|column| format!(", {} {}", column[0], column[at]));
        columns.collect()
    };
    let mapped = COLUMNS
        .iter()
        .map(|[name, ..]| format!("{name} = \"{name}\"\n"));
    Scenario {
        name: "mysql_unfit".to_owned(),
        pair: Pair::named("pm"),
        source: format!("CREATE TABLE goods (id integer PRIMARY KEY{})", columns(1)),
        target: format!("CREATE TABLE wares (id INT PRIMARY KEY{})", columns(2)),
        config: WARES.to_owned() + &mapped.collect::<String>(),
        stages: Vec::new(),
        oracle_source: String::new(),
        oracle_target: String::new(),
        expect: Expect::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mysql_has_not_holds_its_cart_by_name() {
    let scenario = scenario();
    let shops = create(&scenario, "mysql_unfit").await;
    let (old, new) = (&shops.source.session, &shops.target.session);
    let run = async |sql: String| {
        let done = old.run(&sql).await;
        done.unwrap_or_else(|e| panic!("{sql}: {e}"));
    };
    // Carts 0.. are read, 100.. inserted, 200.. updated; the last of each is good.
    let count = COLUMNS.len();
    for id in 0..=count {
        run(insert(id, (id < count).then_some(id))).await;
        run(insert(200 + id, None)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = write(&scenario, &scenario.config, &shops, folder.path());
    command(&config, &["setup", "--yes"]);
    let mut daemon = Daemon::start(&config);
    backfilled(&mut daemon, new).await;
    for id in 0..=count {
        run(insert(100 + id, (id < count).then_some(id))).await;
    }
    for (n, [column, ..]) in COLUMNS.iter().enumerate() {
        let id = 200 + n;
        run(format!(
            "UPDATE goods SET {column} = '{}' WHERE id = {id}",
            value(n, true)
        ))
        .await;
    }
    arrived(&mut daemon, new, shops.source.end().await).await;

    let held = new.ask("SELECT cart, message FROM cartage.held").await;
    let held = held.unwrap();
    for (n, [column, ..]) in COLUMNS.iter().enumerate() {
        for id in [n, 100 + n, 200 + n] {
            let is = |row: &&Vec<Option<String>>| row[0].as_deref() == Some(&*id.to_string());
            let found = held.iter().find(is).and_then(|row| row[1].as_deref());
            let why =
                found.unwrap_or_else(|| panic!("cart {id} ({column}) is not held: {held:#?}"));
            assert!(why.contains(column), "no word of {column}: {why}");
            let wrong = value(n, true);
            assert!(wrong.len() < 5 || !why.contains(wrong), "{why}");
        }
    }
    assert_eq!(held.len(), 3 * count, "{held:#?}");
    // What is held did not come in part, and all else is there.
    let names: Vec<&str> = COLUMNS.iter().map(|[name, ..]| *name).collect();
    let names = names.join(", ");
    let all = format!("SELECT {names} FROM wares");
    let good: Vec<Option<String>> = COLUMNS
        .iter()
        .map(|[.., good, _]| Some((*good).to_owned()))
        .collect();
    let found = new.ask(&all).await.unwrap();
    assert_eq!(found.len(), count + 3);
    assert!(
        found.iter().all(|row| *row == good),
        "{found:#?}\n{good:#?}"
    );

    for (n, [column, ..]) in COLUMNS.iter().enumerate() {
        run(format!("UPDATE goods SET {column} = '{}'", value(n, false))).await;
    }
    let begun = Instant::now();
    while new.number_of("SELECT count(*) FROM cartage.held").await > 0 {
        assert!(
            begun.elapsed() < PATIENCE,
            "carts are still held\n{}",
            daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    arrived(&mut daemon, new, shops.source.end().await).await;
    let found = new.ask(&all).await.unwrap();
    assert_eq!(found.len(), 3 * (count + 1));
    assert!(
        found.iter().all(|row| *row == good),
        "{found:#?}\n{good:#?}"
    );
    let verified = json(&config, &["verify", "--json"]);
    assert_eq!(verified["equal"], 3 * (count + 1), "{verified}");
    daemon.stop().await;
}

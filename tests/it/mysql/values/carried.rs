//! Values of every type through a whole pipeline: a row that is read, one that is inserted and one that
//! is updated arrive as the same value, the one that the manual says.

use std::collections::BTreeMap;

use cartage::config::Kind;
use cartage::demo::mysql::Programs;
use cartage::mysql::catalog::read;
use cartage::mysql::connect::{Session, connect};
use cartage::mysql::value::of_query;
use fastrand::Rng;
use mysql_async::Row;
use mysql_async::prelude::Queryable as _;

use super::WARES;
use super::samples::{Given, Sample, samples};
use crate::mysql::endpoint;
use crate::scenario::daemon::{Daemon, command, json};
use crate::scenario::folder::{Expect, Scenario};
use crate::scenario::pair::Pair;
use crate::scenario::play::write;
use crate::scenario::session::Asked as _;
use crate::scenario::settled::{arrived, backfilled};
use crate::scenario::shop::{Shop, Shops};

const ROWS: i64 = 60;
/// The same row again, under these numbers more.
const INSERTED: i64 = 1_000;
const UPDATED: i64 = 2_000;

/// The type of a value in the new shop, and what is written into it.
fn wanted(target: Kind, sample: &Sample) -> (String, String) {
    let (ty, name) = (sample.ty.as_str(), &sample.name);
    let has = |part: &str| ty.contains(part);
    let into = |ty: &str| (ty.to_owned(), name.clone());
    if target == Kind::Mysql {
        return match has("ENUM") {
            // What stands for a label that there is none of is none there either.
            true => into("VARCHAR(40)"),
            false => into(ty),
        };
    }
    match () {
        // Dates that are none, too.
        () if has("DATE") || has("TIMESTAMP") => ("text".into(), format!("{name}::text")),
        () if ["INT", "BOOLEAN", "YEAR", "BIT(", "DECIMAL"]
            .into_iter()
            .any(has) =>
        {
            into("numeric")
        }
        () if has("FLOAT") => into("real"),
        () if has("DOUBLE") => into("double precision"),
        () if has("TIME") => into("interval"),
        () if has("BINARY") || has("BLOB") => into("bytea"),
        () if has("UUID") => into("uuid"),
        () if has("INET") => into("inet"),
        () if has("JSON") => into("json"),
        () => into("text"),
    }
}

fn scenario(pair: &str, samples: &[Sample]) -> Scenario {
    let pair = Pair::named(pair);
    let columns: Vec<String> = samples.iter().map(Sample::column).collect();
    let (mut taken, mut mapped) = (Vec::new(), String::new());
    for sample in samples {
        let (ty, expression) = wanted(pair.target, sample);
        taken.push(format!("{} {ty} NULL", sample.name));
        mapped += &format!("{} = \"{expression}\"\n", sample.name);
    }
    let table = |name: &str, columns: &[String]| {
        let columns = columns.join(", ");
        format!("CREATE TABLE {name} (id INTEGER PRIMARY KEY, touched INTEGER, {columns})")
    };
    Scenario {
        name: "mysql_carried".to_owned(),
        pair,
        source: table("goods", &columns),
        target: table("wares", &taken),
        config: format!("{WARES}touched = \"touched\"\n{mapped}"),
        stages: Vec::new(),
        oracle_source: String::new(),
        oracle_target: String::new(),
        expect: Expect::default(),
    }
}

/// As an old shop wrote: it has zero dates and unknown labels.
async fn sloppy(shop: &Shop) -> Session {
    let mut session = connect(&endpoint(shop.url.clone()), "test").await.unwrap();
    session.conn.query_drop("SET sql_mode = ''").await.unwrap();
    session
}

/// The same rows twice more: inserted, and empty at first.
fn repeated(samples: &[Sample]) -> [String; 4] {
    let names: Vec<&str> = samples.iter().map(|s| s.name.as_str()).collect();
    let names = names.join(", ");
    let sets = samples.iter().map(|s| format!("g.{0} = o.{0}", s.name));
    let sets = sets.collect::<Vec<_>>().join(", ");
    [
        format!("INSERT INTO goods SELECT id + {INSERTED}, 0, {names} FROM goods"),
        format!(
            "INSERT INTO goods (id, touched) SELECT id + {UPDATED}, 0 FROM goods WHERE id <= {ROWS}"
        ),
        format!("UPDATE goods g JOIN goods o ON o.id = g.id - {UPDATED} SET {sets}"),
        // Nothing else changes: every guard must know each value again.
        "UPDATE goods SET touched = 1".to_owned(),
    ]
}

/// What the new shop has, as it prints it.
async fn arrivals(shop: &Shop, samples: &[Sample]) -> BTreeMap<i64, Vec<Option<String>>> {
    if shop.kind == Kind::Postgres {
        let names: Vec<&str> = samples.iter().map(|s| s.name.as_str()).collect();
        let sql = format!(
            "SELECT id, {} FROM wares WHERE touched = 1",
            names.join(", ")
        );
        let rows = shop.session.ask(&sql).await.unwrap();
        return rows
            .into_iter()
            .map(|mut row| (row.remove(0).unwrap().parse().unwrap(), row))
            .collect();
    }
    let mut session = connect(&endpoint(shop.url.clone()), "test").await.unwrap();
    let described = read(&mut session, &["wares".into()]).await.unwrap();
    let columns = &described.tables[0].columns;
    let sql = "SELECT * FROM wares WHERE touched = 1";
    let rows: Vec<Row> = session.conn.exec(sql, ()).await.unwrap();
    let row = |row: &Row| {
        let cell = |i: usize| {
            let cell = of_query(row.as_ref(i).unwrap(), &columns[i]).unwrap();
            cell.text().map(str::to_owned)
        };
        (row.get(0).unwrap(), (2..columns.len()).map(cell).collect())
    };
    rows.iter().map(row).collect()
}

async fn each_way(pair: &str) {
    let seed =
        std::env::var("CARTAGE_SEED").map_or_else(|_| fastrand::u64(..), |s| s.parse().unwrap());
    println!("{pair}: CARTAGE_SEED={seed}");
    let samples = samples(Programs::usual().unwrap().flavor);
    let scenario = scenario(pair, &samples);
    let shops = Shops::create(scenario.pair, &format!("mysql_carried_{pair}")).await;
    let mut old = sloppy(&shops.source).await;
    old.conn.query_drop(&scenario.source).await.unwrap();
    match shops.target.kind {
        Kind::Postgres => shops.target.session.run(&scenario.target).await.unwrap(),
        Kind::Mysql => {
            let mut new = sloppy(&shops.target).await;
            new.conn.query_drop(&scenario.target).await.unwrap();
        }
    }
    let mut rng = Rng::with_seed(seed);
    let mut given: Vec<Vec<Given>> = Vec::new();
    for id in 1..=ROWS {
        let values: Vec<Given> = samples.iter().map(|s| s.value(&mut rng)).collect();
        let literals: Vec<&str> = values.iter().map(|v| v.literal.as_str()).collect();
        let insert = format!(
            "INSERT INTO goods VALUES ({id}, 0, {})",
            literals.join(", ")
        );
        let done = old.conn.query_drop(&insert).await;
        done.unwrap_or_else(|e| panic!("{insert}: {e}"));
        given.push(values);
    }
    let folder = tempfile::tempdir().unwrap();
    let config = write(&scenario, &scenario.config, &shops, folder.path());
    command(&config, &["setup", "--yes"]);
    let mut daemon = Daemon::start(&config);
    let Shops { source, target } = &shops;
    backfilled(&mut daemon, &target.session).await;
    for statement in repeated(&samples) {
        let done = old.conn.query_drop(&statement).await;
        done.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
    arrived(&mut daemon, &target.session, source.end().await).await;

    let held = "SELECT cart, reason, message FROM cartage.held";
    let held = target.session.ask(held).await.unwrap();
    assert!(held.is_empty(), "seed {seed}: {held:#?}");
    let found = arrivals(target, &samples).await;
    assert_eq!(found.len() as i64, 3 * ROWS);
    for (id, values) in (1..).zip(&given) {
        for (way, more) in [("read", 0), ("inserted", INSERTED), ("updated", UPDATED)] {
            let cells = found[&(id + more)].iter().zip(values);
            for (sample, (found, given)) in samples.iter().zip(cells) {
                let (name, ty) = (&sample.name, &sample.ty);
                let place = format!("{pair}, seed {seed}: {name} {ty}, {way}: {}", given.literal);
                given.judge(found.as_deref(), &place);
            }
        }
    }
    let verified = json(&config, &["verify", "--json"]);
    assert_eq!(verified["equal"], 3 * ROWS, "{verified}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_type_arrives_in_postgres_whichever_way_it_comes() {
    each_way("mp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_type_arrives_in_mysql_whichever_way_it_comes() {
    each_way("mm").await;
}

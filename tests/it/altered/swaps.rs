//! A table of the old shop is changed for a copy of itself while customers buy and the daemon runs, as
//! gh-ost and pt-online-schema-change do it (MySQL, MariaDB).

use std::time::{Duration, Instant};

use cartage::config::Kind;

use super::stand::Stand;
use crate::mysql;
use crate::scenario::folder::Side;
use crate::scenario::session::{Asked as _, Session};
use crate::scenario::shop::Shop;

const COLUMNS: &str = "id, quote_id, sku, qty, price, note";
/// What the copy has otherwise: an order of its own, a column more, a wider one.
const ALTERED: &str =
    "MODIFY qty BIGINT NOT NULL FIRST, ADD COLUMN added INT NOT NULL DEFAULT 1 AFTER id";
const CHUNK: i64 = 20;

async fn open(name: &str, target: Kind) -> Stand {
    let name = format!(
        "swap_{name}_{}",
        if target == Kind::Postgres { "mp" } else { "mm" }
    );
    let old = Shop::on(mysql::shops(Side::Source), &name).await;
    let new = Shop::create(target, Side::Target, &name).await;
    Stand::open(&name, old, new, fastrand::u64(..)).await
}

/// Rows of before, by their keys, while customers wait for none of it but a chunk.
async fn copies(stand: &Stand, copy: &str) {
    let mut at = 0;
    let last = stand.source.number("SELECT max(id) FROM quote_item").await;
    while at <= last {
        let to = at + CHUNK;
        let sql = format!(
            "INSERT LOW_PRIORITY IGNORE INTO {copy} ({COLUMNS}) SELECT {COLUMNS} FROM quote_item
             WHERE id >= {at} AND id < {to} LOCK IN SHARE MODE"
        );
        match stand.source.session.run(&sql).await {
            Ok(()) => at = to,
            Err(error) => assert!(error.contains("Deadlock"), "{error}"),
        }
        stand.storefront.open_for(4);
    }
}

/// What gh-ost takes from the binlog: rows that came or became others, and rows that went.
async fn applies(session: &Session, copy: &str) -> usize {
    let came = format!(
        "SELECT quote_item.id FROM quote_item LEFT JOIN {copy} ON {copy}.id = quote_item.id
         WHERE {copy}.id IS NULL OR {copy}.quote_id <> quote_item.quote_id
            OR {copy}.sku <> quote_item.sku OR {copy}.qty <> quote_item.qty
            OR {copy}.price <> quote_item.price"
    );
    let went = format!(
        "SELECT {copy}.id FROM {copy} LEFT JOIN quote_item ON quote_item.id = {copy}.id
         WHERE quote_item.id IS NULL"
    );
    let mut applied = 0;
    for (asked, begin) in [
        (
            came,
            format!("REPLACE INTO {copy} ({COLUMNS}) SELECT {COLUMNS} FROM quote_item"),
        ),
        (went, format!("DELETE FROM {copy}")),
    ] {
        let rows = session.ask(&asked).await.unwrap();
        let ids: Vec<String> = rows.into_iter().flatten().flatten().collect();
        if ids.is_empty() {
            continue;
        }
        applied += ids.len();
        let sql = format!("{begin} WHERE id IN ({})", ids.join(", "));
        session.run(&sql).await.unwrap();
    }
    applied
}

/// gh-ost: the last rows are applied under a lock, and the RENAME that waits for it comes before all
/// customers who wait.
async fn ghost(stand: &Stand, n: u32) {
    let (copy, gone) = (format!("_quote_item_gho{n}"), format!("_quote_item_del{n}"));
    stand
        .in_old(&format!(
            "CREATE TABLE {copy} LIKE quote_item; ALTER TABLE {copy} {ALTERED}"
        ))
        .await;
    copies(stand, &copy).await;
    let mut applied = 0;
    while applied == 0 {
        stand.storefront.sells(3).await;
        applied = applies(&stand.source.session, &copy).await;
    }
    stand.storefront.open_for(30);
    let holder = stand.source.visitor().await;
    holder
        .run(&format!("LOCK TABLES quote_item WRITE, {copy} WRITE"))
        .await
        .unwrap();
    applies(&holder, &copy).await;
    let renamer = stand.source.visitor().await;
    let rename = format!("RENAME TABLE quote_item TO {gone}, {copy} TO quote_item");
    let renaming = tokio::spawn(async move { renamer.run(&rename).await });
    let waits = "SELECT count(*) FROM information_schema.processlist
                 WHERE info LIKE 'RENAME TABLE quote_item%' AND state LIKE 'Waiting for table%'";
    let begun = Instant::now();
    while stand.source.number(waits).await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no RENAME waits");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    holder.run("UNLOCK TABLES").await.unwrap();
    renaming.await.unwrap().unwrap();
    stand.storefront.sells(5).await;
    // What the table of before gets now is nobody's.
    stand
        .in_old(&format!(
            "UPDATE {gone} SET qty = qty + 500; DROP TABLE {gone}"
        ))
        .await;
}

/// pt-online-schema-change: triggers write each change to the copy, too.
async fn triggers(stand: &Stand, n: u32) {
    let (copy, gone) = (format!("_quote_item_new{n}"), format!("_quote_item_old{n}"));
    let new = "NEW.id, NEW.quote_id, NEW.sku, NEW.qty, NEW.price, NEW.note";
    stand
        .in_old(&format!(
            "CREATE TABLE {copy} LIKE quote_item; ALTER TABLE {copy} {ALTERED};
             CREATE TRIGGER pt_del{n} AFTER DELETE ON quote_item FOR EACH ROW
                 DELETE IGNORE FROM {copy} WHERE id <=> OLD.id;
             CREATE TRIGGER pt_upd{n} AFTER UPDATE ON quote_item FOR EACH ROW
                 REPLACE INTO {copy} ({COLUMNS}) VALUES ({new});
             CREATE TRIGGER pt_ins{n} AFTER INSERT ON quote_item FOR EACH ROW
                 REPLACE INTO {copy} ({COLUMNS}) VALUES ({new})"
        ))
        .await;
    stand.storefront.sells(5).await;
    copies(stand, &copy).await;
    stand.storefront.open_for(30);
    stand
        .in_old(&format!(
            "RENAME TABLE quote_item TO {gone}, {copy} TO quote_item"
        ))
        .await;
    stand.storefront.sells(5).await;
    stand.in_old(&format!("DROP TABLE {gone}")).await;
}

/// Once under a daemon that lives on, and once under one that is killed before and comes after; then
/// the table that came in by a swap goes out by another one.
async fn swapped(stand: Stand, swap: impl AsyncFn(&Stand, u32)) {
    let mut daemon = stand.follows().await;
    for n in 0..2 {
        if n == 1 {
            daemon.kill();
        }
        swap(&stand, n).await;
        if n == 1 {
            daemon = stand.cartage.start(&["run"], None);
        }
        stand.storefront.sells(15).await;
        stand.judge(&mut daemon, &format!("swap {n}")).await;
        stand
            .in_old("ALTER TABLE quote_item DROP COLUMN added, MODIFY qty INT NOT NULL AFTER sku")
            .await;
        stand.storefront.sells(5).await;
        stand
            .judge(&mut daemon, &format!("the way back of swap {n}"))
            .await;
    }
    let log = stand.cartage.whole_log();
    assert!(log.contains("reading all carts again"), "{log}");
    stand.close(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_gh_ost_does_it_into_postgres() {
    swapped(open("ghost", Kind::Postgres).await, ghost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_gh_ost_does_it_into_mysql() {
    swapped(open("ghost", Kind::Mysql).await, ghost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_pt_online_schema_change_does_it_into_postgres() {
    swapped(open("triggers", Kind::Postgres).await, triggers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_pt_online_schema_change_does_it_into_mysql() {
    swapped(open("triggers", Kind::Mysql).await, triggers).await;
}

//! The oracle: the storefront's log, both shops compared in SQL, and the counts of effects.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_postgres::Client;

use super::customer::poisoned;
use super::model::Carts;
use super::stand::{Process, Stand};
use super::storefront::Storefront;
use crate::scenario::servers::{number, rows};
use crate::scenario::settled::awaited;
use cartage::source::change::Lsn;

const DEADLINE: Duration = Duration::from_secs(240);
const LOOK: Duration = Duration::from_millis(25);
/// Where `found.sql` has the note and the perks.
const NOTE: usize = 4;
const PERKS: usize = 5;

/// Lets the shop pause, has the daemon catch up, and compares. `counts` says whether the version of
/// each cart must also be the number of transactions that changed it.
pub async fn judge(stand: &Stand, storefront: &Storefront, apart: &BTreeSet<i64>, counts: bool) {
    let shared = &storefront.shared;
    shared.mending.store(true, Ordering::Relaxed);
    let deadline = Instant::now() + DEADLINE;
    while poisoned(&storefront.log().await) {
        storefront.assert_open();
        assert!(Instant::now() < deadline, "the shop never mended its lines");
        tokio::time::sleep(LOOK).await;
    }
    let alone = shared.gate.write().await;
    let mut daemon = stand.start(&["run"], None);
    settle(stand, &mut daemon).await;
    daemon.kill();
    storefront.all_read().await;
    let log = storefront.log().await;
    by_the_log(stand, storefront, &log, apart, counts).await;
    by_sql(stand, apart).await;
    by_versions(stand, apart).await;
    shared.mending.store(false, Ordering::Relaxed);
    drop(alone);
}

/// Everything that the source has committed is durable, and no cart is held or waits to be read.
pub async fn settle(stand: &Stand, daemon: &mut Process<'_>) {
    let Stand { shops, .. } = stand;
    let goal: String = shops
        .source
        .query_one("SELECT pg_current_wal_flush_lsn()::text", &[])
        .await
        .unwrap()
        .get(0);
    let goal: Lsn = goal.parse().unwrap();
    let deadline = Instant::now() + DEADLINE;
    while let Some(awaited) = rest(&shops.target, goal).await {
        daemon.assert_alive();
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} for this: {awaited}\n{}",
            stand.log()
        );
        tokio::time::sleep(LOOK).await;
    }
}

async fn rest(target: &Client, goal: Lsn) -> Option<String> {
    if let Some(awaited) = awaited(target, goal).await {
        return Some(awaited);
    }
    // What was mended is tried at once, instead of after a pause that has grown.
    let sql = "UPDATE cartage.held SET retry_at = now() WHERE retry_at > now() + interval '1 s'";
    target.execute(sql, &[]).await.unwrap();
    let held = rows(
        target,
        "SELECT cart, reason, message FROM cartage.held",
        "held",
    )
    .await;
    (!held.is_empty()).then(|| format!("held carts: {held:#?}"))
}

async fn by_the_log(
    stand: &Stand,
    storefront: &Storefront,
    log: &Carts,
    apart: &BTreeSet<i64>,
    counts: bool,
) {
    let found = rows(&stand.shops.target, include_str!("found.sql"), "found").await;
    let mut missing: BTreeSet<i64> = log.keys().copied().collect();
    let mut wrong = Vec::new();
    for row in &found {
        let row: Value = serde_json::from_str(row).unwrap();
        let id = row["id"].as_i64().unwrap();
        if apart.contains(&id) {
            continue;
        }
        missing.remove(&id);
        let Some(cart) = log.get(&id) else {
            wrong.push(format!("{id} should be gone: {row}"));
            continue;
        };
        let (mut expected, mut content) = (cart.mapped(id, stand.upper), row["content"].clone());
        if cart.bought {
            for document in [&mut expected, &mut content] {
                as_ended(document);
            }
        }
        if cart.bought && cart.early {
            // A cart that is read only when it is over stays as it was, or away.
            expected = content.clone();
        }
        if expected != content || row["completed"] != Value::Bool(cart.bought) {
            wrong.push(format!(
                "{id} bought {}\n  expected {expected}\n  found    {row}",
                cart.bought
            ));
        } else if counts && row["version"].as_i64() != Some(cart.effects) {
            let version = &row["version"];
            wrong.push(format!(
                "{id} has version {version} after {} effects",
                cart.effects
            ));
        } else if row["well_named"] != Value::Bool(true) {
            wrong.push(format!("{id} has ids of another shape"));
        }
    }
    missing.retain(|id| !(log[id].bought && log[id].early));
    wrong.extend(missing.iter().map(|id| format!("{id} is missing")));
    for wrong in &mut wrong {
        let id = wrong.split(' ').next().unwrap().to_owned();
        let sql = format!(
            "SELECT state, lsn, seq, mapping, patches, refreshed FROM cartage.ledger
             WHERE cart = '{id}'"
        );
        let ledger = rows(&stand.shops.target, &sql, "ledger").await;
        let diary = storefront.diary(id.parse().unwrap());
        wrong.push_str(&format!("\n  ledger {ledger:?}\n  {diary}"));
    }
    assert!(!found.is_empty(), "the new shop is empty");
    assert!(
        wrong.is_empty(),
        "{} of {} carts are not as the storefront left them:\n{}\n\n{}",
        wrong.len(),
        log.len(),
        wrong[..wrong.len().min(10)].join("\n"),
        stand.log()
    );
}

/// An end is final: what it left is touched neither by a TRUNCATE, nor by another mapping.
fn as_ended(document: &mut Value) {
    document[PERKS] = Value::Null;
    if let Value::String(note) = &mut document[NOTE] {
        *note = note.to_uppercase();
    }
}

async fn by_sql(stand: &Stand, apart: &BTreeSet<i64>) {
    let Stand { shops, upper, .. } = stand;
    let list: Vec<String> = apart.iter().map(i64::to_string).collect();
    let apart = format!("ARRAY[{}]::bigint[]", list.join(", "));
    let source = include_str!("source_carts.sql").replace("$UPPER", &upper.to_string());
    let source = format!("SELECT * FROM ({source}) AS it(id) WHERE id <> ALL ({apart})");
    let target = include_str!("target_carts.sql");
    let target = format!("{target} WHERE completed_at IS NULL AND source_id <> ALL ({apart})");
    let source = rows(&shops.source, &source, "source").await;
    let target = rows(&shops.target, &target, "target").await;
    assert!(!source.is_empty(), "the old shop is empty");
    assert_eq!(source, target, "the shops differ\n{}", stand.log());
}

/// Each committed patch moved the version by one, and nothing else moved it (protocol rule 26).
async fn by_versions(stand: &Stand, apart: &BTreeSet<i64>) {
    let sql = "SELECT source_id, version, patches FROM cart
               LEFT JOIN cartage.ledger ON ledger.cart = source_id::text
               WHERE version IS DISTINCT FROM patches";
    let mut wrong = rows(&stand.shops.target, sql, "versions").await;
    wrong.retain(|row| {
        let id = row.split(' ').next().unwrap().parse().unwrap();
        !apart.contains(&id)
    });
    assert!(
        wrong.is_empty(),
        "versions are not the ledger's counts of patches (cart | version | patches): {wrong:#?}\n{}",
        stand.log()
    );
    let doubled = "SELECT count(*) - count(DISTINCT source_id) FROM cart_line";
    assert_eq!(
        number(&stand.shops.target, doubled).await,
        0,
        "a line is there twice"
    );
}

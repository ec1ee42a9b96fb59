//! The oracle: the storefront's log, both shops compared in SQL, and the counts of effects.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cartage::config::Kind;
use serde_json::Value;

use super::customer::poisoned;
use super::model::Carts;
use super::process::Process;
use super::stand::Stand;
use super::storefront::Storefront;
use crate::scenario::session::Asked as _;
use crate::scenario::settled::awaited;
use crate::scenario::shop::Shop;
use cartage::source::change::Lsn;

const DEADLINE: Duration = Duration::from_secs(400);
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
pub async fn settle(stand: &Stand, daemon: &mut Process) {
    let Stand { shops, .. } = stand;
    let goal = shops.source.end().await;
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

async fn rest(target: &Shop, goal: Lsn) -> Option<String> {
    if let Some(awaited) = awaited(&target.session, goal).await {
        return Some(awaited);
    }
    // What was mended is tried at once, instead of after a pause that has grown.
    let sql =
        "UPDATE cartage.held SET retry_at = now() WHERE retry_at > now() + INTERVAL '1' SECOND";
    target.session.ask(sql).await.unwrap();
    let sql = "SELECT cart, reason, message FROM cartage.held";
    let held = target.rows(sql, "held").await;
    (!held.is_empty()).then(|| format!("held carts: {held:#?}"))
}

async fn by_the_log(
    stand: &Stand,
    storefront: &Storefront,
    log: &Carts,
    apart: &BTreeSet<i64>,
    counts: bool,
) {
    let sql = match stand.shops.target.kind {
        Kind::Postgres => include_str!("found.sql"),
        Kind::Mysql => include_str!("mysql/found.sql"),
    };
    let found = stand.shops.target.rows(sql, "found").await;
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
        let ledger = stand.shops.target.rows(&sql, "ledger").await;
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
    // No cart has a number below 0.
    let apart = apart
        .iter()
        .fold("-1".to_owned(), |list, id| format!("{list}, {id}"));
    let source = include_str!("source_carts.sql").replace("$UPPER", &upper.to_string());
    let source = format!("SELECT * FROM ({source}) AS it(id) WHERE id NOT IN ({apart})");
    let target = match shops.target.kind {
        Kind::Postgres => include_str!("target_carts.sql"),
        Kind::Mysql => include_str!("mysql/target_carts.sql"),
    };
    let target = format!("{target} WHERE completed_at IS NULL AND source_id NOT IN ({apart})");
    let source = shops.source.rows(&source, "source").await;
    let target = shops.target.rows(&target, "target").await;
    assert!(!source.is_empty(), "the old shop is empty");
    assert_eq!(source, target, "the shops differ\n{}", stand.log());
}

/// Each committed patch moved the version by one, and nothing else moved it (protocol rule 26).
async fn by_versions(stand: &Stand, apart: &BTreeSet<i64>) {
    let sql = "SELECT source_id, version, patches FROM cart
               LEFT JOIN cartage.ledger AS ledger ON ledger.cart = concat(source_id, '')
               WHERE version <> patches OR patches IS NULL";
    let mut wrong = stand.shops.target.rows(sql, "versions").await;
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
        stand.shops.target.number(doubled).await,
        0,
        "a line is there twice"
    );
}

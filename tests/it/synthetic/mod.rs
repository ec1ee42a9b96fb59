//! Synthetic carts: made, changed and removed in the old shop of either kind, seen in the new one, and
//! never left behind.

mod kills;
mod shop;

use std::time::{Duration, Instant};

use self::shop::{Shop, ours};
use crate::metrics::{figure, scraped};
use crate::scenario::daemon::command;
use crate::scenario::session::Asked as _;

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_arrives_changes_and_goes_from_postgres() {
    arrives("pp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_arrives_changes_and_goes_from_mysql() {
    arrives("mp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_arrives_changes_and_goes_into_mysql() {
    arrives("pm").await;
}

async fn arrives(pair: &str) {
    let shop = Shop::open(&format!("synthetic_arrives_{pair}"), pair, "30s").await;
    let mut daemon = shop.follow().await;
    let success = "cartage_synthetic_last_success_timestamp_seconds";
    let well = |page: &str| figure(page, success, "").is_some_and(f64::is_finite);
    let page = scraped(&mut daemon, shop.metrics, well).await;
    assert_eq!(
        figure(&page, "cartage_synthetic_failures_total", ""),
        Some(0.0),
        "{page}"
    );
    for step in ["create", "change", "remove"] {
        let label = format!("step=\"{step}\"");
        let count = figure(&page, "cartage_synthetic_delay_seconds_count", &label);
        assert!(count.is_some_and(|n| n >= 1.0), "{step}\n{page}");
        let sum = figure(&page, "cartage_synthetic_delay_seconds_sum", &label);
        assert!(sum.is_some_and(|s| s > 0.0), "{step}\n{page}");
    }

    // One by hand, beside the daemon's.
    let (code, told) = shop.json(&["synthetic", "run", "--once", "--json"]);
    assert_eq!(code, 0, "{told}");
    for step in ["create_seconds", "change_seconds", "remove_seconds"] {
        let delay = told[step].as_f64().unwrap();
        assert!(delay > 0.0 && delay < 30.0, "{told}");
    }
    let (code, status) = shop.json(&["status", "--json"]);
    assert_eq!(code, 0, "{status}");
    assert!(status["synthetic"]["failure"].is_null(), "{status}");
    assert!(status["synthetic"]["create_seconds"].is_f64(), "{status}");

    let log = daemon.log();
    daemon.stop().await;
    assert!(!log.contains("\"WARN\""), "{log}");
    // The daemon ended in the midst of its carts, or between them; a customer's carts are untouched.
    assert_eq!(ours(&shop).await, 0);
    assert_eq!(
        shop.shops.source.number("SELECT count(*) FROM quote").await,
        3
    );
    assert_eq!(
        shop.shops
            .source
            .number("SELECT sum(qty) FROM quote_item")
            .await,
        6
    );
    command(&shop.config, &["teardown", "--yes"]);
}

/// The lanes are blocked: what does not arrive is told, counted, and removed all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_does_not_arrive_is_a_failure() {
    let shop = Shop::open("synthetic_blocked", "pp", "1s").await;
    let mut daemon = shop.follow().await;
    let locker = shop.shops.target.visitor().await;
    locker
        .run("BEGIN; LOCK TABLE cart IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    daemon
        .says("a synthetic cart did not go as it should: ")
        .await;
    let failures = "cartage_synthetic_failures_total";
    let failed = |page: &str| figure(page, failures, "").is_some_and(|n| n >= 1.0);
    scraped(&mut daemon, shop.metrics, failed).await;
    // The first one may have arrived before the lock did, and then cannot be looked at.
    daemon.says("not seen in the target within 1 s").await;
    let sql = "SELECT count(*) FROM cartage.synthetic WHERE failure IS NOT NULL";
    assert!(shop.shops.target.session.number_of(sql).await > 0);
    locker.run("ROLLBACK").await.unwrap();
    // It goes on by itself, and what was removed meanwhile is gone from the new shop too.
    let removals = "cartage_synthetic_delay_seconds_count";
    let well = |page: &str| figure(page, removals, "step=\"remove\"").is_some_and(|n| n >= 1.0);
    scraped(&mut daemon, shop.metrics, well).await;
    daemon.stop().await;
    assert_eq!(ours(&shop).await, 0);
}

/// By hand, where no daemon is at work and where a row is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_cart_by_hand_says_why_it_does_not_go() {
    let shop = Shop::open("synthetic_by_hand", "pp", "1s").await;
    let said = crate::scenario::daemon::refusal(&shop.config, &["synthetic", "run", "--once"]);
    assert!(said.contains("no daemon is at work"), "{said}");
    let daemon = shop.follow().await;
    let sql = "ALTER TABLE quote_item ADD CONSTRAINT cheap CHECK (sku NOT LIKE 'synthetic%')";
    // The daemon's own carts are in nobody's way.
    let deadline = Instant::now() + Duration::from_secs(20);
    while shop.shops.source.session.run(sql).await.is_err() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (code, told) = shop.json(&["synthetic", "run", "--once", "--json"]);
    assert_eq!(code, 3, "{told}");
    let failure = told["failure"].as_str().unwrap();
    assert!(
        failure.starts_with("create: source: ") && failure.contains("cheap"),
        "{failure}"
    );
    daemon.stop().await;
    assert_eq!(ours(&shop).await, 0);
}

/// What `check` refuses of the plan.
fn failed(shop: &Shop) -> Option<String> {
    let (_, told) = shop.json(&["check", "--json"]);
    let mut checks = told["checks"].as_array().unwrap().iter();
    let failed = checks.find(|c| c["check"] == "synthetic carts" && c["verdict"] == "fail");
    failed.map(|c| c["message"].as_str().unwrap_or_default().to_owned())
}

/// A role that may only read is told what to grant, and for the tables of the plan alone.
#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_grants() {
    let shop = Shop::open("synthetic_grants_pp", "pp", "30s").await;
    let source = &shop.shops.source.session;
    source
        .run(
            "DROP ROLE IF EXISTS synthetic_reader; CREATE ROLE synthetic_reader LOGIN REPLICATION;
             GRANT SELECT ON quote, quote_item TO synthetic_reader",
        )
        .await
        .unwrap();
    shop.source_as("synthetic_reader");
    let (code, told) = shop.json(&["check", "--json"]);
    assert_eq!(code, 3, "{told}");
    let text = told.to_string();
    for grant in [
        "GRANT INSERT, DELETE ON public.quote TO synthetic_reader",
        "GRANT INSERT, UPDATE, DELETE ON public.quote_item TO synthetic_reader",
        "GRANT USAGE ON SEQUENCE public.quote_id_seq TO synthetic_reader",
    ] {
        assert!(text.contains(grant), "{grant}\n{text}");
        source.run(grant).await.unwrap();
    }
    assert_eq!(failed(&shop), None);
    source
        .run("DROP OWNED BY synthetic_reader; DROP ROLE synthetic_reader")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_grants_on_mysql() {
    let shop = Shop::open("synthetic_grants_mp", "mp", "30s").await;
    let source = &shop.shops.source.session;
    let database = "synthetic_grants_mp";
    source
        .run(&format!(
            "CREATE OR REPLACE USER synthetic_reader@'127.0.0.1';
             GRANT SELECT ON {database}.* TO synthetic_reader@'127.0.0.1';
             GRANT REPLICATION SLAVE, PROCESS ON *.* TO synthetic_reader@'127.0.0.1'"
        ))
        .await
        .unwrap();
    shop.source_as("synthetic_reader");
    let (code, told) = shop.json(&["check", "--json"]);
    assert_eq!(code, 3, "{told}");
    let text = told.to_string();
    for grant in [
        format!("GRANT INSERT, DELETE ON `{database}`.`quote` TO `synthetic_reader`@`127.0.0.1`"),
        format!(
            "GRANT INSERT, UPDATE, DELETE ON `{database}`.`quote_item` TO `synthetic_reader`@`127.0.0.1`"
        ),
    ] {
        assert!(text.contains(&grant), "{grant}\n{text}");
        source.run(&grant).await.unwrap();
    }
    assert_eq!(failed(&shop), None);
    source
        .run("DROP USER synthetic_reader@'127.0.0.1'")
        .await
        .unwrap();
}

/// A plan whose carts are not live never arrives, and `check` says so before.
#[tokio::test(flavor = "multi_thread")]
async fn check_warns_of_carts_that_are_not_live() {
    let shop = Shop::open("synthetic_live", "pp", "30s").await;
    let warned = |told: &serde_json::Value| {
        let checks = told["checks"].as_array().unwrap().clone();
        checks.into_iter().any(|c| {
            let message = c["message"].as_str().unwrap_or_default();
            c["verdict"] == "warn" && message.starts_with("[cart] live does not let")
        })
    };
    let (_, told) = shop.json(&["check", "--json"]);
    assert!(!warned(&told), "{told}");
    shop.edit("active = true", "active = false");
    let (_, told) = shop.json(&["check", "--json"]);
    assert!(warned(&told), "{told}");
}

/// A change that touches nothing of the mapping would fail at its deadline each time.
#[tokio::test(flavor = "multi_thread")]
async fn check_refuses_a_change_that_would_not_arrive() {
    let shop = Shop::open("synthetic_idle_change", "pp", "30s").await;
    assert_eq!(failed(&shop), None);
    shop.edit(
        "set = { qty = 2 }",
        "set = { note = \"changed\", price = 3 }",
    );
    let told = failed(&shop).expect("it fails");
    let why = "nothing that [[synthetic.change]] sets is read by the mapping (quote_item.note, quote_item.price)";
    assert!(told.starts_with(why), "{told}");
    shop.edit(
        "set = { note = \"changed\", price = 3 }",
        "set = { note = \"changed\", qty = 1 }",
    );
    let told = failed(&shop).expect("it fails");
    assert!(told.contains("to what it is"), "{told}");
    shop.edit(
        "note = \"changed\", qty = 1 }",
        "note = \"changed\", qty = 3 }",
    );
    assert_eq!(failed(&shop), None);
}

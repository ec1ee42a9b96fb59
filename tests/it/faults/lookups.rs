//! A lookup that finds nothing holds the cart until it does, or stops the daemon; what it found stays.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::ground::{Change, Ground};
use crate::scenario::daemon::{Daemon, command};

const INTO: &str = "[[into]]\ntable = \"cart\"\n";
const LOOKUP: &str = "[lookup.goods]\non = \"target\"\ntable = \"goods\"\nmatch = \"sku\"\n\
                      get = \"name\"\n\n[[into]]\ntable = \"cart\"\n";
const GOODS: &str = "CREATE TABLE goods (sku text PRIMARY KEY, name text);
    INSERT INTO goods SELECT 'sku-' || n, 'G-' || n FROM generate_series(1, 3) n;
    CREATE INDEX ON cart_line (cart_id);";

async fn until(ground: &Ground, sql: &str, daemon: &Daemon) {
    let begun = Instant::now();
    while ground.count(sql).await != 1 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "waited for {sql}\n{}",
            daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_not_found_waits_and_what_was_found_stays() {
    let name = "lookups_lacking";
    let ground = Ground::changed(
        name,
        Change {
            config: &[
                (INTO, LOOKUP),
                ("product    = \"sku\"", "product    = \"goods(sku)\""),
            ],
            target: &[("CREATE INDEX ON cart_line (cart_id);", GOODS)],
            ..Change::default()
        },
    )
    .await;
    let mut daemon = ground.follow().await;
    ground
        .in_old(
            "INSERT INTO orders VALUES (301, 'x@example.org', 'EUR');
             INSERT INTO order_lines VALUES (3011, 301, 'sku-9', 1, 1)",
        )
        .await;
    let held = "SELECT count(*) FROM cartage.held WHERE cart = '301' AND reason = 'lookup' \
                AND message LIKE '%lookup `goods` finds no row in public.goods'";
    until(&ground, held, &daemon).await;
    ground
        .in_new("INSERT INTO goods VALUES ('sku-9', 'G-9')")
        .await;
    let there = "SELECT count(*) FROM cart_line WHERE line_id = 3011 AND product = 'G-9'";
    until(&ground, there, &daemon).await;

    ground
        .in_new("UPDATE goods SET name = 'other' WHERE sku = 'sku-1'")
        .await;
    ground
        .in_old("UPDATE order_lines SET qty = 9 WHERE id = 11")
        .await;
    ground.settle(&mut daemon).await;
    let frozen = "SELECT count(*) FROM cart_line WHERE line_id = 11 AND quantity = 9 \
                  AND product = 'G-1'";
    assert_eq!(ground.count(frozen).await, 1);
    let report: Value =
        serde_json::from_str(&command(&ground.config, &["verify", "--json"])).unwrap();
    assert_eq!(report["stale_lookups"], 200);
    assert_eq!(report["equal"], 201);
    ground.rest(daemon).await;

    ground.configure(
        name,
        &[("get = \"name\"", "get = \"name\"\nmissing = \"error\"")],
    );
    ground
        .in_old("INSERT INTO order_lines VALUES (3012, 301, 'sku-8', 1, 1)")
        .await;
    let mut daemon = Daemon::start(&ground.config);
    assert_eq!(daemon.ended().await.code(), Some(4), "{}", daemon.log());
    let said = "lookup `goods` finds no row in public.goods";
    assert!(daemon.log().contains(said), "{}", daemon.log());
    assert!(!daemon.log().contains("sku-8"), "{}", daemon.log());
}

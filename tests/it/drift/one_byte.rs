//! One flipped byte in a large table: `CARTAGE_DRIFT_ROWS=3000000` is the full size.

use std::path::PathBuf;
use std::time::Duration;

use cartage::demo::daemon::Daemon;
use cartage::demo::drift::{flipped, named};
use cartage::demo::kind::Kind;
use cartage::demo::shops::{Ground, Shops, new_shop, old_shop};
use cartage::demo::storefront::{Pace, Storefront};
use cartage::demo::watch::Watch;
use cartage::params;
use fastrand::Rng;
use serde_json::Value;
use tokio::time::sleep;

use super::{ALONE, seeds};

/// Three lines a cart.
const CARTS: &str = "
    INSERT INTO orders (id, number, token, email, customer_id, currency)
    SELECT id, 'R' || id, md5('token ' || id), format('Customer%s@Example.com', id), id,
           (ARRAY['EUR', 'USD', 'JPY', 'KWD'])[1 + id % 4]
    FROM generate_series(1, $CARTS) AS id;
    INSERT INTO line_items (order_id, sku, title, quantity, unit_price)
    SELECT orders.id, format('SKU-%s-%s', orders.id, n), format('Article %s of %s', n, orders.id),
           n, n + (orders.id % 1000)::numeric / 1000
    FROM orders, generate_series(1, 3) AS n;
    SELECT setval('orders_id_seq', (SELECT max(id) FROM orders));
    ANALYZE;";

async fn one_flipped_byte(target: Kind) {
    let _alone = ALONE.lock().await;
    let rows = std::env::var("CARTAGE_DRIFT_ROWS");
    let rows: i64 = rows.map_or(6_000, |rows| rows.parse().expect("a number of rows"));
    let (carts, seed) = (rows / 3, seeds()[0]);
    println!("one byte in {rows} lines, to {target}: CARTAGE_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let ground = Ground::find(Kind::Postgres, target).unwrap();
    let shops = Shops::start(ground).await.unwrap();
    shops.old.run(old_shop(Kind::Postgres)).await.unwrap();
    let data = CARTS.replace("$CARTS", &carts.to_string());
    shops.old.run(&data).await.unwrap();
    shops.new.run(new_shop(target)).await.unwrap();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_cartage"));
    let mut daemon = Daemon::set_up(program, &shops.configuration())
        .await
        .unwrap();
    daemon.start().unwrap();
    let watch = Watch::open(&shops).await.unwrap();
    while !watch.look().await.unwrap().backfill_finished {
        daemon.check_alive().unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    let pace = Pace { seed, rate: 100 };
    let storefront = Storefront::over(&shops, pace, &[]).await.unwrap();

    let (line, cart) = (rng.i64(1..=carts * 3), "metadata");
    let session = watch.new_shop();
    let cart = match target {
        Kind::Postgres => format!("{cart} ->> 'order'"),
        Kind::Mariadb | Kind::Mysql => format!("json_value({cart}, '$.order')"),
    };
    let sql = format!(
        "SELECT cart_line.id, name, {cart} FROM cart_line JOIN cart ON cart.id = cart_id
         WHERE source_id = $1"
    );
    let row = session.one(&*sql, params![line]).await.unwrap();
    let (id, name): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
    let cart: String = row.get(2).unwrap();
    let other = flipped(&mut rng, &name).unwrap();
    assert_ne!(name, other);
    let update = "UPDATE cart_line SET name = $2 WHERE id = $1";
    let update = session.execute(update, params![&id, &other]).await;
    assert_eq!(update.unwrap(), 1);

    let verification = daemon
        .beside("verify", &["--json", "--limit", "1000"])
        .unwrap();
    let kill = async {
        sleep(Duration::from_millis(rng.u64(50..200))).await;
        daemon.kill().await.unwrap();
        daemon.start().unwrap();
    };
    let (said, ()) = tokio::join!(verification, kill);
    let document: Value = serde_json::from_slice(&said.unwrap()).unwrap();
    let found = named(&document);
    let told = format!("CARTAGE_SEED={seed}: {name:?} was made {other:?}: {document:#}");
    assert_eq!(found.keys().collect::<Vec<_>>(), [&cart], "{told}");
    assert_eq!(document["different"], 1, "{told}");
    assert_eq!(found[&cart]["column"], "name", "{told}");
    assert_eq!(found[&cart]["target"], *other, "{told}");
    let compared = document["carts_compared"].as_i64().unwrap();
    assert!(compared >= carts, "{told}");
    assert!(storefront.close().await.unwrap() > 0);
    daemon.terminate().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_byte_is_found() {
    one_flipped_byte(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_byte_is_found_in_mariadb() {
    one_flipped_byte(Kind::Mariadb).await;
}

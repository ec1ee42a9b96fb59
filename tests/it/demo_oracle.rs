//! The judge of the demo, on shops that were made equal by hand.

use std::sync::Arc;
use std::time::Duration;

use cartage::demo::comparison::{compare, sabotage};
use cartage::demo::kind::Kind;
use cartage::demo::shops::{Ground, Shop, Shops, old_shop};
use cartage::demo::storefront::{Pace, Storefront};
use cartage::target::session::Target;
use futures_util::{SinkExt, StreamExt, pin_mut};
use tokio_postgres::Client;

const CARTS: u32 = 2_000;
const CONTROL: &str = include_str!("../../migrations/postgres/0001_control.sql");

async fn copy_by_hand(old: &Client, new: &Client) {
    new.batch_execute(&format!(
        "CREATE SCHEMA raw; SET search_path = raw; {}",
        old_shop(Kind::Postgres)
    ))
    .await
    .unwrap();
    for table in ["orders", "line_items", "line_options"] {
        let rows = old
            .copy_out(&format!("COPY {table} TO STDOUT"))
            .await
            .unwrap();
        let sink = new
            .copy_in(&format!("COPY raw.{table} FROM STDIN"))
            .await
            .unwrap();
        pin_mut!(rows, sink);
        while let Some(chunk) = rows.next().await {
            sink.send(chunk.unwrap()).await.unwrap();
        }
        sink.finish().await.unwrap();
    }
    new.batch_execute(&format!(
        "CREATE SCHEMA IF NOT EXISTS cartage; SET search_path = cartage; {CONTROL}
         SET search_path = public;"
    ))
    .await
    .unwrap();
    new.batch_execute(include_str!("demo_oracle.sql"))
        .await
        .unwrap();
}

/// As the judge asks, and as Postgres alone is asked.
async fn sessions(shop: &Shop) -> (Target, Arc<Client>) {
    let session = shop.session().await.unwrap();
    match &session {
        Target::Postgres(client) => (session.clone(), client.clone()),
        Target::Mysql(_) => panic!("it is not on Postgres"),
    }
}

#[tokio::test]
async fn the_judge_sees_every_kind_of_difference() {
    let ground = Ground::find(Kind::Postgres, Kind::Postgres).unwrap();
    let shops = Shops::open(ground, CARTS).await.unwrap();
    let (old_shop, old) = sessions(&shops.old).await;
    let (new_shop, new) = sessions(&shops.new).await;

    let pace = Pace {
        seed: 7,
        rate: 2_000,
    };
    let storefront = Storefront::open(&shops, pace).await.unwrap();
    storefront.expire();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while storefront.transactions() < 1_000 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "waited for 1,000 transactions"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(storefront.close().await.unwrap() >= 1_000);

    copy_by_hand(&old, &new).await;
    let equal = compare(&old_shop, &new_shop).await.unwrap();
    assert!(equal.all_well(), "{equal:?}");
    let live: i64 = old
        .query_one("SELECT count(*) FROM orders WHERE state = 'cart'", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(equal.carts_compared, live);

    // Each of these is one difference, undone before the next.
    let line = "(SELECT min(id) FROM cart_line)";
    let cart = "(SELECT min(id) FROM cart WHERE note IS NOT NULL)";
    for change in [
        format!("UPDATE cart_line SET quantity = quantity + 1 WHERE id = {line}"),
        format!("UPDATE cart_line SET unit_minor = unit_minor - 1 WHERE id = {line}"),
        format!("UPDATE cart_line SET options = '{{\"x\": 1}}' WHERE id = {line}"),
        format!("UPDATE cart_line SET gift = true WHERE id = {line}"),
        format!("UPDATE cart_line SET id = 'line_1' WHERE id = {line}"),
        format!("UPDATE cart_line SET added_at = added_at + interval '1us' WHERE id = {line}"),
        format!("DELETE FROM cart_line WHERE id = {line}"),
        format!("UPDATE cart SET note = NULL WHERE id = {cart}"),
        format!("UPDATE cart SET email = 'x' WHERE id = {cart}"),
        format!("UPDATE cart SET item_total = item_total + 1 WHERE id = {cart}"),
        format!("UPDATE cart SET sales_region = 'asia' WHERE id = {cart}"),
        format!("UPDATE cart SET updated_at = now() WHERE id = {cart}"),
        format!("UPDATE cart SET completed_at = now() WHERE id = {cart}"),
    ] {
        new.batch_execute(
            "DROP SCHEMA IF EXISTS spare CASCADE; CREATE SCHEMA spare;
             CREATE TABLE spare.cart AS TABLE cart; CREATE TABLE spare.cart_line AS TABLE cart_line;",
        )
        .await
        .unwrap();
        assert_eq!(new.execute(&change, &[]).await.unwrap(), 1, "{change}");
        let found = compare(&old_shop, &new_shop).await.unwrap();
        let counts = (
            found.different,
            found.missing,
            found.extra,
            found.version_wrong,
        );
        assert_eq!(counts, (1, 0, 0, 0), "{change}");
        new.batch_execute(
            "TRUNCATE cart, cart_line;
             INSERT INTO cart TABLE spare.cart; INSERT INTO cart_line TABLE spare.cart_line;",
        )
        .await
        .unwrap();
    }

    // A cart too few, a cart too many, a version that counts a write too many, a held cart.
    new.batch_execute(
        "DELETE FROM cart WHERE id = (SELECT min(id) FROM cart WHERE item_count = 0);
         INSERT INTO cart SELECT (jsonb_populate_record(cart,
             jsonb_build_object('id', 'cart_' || repeat('a', 26), 'token', 'none'))).*
         FROM cart WHERE item_count = 0 LIMIT 1;
         UPDATE cart SET version = version + 1
         WHERE token = (SELECT max(token) FROM cart WHERE token <> 'none');
         INSERT INTO cartage.held (pipeline, cart, reason, message, pending)
         SELECT id, '1', 'conflict', '', '' FROM cartage.pipeline;",
    )
    .await
    .unwrap();
    let found = compare(&old_shop, &new_shop).await.unwrap();
    let counts = (found.different, found.missing, found.extra);
    assert_eq!(counts, (0, 1, 1));
    assert_eq!((found.version_wrong, found.held), (1, 1));

    assert_eq!(sabotage(&new_shop).await.unwrap(), 1);
    assert_eq!(compare(&old_shop, &new_shop).await.unwrap().different, 1);
}

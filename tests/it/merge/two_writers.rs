//! Two shops sell from the same carts at once, while cartage is killed again and again. The judge
//! knows what the two intended, and nothing of rows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio_postgres::Client;

use super::kinds::MANY;
use crate::guards::shop::Shop;

const CARTS: i64 = 40;
const CHANGES: usize = 600;
const KILLS: usize = 5;

/// By cart and product: what a side has added in all.
type Intended = BTreeMap<(i64, &'static str), i64>;

/// Tea is in each cart from the start, and both take some out; of the others there is none at first.
fn next(rng: &mut Rng) -> (i64, &'static str, i64) {
    let cart = rng.i64(1..=CARTS);
    match rng.u8(0..4) {
        0 => (cart, "milk", rng.i64(1..3)),
        1 => (cart, "cocoa", 1),
        _ => (cart, "tea", [-2, -1, 1, 2, 3][rng.usize(0..5)]),
    }
}

/// The old shop: a line of its own for each product, under its own keys.
async fn old_shop(client: &Client, seed: u64) -> Intended {
    let mut rng = Rng::with_seed(seed);
    let mut intended = Intended::new();
    let mut next_id = 100_000;
    for _ in 0..CHANGES {
        let (cart, product, by) = next(&mut rng);
        let change = format!(
            "UPDATE order_lines SET qty = qty + {by} WHERE order_id = {cart} AND sku = '{product}'"
        );
        if client.execute(&change, &[]).await.unwrap() == 0 {
            next_id += 1;
            let line =
                format!("INSERT INTO order_lines VALUES ({next_id}, {cart}, '{product}', {by})");
            client.execute(&line, &[]).await.unwrap();
        }
        *intended.entry((cart, product)).or_default() += by;
    }
    intended
}

/// The new backend: locks the cart, adds to the line that is there or puts one in, moves the version.
async fn new_shop(client: &Client, seed: u64) -> Intended {
    let mut rng = Rng::with_seed(seed);
    let mut intended = Intended::new();
    let mut next_id = 900_000;
    for _ in 0..CHANGES {
        let (cart, product, by) = next(&mut rng);
        next_id += 1;
        let sell = format!(
            "BEGIN;
             UPDATE cart SET version = version + 1 WHERE cart_id = {cart};
             WITH there AS (
                 SELECT line_id FROM cart_line WHERE cart_id = {cart} AND product = '{product}'
                 ORDER BY line_id LIMIT 1),
             more AS (
                 UPDATE cart_line SET quantity = quantity + {by}
                 WHERE line_id = (SELECT line_id FROM there) RETURNING 1)
             INSERT INTO cart_line
             SELECT {next_id}, {cart}, '{product}', {by} WHERE NOT EXISTS (SELECT FROM more);
             COMMIT"
        );
        client.batch_execute(&sell).await.unwrap();
        *intended.entry((cart, product)).or_default() += by;
    }
    intended
}

#[tokio::test]
async fn what_both_sell_at_once_counts_once() {
    let seed = match std::env::var("CARTAGE_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => fastrand::u64(..1_000_000),
    };
    println!("CARTAGE_SEED={seed}");
    let shop = Shop::own(MANY).await;
    let end = shop.end_of_log().await;
    shop.old_shop(&format!(
        "BEGIN; INSERT INTO orders SELECT n, 'c' || n FROM generate_series(1, {CARTS}) n;
         INSERT INTO order_lines SELECT n, n, 'tea', 300 FROM generate_series(1, {CARTS}) n; COMMIT"
    ))
    .await;
    shop.passed(CARTS, &end).await;
    shop.settled().await;
    let backend = shop.new_backend().await;
    let selling = AtomicBool::new(true);
    let sell = async {
        let sold = tokio::join!(
            old_shop(&shop.source, seed),
            new_shop(&backend, seed.wrapping_add(1))
        );
        selling.store(false, Ordering::Relaxed);
        sold
    };
    let mut rng = Rng::with_seed(seed.wrapping_add(2));
    let kill = async {
        let mut kills = 0;
        while selling.load(Ordering::Relaxed) || kills < KILLS {
            tokio::time::sleep(Duration::from_millis(rng.u64(200..900))).await;
            if kills < KILLS {
                shop.kill();
                kills += 1;
            }
        }
    };
    let ((here, there), ()) = tokio::join!(sell, kill);
    shop.settled().await;
    shop.until(
        "no cart to be held",
        "SELECT NOT EXISTS (SELECT FROM cartage.held)",
    )
    .await;
    let mut expected: Intended = (1..=CARTS).map(|cart| ((cart, "tea"), 300)).collect();
    for (line, by) in here.into_iter().chain(there) {
        *expected.entry(line).or_default() += by;
    }
    let expected: Vec<String> = expected
        .iter()
        .map(|((cart, product), quantity)| format!("{cart} {product} {quantity}"))
        .collect();
    let found = "SELECT string_agg(line, '; ' ORDER BY cart_id, product COLLATE \"C\") FROM (
            SELECT cart_id, product, concat_ws(' ', cart_id, product, sum(quantity)) AS line
            FROM cart_line GROUP BY 1, 2) lines";
    let found = shop.text(found).await;
    assert_eq!(found.split("; ").collect::<Vec<_>>(), expected);
    let conflicts = "SELECT count(DISTINCT cart) FROM cartage.conflict
        WHERE kind = 'merged' AND base <> ours AND base <> theirs";
    let conflicted = shop.number(conflicts).await;
    assert!(
        conflicted > CARTS / 2,
        "only {conflicted} carts were in conflict"
    );
}

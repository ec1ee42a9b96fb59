//! What the daemon takes of memory at most, whatever the old shop does. With `CARTAGE_LONG` in the
//! environment the sizes are those of the long run.

use super::shop::Shop;
use crate::scenario::settled::settled;
use crate::scenario::size::size;

/// MiB of resident memory that the daemon may have taken at any time.
const MOST: u64 = 256;

async fn bounded(name: &str, carts: u32, lines: u32, changes: &[&str]) {
    let shop = Shop::open(name, carts, lines, "").await;
    let mut daemon = shop.follow().await;
    let before = daemon.peak_memory();
    for change in changes {
        shop.source(change).await;
    }
    settled(&mut daemon, &shop.shops).await;
    let peak = daemon.peak_memory();
    println!("{name}: peak memory {before} MiB before, {peak} MiB after");
    assert!(peak <= MOST, "{name}: {peak} MiB\n{}", daemon.log());
    shop.assert_equal(&daemon).await;
    assert_eq!(shop.waived().await, 0);
    daemon.stop().await;
}

/// 100,000 or 1,000,000 changes of one transaction.
#[tokio::test]
async fn a_transaction_of_very_many_changes() {
    let carts = size(20_000, 200_000);
    let change = "BEGIN; UPDATE orders SET rev = 1; UPDATE order_lines SET rev = 1; COMMIT";
    bounded("large_changes", carts, 4, &[change]).await;
}

/// Thousands of carts go at once, each with its lines.
#[tokio::test]
async fn a_mass_expiry_in_one_delete() {
    let carts = size(15_000, 150_000);
    let change = format!("DELETE FROM orders WHERE id % 3 <> 0 AND id <= {carts}");
    bounded("large_expiry", carts, 3, &[&change]).await;
}

/// One cart of 5,000 lines, changed line by line and whole, among many small ones.
#[tokio::test]
async fn a_cart_of_thousands_of_lines() {
    let changes = [
        "INSERT INTO orders VALUES (9001);
         INSERT INTO order_lines SELECT 100000 + n, 9001, 0, repeat('x', 100)
         FROM generate_series(1, 5000) n",
        "DO $$ BEGIN FOR n IN 1..40 LOOP
             UPDATE order_lines SET rev = rev + 1 WHERE id = 100000 + n * 100;
             COMMIT;
         END LOOP; END $$",
        "UPDATE order_lines SET rev = 7 WHERE order_id = 9001;
         UPDATE orders SET rev = 7 WHERE id = 9001",
    ];
    bounded("large_cart", 500, 3, &changes).await;
}

/// Values of a hundred kilobytes each: rows are few, bytes are many.
#[tokio::test]
async fn values_that_are_large() {
    let carts = size(1_000, 10_000);
    let change = "UPDATE order_lines SET note = repeat(md5(id::text), 3200)";
    bounded("large_values", carts, 1, &[change]).await;
}

//! A backlog from before the old shop's tables changed: its rows are read as they were, whatever the
//! mapping that comes to them (hazard 7: Relation messages rule).

use super::ground::Ground;

/// The daemon is down over the whole change; then it starts with a mapping for the new schema.
async fn over(name: &str, migrate: &str, after: &str, config: &[(&str, &str)]) {
    let ground = Ground::open(name).await;
    ground.rest(ground.follow().await).await;
    ground.trade(1).await;
    // In one transaction with rows on both sides of it, too.
    ground
        .in_old(&format!(
            "BEGIN; UPDATE order_lines SET qty = 60 WHERE order_id = 17; {migrate};
             UPDATE orders SET currency = 'CHF' WHERE id = 18; COMMIT"
        ))
        .await;
    ground.in_old(after).await;
    ground.configure(name, config);
    ground.recovers().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_shift() {
    over(
        "faults_backlog_shift",
        "ALTER TABLE orders DROP COLUMN status;
         ALTER TABLE orders ADD first text DEFAULT 'first', ADD second int",
        "INSERT INTO orders (id, email, currency, second) VALUES (950, 'shift@example.org', 'EUR', 7);
         INSERT INTO order_lines VALUES (95001, 950, 'shift', 1, 1);
         UPDATE orders SET second = 8 WHERE id < 30",
        &[],
    )
    .await;
}

/// The mapping reads a column that the backlog does not have.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_mapped_now_and_was_not_there() {
    over(
        "faults_backlog_added",
        "ALTER TABLE orders ADD address text; ALTER TABLE orders RENAME COLUMN email TO mail",
        "UPDATE orders SET mail = 'new' || id || '@example.org' WHERE id IN (3, 4, 160);
         ALTER TABLE orders ADD email text GENERATED ALWAYS AS (mail) STORED",
        &[(
            "customer_email = \"email\"",
            "customer_email = \"coalesce(address, mail)\"",
        )],
    )
    .await;
}

/// The backlog does not even say whose its rows are.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_had_another_name() {
    over(
        "faults_backlog_owner",
        "UPDATE order_lines SET order_id = 25 WHERE id = 241; DELETE FROM order_lines WHERE id = 261;
         ALTER TABLE order_lines RENAME COLUMN order_id TO of_order",
        "UPDATE order_lines SET of_order = 27 WHERE id = 281;
         ALTER TABLE order_lines ADD order_id bigint GENERATED ALWAYS AS (of_order) STORED",
        &[
            ("cart = \"order_id\"", "cart = \"of_order\""),
            ("cart_id    = \"order_id\"", "cart_id    = \"of_order\""),
        ],
    )
    .await;
}

/// Keys of another width, and a type whose texts are others.
#[tokio::test(flavor = "multi_thread")]
async fn types_that_were_others() {
    over(
        "faults_backlog_types",
        "ALTER TABLE order_lines ALTER qty TYPE text;
         ALTER TABLE order_lines ALTER price TYPE integer USING (price * 100)::integer;
         ALTER TABLE order_lines ALTER id TYPE integer",
        "UPDATE order_lines SET qty = '5' WHERE order_id = 31;
         ALTER TABLE order_lines RENAME COLUMN price TO cents;
         ALTER TABLE order_lines ADD price numeric(10,2) GENERATED ALWAYS AS (cents / 100.0) STORED",
        &[
            ("quantity   = \"qty\"", "quantity   = \"cast(qty as integer)\""),
            ("unit_price = \"price\"", "unit_price = \"major_units(cents, 'EUR')\""),
        ],
    )
    .await;
}

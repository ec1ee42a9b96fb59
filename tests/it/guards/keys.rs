//! Keys: binary ones, composite ones, enums, text without case, and keys that change or change hands.

use super::shop::{Kind, ROW, Shop};

#[tokio::test]
async fn two_lines_that_swap_their_keys_in_one_transaction_keep_their_own_values() {
    let shop = Shop::shared(ROW).await;
    shop.born(6100, &[(61001, "tea", 1), (61002, "milk", 2)])
        .await;
    shop.change(
        6100,
        "BEGIN;
         UPDATE order_lines SET id = 61009 WHERE id = 61001;
         UPDATE order_lines SET id = 61001 WHERE id = 61002;
         UPDATE order_lines SET id = 61002 WHERE id = 61009;
         COMMIT",
    )
    .await;
    assert_eq!(shop.lines(6100).await, "milk 2, tea 1");
    assert_eq!(shop.state(6100).await, "mirror");
}

#[tokio::test]
async fn two_carts_that_swap_their_keys_in_one_transaction_keep_their_own_lines() {
    let shop = Shop::shared(ROW).await;
    shop.born(6110, &[(61101, "tea", 1)]).await;
    shop.born(6111, &[(61111, "milk", 2)]).await;
    shop.change(
        6111,
        "BEGIN;
         UPDATE orders SET id = 6119 WHERE id = 6110;
         UPDATE orders SET id = 6110 WHERE id = 6111;
         UPDATE orders SET id = 6111 WHERE id = 6119;
         COMMIT",
    )
    .await;
    shop.settled().await;
    let found = (shop.lines(6110).await, shop.lines(6111).await);
    assert_eq!(found, ("milk 2".into(), "tea 1".into()));
    assert_eq!(shop.email(6110).await, "c6111@example.org");
    assert_eq!(shop.email(6111).await, "c6110@example.org");
    let carts = "SELECT count(*) FROM cart WHERE cart_id IN (6110, 6111, 6119)";
    assert_eq!(shop.number(carts).await, 2);
}

#[tokio::test]
async fn a_cart_takes_the_key_of_one_that_existed_before() {
    let shop = Shop::shared(ROW).await;
    shop.born(6120, &[(61201, "tea", 1)]).await;
    shop.born(6121, &[(61211, "milk", 2)]).await;
    shop.change(6120, "DELETE FROM orders WHERE id = 6120")
        .await;
    shop.change(6121, "UPDATE orders SET id = 6120 WHERE id = 6121")
        .await;
    shop.settled().await;
    assert_eq!(shop.lines(6120).await, "milk 2");
    assert_eq!(shop.email(6120).await, "c6121@example.org");
    assert_eq!(
        shop.number("SELECT count(*) FROM cart WHERE cart_id = 6121")
            .await,
        0
    );
}

/// The cart's key is an enum and bytes, the line's is a text without case beside a number.
const ODD: Kind = Kind {
    name: "odd_keys",
    old: "
        CREATE EXTENSION citext;
        CREATE TYPE region AS ENUM ('eu', 'us');
        CREATE TABLE basket (region region, token bytea, note text, PRIMARY KEY (region, token));
        CREATE TABLE basket_item (
            region region, token bytea, sku citext, size integer, qty integer NOT NULL,
            PRIMARY KEY (region, token, sku, size),
            FOREIGN KEY (region, token) REFERENCES basket ON DELETE CASCADE);
        INSERT INTO basket VALUES ('eu', '\\x00ff7c', 'before');
        INSERT INTO basket_item VALUES ('eu', '\\x00ff7c', 'Tea', 1, 1);",
    new: "
        CREATE EXTENSION citext;
        CREATE TYPE region AS ENUM ('eu', 'us');
        CREATE TABLE basket (region region, token bytea, note text, PRIMARY KEY (region, token));
        CREATE TABLE item (
            region region, token bytea, sku citext, size integer, qty integer NOT NULL,
            PRIMARY KEY (region, token, sku, size),
            FOREIGN KEY (region, token) REFERENCES basket);",
    config: &[(
        super::shop::MODEL,
        r#"
[cart]
table = "basket"

[cart.rows]
basket_item = { cart = ["region", "token"] }

[[into]]
table = "basket"
per = "basket"
role = "header"

  [into.columns]
  region = { key = "region" }
  token  = { key = "token" }
  note   = "note"

[[into]]
table = "item"
per = "basket_item"
role = "line"
line = { product = "sku", quantity = "qty" }

  [into.columns]
  region = { key = "region" }
  token  = { key = "token" }
  sku    = { key = "sku" }
  size   = { key = "size" }
  qty    = "qty"
"#,
    )],
};

#[tokio::test]
async fn binary_composite_enum_and_caseless_keys_are_followed_through_their_changes() {
    let shop = Shop::own(ODD).await;
    let same = async |what: &str| {
        shop.settled().await;
        let held = shop.text("SELECT string_agg(message, '; ') FROM cartage.held");
        assert_eq!(held.await, "", "{what}");
        for (from, to) in [("basket", "basket"), ("basket_item", "item")] {
            let all =
                |table| format!("SELECT coalesce(json_agg(t ORDER BY t)::text, '') FROM {table} t");
            let old: String = shop.source.query_one(&all(from), &[]).await.unwrap().get(0);
            assert_eq!(shop.text(&all(to)).await, old, "{what}");
        }
    };
    same("the backfill").await;
    for sql in [
        r"INSERT INTO basket VALUES ('us', '\x', 'no bytes'), ('us', '\x5c7c31', 'a backslash and a bar');
          INSERT INTO basket_item VALUES ('us', '\x', 'Milk', 1, 1), ('us', '\x5c7c31', 'Milk', 1, 2)",
        r"UPDATE basket_item SET qty = 5 WHERE token = '\x00ff7c'",
        // The same key to the database, another text.
        "UPDATE basket_item SET sku = 'TEA' WHERE sku = 'tea'",
        "UPDATE basket_item SET qty = 6 WHERE sku = 'tea'",
        r"UPDATE basket_item SET size = 2 WHERE token = '\x'",
        "ALTER TYPE region ADD VALUE 'apac' BEFORE 'us'",
        "DELETE FROM basket_item WHERE sku = 'tea'",
        r"DELETE FROM basket WHERE token = '\x'",
    ] {
        if sql.starts_with("ALTER TYPE") {
            shop.new_shop(sql).await;
        }
        shop.old_shop(sql).await;
        same(sql).await;
    }
}

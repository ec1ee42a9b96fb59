//! A cart that vanishes without a word in the log, right after it was read.

use cartage::switch::Place;

use super::judge::settle;
use super::stand::Stand;

/// No lane has gone on since the walk, so that the lanes' positions do not tell the read from what
/// came after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_finds_carts_that_vanished_after_the_last_one() {
    let stand = Stand::new("crash_unseen", "pp", 2, 200).await;
    stand
        .shops
        .source
        .session
        .run(
            "DROP TABLE perks, options, lines, carts;
             CREATE TABLE carts (id bigint PRIMARY KEY, token text NOT NULL, email text,
                                 currency text NOT NULL, note text, state text NOT NULL)
                 PARTITION BY RANGE (id);
             CREATE TABLE carts_1 PARTITION OF carts FOR VALUES FROM (0) TO (10);
             CREATE TABLE carts_2 PARTITION OF carts FOR VALUES FROM (10) TO (20);
             CREATE TABLE lines (id bigint PRIMARY KEY, cart_id bigint NOT NULL, sku text,
                                 quantity integer NOT NULL, price numeric NOT NULL);
             CREATE TABLE options (id bigint PRIMARY KEY, line_id bigint, name text, value text);
             CREATE TABLE perks (id bigint PRIMARY KEY, cart_id bigint NOT NULL);
             ALTER TABLE lines REPLICA IDENTITY FULL;
             ALTER TABLE options REPLICA IDENTITY FULL;
             ALTER TABLE perks REPLICA IDENTITY FULL;
             INSERT INTO carts SELECT n, 't' || n, NULL, 'EUR', NULL, 'cart'
             FROM generate_series(0, 19) n",
        )
        .await
        .unwrap();
    stand.must(&["setup", "--yes"]).await;
    stand.killed(&["run"], Place::StageDone).await;
    let source = "SELECT id FROM carts";
    let target = "SELECT source_id FROM cart";
    let read = stand.shops.target.rows(target, "target").await;
    assert_eq!(read.len(), 20, "the walk has read all carts");

    let truncate = "TRUNCATE carts_1";
    stand.shops.source.session.run(truncate).await.unwrap();
    let mut daemon = stand.start(&["run"], None);
    settle(&stand, &mut daemon).await;
    let source = stand.shops.source.rows(source, "source").await;
    let target = stand.shops.target.rows(target, "target").await;
    assert_eq!(source.len(), 10);
    assert_eq!(source, target, "{}", stand.log());
}

//! What lookups have answered is the cart's own: it stays as long as the row asks the same, goes with
//! a row that moves, and is asked again where nothing was found.

use std::path::PathBuf;

use tempfile::TempDir;

use super::standstill::wait;
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::folder::Scenario;
use crate::scenario::play::{configure, load};
use crate::scenario::servers::{Shops, number};
use crate::scenario::settled::{backfilled, settled};

/// Lines of products of which the new shop has some. Grades are looked up anew for each cart that asks.
struct Shelves {
    shops: Shops,
    config: PathBuf,
    _folder: TempDir,
}

impl Shelves {
    /// With these statements run in the old and in the new shop, and these words replaced in the
    /// mapping.
    async fn open(name: &str, [old, new]: [&str; 2], words: &[[&str; 2]]) -> Self {
        let scenario = Scenario::load("lookups");
        let name = format!("looked_up_{name}");
        let scenario = Scenario {
            name: name.clone(),
            ..scenario
        };
        let shops = load(&scenario, &name).await;
        shops.source.batch_execute(old).await.unwrap();
        shops.target.batch_execute(new).await.unwrap();
        let mut text = scenario.config.clone();
        for [from, to] in words {
            assert!(text.contains(from), "the mapping has no {from:?}");
            text = text.replace(from, to);
        }
        let folder = tempfile::tempdir().unwrap();
        let config = configure(&scenario, &text, &shops, folder.path());
        command(&config, &["setup", "--yes"]);
        Self {
            shops,
            config,
            _folder: folder,
        }
    }

    async fn follow(&self) -> Daemon {
        let mut daemon = Daemon::start(&self.config);
        backfilled(&mut daemon, &self.shops.target).await;
        settled(&mut daemon, &self.shops).await;
        daemon
    }

    async fn old_shop(&self, sql: &str) {
        self.shops.source.batch_execute(sql).await.unwrap();
    }

    async fn new_shop(&self, sql: &str) {
        self.shops.target.batch_execute(sql).await.unwrap();
    }

    /// How many rows of the new shop's database are so.
    async fn count(&self, of: &str) -> i64 {
        number(&self.shops.target, &format!("SELECT count(*) FROM {of}")).await
    }

    async fn until(&self, daemon: &Daemon, sql: &str) {
        let sql = format!("SELECT coalesce(({sql}), false)::integer::bigint");
        let asked = || number(&self.shops.target, &sql);
        wait(&sql, || daemon.log(), async || asked().await == 1).await;
    }
}

#[tokio::test]
async fn what_was_found_stays_with_its_row_in_whatever_cart_it_is() {
    let shelves = Shelves::open("frozen", [""; 2], &[]).await;
    let mut daemon = shelves.follow().await;
    let of_line = "cart_line WHERE id = 12 AND grade = ";
    shelves
        .old_shop("UPDATE quote_item SET qty = 6 WHERE id = 12")
        .await;
    settled(&mut daemon, &shelves.shops).await;
    assert_eq!(shelves.count(&format!("{of_line} 'six'")).await, 1);
    shelves.new_shop("UPDATE grade SET name = 'other'").await;
    // It is changed, its cart is loaded anew, and it goes to another cart.
    let changed = "UPDATE quote_item SET kind = 'b' WHERE id = 12";
    let moved = "UPDATE quote_item SET quote_id = 2 WHERE id = 12";
    for sql in [changed, moved] {
        daemon.kill();
        daemon = Daemon::start(&shelves.config);
        shelves.old_shop(sql).await;
        settled(&mut daemon, &shelves.shops).await;
        let there = shelves.count(&format!("{of_line} 'six'")).await;
        assert_eq!(there, 1, "{sql}: {}", daemon.log());
    }
    assert_eq!(
        shelves
            .count("cart_line WHERE id = 12 AND cart_id = 2")
            .await,
        1
    );
    // What asks something else is told what is true today.
    shelves
        .old_shop("UPDATE quote_item SET qty = 7 WHERE id = 12")
        .await;
    settled(&mut daemon, &shelves.shops).await;
    assert_eq!(shelves.count(&format!("{of_line} 'other'")).await, 1);
    daemon.stop().await;
}

#[tokio::test]
async fn a_cart_waits_for_what_is_not_found_and_keeps_what_was() {
    let shelves = Shelves::open("waits", [""; 2], &[]).await;
    let mut daemon = shelves.follow().await;
    shelves
        .old_shop("UPDATE quote_item SET qty = 6 WHERE id = 12")
        .await;
    settled(&mut daemon, &shelves.shops).await;
    shelves.new_shop("UPDATE grade SET name = 'other'").await;
    shelves
        .old_shop("UPDATE quote_item SET product_id = 31 WHERE id = 12")
        .await;
    let held = "SELECT EXISTS (SELECT FROM cartage.held WHERE cart = '1' AND reason = 'lookup')";
    shelves.until(&daemon, held).await;
    let here = "INSERT INTO variant VALUES ('var_S-31', 'S-31', 'T-31')";
    shelves.new_shop(here).await;
    let there = "SELECT count(*) = 1 FROM cart_line WHERE id = 12 AND variant_id = 'var_S-31'";
    shelves.until(&daemon, there).await;
    assert_eq!(
        shelves
            .count("cart_line WHERE id = 12 AND grade = 'six'")
            .await,
        1
    );
    assert_eq!(shelves.count("cartage.held").await, 0);
    daemon.stop().await;
}

#[tokio::test]
async fn what_was_not_found_is_asked_again_without_a_change_of_the_cart() {
    let often = ["[cart]\n", "[refresh]\nask_again = \"1s\"\n\n[cart]\n"];
    let shelves = Shelves::open("asked_again", [""; 2], &[often]).await;
    let mut daemon = shelves.follow().await;
    // A value that is null for want of a row, and a row that is left out.
    shelves
        .old_shop("UPDATE quote_item SET qty = 17 WHERE id = 12")
        .await;
    settled(&mut daemon, &shelves.shops).await;
    assert_eq!(
        shelves
            .count("cart_line WHERE id = 12 AND grade IS NULL")
            .await,
        1
    );
    assert_eq!(shelves.count("cart_line WHERE id = 19").await, 0);
    assert!(
        shelves
            .count("cartage.ledger WHERE asked_at IS NOT NULL")
            .await
            > 1
    );
    let patches = "cartage.ledger WHERE patches > 1";
    let before = shelves.count(patches).await;
    shelves
        .new_shop(
            "INSERT INTO grade VALUES (17, 'late'); \
             INSERT INTO variant VALUES ('var_S-99', 'S-99', 'T-99')",
        )
        .await;
    shelves
        .old_shop("INSERT INTO product VALUES (99, 'S-99')")
        .await;
    let graded = "SELECT count(*) = 1 FROM cart_line WHERE id = 12 AND grade = 'late'";
    shelves.until(&daemon, graded).await;
    let there = "SELECT count(*) = 20 FROM cart_line WHERE id % 10 = 9";
    shelves.until(&daemon, there).await;
    // Who was asked for in vain is no more changed for it.
    let after = shelves.count(patches).await;
    // One of the twenty had been changed before.
    assert_eq!(after, before + 19, "{}", daemon.log());
    settled(&mut daemon, &shelves.shops).await;
    daemon.stop().await;
}

#[tokio::test]
async fn changes_of_a_cart_that_waits_do_not_put_its_next_attempt_off() {
    let shelves = Shelves::open("put_off", [""; 2], &[]).await;
    let mut daemon = shelves.follow().await;
    shelves
        .old_shop("UPDATE quote_item SET product_id = 31 WHERE id = 12")
        .await;
    let held = "SELECT EXISTS (SELECT FROM cartage.held WHERE cart = '1')";
    shelves.until(&daemon, held).await;
    // Nothing is due while the customer goes on.
    let later = "UPDATE cartage.held SET retry_at = now() + interval '1 hour', attempts = 0";
    shelves.new_shop(later).await;
    for qty in 1..=3 {
        let sql = format!("UPDATE quote_item SET qty = {qty} WHERE id = 12");
        shelves.old_shop(&sql).await;
        settled(&mut daemon, &shelves.shops).await;
    }
    let same = "cartage.held WHERE cart = '1' AND attempts = 0 AND retry_at > now() + interval '50 minutes'";
    assert_eq!(shelves.count(same).await, 1, "{}", daemon.log());
    daemon.stop().await;
}

#[tokio::test]
async fn a_cart_that_waits_for_a_lookup_ends_all_the_same() {
    let shelves = Shelves::open("ends", [""; 2], &[]).await;
    let mut daemon = shelves.follow().await;
    shelves
        .old_shop(
            "UPDATE quote_item SET product_id = 31 WHERE id = 12;
             INSERT INTO quote VALUES (900, 'new');
             INSERT INTO quote_item VALUES (9001, 900, 31, 'a', 1)",
        )
        .await;
    let held = "SELECT count(*) = 2 FROM cartage.held WHERE reason = 'lookup'";
    shelves.until(&daemon, held).await;
    // One has rows in the new shop, the other never had.
    shelves
        .old_shop("DELETE FROM quote WHERE id IN (1, 900)")
        .await;
    settled(&mut daemon, &shelves.shops).await;
    assert_eq!(
        shelves.count("cart WHERE id IN (1, 900)").await,
        0,
        "{}",
        daemon.log()
    );
    assert_eq!(shelves.count("cart_line WHERE cart_id = 1").await, 0);
    assert_eq!(shelves.count("cartage.held").await, 0, "{}", daemon.log());
    daemon.stop().await;
}

#[tokio::test]
async fn rows_that_their_carts_tell_apart_do_not_hold_each_others_carts() {
    let old =
        "ALTER TABLE quote_item DROP CONSTRAINT quote_item_pkey, ADD PRIMARY KEY (quote_id, id);
        UPDATE quote_item SET id = id % 10";
    let new = "ALTER TABLE cart_line DROP CONSTRAINT cart_line_pkey, ADD PRIMARY KEY (cart_id, id)";
    let words = [[
        "cart_id    = \"quote_id\"",
        "cart_id    = { key = \"quote_id\" }",
    ]];
    let shelves = Shelves::open("namesakes", [old, new], &words).await;
    let mut daemon = shelves.follow().await;
    shelves
        .old_shop("UPDATE quote_item SET product_id = 31 WHERE quote_id = 2 AND id = 2")
        .await;
    let held = "SELECT EXISTS (SELECT FROM cartage.held WHERE cart = '2')";
    shelves.until(&daemon, held).await;
    // The third line of a cart that is held, and then another cart's third line.
    shelves
        .old_shop("DELETE FROM quote_item WHERE quote_id = 2 AND id = 3")
        .await;
    shelves
        .old_shop("DELETE FROM quote_item WHERE quote_id = 3 AND id = 3")
        .await;
    shelves
        .old_shop("INSERT INTO quote VALUES (900, 'new'); INSERT INTO quote_item VALUES (3, 900, 7, 'a', 1)")
        .await;
    settled(&mut daemon, &shelves.shops).await;
    shelves
        .old_shop("DELETE FROM quote_item WHERE quote_id = 2 AND id = 1")
        .await;
    shelves
        .old_shop("INSERT INTO quote VALUES (901, 'new'); INSERT INTO quote_item VALUES (1, 901, 7, 'a', 1)")
        .await;
    settled(&mut daemon, &shelves.shops).await;
    assert_eq!(shelves.count("cartage.held").await, 1, "{}", daemon.log());
    assert_eq!(
        shelves.count("cart_line WHERE cart_id IN (900, 901)").await,
        2
    );
    daemon.stop().await;
}

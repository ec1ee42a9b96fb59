//! Tokens are read at the end of our transaction, and what a lock does not show is compared.

use super::kinds::{CLOCK, COUNTER, Kind, ROW, ROW_LOCK};
use super::shop::Shop;

/// Each of these triggers moves the version beyond what our own statement left: before it, after it,
/// from another table, and at the end of the transaction. Sequences count what is rolled back too.
const TRIGGERS: Kind = Kind {
    name: "triggers",
    old: "",
    new: "
        CREATE SEQUENCE tries;
        CREATE FUNCTION jump() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN new.version := new.version + 10; RETURN new; END $$;
        CREATE TRIGGER jump BEFORE UPDATE ON cart FOR EACH ROW
            WHEN (new.version = old.version + 1) EXECUTE FUNCTION jump();
        CREATE FUNCTION lines() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM nextval('tries');
                UPDATE cart SET version = version + 100 WHERE cart_id = new.cart_id;
                RETURN NULL;
            END $$;
        CREATE TRIGGER lines AFTER INSERT OR UPDATE ON cart_line FOR EACH ROW
            EXECUTE FUNCTION lines();
        CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE cart SET version = version + 1000 WHERE cart_id = new.cart_id;
                RETURN NULL;
            END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON cart_line
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();",
    config: &[(ROW_LOCK, r#"lock = "version""#)],
};

#[tokio::test]
async fn a_version_that_triggers_moved_after_our_statement_is_no_false_alarm() {
    let shop = Shop::own(TRIGGERS).await;
    shop.born(1, &[(11, "tea", 1)]).await;
    assert_eq!(shop.number("SELECT version::bigint FROM cart").await, 1101);
    for qty in 2..6 {
        let sql = format!("UPDATE order_lines SET qty = {qty} WHERE id = 11");
        shop.change(1, &sql).await;
    }
    assert_eq!(shop.lines(1).await, "tea 5");
    // A guard that missed would have had the line written twice.
    assert_eq!(shop.number("SELECT last_value FROM tries").await, 5);
    assert_eq!(
        shop.number("SELECT version::bigint FROM cart").await,
        1101 + 4 * 1111
    );
}

/// Only a trigger of another table moves the version: the header's own table has none.
const LINE_TRIGGER: Kind = Kind {
    name: "line_trigger",
    old: "",
    new: "
        CREATE SEQUENCE tries;
        CREATE FUNCTION lines() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM nextval('tries');
                UPDATE cart SET version = version + 100 WHERE cart_id IN (SELECT cart_id FROM news);
                RETURN NULL;
            END $$;
        CREATE TRIGGER added AFTER INSERT ON cart_line REFERENCING NEW TABLE AS news
            FOR EACH STATEMENT EXECUTE FUNCTION lines();
        CREATE TRIGGER changed AFTER UPDATE ON cart_line REFERENCING NEW TABLE AS news
            FOR EACH STATEMENT EXECUTE FUNCTION lines();",
    config: &[(ROW_LOCK, r#"lock = "version""#)],
};

#[tokio::test]
async fn a_version_that_a_trigger_of_the_lines_moved_is_no_false_alarm() {
    let shop = Shop::own(LINE_TRIGGER).await;
    shop.born(1, &[(11, "tea", 1)]).await;
    for qty in 2..6 {
        let sql = format!("UPDATE order_lines SET qty = {qty} WHERE id = 11");
        shop.change(1, &sql).await;
    }
    assert_eq!(shop.lines(1).await, "tea 5");
    assert_eq!(shop.number("SELECT last_value FROM tries").await, 5);
}

/// `updated_at` is the old shop's, and the new backend does not touch it when it writes.
const MAPPED: Kind = Kind {
    name: "mapped",
    old: "",
    new: "",
    config: &[
        (ROW_LOCK, r#"lock = "updated_at""#),
        (
            r#"customer_email = "email""#,
            "customer_email = \"email\"\n  updated_at = \"changed\"",
        ),
    ],
};

#[tokio::test]
async fn a_lock_that_the_mapping_sets_is_compared_together_with_the_row() {
    let shop = Shop::shared(MAPPED).await;
    shop.born(2100, &[(21001, "tea", 1)]).await;
    shop.new_shop("UPDATE cart SET customer_email = 'new@example.org' WHERE cart_id = 2100")
        .await;
    shop.change(
        2100,
        "UPDATE orders SET email = 'old@example.org' WHERE id = 2100",
    )
    .await;
    assert_eq!(shop.conflicts(2100).await, "merged");
    // Seen last, and nothing says when the new backend wrote.
    assert_eq!(shop.email(2100).await, "old@example.org");
}

/// A column that only `ended` sets, and that `closed` does not name.
const FATES: Kind = Kind {
    name: "fates",
    old: "",
    new: "",
    config: &[(
        r#"ended = { set = { completed_at = "commit_time()" } }"#,
        r#"ended = { set = { completed_at = "commit_time()", deleted_at = "commit_time()" } }"#,
    )],
};

#[tokio::test]
async fn the_row_is_compared_with_the_columns_that_only_an_end_sets() {
    let shop = Shop::shared(FATES).await;
    shop.born(2110, &[(21101, "tea", 1)]).await;
    shop.new_shop("UPDATE cart SET deleted_at = now() WHERE cart_id = 2110")
        .await;
    shop.change(2110, "UPDATE order_lines SET qty = 2 WHERE id = 21101")
        .await;
    assert_eq!(
        shop.held(2110).await,
        "conflict: public.cart: the new backend changed deleted_at"
    );
    assert_eq!(shop.lines(2110).await, "tea 1");
}

#[tokio::test]
async fn a_version_a_moment_and_a_row_that_moved_with_an_edit_are_conflicts() {
    for (kind, cart, touch) in [
        (COUNTER, 2120, ", version = version + 1"),
        (CLOCK, 2121, ", updated_at = clock_timestamp()"),
        (ROW, 2122, ""),
    ] {
        let shop = Shop::shared(kind).await;
        let line = cart * 10;
        shop.born(cart, &[(line, "tea", 1)]).await;
        shop.new_shop(&format!(
            "UPDATE cart SET customer_email = 'new@example.org'{touch} WHERE cart_id = {cart}"
        ))
        .await;
        let sql = format!("UPDATE order_lines SET qty = 2 WHERE id = {line}");
        shop.change(cart, &sql).await;
        assert_eq!(shop.conflicts(cart).await, "merged", "{}", kind.name);
        assert_eq!(shop.lines(cart).await, "tea 2", "{}", kind.name);
        assert_eq!(shop.email(cart).await, "new@example.org", "{}", kind.name);
    }
}

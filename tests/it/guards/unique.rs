//! Unique keys and triggers of the target that lanes and the new backend fight over.

use super::shop::{Kind, Shop};

const EMAILS: Kind = Kind {
    name: "emails",
    old: "",
    new: "ALTER TABLE cart ADD CONSTRAINT one_cart_each UNIQUE (customer_email)",
    config: &[],
};

#[tokio::test]
async fn a_clash_with_another_unique_key_holds_the_one_cart_and_names_the_key() {
    let shop = Shop::shared(EMAILS).await;
    shop.born(7100, &[(71001, "tea", 1)]).await;
    let before = shop.end_of_log().await;
    shop.old_shop(
        "BEGIN; INSERT INTO orders VALUES (7101, 'c7100@example.org'), (7102, 'x7102@example.org');
         INSERT INTO order_lines VALUES (71011, 7101, 'milk', 1), (71021, 7102, 'milk', 1); COMMIT",
    )
    .await;
    shop.passed(7101, &before).await;
    shop.passed(7102, &before).await;
    assert_eq!(shop.lines(7102).await, "milk 1", "another cart");
    let held = shop.held(7101).await;
    assert!(held.starts_with("constraint: SQLSTATE 23505"), "{held}");
    assert!(held.contains("constraint one_cart_each"), "{held}");
    assert!(!held.contains("c7100"), "{held}");

    // It is tried again by itself, and goes through once the other cart has gone.
    shop.change(7100, "DELETE FROM orders WHERE id = 7100")
        .await;
    shop.released(7101).await;
    assert_eq!(shop.email(7101).await, "c7100@example.org");
    assert_eq!(shop.lines(7101).await, "milk 1");
}

#[tokio::test]
async fn carts_that_take_over_a_unique_value_arrive_whichever_lane_is_first() {
    let shop = Shop::shared(EMAILS).await;
    let carts = "cart_id BETWEEN 7200 AND 7219";
    shop.old_shop(
        "INSERT INTO orders SELECT n, 'u' || n || '@example.org' FROM generate_series(7200, 7219) n",
    )
    .await;
    let born = format!("SELECT count(*) = 20 FROM cart WHERE {carts}");
    shop.until("the carts", &born).await;
    // Each even one takes what the odd one beside it lets go in the same transaction.
    shop.old_shop(
        "UPDATE orders SET email = 'u' || id + CASE id % 2 WHEN 0 THEN 1 ELSE 100 END || '@example.org'
         WHERE id BETWEEN 7200 AND 7219",
    )
    .await;
    let taken = format!(
        "SELECT bool_and(customer_email =
             'u' || cart_id + CASE cart_id % 2 WHEN 0 THEN 1 ELSE 100 END || '@example.org')
         FROM cart WHERE {carts}"
    );
    shop.until("all values to be taken over", &taken).await;
    let held = "SELECT NOT EXISTS (SELECT FROM cartage.held WHERE cart BETWEEN '7200' AND '7219')";
    shop.until("no cart to be held", held).await;
}

/// A trigger that breaks writes off as a deadlock does: twice for a product `shy`, and always for
/// one `sour`. A sequence is not rolled back.
const DEADLOCKS: Kind = Kind {
    name: "deadlocks",
    old: "",
    new: "
        CREATE SEQUENCE tries;
        CREATE FUNCTION deadlock() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF new.product = 'sour' OR new.product = 'shy' AND nextval('tries') <= 2 THEN
                    RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01';
                END IF;
                RETURN new;
            END $$;
        CREATE TRIGGER deadlock BEFORE INSERT ON cart_line FOR EACH ROW EXECUTE FUNCTION deadlock();",
    config: &[],
};

#[tokio::test]
async fn a_deadlock_is_tried_again_without_a_word() {
    let shop = Shop::own(DEADLOCKS).await;
    shop.born(1, &[(11, "shy", 1)]).await;
    assert_eq!(shop.number("SELECT last_value FROM tries").await, 3);
    assert_eq!(shop.conflicts(1).await, "");
    let epoch = "SELECT epoch FROM cartage.pipeline";
    assert_eq!(shop.number(epoch).await, 1, "the daemon began anew");
}

#[tokio::test]
async fn a_cart_whose_write_deadlocks_each_time_is_held_alone() {
    let shop = Shop::own(DEADLOCKS).await;
    let before = shop.end_of_log().await;
    shop.old_shop(
        "BEGIN; INSERT INTO orders SELECT n, 'c' FROM generate_series(1, 8) n;
         INSERT INTO order_lines SELECT n * 10, n, CASE n WHEN 5 THEN 'sour' ELSE 'tea' END, 1
         FROM generate_series(1, 8) n; COMMIT",
    )
    .await;
    shop.passed(5, &before).await;
    let held = shop.held(5).await;
    assert!(held.starts_with("conflict: SQLSTATE 40P01"), "{held}");
    shop.settled().await;
    let others = "SELECT count(*) FROM cart_line WHERE product = 'tea'";
    assert_eq!(shop.number(others).await, 7);
    let epoch = "SELECT epoch FROM cartage.pipeline";
    assert_eq!(shop.number(epoch).await, 1, "the daemon began anew");
}

#[tokio::test]
async fn a_deadlock_with_the_new_backend_is_no_end_of_either() {
    let shop = Shop::own(super::shop::ROW).await;
    shop.born(1, &[(11, "tea", 1)]).await;
    let buyer = shop.new_backend().await;
    // The new backend holds a line and will want its header; the lane holds the header by then.
    buyer
        .batch_execute(
            "SET deadlock_timeout = '10s';
             BEGIN; UPDATE cart_line SET quantity = quantity WHERE line_id = 11",
        )
        .await
        .unwrap();
    let before = shop.end_of_log().await;
    shop.old_shop("UPDATE order_lines SET qty = 2 WHERE id = 11")
        .await;
    shop.blocked_by(&buyer).await;
    buyer
        .batch_execute("UPDATE cart SET paid = paid WHERE cart_id = 1; COMMIT")
        .await
        .unwrap();
    shop.passed(1, &before).await;
    assert_eq!(shop.lines(1).await, "tea 2");
    assert_eq!(shop.state(1).await, "mirror");
    let epoch = "SELECT epoch FROM cartage.pipeline";
    assert_eq!(shop.number(epoch).await, 1, "the daemon began anew");
}

/// Writes that triggers let vanish: zero rows, and no error.
const SWALLOWED: Kind = Kind {
    name: "swallowed",
    old: "",
    new: "
        CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RETURN CASE WHEN new.product = 'ghost' THEN NULL ELSE new END; END $$;
        CREATE TRIGGER swallow BEFORE INSERT OR UPDATE ON cart_line FOR EACH ROW
            EXECUTE FUNCTION swallow();",
    config: &[],
};

#[tokio::test]
async fn a_write_that_a_trigger_swallows_is_not_taken_for_done() {
    let shop = Shop::own(SWALLOWED).await;
    shop.born(1, &[(11, "tea", 1)]).await;
    shop.change(1, "INSERT INTO order_lines VALUES (12, 1, 'ghost', 1)")
        .await;
    assert_eq!(shop.state(1).await, "held");
    assert_eq!(shop.lines(1).await, "tea 1");
    shop.change(1, "DELETE FROM order_lines WHERE id = 12")
        .await;
    shop.released(1).await;
    shop.change(1, "UPDATE order_lines SET sku = 'ghost' WHERE id = 11")
        .await;
    assert_eq!(shop.state(1).await, "held");
    assert_eq!(shop.lines(1).await, "tea 1");
}

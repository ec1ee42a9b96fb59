//! One cart whose values the new shop refuses: it is held with its reason, everything else goes on, and
//! after the mend it arrives, by itself or because it is asked for.

use super::ground::{Change, Ground};

/// A cart that cannot be applied.
struct Refused {
    cart: &'static str,
    old: &'static str,
    reason: &'static str,
    message: &'static str,
    /// On the target, or else on the source.
    mend: &'static str,
    mend_in_source: bool,
}

const REFUSED: &[Refused] = &[
    Refused {
        cart: "301",
        old: "INSERT INTO orders VALUES (301, 'fit@example.org', 'EUR');
              INSERT INTO order_lines VALUES (3011, 301, 'sku-1', 1, 99999.5)",
        reason: "unmappable",
        message: "public.cart_line.unit_price: a value does not fit numeric(6,2)",
        mend: "UPDATE order_lines SET price = 9.5 WHERE id = 3011",
        mend_in_source: true,
    },
    Refused {
        cart: "302",
        old: "INSERT INTO orders VALUES (302, NULL, 'EUR')",
        reason: "constraint",
        message: "SQLSTATE 23502, table cart, column customer_email: A constraint of the table refuses \
                  the row; correct the mapping or the row, then retry the cart.",
        mend: "ALTER TABLE cart ALTER customer_email DROP NOT NULL",
        mend_in_source: false,
    },
    Refused {
        cart: "303",
        old: "INSERT INTO orders VALUES (303, 'clash@example.org', 'EUR')",
        reason: "conflict",
        message: "public.cart: the row exists already",
        mend: "DELETE FROM cart WHERE cart_id = 303",
        mend_in_source: false,
    },
    Refused {
        cart: "304",
        old: "INSERT INTO orders VALUES (304, 'c8@example.org', 'EUR')",
        reason: "constraint",
        message: "SQLSTATE 23505, table cart, constraint cart_customer_email_key: A constraint of the \
                  table refuses the row; correct the mapping or the row, then retry the cart.",
        mend: "UPDATE orders SET email = 'c304@example.org' WHERE id = 304",
        mend_in_source: true,
    },
    Refused {
        cart: "9",
        old: "UPDATE order_lines SET qty = 1000 WHERE id = 91",
        reason: "constraint",
        message: "SQLSTATE 23514, table cart_line, constraint not_too_many: A constraint of the table \
                  refuses the row; correct the mapping or the row, then retry the cart.",
        mend: "ALTER TABLE cart_line DROP CONSTRAINT not_too_many",
        mend_in_source: false,
    },
    Refused {
        cart: "10",
        old: "INSERT INTO order_lines VALUES (3051, 10, 'sku-unknown', 1, 2.5)",
        reason: "constraint",
        message: "SQLSTATE 23503, table cart_line, constraint cart_line_product_fkey: A constraint of \
                  the table refuses the row; correct the mapping or the row, then retry the cart.",
        mend: "INSERT INTO products VALUES ('sku-unknown')",
        mend_in_source: false,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn each_is_held_alone_and_arrives_once_mended() {
    let change = Change {
        target: &[
            (
                "CREATE TABLE cart (cart_id bigint PRIMARY KEY, customer_email text,",
                "CREATE TABLE products (sku text PRIMARY KEY);
                 INSERT INTO products VALUES ('sku-1'), ('sku-2'), ('sku-3'), ('new');
                 CREATE TABLE cart (cart_id bigint PRIMARY KEY, customer_email text NOT NULL UNIQUE,",
            ),
            ("product text NOT NULL", "product text NOT NULL REFERENCES products"),
            (
                "quantity integer NOT NULL",
                "quantity integer NOT NULL CONSTRAINT not_too_many CHECK (quantity < 1000)",
            ),
            ("unit_price numeric(10,2)", "unit_price numeric(6,2)"),
        ],
        ..Change::default()
    };
    let ground = Ground::changed("faults_values", change).await;
    let mut daemon = ground.follow().await;
    ground
        .in_new("INSERT INTO cart VALUES (303, 'theirs@example.org', 'usd')")
        .await;
    for refused in REFUSED {
        ground.in_old(refused.old).await;
    }
    ground.trade(1).await;
    ground.settle(&mut daemon).await;
    let held = ground
        .shops
        .target
        .query(
            "SELECT cart, reason, message FROM cartage.held ORDER BY cart",
            &[],
        )
        .await
        .unwrap();
    let mut found: Vec<(&str, &str, &str)> = held
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let mut expected: Vec<_> = REFUSED
        .iter()
        .map(|r| (r.cart, r.reason, r.message))
        .collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected, "{}", daemon.log());
    // Nothing else waits for them.
    let arrived = "SELECT count(*) FROM cart_line WHERE cart_id = 1001";
    assert_eq!(ground.count(arrived).await, 1);
    let (code, status) = ground.status();
    assert_eq!(
        (code, status["carts"]["held"].as_i64()),
        (0, Some(REFUSED.len() as i64))
    );

    for (n, refused) in REFUSED.iter().enumerate() {
        match refused.mend_in_source {
            true => ground.in_old(refused.mend).await,
            false => ground.in_new(refused.mend).await,
        }
        // By hand for every other one; the others are tried again by themselves.
        if n % 2 == 0 {
            ground.settle(&mut daemon).await;
            let (code, said, log) = ground.run(&["held", "retry", refused.cart]);
            let by_itself = log.contains("not held");
            assert!(code == 0 || by_itself, "{said}{log}");
        }
        let cart = refused.cart;
        let left = format!("SELECT count(*) FROM cartage.held WHERE cart = '{cart}'");
        ground.reaches(&left, 0, &daemon).await;
    }
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    daemon.stop().await;
}

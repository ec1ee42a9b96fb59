//! The new shop's tables change under the daemon.

use super::ground::{Change, Ground, warnings};

const BEGIN: &str = "the schemas have changed, and the mapping in force does not fit them any more; \
                     put back what changed, or change the mapping, then start again:\n";

/// Changes the target; the daemon says what is wrong; the statement that it names puts it right.
async fn struck(ground: &Ground, change: &str, n: u32, says: &str, mend: &str) {
    let mut daemon = ground.follow().await;
    ground.in_new(change).await;
    ground.trade(n).await;
    let message = ground.stopped(&mut daemon).await;
    let rest = message
        .strip_prefix(BEGIN)
        .unwrap_or_else(|| panic!("{message}"));
    let said = format!("target: {says}{mend}");
    let named = rest.lines().any(|line| line.starts_with(&said));
    assert!(named, "{said}\nis not in\n{message}");
    ground.trade(n + 1).await;
    ground.in_new(mend).await;
    ground.rest(ground.recovers().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_and_a_column_that_are_renamed() {
    let ground = Ground::open("faults_target_renamed").await;
    struck(
        &ground,
        "ALTER TABLE cart_line RENAME TO lines",
        1,
        "the table public.cart_line has become public.lines: ",
        "ALTER TABLE public.lines RENAME TO cart_line",
    )
    .await;
    struck(
        &ground,
        "ALTER TABLE cart RENAME COLUMN customer_email TO mail",
        3,
        "public.cart.customer_email has become mail: ",
        "ALTER TABLE public.cart RENAME COLUMN mail TO customer_email",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_and_a_column_that_are_dropped_and_restored() {
    let ground = Ground::open("faults_target_dropped").await;
    let mut daemon = ground.follow().await;
    ground
        .in_new("CREATE TABLE saved AS TABLE cart_line; DROP TABLE cart_line")
        .await;
    ground.trade(1).await;
    let message = ground.stopped(&mut daemon).await;
    let said = "target: the table public.cart_line is gone: bring it back with its rows, or change \
                the mapping";
    assert!(message.contains(said), "{message}");
    ground
        .in_new(
            "CREATE TABLE cart_line (LIKE saved, PRIMARY KEY (line_id));
             INSERT INTO cart_line TABLE saved",
        )
        .await;
    ground.rest(ground.recovers().await).await;

    let mut daemon = ground.follow().await;
    ground
        .in_new("ALTER TABLE cart_line DROP COLUMN product")
        .await;
    ground.trade(2).await;
    let message = ground.stopped(&mut daemon).await;
    let mend = "ALTER TABLE public.cart_line ADD COLUMN product text";
    let said = format!("target: public.cart_line has lost its column product: {mend}");
    assert!(message.contains(&said), "{message}");
    ground.in_new(mend).await;
    // It is empty, and written anew for every cart.
    ground.recovers().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_column_that_is_missing() {
    let change = Change {
        config: &[("lock = \"row\"", "lock = \"version\"")],
        target: &[(
            "currency_code text NOT NULL",
            "currency_code text NOT NULL, version int NOT NULL DEFAULT 1",
        )],
        ..Change::default()
    };
    let ground = Ground::changed("faults_target_lock", change).await;
    struck(
        &ground,
        "ALTER TABLE cart RENAME COLUMN version TO revision",
        1,
        "public.cart.version has become revision: ",
        "ALTER TABLE public.cart RENAME COLUMN revision TO version",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_must_hold_something_and_that_nothing_fills() {
    let ground = Ground::open("faults_target_not_null").await;
    struck(
        &ground,
        "ALTER TABLE cart ADD needed text NOT NULL DEFAULT 'x'; ALTER TABLE cart ALTER needed DROP DEFAULT",
        1,
        "public.cart.needed must hold something now, and nothing fills it: ",
        "ALTER TABLE public.cart ALTER COLUMN needed DROP NOT NULL",
    )
    .await;
    assert_eq!(ground.count("SELECT count(*) FROM cartage.held").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_does_not_fit() {
    let ground = Ground::open("faults_target_type").await;
    let mut daemon = ground.follow().await;
    ground
        .in_new("ALTER TABLE cart_line ALTER product TYPE bytea USING convert_to(product, 'UTF8')")
        .await;
    ground.trade(1).await;
    let message = ground.stopped(&mut daemon).await;
    let mend = "ALTER TABLE public.cart_line ALTER COLUMN product TYPE text USING product::text";
    let said = format!("target: public.cart_line.product was text and is bytea: {mend}");
    assert!(message.contains(&said), "{message}");
    ground
        .in_new(&mend.replace("product::text", "convert_from(product, 'UTF8')"))
        .await;
    ground.recovers().await.stop().await;
}

/// An index that some carts break is about those carts; the others go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_unique_index_holds_the_carts_that_break_it() {
    let ground = Ground::open("faults_target_unique").await;
    let mut daemon = ground.follow().await;
    ground
        .in_new("CREATE UNIQUE INDEX one_cart_each ON cart (customer_email)")
        .await;
    ground
        .in_old("INSERT INTO orders VALUES (970, 'c5@example.org', 'EUR')")
        .await;
    ground.trade(1).await;
    ground
        .reaches("SELECT count(*) FROM cartage.held", 1, &daemon)
        .await;
    ground.settle(&mut daemon).await;
    let row = ground
        .shops
        .target
        .query_one("SELECT cart, reason, message FROM cartage.held", &[])
        .await
        .unwrap();
    let (cart, reason, message): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
    assert_eq!((cart, reason), ("970", "constraint"));
    assert_eq!(
        message,
        "SQLSTATE 23505, table cart, constraint one_cart_each: A constraint of the table refuses the \
         row; correct the mapping or the row, then retry the cart."
    );
    assert_eq!(
        ground
            .count("SELECT count(*) FROM cart WHERE cart_id = 1001")
            .await,
        1
    );
    ground.in_new("DROP INDEX one_cart_each").await;
    let (code, said, log) = ground.run(&["held", "retry", "970"]);
    // It may have been tried again by itself in between.
    assert!(code == 0 || log.contains("not held: 970"), "{said}{log}");
    ground
        .reaches("SELECT count(*) FROM cartage.held", 0, &daemon)
        .await;
    ground.equal(&daemon).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_fits_goes_on() {
    let ground = Ground::open("faults_target_fits").await;
    let mut daemon = ground.follow().await;
    ground
        .in_new("ALTER TABLE cart ADD a int NOT NULL DEFAULT 7, ADD b text; ALTER TABLE cart_line ADD c text")
        .await;
    ground.trade(1).await;
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    assert_eq!(
        warnings(&daemon.log()),
        [""; 0],
        "nothing of ours has changed"
    );
    ground
        .in_new(
            "ALTER TABLE cart_line ALTER quantity TYPE bigint, ALTER unit_price TYPE numeric(14,2)",
        )
        .await;
    ground.trade(2).await;
    daemon.says("a table has other columns or types").await;
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    daemon.stop().await;
}

/// A column that became too narrow is about the carts that do not fit; the others go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_narrower_column_holds_the_carts_that_do_not_fit() {
    let ground = Ground::open("faults_target_narrow").await;
    let mut daemon = ground.follow().await;
    ground
        .in_new("ALTER TABLE cart ALTER customer_email TYPE varchar(20)")
        .await;
    ground
        .in_old(
            "INSERT INTO orders VALUES (980, 'far-too-long-for-it@example.org', 'EUR');
             UPDATE orders SET email = 'even-longer-than-that@example.org' WHERE id = 41",
        )
        .await;
    ground.trade(1).await;
    ground
        .reaches("SELECT count(*) FROM cartage.held", 2, &daemon)
        .await;
    ground.settle(&mut daemon).await;
    let fits = "SELECT count(*) FROM cart WHERE cart_id = 1001";
    assert_eq!(ground.count(fits).await, 1);
    let held = "SELECT count(*) FROM cartage.held WHERE cart IN ('980', '41')";
    assert_eq!(ground.count(held).await, 2, "{}", daemon.log());
    ground
        .in_new("ALTER TABLE cart ALTER customer_email TYPE varchar(80)")
        .await;
    // Nobody asks for it: the mapping fits otherwise now, so that each cart is mapped anew.
    ground
        .reaches("SELECT count(*) FROM cartage.held", 0, &daemon)
        .await;
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    daemon.stop().await;
}

//! The tables of a new shop on MySQL or MariaDB are altered while customers buy in the old one: what does
//! not fit stops with the statement that mends it, carts whose values do not fit are held alone, and
//! what nothing maps is noted. Postgres as the target is in `faults::target_schema`.

use cartage::config::Kind;

use super::stand::{Stand, statements};
use crate::mysql;
use crate::scenario::folder::Side;
use crate::scenario::shop::Shop;

/// A change that the mapping cannot bear, with what is said of it and the statement that mends it.
struct Blow {
    change: &'static str,
    says: &'static str,
    mend: &'static str,
}

const BLOWS: [Blow; 9] = [
    // What the mapping bears beside it need not be put back.
    Blow {
        change: "ALTER TABLE line MODIFY qty BIGINT NOT NULL, RENAME COLUMN sku TO article",
        says: "`line`.`sku` has become `article`, as its type says: ",
        mend: "ALTER TABLE {}.`line` RENAME COLUMN `article` TO `sku`",
    },
    Blow {
        change: "ALTER TABLE cart RENAME COLUMN version TO revision",
        says: "`cart`.`version` has become `revision`, as its type says: ",
        mend: "ALTER TABLE {}.`cart` RENAME COLUMN `revision` TO `version`",
    },
    // What the server's own foreign key stands on.
    Blow {
        change: "ALTER TABLE line RENAME COLUMN cart_id TO basket, ALGORITHM = INPLACE",
        says: "`line`.`cart_id` has become `basket`, as its type says: ",
        mend: "ALTER TABLE {}.`line` RENAME COLUMN `basket` TO `cart_id`",
    },
    // It comes back empty, and is written anew for every cart.
    Blow {
        change: "ALTER TABLE line DROP COLUMN sku",
        says: "`line` has lost its column `sku`: ",
        mend: "ALTER TABLE {}.`line` ADD COLUMN `sku` varchar(40) NOT NULL",
    },
    Blow {
        change: "ALTER TABLE line MODIFY qty VARBINARY(20) NOT NULL",
        says: "`line`.`qty` was bigint(20) and is varbinary(20): ",
        mend: "ALTER TABLE {}.`line` MODIFY COLUMN `qty` bigint(20) NOT NULL",
    },
    Blow {
        change: "ALTER TABLE cart ADD COLUMN needed VARCHAR(10) NOT NULL AFTER id",
        says: "`cart`.`needed` must hold something now, and nothing fills it: ",
        mend: "ALTER TABLE {}.`cart` MODIFY COLUMN `needed` varchar(10) NULL",
    },
    Blow {
        change: "ALTER TABLE line ADD COLUMN needed INT NOT NULL",
        says: "`line`.`needed` must hold something now, and nothing fills it: ",
        mend: "ALTER TABLE {}.`line` MODIFY COLUMN `needed` int(11) NULL",
    },
    Blow {
        change: "RENAME TABLE line TO lines_now",
        says: "`lines_now` has its columns: if it is that table, ",
        mend: "RENAME TABLE {}.`lines_now` TO {}.`line`",
    },
    Blow {
        change: "RENAME TABLE cart TO basket",
        says: "`basket` has its columns: if it is that table, ",
        mend: "RENAME TABLE {}.`basket` TO {}.`cart`",
    },
];

async fn open(name: &str, source: Kind) -> Stand {
    let name = format!(
        "altered_{name}_{}",
        if source == Kind::Postgres { "pm" } else { "mm" }
    );
    let old = Shop::create(source, Side::Source, &name).await;
    let new = Shop::on(mysql::shops(Side::Target), &name).await;
    Stand::open(&name, old, new, fastrand::u64(..)).await
}

async fn stops_and_goes_on(source: Kind) {
    let stand = open("stops", source).await;
    let database = stand.target.rows("SELECT DATABASE()", "its name").await;
    let schema = format!("`{}`", database[0]);
    let mut daemon = stand.follows().await;
    for Blow { change, says, mend } in BLOWS {
        stand.storefront.sells(10).await;
        stand.in_new(change).await;
        stand.storefront.open_for(20);
        let message = stand.stopped(daemon).await;
        let mend = mend.replace("{}", &schema);
        let said = message.lines().find(|line| line.contains(&mend));
        let said = said.unwrap_or_else(|| panic!("{mend}\nis not in\n{message}"));
        assert!(
            said.starts_with("target: ") && said.contains(says),
            "{message}"
        );
        assert!(message.contains("\nnoticed "), "{message}");
        assert_eq!(statements(&message, "target"), [&*mend], "{message}");
        stand.storefront.sells(10).await;
        stand.in_new(&mend).await;
        daemon = stand.follows().await;
        stand.storefront.sells(10).await;
        stand.judge(&mut daemon, change).await;
    }
    stand.close(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_stops_carts_from_postgres() {
    stops_and_goes_on(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_stops_carts_from_mysql() {
    stops_and_goes_on(Kind::Mysql).await;
}

/// Columns that become too narrow for a few carts: these are held, and come when it is wide again.
async fn holds_and_lets_go(source: Kind) {
    let stand = open("narrow", source).await;
    let mut daemon = stand.follows().await;
    let long = "a-customer-with-a-very-long-name@example.org";
    // Two carts that no customer touches.
    stand
        .in_old("INSERT INTO quote (id) VALUES (900001), (900002)")
        .await;
    for (change, sales, back) in [
        (
            "ALTER TABLE cart MODIFY email VARCHAR(32)",
            format!("UPDATE quote SET email = '{long}' WHERE id > 900000"),
            "ALTER TABLE cart MODIFY email VARCHAR(60)",
        ),
        (
            "ALTER TABLE line MODIFY qty TINYINT NOT NULL",
            "INSERT INTO quote_item (id, quote_id, sku, qty, price)
             VALUES (900001, 900001, 'many', 300, 1), (900002, 900002, 'more', 1000, 1)"
                .to_owned(),
            "ALTER TABLE line MODIFY qty INT NOT NULL",
        ),
        (
            "ALTER TABLE line MODIFY sku VARCHAR(12) NOT NULL",
            "UPDATE quote_item SET sku = 'longer-than-twelve' WHERE id = 900001;
             INSERT INTO quote_item (id, quote_id, sku, qty, price)
             VALUES (900003, 900002, 'longer-than-twelve', 1, 1)"
                .to_owned(),
            "ALTER TABLE line MODIFY sku VARCHAR(40) NOT NULL",
        ),
    ] {
        stand.caught_up(&mut daemon).await;
        stand.in_new(change).await;
        stand.in_old(&sales).await;
        stand.holds(2, &mut daemon).await;
        let held = stand.held().await;
        let of_fit = held.iter().all(|row| {
            row.contains(" | constraint | ") && row.contains("A value does not fit its column")
        });
        assert!(of_fit, "{held:#?}");
        stand.storefront.sells(15).await;
        stand.caught_up(&mut daemon).await;
        stand.in_new(back).await;
        // Nobody asks for it: the mapping fits otherwise now, so that each cart is mapped anew.
        stand.holds(0, &mut daemon).await;
        stand.judge(&mut daemon, change).await;
    }
    // A column that rounds: nothing is refused, and nothing stays rounded.
    stand
        .in_new("ALTER TABLE line MODIFY price DECIMAL(12,1) NOT NULL")
        .await;
    stand.storefront.sells(15).await;
    stand.caught_up(&mut daemon).await;
    assert_eq!(stand.held().await, [""; 0]);
    stand
        .in_new("ALTER TABLE line MODIFY price DECIMAL(14,4) NOT NULL")
        .await;
    stand.storefront.sells(15).await;
    stand
        .until(&mut daemon, async || {
            let sql = "SELECT count(*) FROM line WHERE price <> round(price, 1)";
            (stand.target.number(sql).await == 0).then(|| "exact prices".to_owned())
        })
        .await;
    stand.judge(&mut daemon, "a rounding").await;
    stand.close(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_too_narrow_holds_carts_from_postgres() {
    holds_and_lets_go(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_too_narrow_holds_carts_from_mysql() {
    holds_and_lets_go(Kind::Mysql).await;
}

async fn goes_on(source: Kind) {
    let stand = open("fits", source).await;
    let mut daemon = stand.follows().await;
    for change in [
        "ALTER TABLE cart ADD COLUMN a INT NOT NULL DEFAULT 7 FIRST, ADD COLUMN b TEXT AFTER id",
        "ALTER TABLE line ADD COLUMN c VARCHAR(9) FIRST, ALGORITHM = INSTANT",
        "ALTER TABLE line MODIFY qty BIGINT NOT NULL, MODIFY sku VARCHAR(300) NOT NULL FIRST,
             MODIFY price DECIMAL(18,6) NOT NULL, ALGORITHM = COPY",
        "ALTER TABLE line ADD KEY (sku), ADD UNIQUE KEY (cart_id, id)",
        "ALTER TABLE cart ENGINE = InnoDB",
        "ALTER TABLE cart DROP COLUMN a, RENAME COLUMN b TO d",
        "ALTER TABLE line DROP COLUMN c",
    ] {
        stand.storefront.open_for(15);
        stand.in_new(change).await;
        stand.storefront.sells(15).await;
        stand.judge(&mut daemon, change).await;
    }
    let log = stand.cartage.whole_log();
    let noted = |name: &str| {
        let column = format!("column=\"`{name}`\"");
        let mut lines = log.lines();
        lines.any(|line| line.contains("a new column that nothing maps") && line.contains(&column))
    };
    assert!(["a", "b", "c"].into_iter().all(noted), "{log}");
    stand.close(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_fits_goes_on_with_carts_from_postgres() {
    goes_on(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_fits_goes_on_with_carts_from_mysql() {
    goes_on(Kind::Mysql).await;
}

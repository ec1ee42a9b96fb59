//! The old shop's tables change under the daemon: what fits goes on, what does not is named with the
//! statement that puts it back, and nothing that was logged meanwhile is lost.

use super::ground::{Ground, warnings};
use crate::scenario::daemon::{Daemon, command};

/// A change of the source's schema that the mapping cannot bear.
struct Blow {
    change: &'static str,
    /// Trades with the changed schema.
    meanwhile: &'static str,
    says: &'static str,
    /// The statement that `says` names; then what the shop itself has to put right.
    mend: &'static str,
    after: &'static str,
}

impl Blow {
    async fn strike(&self, ground: &Ground, daemon: Option<Daemon>) -> Daemon {
        let message = match daemon {
            // While it runs it is found by looking, or in the log.
            Some(mut daemon) => {
                ground.in_old(self.change).await;
                ground.in_old(self.meanwhile).await;
                ground.stopped(&mut daemon).await
            }
            None => {
                ground.in_old(self.change).await;
                ground.in_old(self.meanwhile).await;
                ground.refused().await
            }
        };
        let begin = "the schemas have changed, and the mapping in force does not fit them any more; \
                     put back what changed, or change the mapping, then start again:\n";
        let rest = message
            .strip_prefix(begin)
            .unwrap_or_else(|| panic!("{message}"));
        let lines: Vec<&str> = rest.lines().collect();
        let said = format!("source: {}{}", self.says, self.mend);
        assert!(
            lines.contains(&said.as_str()),
            "{said}\nis not in\n{message}"
        );
        assert!(message.contains("cartage.toml:"), "{message}");
        assert!(lines.iter().any(|l| l.starts_with("noticed ")), "{message}");
        ground.in_old(self.mend).await;
        ground.in_old(self.after).await;
        ground.recovers().await
    }
}

const RENAMED: Blow = Blow {
    change: "ALTER TABLE order_lines RENAME TO lines",
    meanwhile:
        "UPDATE lines SET qty = qty + 100 WHERE order_id = 3; DELETE FROM lines WHERE id = 41;
                UPDATE lines SET order_id = 6 WHERE id = 51",
    says: "the table public.order_lines has become public.lines: ",
    mend: "ALTER TABLE public.lines RENAME TO order_lines",
    after: "",
};
const COLUMN_RENAMED: Blow = Blow {
    change: "ALTER TABLE order_lines RENAME COLUMN qty TO quantity",
    meanwhile: "UPDATE order_lines SET quantity = 31 WHERE order_id = 7;
                INSERT INTO order_lines VALUES (900001, 8, 'meanwhile', 4, 1)",
    says: "public.order_lines.qty has become quantity: ",
    mend: "ALTER TABLE public.order_lines RENAME COLUMN quantity TO qty",
    after: "",
};
const OWNER_RENAMED: Blow = Blow {
    change: "ALTER TABLE order_lines RENAME COLUMN order_id TO of_order",
    meanwhile: "UPDATE order_lines SET of_order = 21 WHERE id = 201;
                DELETE FROM order_lines WHERE id = 221;
                INSERT INTO order_lines VALUES (900002, 23, 'meanwhile', 4, 1)",
    says: "public.order_lines.order_id has become of_order: ",
    mend: "ALTER TABLE public.order_lines RENAME COLUMN of_order TO order_id",
    after: "",
};
const COLUMN_DROPPED: Blow = Blow {
    change: "ALTER TABLE orders DROP COLUMN email",
    meanwhile: "UPDATE orders SET currency = 'CHF' WHERE id = 9; INSERT INTO orders VALUES (901, 'EUR')",
    says: "public.orders has lost its column email: ",
    mend: "ALTER TABLE public.orders ADD COLUMN email text",
    after: "UPDATE orders SET email = 'again' || id || '@example.org' WHERE id > 5",
};
const RETYPED: Blow = Blow {
    change: "ALTER TABLE order_lines ALTER COLUMN price TYPE bytea USING price::text::bytea",
    meanwhile: "UPDATE order_lines SET price = '12.5' WHERE order_id = 11",
    says: "public.order_lines.price was numeric(10,2) and is bytea: ",
    // The statement shows the type; how values go back only the shop knows.
    mend: "ALTER TABLE public.order_lines ALTER COLUMN price TYPE numeric(10,2) USING price::numeric(10,2)",
    after: "",
};

#[tokio::test(flavor = "multi_thread")]
async fn renamed_while_the_daemon_runs() {
    let ground = Ground::open("faults_source_renamed").await;
    let daemon = ground.follow().await;
    let daemon = RENAMED.strike(&ground, Some(daemon)).await;
    let daemon = COLUMN_RENAMED.strike(&ground, Some(daemon)).await;
    OWNER_RENAMED
        .strike(&ground, Some(daemon))
        .await
        .stop()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renamed_while_the_daemon_is_stopped() {
    let ground = Ground::open("faults_source_renamed_at_rest").await;
    ground.rest(ground.follow().await).await;
    let daemon = RENAMED.strike(&ground, None).await;
    ground.rest(daemon).await;
    let daemon = OWNER_RENAMED.strike(&ground, None).await;
    ground.rest(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_dropped() {
    let ground = Ground::open("faults_source_dropped").await;
    let daemon = ground.follow().await;
    let daemon = COLUMN_DROPPED.strike(&ground, Some(daemon)).await;
    ground.rest(daemon).await;
    COLUMN_DROPPED_AGAIN
        .strike(&ground, None)
        .await
        .stop()
        .await;
}

const COLUMN_DROPPED_AGAIN: Blow = Blow {
    meanwhile: "UPDATE orders SET currency = 'SEK' WHERE id = 10",
    ..COLUMN_DROPPED
};

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_does_not_fit() {
    let ground = Ground::open("faults_source_retyped").await;
    let mut daemon = ground.follow().await;
    ground.in_old(RETYPED.change).await;
    ground.in_old(RETYPED.meanwhile).await;
    let message = ground.stopped(&mut daemon).await;
    let said = format!("source: {}{}", RETYPED.says, RETYPED.mend);
    assert!(message.contains(&said), "{said}\nis not in\n{message}");
    let back = "convert_from(price, 'UTF8')::numeric(10,2)";
    ground
        .in_old(&RETYPED.mend.replace("price::numeric(10,2)", back))
        .await;
    ground.recovers().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_gone() {
    let ground = Ground::open("faults_source_gone").await;
    let mut daemon = ground.follow().await;
    ground
        .in_old("CREATE TABLE saved AS TABLE order_lines; DROP TABLE order_lines; DELETE FROM orders WHERE id = 13")
        .await;
    let message = ground.stopped(&mut daemon).await;
    let said = "source: the table public.order_lines is gone: bring it back with its rows, or change \
                the mapping";
    assert!(message.contains(said), "{message}");
    ground
        .in_old(
            "CREATE TABLE order_lines (LIKE saved, PRIMARY KEY (id), FOREIGN KEY (order_id) REFERENCES orders
                 ON DELETE CASCADE);
             ALTER TABLE order_lines REPLICA IDENTITY FULL;
             INSERT INTO order_lines SELECT * FROM saved WHERE order_id <> 13 AND id NOT IN (141, 142)",
        )
        .await;
    let message = ground.refused().await;
    assert!(
        message.contains("ADD TABLE public.order_lines"),
        "{message}"
    );
    command(&ground.config, &["setup", "--yes"]);
    ground.recovers().await.stop().await;
}

/// Columns that nothing maps, and types into which the mapping still fits.
#[tokio::test(flavor = "multi_thread")]
async fn what_still_fits_goes_on() {
    let ground = Ground::open("faults_source_fits").await;
    let mut daemon = ground.follow().await;
    ground
        .in_old("ALTER TABLE orders ADD note text DEFAULT 'x', DROP COLUMN status; ALTER TABLE order_lines ADD a int, ADD b int")
        .await;
    ground.trade(1).await;
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    assert_eq!(
        warnings(&daemon.log()),
        [""; 0],
        "nothing of ours has changed"
    );
    // They are named, each once, however often the daemon looks.
    daemon.says("a new column that nothing maps").await;
    let new = ["orders.note", "order_lines.a", "order_lines.b"];
    let new = new.map(|name| format!("source public.{name}"));
    let (_, status) = ground.status();
    assert_eq!(status["unmapped"], serde_json::json!(new), "{status}");
    let told = daemon
        .log()
        .matches("a new column that nothing maps")
        .count();
    assert_eq!(told, new.len(), "{}", daemon.log());
    let (_, out, _) = ground.run(&["check", "--json"]);
    assert_eq!(
        out.matches("came after the mapping was stored").count(),
        3,
        "{out}"
    );

    // The rewrite changes every price, and logs none of it.
    ground
        .in_old("ALTER TABLE order_lines ALTER qty TYPE bigint, ALTER price TYPE numeric(12,2) USING price + 1")
        .await;
    ground.trade(2).await;
    daemon.says("a table has other columns or types").await;
    daemon.says("reading all carts again").await;
    ground.settle(&mut daemon).await;
    ground.equal(&daemon).await;
    daemon.stop().await;
}

/// Between two looks, and with rows of all three shapes in the log: what the rows of before have by now
/// is in no row of the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_goes_and_comes_again() {
    let ground = Ground::open("faults_source_again").await;
    let mut daemon = ground.follow().await;
    for (n, ty) in [(1, "int"), (2, "bigint"), (3, "smallint")] {
        ground
            .in_old(&format!(
                "UPDATE order_lines SET qty = 90 + {n} WHERE order_id = 30;
                 ALTER TABLE order_lines DROP COLUMN qty;
                 DELETE FROM order_lines WHERE id = 3{n}1;
                 ALTER TABLE order_lines ADD COLUMN qty {ty} NOT NULL DEFAULT {n}"
            ))
            .await;
        ground
            .in_old(&format!(
                "UPDATE order_lines SET qty = 70 + {n} WHERE order_id = 40 + {n};
                 INSERT INTO order_lines (id, order_id, sku, qty, price) VALUES (90000{n}, 60, 'after', 5, 1)"
            ))
            .await;
        daemon.says("reading all carts again").await;
        ground.settle(&mut daemon).await;
        ground.equal(&daemon).await;
    }
    daemon.stop().await;
}

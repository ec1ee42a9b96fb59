//! The old shop's tables change under the daemon (MySQL, MariaDB), with rows before, between and after:
//! what fits goes on by itself, what does not stops with the statement that mends it, and at the end
//! both shops hold the same.

use std::time::Duration;

use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mysql::connect::Flavor;
use tokio::time::Instant;

use super::pipeline::{Daemon, Pipeline};
use crate::scenario::session::{Asked, Session};

const PATIENCE: Duration = Duration::from_secs(60);

/// The carts and lines of the old shop, as the new one is to have them.
const OLD: &str = "
    SELECT CONCAT_WS('|', id, COALESCE(email, '-')) FROM quote WHERE active = 1
    UNION ALL
    SELECT CONCAT_WS('|', 'line', i.id, i.quote_id, COALESCE(i.sku, '-'), COALESCE(i.qty, '-'))
    FROM quote_item i JOIN quote q ON q.id = i.quote_id WHERE q.active = 1";
const NEW: &str = "
    SELECT concat_ws('|', id, coalesce(email, '-')) FROM cart
    UNION ALL
    SELECT concat_ws('|', 'line', id, cart_id, coalesce(sku, '-'), coalesce(qty::text, '-')) FROM line";

/// What the daemon follows by itself.
const FOLLOWED: [&str; 8] = [
    // Several in a row, in the middle and in front, with rows between them.
    "ALTER TABLE quote_item ADD COLUMN note TEXT AFTER quote_id;
     UPDATE quote_item SET qty = qty + 1, note = 'n' WHERE id = 11;
     ALTER TABLE quote_item ADD COLUMN front INT FIRST;
     INSERT INTO quote_item (id, quote_id, sku, qty, front) VALUES (101, 1, 'between', 3, 9);
     ALTER TABLE quote_item DROP COLUMN note, ADD COLUMN last INT NOT NULL DEFAULT 5;
     UPDATE quote_item SET qty = 8 WHERE id = 12; DELETE FROM quote_item WHERE id = 101",
    // The same columns, types and number of them; all values are others, and none is logged.
    "UPDATE quote_item SET qty = 77 WHERE id = 12;
     ALTER TABLE quote_item DROP COLUMN qty, ADD COLUMN qty INT DEFAULT 4;
     UPDATE quote_item SET qty = 6 WHERE id = 12",
    // The same in two statements, between two looks.
    "ALTER TABLE quote_item DROP COLUMN sku;
     UPDATE quote_item SET qty = 5 WHERE id = 12;
     ALTER TABLE quote_item ADD COLUMN sku VARCHAR(40) DEFAULT 'anew'",
    "ALTER TABLE quote_item MODIFY qty BIGINT; UPDATE quote_item SET qty = qty + 2 WHERE id = 11;
     ALTER TABLE quote_item MODIFY qty SMALLINT AFTER id",
    "ALTER TABLE quote MODIFY email VARCHAR(90); UPDATE quote SET email = 'longer@x' WHERE id = 3",
    // As gh-ost and pt-online-schema-change end their work.
    "CREATE TABLE _item_gho LIKE quote_item; ALTER TABLE _item_gho ADD COLUMN ghost INT FIRST;
     INSERT INTO _item_gho (id, quote_id, sku, qty) SELECT id, quote_id, CONCAT(sku, '+'), qty FROM quote_item;
     UPDATE quote_item SET qty = 1000 WHERE id = 11;
     RENAME TABLE quote_item TO _item_del, _item_gho TO quote_item;
     UPDATE quote_item SET qty = qty + 1 WHERE id = 12; UPDATE _item_del SET qty = 2000;
     DROP TABLE _item_del",
    // Rows that come and go with a partition of another table.
    "CREATE TABLE parted LIKE quote_item;
     ALTER TABLE parted PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN MAXVALUE);
     INSERT INTO parted (id, quote_id, sku, qty) SELECT id, quote_id, 'from a partition', 50 FROM quote_item;
     ALTER TABLE parted EXCHANGE PARTITION p WITH TABLE quote_item; DROP TABLE parted;
     UPDATE quote_item SET qty = 51 WHERE id = 12",
    // Our own table's partitions.
    "ALTER TABLE quote_item PARTITION BY RANGE (id)
         (PARTITION a VALUES LESS THAN (12), PARTITION b VALUES LESS THAN (10000));
     INSERT INTO quote_item (id, quote_id, sku, qty) VALUES (9, 3, 'goes unseen', 1);
     ALTER TABLE quote_item DROP PARTITION a;
     INSERT INTO quote_item (id, quote_id, sku, qty) VALUES (13, 1, 'after', 2)",
];

/// What stops it: the change with rows of then, and what the statement that mends it begins with.
const STOPPED: [(&str, &str, &str); 4] = [
    (
        "ALTER TABLE quote_item RENAME COLUMN qty TO amount;
         UPDATE quote_item SET amount = 31 WHERE id = 12;
         INSERT INTO quote_item (id, quote_id, sku, amount) VALUES (201, 1, 'meanwhile', 4)",
        "ALTER TABLE",
        "",
    ),
    (
        "ALTER TABLE quote_item DROP COLUMN sku; DELETE FROM quote_item WHERE id = 201;
         INSERT INTO quote_item (id, quote_id, qty) VALUES (202, 3, 4)",
        "ALTER TABLE",
        "UPDATE quote_item SET sku = 'again' WHERE id = 202",
    ),
    (
        "RENAME TABLE quote_item TO lines_now; UPDATE lines_now SET qty = 61 WHERE id = 12;
         DELETE FROM lines_now WHERE id = 202",
        "RENAME TABLE",
        "UPDATE quote_item SET qty = qty + 1",
    ),
    (
        "ALTER TABLE quote_item MODIFY qty VARBINARY(20);
         INSERT INTO quote_item (id, quote_id, sku, qty) VALUES (203, 1, 'bytes', '7')",
        "ALTER TABLE",
        "",
    ),
];

struct Shops<'a> {
    pipeline: Pipeline<'a>,
    old: Session,
}

impl Shops<'_> {
    /// Until both hold the same, and have all been read.
    async fn agree(&self, daemon: &Daemon, after: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut old = self.old.ask(OLD).await.unwrap();
            let rows = self.pipeline.target.query(NEW, &[]).await.unwrap();
            let mut new: Vec<_> = rows.iter().map(|row| vec![row.get(0)]).collect();
            old.sort();
            new.sort();
            if old == new {
                return;
            }
            assert!(
                !daemon.thread.is_finished(),
                "the daemon ended after {after}"
            );
            assert!(
                Instant::now() < deadline,
                "after {after} the shops differ:\n{old:#?}\n{new:#?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn stops(&self, daemon: Daemon, (change, begin, after): (&str, &str, &str)) -> Daemon {
        self.pipeline.old(change).await;
        let message = daemon.ended().await;
        assert!(message.contains("\nnoticed "), "{change}: {message}");
        let mend = message.lines().find_map(|line| {
            let line = line.strip_prefix("source: ")?;
            Some(line[line.find(begin)?..].to_owned())
        });
        let mend = mend.unwrap_or_else(|| panic!("{change} has no mend: {message}"));
        self.pipeline.old(&mend).await;
        if !after.is_empty() {
            self.pipeline.old(after).await;
        }
        let daemon = self.pipeline.run();
        self.agree(&daemon, change).await;
        daemon
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_the_schema_in_mid_stream() {
    for programs in Programs::all().unwrap() {
        let flavor = programs.flavor;
        let options = Options::default().with_ids(flavor);
        let server = Server::start_of(programs, options).await.unwrap();
        for (database, metadata) in [("schema_minimal", "MINIMAL"), ("schema_full", "FULL")] {
            let set = format!("SET GLOBAL binlog_row_metadata = '{metadata}'");
            server.run(&set).await.unwrap();
            through_all(&server, database).await;
            if flavor == Flavor::MariaDb {
                // An ALTER is then logged when it begins and when it ends.
                let two = "SET GLOBAL binlog_alter_two_phase = ON";
                server.run(two).await.unwrap();
            }
        }
    }
}

async fn through_all(server: &Server, database: &'static str) {
    let mut pipeline = Pipeline::open(server, database).await;
    pipeline.config.watch.every = Duration::from_millis(300);
    pipeline.setup().await;
    let url = server.url(database);
    let shops = Shops {
        old: Session::open(cartage::config::Kind::Mysql, &url).await,
        pipeline,
    };
    let mut daemon = shops.pipeline.run();
    shops.agree(&daemon, "the start").await;
    for (at, change) in FOLLOWED.into_iter().enumerate() {
        // Some while it is down: it then reads all three shapes of rows at once.
        let down = at % 3 == 2;
        if down {
            daemon.stop().await;
            shops.pipeline.old(change).await;
            daemon = shops.pipeline.run();
        } else {
            shops.pipeline.old(change).await;
        }
        shops.agree(&daemon, change).await;
    }
    for change in STOPPED {
        daemon = shops.stops(daemon, change).await;
    }
    daemon.stop().await;
}

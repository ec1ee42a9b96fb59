//! Two sessions at one row: the second waits for the first, and then misses its guard.

use std::time::Duration;

use cartage::mapping::difference::{Patch, RowOp};
use cartage::mapping::plan::Lock;
use cartage::target::ledger::Records;
use mysql_async::prelude::Queryable as _;

use super::{Sketch, Stand, assert_missed, check, delete, insert, lines, update};
use crate::mysql::servers;

const SHOP: &str = "CREATE TABLE cart (
        id INT PRIMARY KEY, qty INT, at TIMESTAMP(6) NOT NULL, version INT NOT NULL DEFAULT 1
    ) ENGINE = InnoDB";

#[tokio::test]
async fn the_second_writer_misses() {
    for server in servers() {
        let locks = [
            Lock::Counter("version".into()),
            Lock::Clock("at".into()),
            Lock::Row,
        ];
        for (n, lock) in locks.into_iter().enumerate() {
            let sketch = Sketch::of("cart", lock.clone(), &["id"], &["qty"]);
            let stand = Stand::open(server, &format!("rows_race{n}"), SHOP, vec![sketch]).await;
            let (mut one, mut other) = (stand.lane().await, stand.lane().await);
            for (first, second) in [
                (update(&["1"], &["2"]), update(&["1"], &["3"])),
                (update(&["1"], &["2"]), delete(&["1"])),
                (update(&["1"], &["2"]), check(&["1"])),
                (delete(&["1"]), update(&["1"], &["3"])),
            ] {
                let row = "DELETE FROM cart; \
                           INSERT INTO cart (id, qty, at) VALUES (7, 1, '2026-01-01')";
                stand.run(row).await;
                let token = match lock {
                    Lock::Counter(_) => Some("1"),
                    Lock::Clock(_) => Some("2026-01-01 00:00:00+00"),
                    _ => None,
                };
                let patch = |op: &RowOp| Patch {
                    writes: vec![stand.write(0, &["7"], op.clone(), token)],
                    ..Patch::default()
                };
                let (ours, theirs) = (patch(&first), patch(&second));
                let written = one.write(&ours).await.unwrap();
                let waiting = other.write(&theirs);
                tokio::pin!(waiting);
                let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
                assert!(early.is_err(), "it did not wait");
                one.writer
                    .commit(written, &Records::default())
                    .await
                    .unwrap();
                assert_missed(waiting.await, 1);
                let left = stand.rows("SELECT qty FROM cart").await;
                match first {
                    RowOp::Delete { .. } => assert!(left.is_empty()),
                    _ => assert_eq!(left, [["2"]]),
                }
            }
        }
    }
}

#[tokio::test]
async fn the_second_of_two_inserts_misses() {
    for server in servers() {
        let sketch = Sketch::of("cart", Lock::Clock("at".into()), &["id"], &["qty"]);
        let stand = Stand::open(server, "rows_race_born", SHOP, vec![sketch]).await;
        let (mut one, mut other) = (stand.lane().await, stand.lane().await);
        let patch = |qty: &str| Patch {
            writes: vec![stand.write(0, &["7"], insert(&[qty]), None)],
            ..Patch::default()
        };
        let (ours, theirs) = (patch("1"), patch("2"));
        let written = one.write(&ours).await.unwrap();
        let waiting = other.write(&theirs);
        tokio::pin!(waiting);
        let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
        assert!(early.is_err(), "it did not wait");
        one.writer
            .commit(written, &Records::default())
            .await
            .unwrap();
        assert_missed(waiting.await, 1);
        assert_eq!(stand.rows("SELECT qty FROM cart").await, [["1"]]);
    }
}

/// A line that the shop has not committed yet is seen all the same.
#[tokio::test]
async fn a_line_that_is_being_put_there_is_waited_for() {
    for server in servers() {
        let stand = Stand::open(server, "rows_race_line", lines::SHOP, lines::sketches()).await;
        let mut lane = stand.lane().await;
        let mut shop = server.conn(Some("rows_race_line")).await.unwrap();
        for sql in ["BEGIN", "INSERT INTO line VALUES (1, 7, 'a', 5, 1)"] {
            shop.query_drop(sql).await.unwrap();
        }
        let patch = lines::patch(&stand, &["70"], "a", "1");
        let waiting = lane.write(&patch);
        tokio::pin!(waiting);
        let early = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
        assert!(early.is_err(), "it did not wait");
        shop.query_drop("COMMIT").await.unwrap();
        assert_missed(waiting.await, 1);
        assert_eq!(stand.rows("SELECT id FROM line").await, [["1"]]);
    }
}

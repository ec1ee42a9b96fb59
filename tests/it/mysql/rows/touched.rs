//! Columns that the server sets with each update (`ON UPDATE`).

use cartage::mapping::plan::Lock;

use super::{Sketch, Stand, insert, update};
use crate::mysql::servers;

const SHOP: &str = r"
    CREATE TABLE cart (
        id BIGINT PRIMARY KEY, name VARCHAR(40),
        updated DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        seen TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP
    ) ENGINE = InnoDB;";

/// A mapped one stays as cartage left it, or the next write would take it for the new backend's.
#[tokio::test]
async fn a_mapped_one_is_not_moved_by_our_updates() {
    for server in servers() {
        let sketch = Sketch::of("cart", Lock::Row, &["id"], &["name", "updated"]);
        let stand = Stand::open(server, "rows_touched", SHOP, vec![sketch]).await;
        let mut lane = stand.lane().await;
        let at = "2020-02-03 04:05:06";
        let later = "2021-02-03 04:05:06";
        let (first, second) = (["ann", at], ["bob", at]);
        let third = ["cid", later];
        for op in [
            insert(&first),
            update(&first, &second),
            update(&second, &third),
        ] {
            lane.apply(vec![stand.write(0, &["7"], op, None)])
                .await
                .unwrap();
        }
        let rows = "SELECT name, CAST(updated AS char), seen > '2026-01-01' FROM cart";
        // What is not mapped moves as it does when the new backend writes.
        assert_eq!(stand.rows(rows).await, [["cid", later, "1"]]);
    }
}

//! Texts as keys: what a collation takes for equal is not the same row.

use cartage::mapping::plan::Lock;

use super::{Sketch, Stand, assert_missed, assert_refused, cells, delete, insert, update};
use crate::mysql::servers;

const SHOP: &str = "CREATE TABLE cart (
        token VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, qty INT,
        version INT NOT NULL DEFAULT 1
    ) ENGINE = InnoDB";

#[tokio::test]
async fn a_key_that_is_only_alike_is_another_row() {
    for server in servers() {
        let lock = || Lock::Counter("version".into());
        for (n, lock) in [lock(), Lock::Row].into_iter().enumerate() {
            let token = (lock != Lock::Row).then_some("1");
            let sketch = Sketch::of("cart", lock, &["token"], &["qty"]);
            let stand = Stand::open(server, &format!("rows_alike{n}"), SHOP, vec![sketch]).await;
            let mut lane = stand.lane().await;
            stand.run("INSERT INTO cart VALUES ('a', 1, 1)").await;
            for other in ["A", "á", "a "] {
                let keys = [(&[other][..], cells(&["1"])), (&["a"][..], cells(&["1"]))];
                let found = stand.find(0, &keys).await;
                assert!(found[0].is_none() && found[1].is_some(), "{other}");
                for op in [update(&["1"], &["2"]), delete(&["1"])] {
                    let write = stand.write(0, &[other], op, token);
                    assert_missed(lane.apply(vec![write]).await, 1);
                }
                // That the two cannot both be there is the table's rule, and no edit of our row.
                let write = stand.write(0, &[other], insert(&["9"]), None);
                assert_refused(lane.apply(vec![write]).await, &[1062]);
            }
            let rows = stand.rows("SELECT token, qty, version FROM cart").await;
            assert_eq!(rows, [["a", "1", "1"]]);
            let write = stand.write(0, &["a"], update(&["1"], &["2"]), token);
            lane.apply(vec![write]).await.unwrap();
        }
    }
}

/// Of a text as a value every letter counts.
#[tokio::test]
async fn a_text_of_other_letters_was_changed() {
    let shop = "CREATE TABLE cart (id INT PRIMARY KEY,
        name VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
        fixed CHAR(9)) ENGINE = InnoDB;
        INSERT INTO cart VALUES (7, 'ann', 'x')";
    for server in servers() {
        let sketch = Sketch::of("cart", Lock::Row, &["id"], &["name", "fixed"]);
        let stand = Stand::open(server, "rows_letters", shop, vec![sketch]).await;
        let mut lane = stand.lane().await;
        for name in ["Ann", "ann ", "änn"] {
            let old = [name, "x"];
            let write = stand.write(0, &["7"], update(&old, &["bob", "x"]), None);
            assert_missed(lane.apply(vec![write]).await, 1);
        }
        // Blanks that a CHAR does not keep were not taken away by anybody.
        let write = stand.write(0, &["7"], update(&["ann", "x  "], &["bob", "x  "]), None);
        lane.apply(vec![write]).await.unwrap();
        let rows = stand.rows("SELECT name, fixed FROM cart").await;
        assert_eq!(rows, [["bob", "x"]]);
    }
}

/// Zero is a number like any other, also where the server could make one itself.
#[tokio::test]
async fn no_key_is_made_up() {
    let shop = "CREATE TABLE cart (id INT PRIMARY KEY AUTO_INCREMENT, qty INT) ENGINE = InnoDB";
    for server in servers() {
        let sketch = Sketch::of("cart", Lock::Row, &["id"], &["qty"]);
        let stand = Stand::open(server, "rows_zero", shop, vec![sketch]).await;
        let mut lane = stand.lane().await;
        let write = stand.write(0, &["0"], insert(&["3"]), None);
        lane.apply(vec![write]).await.unwrap();
        assert_eq!(stand.rows("SELECT id, qty FROM cart").await, [["0", "3"]]);
    }
}

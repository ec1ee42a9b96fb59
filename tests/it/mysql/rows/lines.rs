//! Lines that the new backend has put into the same cart.

use cartage::mapping::difference::Patch;
use cartage::mapping::plan::{Line, Lock, Role};
use cartage::target::rivals;

use super::{Sketch, Stand, assert_missed, insert, key_of, update};

pub const SHOP: &str = r"
    CREATE TABLE cart (id INT PRIMARY KEY, name VARCHAR(9), version INT NOT NULL) ENGINE = InnoDB;
    CREATE TABLE line (
        id INT PRIMARY KEY, cart INT NOT NULL, sku VARCHAR(9), qty INT, version INT NOT NULL,
        FOREIGN KEY (cart) REFERENCES cart (id)
    ) ENGINE = InnoDB;
    INSERT INTO cart VALUES (7, 'ann', 1)";

pub fn sketches() -> Vec<Sketch> {
    let lock = || Lock::Counter("version".into());
    let mut line = Sketch::of("line", lock(), &["id"], &["cart", "sku", "qty"]);
    line.role = Role::Line;
    line.line = Some(Line {
        product: "sku".into(),
        quantity: "qty".into(),
        max_quantity: 99,
        cart: vec![("cart".into(), "id".into())],
    });
    vec![Sketch::of("cart", lock(), &["id"], &["name"]), line]
}

/// A line of ours that is put into the cart, with the header that is written with it.
pub fn patch(stand: &Stand<'_>, own: &[&str], sku: &str, version: &str) -> Patch {
    Patch {
        writes: vec![
            stand.write(0, &["7"], update(&["ann"], &["ann"]), Some(version)),
            stand.write(1, &["70"], insert(&["7", sku, "1"]), None),
        ],
        own: own.iter().map(|key| (1, key_of(&[key]))).collect(),
        moves: false,
    }
}

#[tokio::test]
async fn a_line_that_they_have_put_there_is_in_the_way() {
    for server in crate::mysql::servers() {
        let stand = Stand::open(server, "rows_lines", SHOP, sketches()).await;
        let mut lane = stand.lane().await;
        stand.run("INSERT INTO line VALUES (1, 7, 'a', 5, 1)").await;
        let clash = patch(&stand, &["70"], "a", "1");
        assert_missed(lane.apply_patch(&clash).await, 1);
        assert_eq!(stand.rows("SELECT version FROM cart").await, [["1"]]);
        let found = rivals::find(&stand.target, &clash).await.unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), [&1]);
        let [rival] = &found[&1][..] else {
            panic!("{found:?}")
        };
        assert!(rival.table.ends_with(".line"));
        assert_eq!(
            rival.row,
            r#"{"id":1,"cart":7,"sku":"a","qty":5,"version":1}"#
        );
        // One that is ours is no rival, nor is another product.
        let ours = patch(&stand, &["70", "1"], "a", "1");
        assert!(rivals::find(&stand.target, &ours).await.unwrap().is_empty());
        lane.apply_patch(&ours).await.unwrap();
        stand.run("DELETE FROM line WHERE id = 70").await;
        lane.apply_patch(&patch(&stand, &["70"], "b", "2"))
            .await
            .unwrap();
        let rows = stand.rows("SELECT id, sku FROM line ORDER BY id").await;
        assert_eq!(rows, [["1", "a"], ["70", "b"]]);
    }
}

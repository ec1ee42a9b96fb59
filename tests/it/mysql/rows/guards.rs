//! What becomes of a write whose row is not as it was left.

use cartage::mapping::difference::RowWrite;
use cartage::mapping::plan::{Lock, Role};

use super::{Sketch, Stand, assert_missed, assert_refused, check, delete, insert, key_of, update};
use crate::mysql::servers;

const SHOP: &str = r"
    CREATE TABLE cart (
        id BIGINT PRIMARY KEY, name VARCHAR(40), qty INT, code VARCHAR(9) UNIQUE,
        version BIGINT NOT NULL
    ) ENGINE = InnoDB;
    CREATE TABLE line (
        cart BIGINT, no INT, sku VARCHAR(9), version BIGINT NOT NULL, PRIMARY KEY (cart, no),
        FOREIGN KEY (cart) REFERENCES cart (id)
    ) ENGINE = InnoDB;";

fn sketches(lock: fn() -> Lock) -> Vec<Sketch> {
    let mut line = Sketch::of("line", lock(), &["cart", "no"], &["sku"]);
    line.role = Role::Detail;
    vec![
        Sketch::of("cart", lock(), &["id"], &["name", "qty", "code"]),
        line,
    ]
}

fn counter() -> Lock {
    Lock::Counter("version".into())
}

#[tokio::test]
async fn rows_are_written_and_their_versions_are_known() {
    for server in servers() {
        let stand = Stand::open(server, "rows_written", SHOP, sketches(counter)).await;
        let mut lane = stand.lane().await;
        let first = ["ann", "1", "NULL"];
        let writes = vec![
            stand.write(1, &["7", "1"], insert(&["s1"]), None),
            stand.write(0, &["7"], insert(&first), None),
            stand.write(0, &["8"], insert(&["b'o\\", "NULL", "c8"]), None),
        ];
        let tokens = lane.apply(writes).await.unwrap();
        assert_eq!(
            tokens,
            [[Some("1".into()), Some("1".into()), Some("1".into())]]
        );
        let lines = stand.write(1, &["7", "1"], update(&["s1"], &["s2"]), Some("1"));
        let writes = vec![
            lines,
            // Nothing changes but the version, and what is set is what is there.
            stand.write(0, &["7"], update(&first, &first), Some("1")),
            stand.write(0, &["8"], check(&["b'o\\", "NULL", "c8"]), Some("1")),
        ];
        let tokens = lane.apply(writes).await.unwrap();
        assert_eq!(
            tokens,
            [[Some("2".into()), Some("2".into()), Some("1".into())]]
        );
        let rows = stand.rows("SELECT * FROM cart ORDER BY id").await;
        assert_eq!(
            rows,
            [
                ["7", "ann", "1", "NULL", "2"],
                ["8", "b'o\\", "NULL", "c8", "1"]
            ]
        );
        let writes = vec![
            stand.write(0, &["7"], delete(&first), Some("2")),
            stand.write(1, &["7", "1"], delete(&["s2"]), Some("2")),
        ];
        lane.apply(writes).await.unwrap();
        assert_eq!(stand.rows("SELECT id FROM cart").await, [["8"]]);
        let applied = "SELECT rows_applied, lsn FROM cartage_checkpoint";
        assert_eq!(stand.rows(applied).await, [["7", "3"]]);
    }
}

/// A row as it is at the beginning of a test, and its writes.
const ROW: [&str; 3] = ["ann", "1", "NULL"];

#[tokio::test]
async fn a_row_that_moved_on_is_not_written() {
    for server in servers() {
        let locks: [fn() -> Lock; 2] = [counter, || Lock::Row];
        for (name, lock) in ["moved_counter", "moved_row"].iter().zip(locks) {
            let stand = Stand::open(server, name, SHOP, sketches(lock)).await;
            let token = (lock() == counter()).then_some("1");
            let mut lane = stand.lane().await;
            for shop in [
                "UPDATE cart SET name = 'eve', version = 2 WHERE id = 7",
                "UPDATE cart SET qty = NULL, version = version + 1 WHERE id = 7",
                "DELETE FROM cart WHERE id = 7",
            ] {
                let rows = "DELETE FROM cart; INSERT INTO cart VALUES (7, 'ann', 1, NULL, 1), \
                            (9, 'ann', 1, 'c9', 1)";
                stand.run(rows).await;
                stand.run(shop).await;
                let before = stand.rows("SELECT * FROM cart ORDER BY id").await;
                for op in [
                    update(&ROW, &["bob", "1", "NULL"]),
                    delete(&ROW),
                    check(&ROW),
                ] {
                    let writes = vec![
                        stand.write(0, &["9"], op_of_other(&op), token),
                        stand.write(0, &["7"], op.clone(), token),
                    ];
                    assert_missed(lane.apply(writes).await, 1);
                    let after = stand.rows("SELECT * FROM cart ORDER BY id").await;
                    assert_eq!(after, before, "{name} {shop} {op:?}");
                }
            }
            let checkpoint = "SELECT rows_applied, lsn FROM cartage_checkpoint";
            assert_eq!(stand.rows(checkpoint).await, [["0", "0"]]);
        }
    }
}

/// The same for the row that is as it was.
fn op_of_other(op: &cartage::mapping::difference::RowOp) -> cartage::mapping::difference::RowOp {
    use cartage::mapping::difference::RowOp;
    let old = ["ann", "1", "c9"];
    match op {
        RowOp::Update { .. } => update(&old, &["bob", "1", "c9"]),
        RowOp::Delete { .. } => delete(&old),
        _ => check(&old),
    }
}

#[tokio::test]
async fn equal_values_are_no_conflict() {
    for server in servers() {
        let stand = Stand::open(server, "rows_equal", SHOP, sketches(|| Lock::Row)).await;
        let mut lane = stand.lane().await;
        // What the shop changes beside our columns does not concern a lock that compares them.
        let shop = "INSERT INTO cart VALUES (7, 'ann', 1, NULL, 1); \
                    UPDATE cart SET name = 'ann', version = 5 WHERE id = 7";
        stand.run(shop).await;
        let writes = vec![stand.write(0, &["7"], update(&ROW, &["ann", "2", "NULL"]), None)];
        lane.apply(writes).await.unwrap();
        let rows = stand.rows("SELECT name, qty, version FROM cart").await;
        assert_eq!(rows, [["ann", "2", "5"]]);
    }
}

#[tokio::test]
async fn a_row_that_is_there_is_not_inserted() {
    for server in servers() {
        let stand = Stand::open(server, "rows_there", SHOP, sketches(counter)).await;
        let mut lane = stand.lane().await;
        stand
            .run("INSERT INTO cart VALUES (7, 'eve', 3, 'mine', 4)")
            .await;
        let other = |key| stand.write(0, &[key], insert(&["bob", "1", "NULL"]), None);
        let writes = vec![
            other("5"),
            stand.write(0, &["7"], insert(&["ann", "1", "NULL"]), None),
            other("6"),
        ];
        assert_missed(lane.apply(writes).await, 1);
        // Another unique key is the server's to name.
        let writes = vec![
            other("5"),
            stand.write(0, &["8"], insert(&["ann", "1", "mine"]), None),
        ];
        assert_refused(lane.apply(writes).await, &[1062]);
        // With both in the way it is the row.
        let both = vec![stand.write(0, &["7"], insert(&["ann", "1", "mine"]), None)];
        assert_missed(lane.apply(both).await, 1);
        let line = vec![stand.write(1, &["99", "1"], insert(&["s"]), None)];
        assert_refused(lane.apply(line).await, &[1452]);
        let rows = stand.rows("SELECT * FROM cart").await;
        assert_eq!(rows, [["7", "eve", "3", "mine", "4"]]);
        lane.apply(vec![other("5")]).await.unwrap();
    }
}

/// What fails because of a row that is gone is told as the row that is gone.
#[tokio::test]
async fn the_first_miss_is_the_cause() {
    for server in servers() {
        let stand = Stand::open(server, "rows_cause", SHOP, sketches(counter)).await;
        let mut lane = stand.lane().await;
        let writes = vec![
            stand.write(0, &["7"], update(&ROW, &ROW), Some("1")),
            stand.write(1, &["7", "1"], insert(&["s1"]), None),
        ];
        assert_missed(lane.apply(writes).await, 1);
    }
}

#[tokio::test]
async fn many_rows_go_in_several_statements() {
    for server in servers() {
        let stand = Stand::open(server, "rows_many", SHOP, sketches(counter)).await;
        let mut lane = stand.lane().await;
        let name = "x".repeat(40);
        let row = |id: u32, qty: &str| -> [String; 3] {
            [name.clone(), qty.to_owned(), format!("c{id}")]
        };
        let each = |make: &dyn Fn(u32) -> RowWrite| (0..2500).map(make).collect::<Vec<_>>();
        let texts = |row: &[String; 3]| row.clone();
        let inserts = each(&|id| {
            let new = texts(&row(id, "1"));
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            stand.write(0, &[&id.to_string()], insert(&new), None)
        });
        lane.apply(inserts).await.unwrap();
        let updates = each(&|id| {
            let (old, new) = (row(id, "1"), row(id, &id.to_string()));
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            stand.write(0, &[&id.to_string()], update(&old, &new), Some("1"))
        });
        let tokens = lane.apply(updates.clone()).await.unwrap();
        assert!(tokens[0].iter().all(|t| t.as_deref() == Some("2")));
        let sums = stand
            .rows("SELECT count(*), sum(qty), sum(version) FROM cart")
            .await;
        assert_eq!(sums, [["2500", "3123750", "5000"]]);
        // One of them, whose quantity does not change, is written by itself.
        assert_missed(lane.apply(updates).await, 2499);
        let key = key_of(&["2499"]);
        let found = stand.find(0, &[(&[&key[0]], super::cells(&ROW))]).await;
        assert_eq!(found[0].as_ref().unwrap().token.as_deref(), Some("2"));
    }
}

/// A statement that is longer than the server takes would end the session.
#[tokio::test]
async fn long_values_go_in_several_messages() {
    for server in servers() {
        let sql = "CREATE TABLE note (id INT PRIMARY KEY, text LONGTEXT) ENGINE = InnoDB";
        let sketch = Sketch::of("note", Lock::Row, &["id"], &["text"]);
        let stand = Stand::open(server, "rows_long", sql, vec![sketch]).await;
        let mut lane = stand.lane().await;
        let long = "y".repeat(3 << 20);
        let writes = (0..7).map(|id| {
            let new = insert(&[&long]);
            stand.write(0, &[&id.to_string()], new, None)
        });
        lane.apply(writes.collect()).await.unwrap();
        let sums = "SELECT count(*), sum(length(text)) FROM note";
        assert_eq!(stand.rows(sums).await, [["7", "22020096"]]);
    }
}

//! Versions that servers keep, and rows that the new backend has closed.

use cartage::mapping::plan::Lock;

use super::{Sketch, Stand, assert_missed, cells, check, delete, insert, update};
use crate::mysql::servers;

#[tokio::test]
async fn what_others_have_closed_is_not_written() {
    let shop = "CREATE TABLE cart (
        id INT PRIMARY KEY, name VARCHAR(9), state VARCHAR(9), paid_at DATETIME NULL,
        version INT NOT NULL
    ) ENGINE = InnoDB";
    for server in servers() {
        let lock = || Lock::Counter("version".into());
        let mut sketch = Sketch::of("cart", lock(), &["id"], &["name", "state"]);
        sketch.closed = Some("state = 'sent' or paid_at is not null");
        let stand = Stand::open(server, "rows_closed", shop, vec![sketch]).await;
        let mut lane = stand.lane().await;
        let row = "DELETE FROM cart; INSERT INTO cart VALUES (7, 'ann', 'open', NULL, 1)";
        let old = ["ann", "open"];
        for shop in [
            // The version moves with none of these.
            "UPDATE cart SET paid_at = '2026-01-01'",
            "UPDATE cart SET state = 'sent'",
            "UPDATE cart SET state = NULL",
        ] {
            stand.run(row).await;
            stand.run(shop).await;
            for op in [update(&old, &["bob", "open"]), delete(&old), check(&old)] {
                let writes = vec![stand.write(0, &["7"], op, Some("1"))];
                assert_missed(lane.apply(writes).await, 1);
            }
            let state = "SELECT name, version FROM cart";
            assert_eq!(stand.rows(state).await, [["ann", "1"]]);
        }
        // What we have written there ourselves closes nothing.
        stand.run(row).await;
        let ours = vec![stand.write(0, &["7"], update(&old, &["ann", "sent"]), Some("1"))];
        lane.apply(ours).await.unwrap();
        let found = stand.find(0, &[(&["7"], cells(&["ann", "sent"]))]).await;
        let found = found[0].as_ref().unwrap();
        assert!(found.closed && !found.closed_by_others);
        let into = &stand.mapping.intos[0];
        assert!(!found.finished(into, &cells(&["ann", "sent"])));
        assert!(found.finished(into, &cells(&["ann", "open"])));
        let again = update(&["ann", "sent"], &["bob", "sent"]);
        lane.apply(vec![stand.write(0, &["7"], again, Some("2"))])
            .await
            .unwrap();
        stand.run("UPDATE cart SET paid_at = '2026-01-01'").await;
        let found = stand.find(0, &[(&["7"], cells(&["bob", "sent"]))]).await;
        let found = found[0].as_ref().unwrap();
        assert!(found.closed_by_others);
        let json =
            r#"{"id":7,"name":"bob","state":"sent","paid_at":"2026-01-01 00:00:00","version":3}"#;
        assert_eq!(found.json.as_deref(), Some(json));
    }
}

#[tokio::test]
async fn a_trigger_may_move_the_version() {
    let shop = "CREATE TABLE cart (id INT PRIMARY KEY, qty INT, version INT NOT NULL)
            ENGINE = InnoDB;
        CREATE TRIGGER bump BEFORE UPDATE ON cart FOR EACH ROW SET NEW.version = OLD.version + 10;
        CREATE TRIGGER born BEFORE INSERT ON cart FOR EACH ROW SET NEW.version = 100";
    for server in servers() {
        let sketch = Sketch::of("cart", Lock::Counter("version".into()), &["id"], &["qty"]);
        let stand = Stand::open(server, "rows_trigger", shop, vec![sketch]).await;
        let mut lane = stand.lane().await;
        let born = lane.apply(vec![stand.write(0, &["1"], insert(&["1"]), None)]);
        assert_eq!(born.await.unwrap(), [[Some("100".into())]]);
        let change = update(&["1"], &["2"]);
        let moved = lane.apply(vec![stand.write(0, &["1"], change.clone(), Some("100"))]);
        assert_eq!(moved.await.unwrap(), [[Some("110".into())]]);
        assert_missed(
            lane.apply(vec![stand.write(0, &["1"], change, Some("101"))])
                .await,
            1,
        );
    }
}

/// A clock moves with each write, however many digits it has, and never back.
#[tokio::test]
async fn clocks_move_with_each_write() {
    for server in servers() {
        for (at, ty) in ["TIMESTAMP", "DATETIME", "DATETIME(3)", "TIMESTAMP(6)"]
            .iter()
            .enumerate()
        {
            let shop = format!(
                "CREATE TABLE cart (id INT PRIMARY KEY, qty INT, at {ty} NULL) ENGINE = InnoDB"
            );
            let sketch = Sketch::of("cart", Lock::Clock("at".into()), &["id"], &["qty"]);
            let stand = Stand::open(server, &format!("rows_clock{at}"), &shop, vec![sketch]).await;
            let mut lane = stand.lane().await;
            let born = lane.apply(vec![stand.write(0, &["1"], insert(&["0"]), None)]);
            let mut tokens = vec![born.await.unwrap()[0][0].clone().unwrap()];
            for qty in 0..5_u32 {
                let change = update(&[&qty.to_string()], &[&(qty + 1).to_string()]);
                let last = tokens.last().unwrap().to_string();
                let write = stand.write(0, &["1"], change.clone(), Some(&last));
                tokens.push(
                    lane.apply(vec![write]).await.unwrap()[0][0]
                        .clone()
                        .unwrap(),
                );
                let stale = stand.write(0, &["1"], change, Some(&last));
                assert_missed(lane.apply(vec![stale]).await, 1);
            }
            assert!(tokens.is_sorted_by(|a, b| a < b), "{ty}: {tokens:?}");
            // Where there was none, or one that is no time.
            for none in ["NULL", "'0000-00-00 00:00:00'"] {
                let sql = format!("SET sql_mode = ''; UPDATE cart SET qty = 5, at = {none}");
                stand.run(&sql).await;
                let found = stand.find(0, &[(&["1"], cells(&["5"]))]).await;
                let token = found[0].as_ref().unwrap().token.clone();
                let write = stand.write(0, &["1"], update(&["5"], &["6"]), token.as_deref());
                let left = lane.apply(vec![write]).await.unwrap();
                assert!(
                    left[0][0].as_deref() > Some("2026"),
                    "{ty} {none}: {left:?}"
                );
            }
        }
    }
}

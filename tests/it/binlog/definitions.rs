//! Tables that are altered while their log is read, and logs from before they were.

use cartage::demo::mysql::Options;
use cartage::source::mysql::SourceError;

use super::stand::{all, read};

#[tokio::test]
async fn rows_are_read_as_their_table_was() {
    for stand in all(&Options::default()).await {
        let before = stand.known().await;
        let start = before.compiled_at;
        stand.run("INSERT INTO item VALUES (1, 10, 2, 'x')").await;
        let mut stream = stand.open(start, before.clone()).await.unwrap();
        // As many columns, of the same types, in another order.
        stand
            .run("ALTER TABLE item ADD COLUMN new INT FIRST, DROP COLUMN qty, ADD COLUMN qty INT, ADD INDEX (cart_id)")
            .await;
        stand
            .run("ALTER TABLE item DROP COLUMN new, ADD COLUMN spare INT FIRST")
            .await;
        stand
            .run("INSERT INTO item (id, cart_id, qty) VALUES (2, 20, 5)")
            .await;
        let error = read(&mut stream, stand.end().await).await.unwrap_err();
        assert!(
            matches!(&error, SourceError::Moved { table, .. } if table == "shop.item"),
            "{error}"
        );
        drop(stream);

        // A column that goes and comes again has another value in every row, and the log has none of
        // them.
        let (hidden, anew) = ("item ?,?,? -> ?,?,?", "cart ?,?,? -> ?,?,?");
        // The checkpoint's own description holds until the table is altered; between that and now
        // only names could tell.
        let mut known = stand.known().await;
        known.before = Some(before.tables.clone());
        let mut stream = stand.open(start, known.clone()).await.unwrap();
        stand
            .run("INSERT INTO item (id, cart_id, qty) VALUES (3, 30, 7)")
            .await;
        let end = stand.end().await;
        let heard = stand.tell(&read(&mut stream, end).await.unwrap());
        let changes: Vec<&str> = heard
            .iter()
            .map(String::as_str)
            .filter(|t| t.contains(' '))
            .collect();
        assert_eq!(changes, ["+item 1,10,2", anew, hidden, "+item 3,30,7"]);
        drop(stream);

        known.before = None;
        let mut stream = stand.open(start, known).await.unwrap();
        let heard = stand.tell(&read(&mut stream, end).await.unwrap());
        let changes: Vec<&str> = heard
            .iter()
            .map(String::as_str)
            .filter(|t| t.contains(' '))
            .collect();
        assert_eq!(changes, [hidden, anew, hidden, "+item 3,30,7"]);
    }
}

#[tokio::test]
async fn names_in_the_log_decide() {
    let options = Options::default().setting("binlog-row-metadata", "FULL");
    for stand in all(&options).await {
        let start = stand.known().await.compiled_at;
        stand.run("INSERT INTO item VALUES (1, 10, 2, 'x')").await;
        stand
            .run("ALTER TABLE item ADD COLUMN spare INT FIRST")
            .await;
        stand
            .run("INSERT INTO item (id, cart_id, qty) VALUES (2, 20, 5)")
            .await;
        let mut stream = stand.open(start, stand.known().await).await.unwrap();
        let end = stand.end().await;
        let heard = stand.tell(&read(&mut stream, end).await.unwrap());
        let changes: Vec<&str> = heard
            .iter()
            .map(String::as_str)
            .filter(|t| t.contains(' '))
            .collect();
        assert_eq!(changes, ["+item 1,10,2", "+item 2,20,5"]);
    }
}

#[tokio::test]
async fn a_description_that_does_not_fit_is_refused() {
    for stand in all(&Options::default()).await {
        for (alter, back) in [
            ("ADD COLUMN spare INT", "DROP COLUMN spare"),
            ("MODIFY qty BIGINT", "MODIFY qty INT"),
        ] {
            let mut stale = stand.known().await;
            stand.run(&format!("ALTER TABLE item {alter}")).await;
            // As if the definition had not been in the log.
            let start = stand.end().await;
            stale.compiled_at = start;
            let mut stream = stand.open(start, stale).await.unwrap();
            stand
                .run("REPLACE INTO item (id, cart_id, qty) VALUES (1, 10, 1 + RAND() * 1000000)")
                .await;
            let error = read(&mut stream, stand.end().await).await.unwrap_err();
            assert!(
                matches!(&error, SourceError::Schema { table, .. } if table == "shop.item"),
                "{error}"
            );
            stand.run(&format!("ALTER TABLE item {back}")).await;
        }
    }
}

#[tokio::test]
async fn definitions_that_change_nothing_of_ours_pass() {
    for stand in all(&Options::default()).await {
        let heard = stand.hear(&[
            "ALTER TABLE other ADD COLUMN b INT",
            "ALTER TABLE cart ADD INDEX (token(4)), COMMENT = 'MODIFY a int'",
            "CREATE TABLE fresh AS SELECT * FROM cart",
            "DROP TABLE fresh",
            "CREATE TEMPORARY TABLE cart_copy AS SELECT * FROM cart",
            "CREATE DATABASE elsewhere; CREATE TABLE elsewhere.cart (id INT); DROP DATABASE elsewhere",
            "INSERT INTO cart (id) VALUES (1)",
        ]);
        assert_eq!(
            heard.await.unwrap(),
            ["begin", "+cart 1,null,null", "commit"]
        );
    }
}

#[tokio::test]
async fn a_table_that_goes_or_gets_another_name_is_noticed() {
    for stand in all(&Options::default()).await {
        for sql in [
            "RENAME TABLE item TO old_item; RENAME TABLE old_item TO item",
            "ALTER TABLE item RENAME TO old_item; ALTER TABLE old_item RENAME TO item",
            "CREATE TABLE new_item LIKE item; RENAME TABLE item TO old_item, new_item TO item; \
             DROP TABLE old_item",
            "DROP TABLE item; CREATE TABLE item (id INT PRIMARY KEY)",
        ] {
            let error = stand.hear(&[sql]).await.unwrap_err();
            assert!(matches!(error, SourceError::Moved { .. }), "{sql}: {error}");
        }
        let error = stand
            .hear(&["DROP DATABASE shop; CREATE DATABASE shop"])
            .await;
        let error = error.unwrap_err();
        assert!(matches!(error, SourceError::Moved { .. }), "{error}");
    }
}

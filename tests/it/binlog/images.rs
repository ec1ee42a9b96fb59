//! Sessions that do not log whole rows.

use cartage::demo::mysql::Options;
use cartage::source::mysql::SourceError;

use super::stand::{Stand, all, mysql, read};

const DOUBT: &str = "cart ?,?,? -> ?,?,?";

/// Runs the statement, which the reader refuses; whoever starts again reads on, with all carts read
/// again.
async fn refused_once(stand: &Stand, sql: &str) -> SourceError {
    let known = stand.known().await;
    let start = known.compiled_at;
    let mut stream = stand.open(start, known).await.unwrap();
    stand.run(sql).await;
    stand.run("INSERT INTO cart (id) VALUES (77)").await;
    let end = stand.end().await;
    let error = read(&mut stream, end).await.unwrap_err();
    drop(stream);
    let mut known = stand.known().await;
    known.before = Some(known.tables.clone());
    let mut stream = stand.open(start, known).await.unwrap();
    let heard = stand.tell(&read(&mut stream, end).await.unwrap());
    let all = [
        "begin",
        DOUBT,
        "commit",
        "begin",
        "+cart 77,null,null",
        "commit",
    ];
    assert_eq!(heard, all, "{sql}");
    stand.run("DELETE FROM cart WHERE id = 77").await;
    error
}

#[tokio::test]
async fn parts_of_rows_are_told_as_such() {
    for stand in all(&Options::default()).await {
        stand
            .run("INSERT INTO cart VALUES (1, 'a', 1, 'n'); INSERT INTO item VALUES (1, 1, 1, 'x')")
            .await;
        let minimal = "SET SESSION binlog_row_image = 'MINIMAL'";
        let heard = stand
            .hear(&[
                &format!("{minimal}; UPDATE cart SET total = 2"),
                &format!("{minimal}; UPDATE cart SET id = 2"),
                &format!("{minimal}; INSERT INTO cart (id, total) VALUES (3, 3)"),
                &format!("{minimal}; DELETE FROM cart WHERE id = 2"),
                "SET SESSION binlog_row_image = 'NOBLOB'; UPDATE item SET qty = 5",
            ])
            .await;
        let heard: Vec<String> = heard.unwrap();
        let changes: Vec<&String> = heard.iter().filter(|told| told.contains(' ')).collect();
        assert_eq!(changes[0], "cart 1,?,? -> 1,?,2.00");
        assert_eq!(changes[1], "cart 1,?,? -> 2,?,?");
        // A column that is left to its default is in the log, or is not known.
        let inserted = ["+cart 3,?,3.00", "+cart 3,null,3.00"];
        assert!(inserted.contains(&changes[2].as_str()), "{heard:?}");
        assert_eq!(changes[3], "-cart 2,?,?");
        assert_eq!(changes[4], "item 1,1,1 -> 1,1,5");
    }
}

#[tokio::test]
async fn a_row_without_its_cart_is_refused_by_name() {
    for stand in all(&Options::default()).await {
        stand.run("INSERT INTO item VALUES (1, 1, 1, 'x')").await;
        let sql = "SET SESSION binlog_row_image = 'MINIMAL'; UPDATE item SET qty = 2";
        let error = refused_once(&stand, sql).await;
        let SourceError::Image {
            table,
            columns,
            session,
            ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!((table.as_str(), columns.as_str()), ("shop.item", "cart_id"));
        assert_eq!(session.is_some(), !stand.is_mariadb());
        assert!(error.to_string().contains("binlog_row_image = 'FULL'"));
    }
}

#[tokio::test]
async fn statements_without_rows_are_refused_by_name() {
    for stand in all(&Options::default()).await {
        stand.run("INSERT INTO item VALUES (1, 1, 1, 'x')").await;
        let statement = "SET SESSION binlog_format = 'STATEMENT'";
        let elsewhere = format!("{statement}; INSERT INTO other VALUES (1, 'item')");
        assert!(stand.hear(&[&elsewhere]).await.unwrap().is_empty());
        for sql in [
            "UPDATE item SET qty = 2",
            "DELETE FROM shop.item WHERE id = 1",
        ] {
            let error = refused_once(&stand, &format!("{statement}; {sql}")).await;
            let SourceError::Statement { what, session, .. } = &error else {
                panic!("{error}");
            };
            assert_eq!(what, "of shop.item");
            assert!(session.is_some());
            assert!(error.to_string().contains("binlog_format = 'ROW'"));
        }
    }
}

#[tokio::test]
async fn a_part_of_a_document_is_refused_by_name() {
    let Some(mut stand) = mysql(Options::default()).await else {
        return;
    };
    let fill = "CREATE TABLE doc (id INT PRIMARY KEY, body JSON, more JSON); \
                INSERT INTO doc VALUES (1, '{\"a\": \"aaaaaaaaaa\"}', '{\"b\": \"bbbbbbbbbb\"}')";
    stand.run(fill).await;
    stand.map("item", "doc", &["id", "body"]);
    let partial = "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'";
    let unmapped = format!("{partial}; UPDATE doc SET more = JSON_SET(more, '$.b', 'c')");
    let heard = stand.hear(&[&unmapped]).await.unwrap();
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(heard[1].starts_with("doc 1,"), "{heard:?}");
    let sql = format!("{partial}; UPDATE doc SET body = JSON_SET(body, '$.a', 'b')");
    let error = refused_once(&stand, &sql).await;
    let SourceError::PartialJson { table, column, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((table.as_str(), column.as_str()), ("shop.doc", "body"));
}

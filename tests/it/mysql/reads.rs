//! Carts, read whole from real servers in a snapshot of which it is known what it sees.

use std::time::Duration;

use cartage::cart::image::Cell;
use cartage::cart::key::CartKey;
use cartage::cart::layout::{Column, Layout, Table};
use cartage::cart::owner::Question;
use cartage::demo::mysql::{Options, Programs, Server};
use cartage::mapping::expr::{Expr, Scope};
use cartage::refresh::owners::carts_of;
use cartage::refresh::read::carts;
use cartage::source::Source;
use cartage::source::change::TransactionId;
use cartage::source::mysql::Session;
use cartage::source::snapshot::Snapshot;
use mysql_async::prelude::Queryable as _;

use super::{endpoint, servers};

const SHOP: &str = r"
    CREATE TABLE quote (
        store INT NOT NULL, token VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        total DECIMAL(12,2), changed TIMESTAMP(6) NULL, PRIMARY KEY (store, token)
    ) ENGINE = InnoDB;
    CREATE TABLE item (
        id BIGINT UNSIGNED PRIMARY KEY, store INT NOT NULL,
        token VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, sku VARCHAR(9)
    ) ENGINE = InnoDB;
    CREATE TABLE choice (
        id BINARY(2) PRIMARY KEY, item BIGINT UNSIGNED, text TEXT CHARACTER SET utf8mb4
    ) ENGINE = InnoDB;
    INSERT INTO quote VALUES (1, 'a', 9.5, '2026-01-02 03:04:05.25'), (1, 'o''b\\', NULL, NULL),
        (2, 'a', 0, NULL), (2, 'ä', 1, NULL);
    INSERT INTO item VALUES (18446744073709551615, 1, 'a', 's1'), (7, 1, 'o''b\\', 's2'),
        (8, 2, 'ä', 's3');
    INSERT INTO choice VALUES (x'0001', 18446744073709551615, 'rot'), (x'5c27', 8, 'grün');";

/// The shop's tables with all of their columns: a quote, items that name it, choices of an item.
async fn shop(server: &Server, database: &str) -> (Source, Layout) {
    let made = format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}");
    server.run(&made).await.unwrap();
    server
        .run(&format!("USE {database}; {SHOP}"))
        .await
        .unwrap();
    let source = Source::connect(&endpoint(server.url(database)), "test")
        .await
        .unwrap();
    let names = ["quote", "item", "choice"].map(str::to_owned);
    let catalog = source.catalog(&names).await.unwrap();
    let tables = catalog.tables.iter().map(|info| Table {
        alias: info.name.clone(),
        schema: info.schema.clone(),
        name: info.name.clone(),
        columns: info.columns.iter().map(Column::from).collect(),
        key: vec![0],
        cart: None,
        parent: None,
    });
    let mut tables: Vec<Table> = tables.collect();
    tables[0].key = vec![0, 1];
    tables[0].cart = Some(vec![0, 1]);
    tables[1].cart = Some(vec![1, 2]);
    tables[2].parent = Some((1, vec![1]));
    (source, Layout { tables })
}

fn texts(cells: &[Cell]) -> Vec<&str> {
    cells
        .iter()
        .map(|cell| cell.text().unwrap_or("NULL"))
        .collect()
}

#[tokio::test]
async fn carts_are_walked_and_read_whole() {
    for server in servers() {
        let (source, layout) = shop(server, "reads_whole").await;
        let mut walked: Vec<CartKey> = Vec::new();
        loop {
            let next = source
                .next_keys(&layout, None, walked.last(), 1)
                .await
                .unwrap();
            let Some(key) = next.into_iter().next() else {
                break;
            };
            walked.push(key);
            assert!(walked.len() <= 4, "{walked:?}");
        }
        let all = source.next_keys(&layout, None, None, 10).await.unwrap();
        assert_eq!(walked, all);
        let values: Vec<_> = all.iter().filter_map(CartKey::values).collect();
        assert_eq!(values, [["1", "a"], ["1", "o'b\\"], ["2", "a"], ["2", "ä"]]);

        source.open().await.unwrap();
        let gone = CartKey::of(["3", "a"]);
        let asked: Vec<CartKey> = all.iter().cloned().chain([gone]).collect();
        let (reads, rows) = carts(&source, &layout, Some(3), &asked).await.unwrap();
        source.close().await.unwrap();
        assert_eq!(rows, 4 + 3 + 2);
        assert!(reads[4].image.is_none());
        let image = |n: usize| reads[n].image.as_ref().unwrap();
        let row = |n: usize, table: usize| texts(&image(n).tables[table][0].cells);
        assert_eq!(row(0, 0), ["1", "a", "9.50", "2026-01-02 03:04:05.25+00"]);
        assert_eq!(row(0, 1), ["18446744073709551615", "1", "a", "s1"]);
        assert_eq!(row(0, 2), ["\\x0001", "18446744073709551615", "rot"]);
        assert_eq!(row(1, 0), ["1", "o'b\\", "NULL", "NULL"]);
        assert_eq!(row(3, 2), ["\\x5c27", "8", "grün"]);
        assert!(image(2).tables[1].is_empty());
        assert_eq!(reads[0].stamp, 1_767_323_045_250_000);

        // Whose a choice is, by its key; one that is gone has no answer.
        let question = |key: &str| Question {
            table: 2,
            key: CartKey::of([key]),
        };
        let questions = [
            question("\\x5c27"),
            question("\\x0001"),
            question("\\xffff"),
        ];
        let owners = carts_of(&source, &layout, &questions).await.unwrap();
        assert_eq!(owners, [all[0].clone(), all[3].clone()]);

        let typed = ["01".to_owned(), "a".to_owned()];
        let key = [0, 1];
        let printed = source.printed(layout.header(), &key, &typed).await.unwrap();
        assert_eq!(printed, ["1", "a"]);
    }
}

fn live(layout: &Layout, condition: &str) -> Expr {
    let scope = Scope {
        layout,
        per: Layout::HEADER,
    };
    Expr::compile(condition, &scope).unwrap()
}

/// The server is asked for what it can judge of the condition, and for no more.
#[tokio::test]
async fn carts_that_are_not_live_are_not_walked() {
    for server in servers() {
        let (source, layout) = shop(server, "reads_live").await;
        let walked = async |condition: &str| {
            let live = live(&layout, condition);
            let keys = source.next_keys(&layout, Some(&live), None, 10).await;
            let guess = source.estimate(&layout, Some(&live)).await.unwrap();
            assert!(guess.is_some_and(|n| n <= 4), "{condition}: {guess:?}");
            let keys = keys.unwrap();
            keys.iter()
                .map(|key| key.values().unwrap().join(" "))
                .collect::<Vec<_>>()
        };
        assert_eq!(walked("total >= 1").await, ["1 a", "2 ä"]);
        assert_eq!(walked("total >= 1 and store = 2").await, ["2 ä"]);
        // Which of these are live is ours to say: the second half could fail, and is looked at unless
        // the first is false.
        let partly = "total >= 1 and upper(token) = 'A'";
        assert_eq!(walked(partly).await, ["1 a", "1 o'b\\", "2 ä"]);
        let all = ["1 a", "1 o'b\\", "2 a", "2 ä"];
        assert_eq!(walked("upper(token) = 'A'").await, all);
        assert!(walked("false").await.is_empty());

        let filled = "INSERT INTO reads_live.quote
            SELECT 3, CONCAT('t', seq.n), 5, NULL FROM (
                WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < 400)
                SELECT n FROM seq) AS seq;
            ANALYZE TABLE reads_live.quote";
        server.run(filled).await.unwrap();
        let guess = async |condition: &str| {
            let live = live(&layout, condition);
            let guess = source.estimate(&layout, Some(&live)).await.unwrap();
            guess.unwrap()
        };
        let (few, many) = (guess("store = 2").await, guess("store = 3").await);
        assert!(few <= 10 && many >= 100, "{few} and {many}");
        assert_eq!(guess("false").await, 0);
        let all = source.estimate(&layout, None).await.unwrap();
        assert!(all.is_some_and(|n| n >= many), "{all:?}");
    }
}

#[tokio::test]
async fn a_snapshot_sees_what_its_server_says_that_it_sees() {
    for server in servers() {
        let (source, layout) = shop(server, "reads_snapshot").await;
        let header = |reads: &[cartage::lanes::item::Read]| {
            let image = reads[0].image.as_ref().unwrap();
            texts(&image.header().unwrap().cells)[2].to_owned()
        };
        let cart = [CartKey::of(["1", "a"])];
        let change = |total: u32| {
            format!(
                "UPDATE reads_snapshot.quote SET total = {total} WHERE store = 1 AND token = 'a'"
            )
        };
        // Nobody else writes to this server while the transactions begin and end here.
        let begins = source.log_end().await.unwrap();
        server.run(&change(10)).await.unwrap();
        let ends = source.log_end().await.unwrap();
        let view = source.open().await.unwrap();
        server.run(&change(20)).await.unwrap();
        let (reads, _) = carts(&source, &layout, None, &cart).await.unwrap();
        source.close().await.unwrap();
        assert_eq!(header(&reads), "10.00");
        assert!(view.upto >= ends);
        let Source::Mysql(session) = &source else {
            panic!("another kind of source")
        };
        match &view.snapshot {
            Snapshot::Until(_) => {
                let of = |commit| TransactionId {
                    commit,
                    ..TransactionId::default()
                };
                assert!(view.snapshot.sees(&of(begins)));
                let later = source.snapshot().await.unwrap();
                assert!(!view.snapshot.sees(&of(view.upto)));
                assert!(later.sees(&of(view.upto)));
            }
            Snapshot::Passed(set, _) => {
                let now = session.facts().await.unwrap().passed.unwrap_or(set.clone());
                assert!(now.holds(set));
                assert!(
                    now != *set || now.is_empty(),
                    "the last change is not in the set"
                );
            }
            Snapshot::Postgres(_) => panic!("a snapshot of Postgres"),
        }
        assert!(source.log_end().await.unwrap() > ends);
        assert!(source.behind(begins).await.unwrap() > 0);
    }
}

#[tokio::test]
async fn open_writers_are_known_until_they_end() {
    for server in servers() {
        let (source, _) = shop(server, "reads_writers").await;
        let mut writer = server.conn(Some("reads_writers")).await.unwrap();
        for sql in ["BEGIN", "UPDATE quote SET total = 3 WHERE store = 2"] {
            writer.query_drop(sql).await.unwrap();
        }
        let open = waited(&source, |open| open.left_of(open) > 0).await;
        writer.query_drop("COMMIT").await.unwrap();
        let after = waited(&source, |now| now.left_of(&open) == 0).await;
        assert_eq!(after.left_of(&open), 0);
    }
}

async fn waited(
    source: &Source,
    good: impl Fn(&cartage::source::session::Writers) -> bool,
) -> cartage::source::session::Writers {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        // Each look takes its time by itself.
        let writers = source.writers().await.unwrap();
        if good(&writers) {
            return writers;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "the server's list of open transactions did not change: {writers:?}"
        );
    }
}

#[tokio::test]
async fn who_stops_waiting_for_an_answer_leaves_the_session_whole() {
    for server in servers() {
        let (source, _) = shop(server, "reads_cancelled").await;
        let Source::Mysql(session) = &source else {
            panic!("another kind of source")
        };
        let slow = session.query("SELECT sleep(0.3) AS slept");
        let given_up = tokio::time::timeout(Duration::from_millis(50), slow).await;
        assert!(given_up.is_err());
        let number = source.number("SELECT 42").await.unwrap();
        assert_eq!(number, Some(42.0));
    }
}

/// Of a key of several columns, with letters that its charset writes otherwise than ours.
#[tokio::test]
async fn keys_in_another_charset_are_read_together() {
    let shop = r"CREATE TABLE quote (
            store INT NOT NULL, token VARCHAR(20) CHARACTER SET latin1 NOT NULL,
            PRIMARY KEY (store, token)
        ) ENGINE = InnoDB;
        INSERT INTO quote VALUES (1, 'é'), (1, 'b\\'), (1, ''), (2, 'é'), (2, 'x');";
    for server in servers() {
        let made = "DROP DATABASE IF EXISTS reads_latin; CREATE DATABASE reads_latin";
        server.run(made).await.unwrap();
        server
            .run(&format!("SET NAMES utf8mb4; USE reads_latin; {shop}"))
            .await
            .unwrap();
        let source = Source::connect(&endpoint(server.url("reads_latin")), "test")
            .await
            .unwrap();
        let catalog = source.catalog(&["quote".to_owned()]).await.unwrap();
        let layout = Layout {
            tables: vec![Table {
                alias: "quote".into(),
                schema: "reads_latin".into(),
                name: "quote".into(),
                columns: catalog.tables[0].columns.iter().map(Column::from).collect(),
                key: vec![0, 1],
                cart: Some(vec![0, 1]),
                parent: None,
            }],
        };
        let keys = source.next_keys(&layout, None, None, 10).await.unwrap();
        assert_eq!(keys.len(), 5);
        source.open().await.unwrap();
        let (reads, rows) = carts(&source, &layout, None, &keys).await.unwrap();
        source.close().await.unwrap();
        assert_eq!(rows, 5);
        assert!(reads.iter().all(|read| read.image.is_some()));
    }
}

/// Two statements have made it, each of them shorter than the server takes.
#[tokio::test]
async fn a_row_that_is_longer_than_a_statement_may_be_is_read() {
    for programs in Programs::all().unwrap() {
        let options = Options::default().setting("max_allowed_packet", "1M");
        let server = Server::start_of(programs, options).await.unwrap();
        let made = "CREATE DATABASE reads_long; CREATE TABLE reads_long.t (
                id INT PRIMARY KEY, a LONGBLOB, b LONGBLOB) ENGINE = InnoDB;
            INSERT INTO reads_long.t VALUES (1, repeat('a', 900000), NULL);
            UPDATE reads_long.t SET b = repeat('b', 900000)";
        server.run(made).await.unwrap();
        let session = Session::connect(&endpoint(server.url("reads_long")), "test")
            .await
            .unwrap();
        let rows = session.query("SELECT a, b FROM t").await.unwrap();
        let length = |at: usize| rows[0].get::<Vec<u8>, _>(at).unwrap().len();
        assert_eq!((length(0), length(1)), (900_000, 900_000));
    }
}

//! Rows find each other by values, however these are written: blanks of a `char`, zeros of a
//! number. Types of which that cannot be known do not join rows.

use super::pipeline::{Pipeline, run};
use crate::scenario::daemon::refusal;
use crate::scenario::servers::{number, rows};
use crate::scenario::settled::{backfilled, settled};

const SOURCE: &str = "
    CREATE TABLE head (shop char(6), no numeric, note text, PRIMARY KEY (shop, no));
    CREATE TABLE lines (nr numeric PRIMARY KEY, shop char(9), no numeric(12,3), sku text,
                        FOREIGN KEY (shop, no) REFERENCES head);
    CREATE TABLE gifts (id integer PRIMARY KEY, line numeric(12,4) REFERENCES lines, kind text);
    ALTER TABLE lines REPLICA IDENTITY FULL; ALTER TABLE gifts REPLICA IDENTITY FULL;
    CREATE INDEX ON lines (shop, no); CREATE INDEX ON gifts (line);
    INSERT INTO head VALUES ('ab', 1.0, 'read'), ('ab', 20, 'read'), ('  x', 1e3, 'read');
    INSERT INTO lines VALUES (1.50, 'ab', 1.000, 'a'), (2, 'ab', 1, 'b'), (3.0, '  x', 1000, 'c');
    INSERT INTO gifts VALUES (1, 1.5, 'bow'), (2, 1.5, 'card'), (3, 3, 'bow');";

const TARGET: &str = "
    CREATE TABLE carts (shop char(6), no numeric, note text, skus text, PRIMARY KEY (shop, no));
    CREATE TABLE cart_lines (nr numeric PRIMARY KEY, shop char(6), note text, kinds text);
    CREATE TABLE cart_gifts (id integer PRIMARY KEY, kind text, sku text);";

const MAPPING: &str = r#"
[cart]
table = "head"
[cart.rows]
lines = { cart = ["shop", "no"] }
gifts = { parent = "lines", by = "line" }
[[into]]
table = "carts"
per = "head"
role = "header"
[into.columns]
shop = { key = "shop" }
no = { key = "no" }
note = "note"
skus = "string_agg(lines.sku, ',' order by lines.nr)"
[[into]]
table = "cart_lines"
per = "lines"
[into.columns]
nr = { key = "nr" }
shop = "header.shop"
note = "header.note"
kinds = "string_agg(gifts.kind, ',' order by gifts.id)"
[[into]]
table = "cart_gifts"
per = "gifts"
[into.columns]
id = { key = "id" }
kind = "kind"
sku = "parent.sku"
"#;

const PAIRS: &[(&str, &str)] = &[
    (
        "SELECT h.shop, h.no, h.note, string_agg(l.sku, ',' ORDER BY l.nr) FROM head h
         LEFT JOIN lines l ON (l.shop, l.no) = (h.shop, h.no) GROUP BY 1, 2, 3",
        "SELECT shop, no, note, skus FROM carts",
    ),
    (
        "SELECT l.nr, h.shop, h.note, string_agg(g.kind, ',' ORDER BY g.id) FROM lines l
         JOIN head h ON (l.shop, l.no) = (h.shop, h.no) LEFT JOIN gifts g ON g.line = l.nr
         GROUP BY 1, 2, 3",
        "SELECT nr, shop, note, kinds FROM cart_lines",
    ),
    (
        "SELECT g.id, g.kind, l.sku FROM gifts g JOIN lines l ON l.nr = g.line",
        "SELECT id, kind, sku FROM cart_gifts",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn rows_find_each_other_however_a_key_is_written() {
    let pipeline = Pipeline::create("types_keys", SOURCE, TARGET, MAPPING).await;
    let (source, target) = (&pipeline.shops.source, &pipeline.shops.target);
    let mut daemon = pipeline.start();
    backfilled(&mut daemon, target).await;
    let compare = async |when: &str| {
        let held = rows(target, "SELECT cart, message FROM cartage.held", "held").await;
        assert!(held.is_empty(), "{when}: {held:#?}");
        for (ours, theirs) in PAIRS {
            let expected = rows(source, ours, "source").await;
            assert!(!expected.is_empty());
            assert_eq!(rows(target, theirs, "target").await, expected, "{when}");
        }
    };
    compare("read").await;
    for statement in [
        "BEGIN; INSERT INTO head VALUES ('new', 7.00, 'logged');
         INSERT INTO lines VALUES (70, 'new', 7, 'd'), (71.0, 'new   ', 7.000, 'e');
         INSERT INTO gifts VALUES (70, 70.0, 'bow'), (71, 71, 'card'); COMMIT",
        "INSERT INTO lines VALUES (72, 'ab', 1.00, 'f')",
        "INSERT INTO gifts VALUES (72, 72.000, 'bow'), (73, 1.5, 'box')",
        "UPDATE lines SET sku = 'g' WHERE nr = 1.5",
        // The same row, written in another way.
        "UPDATE lines SET nr = 2.00 WHERE nr = 2",
        // To another line, and to another cart.
        "UPDATE gifts SET line = 70 WHERE id = 3",
        "UPDATE lines SET shop = 'new', no = 7.0 WHERE nr = 3",
        "UPDATE head SET note = 'noted'",
        "DELETE FROM gifts WHERE id = 1",
        "BEGIN; DELETE FROM gifts WHERE line = 71; DELETE FROM lines WHERE nr = 71; COMMIT",
    ] {
        run(source, statement, "source").await;
    }
    settled(&mut daemon, &pipeline.shops).await;
    compare("logged").await;
    // A key as somebody types it.
    crate::scenario::daemon::command(&pipeline.config, &["refresh", "ab|1.00"]);
    settled(&mut daemon, &pipeline.shops).await;
    assert_eq!(
        number(target, "SELECT count(*) FROM cartage.ledger").await,
        4
    );
    pipeline.assert_verified(4);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_with_many_texts_for_a_value_join_no_rows() {
    for (n, (ty, shown)) in [
        ("citext", "citext"),
        ("interval", "interval"),
        ("jsonb", "jsonb"),
        ("numeric[]", "numeric[]"),
        ("text COLLATE loose", "text"),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!(
            "CREATE EXTENSION citext;
             CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
             CREATE TABLE head (id {ty} PRIMARY KEY);
             CREATE TABLE lines (id integer PRIMARY KEY, head {ty} REFERENCES head)"
        );
        let target = "CREATE TABLE carts (id text PRIMARY KEY)";
        let mapping = "[cart]\ntable = \"head\"\n[cart.rows]\nlines = { cart = \"head\" }\n[[into]]\n\
                       table = \"carts\"\nper = \"head\"\nrole = \"header\"\n[into.columns]\n\
                       id = { key = \"cast(id as text)\" }\n";
        let name = format!("types_keys_{n}");
        let pipeline = Pipeline::create(&name, &source, target, mapping).await;
        let said = refusal(&pipeline.config, &["check"]);
        let message = format!("`head` finds its row by {shown}, of which the database takes");
        assert!(said.contains(&message), "{ty}:\n{said}");
    }
}

//! What `information_schema` says, read from real servers.

use cartage::catalog::{ForeignKey, TableKind};
use cartage::demo::mysql::Server;
use cartage::mysql::catalog::{Described, read};
use cartage::mysql::charset::Charset;
use cartage::mysql::connect::Flavor;
use cartage::mysql::types::Kind;
use cartage::sqltype::Class;

use super::{servers, session};

const TABLES: &str = r"
    CREATE TABLE quote (
        id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
        token VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'x',
        state ENUM('new','it''s','back\\slash') CHARACTER SET latin1,
        flags SET('a','b'),
        extra JSON,
        total DECIMAL(12,4) NOT NULL,
        twice DECIMAL(14,4) AS (total * 2) VIRTUAL,
        kept DECIMAL(14,4) AS (total * 2) STORED,
        at TIMESTAMP(3) NULL,
        place POINT,
        pad BINARY(8),
        UNIQUE KEY by_state (state, token),
        UNIQUE KEY by_part (token(4)),
        KEY by_total (total, at),
        FULLTEXT KEY words (token)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
    CREATE TABLE item (
        quote_id BIGINT UNSIGNED, nr INT, sku VARCHAR(9), PRIMARY KEY (quote_id, nr),
        CONSTRAINT of_quote FOREIGN KEY (quote_id) REFERENCES quote (id) ON DELETE CASCADE
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
    CREATE TABLE parted (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2;
    CREATE VIEW seen AS SELECT id FROM quote;
    CREATE TRIGGER after_item AFTER INSERT ON item FOR EACH ROW SET @x = 1;";

async fn described(server: &Server, database: &str) -> (Described, Flavor) {
    let mut session = session(server, database, TABLES).await;
    let names = [
        "quote",
        "item",
        "parted",
        "seen",
        "absent",
        "mysql.user",
        "quote",
    ];
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let described = read(&mut session, &names).await.unwrap();
    (described, session.server.flavor)
}

#[tokio::test]
async fn the_catalog_is_read_as_it_is() {
    for server in servers() {
        let (Described { catalog, tables }, _) = described(server, "catalog").await;
        assert_eq!(catalog.tables.len(), 5);
        assert_eq!(tables.len(), 5);
        assert!(catalog.find("absent").is_none());
        assert!(catalog.find("user").is_none(), "it is in another database");
        assert!(catalog.find("mysql.user").is_some());

        let quote = catalog.find("quote").unwrap();
        assert_eq!(
            (quote.schema.as_str(), quote.kind),
            ("catalog", TableKind::Ordinary)
        );
        assert_eq!(quote.primary_key, ["id"]);
        assert_eq!(quote.uniques, [vec!["id"], vec!["state", "token"]]);
        assert_eq!(
            quote.indexes,
            [
                vec!["id"],
                vec!["token"],
                vec!["state", "token"],
                vec!["total", "at"]
            ]
        );
        let id = quote.column("id").unwrap();
        assert!(id.identity && id.not_null && !id.has_default);
        assert_eq!(id.ty.class, Class::Numeric);
        let token = quote.column("token").unwrap();
        assert!(token.has_default && token.not_null && !token.ty.loose && !token.bytewise);
        assert_eq!(token.ty.length, Some(40));
        let state = quote.column("state").unwrap();
        assert_eq!(state.ty.labels, ["new", "it's", r"back\slash", ""]);
        assert!(!state.not_null && !state.has_default);
        assert_eq!(quote.column("total").unwrap().ty.numeric, Some((12, 4)));
        assert_eq!(quote.column("extra").unwrap().ty.class, Class::Json);
        assert_eq!(quote.column("at").unwrap().ty.fraction, Some(3));
        for (column, generated) in [("twice", true), ("kept", true), ("total", false)] {
            assert_eq!(
                quote.column(column).unwrap().generated,
                generated,
                "{column}"
            );
        }

        let item = catalog.find("item").unwrap();
        assert_eq!(item.primary_key, ["quote_id", "nr"]);
        assert!(item.column("sku").unwrap().ty.loose);
        assert_eq!(item.triggers, ["after_item"]);
        assert_eq!(
            item.foreign_keys,
            [ForeignKey {
                name: "of_quote".into(),
                columns: vec!["quote_id".into()],
                schema: "catalog".into(),
                table: "quote".into(),
                referenced: vec!["id".into()],
                on_delete_cascade: true,
                deferrable: false,
                enforced: false,
            }]
        );
        assert_eq!(catalog.find("parted").unwrap().kind, TableKind::Partitioned);
        assert_eq!(catalog.find("seen").unwrap().kind, TableKind::Other);
    }
}

#[tokio::test]
async fn the_log_reader_is_told_how_values_are_kept() {
    for server in servers() {
        let (Described { tables, .. }, flavor) = described(server, "kept").await;
        let quote = &tables[0];
        assert_eq!(
            (quote.name.as_str(), quote.engine.as_str()),
            ("quote", "InnoDB")
        );
        assert!(!quote.versioned);
        let kinds: Vec<&Kind> = quote.columns.iter().map(|c| &c.kind).collect();
        let text = |s: &str| s.to_owned();
        let json = match flavor {
            Flavor::MariaDb => Kind::Text(Charset::Utf8),
            Flavor::MySql => Kind::Json,
        };
        let bytes = 8;
        assert_eq!(
            kinds,
            [
                &Kind::Integer {
                    bytes,
                    unsigned: true
                },
                &Kind::Text(Charset::Latin1),
                &Kind::Enum(vec![text("new"), text("it's"), text(r"back\slash")]),
                &Kind::Set(vec![text("a"), text("b")]),
                &json,
                &Kind::Decimal,
                &Kind::Decimal,
                &Kind::Decimal,
                &Kind::Timestamp { fraction: 3 },
                &Kind::Foreign,
                &Kind::Binary { length: 8 },
            ]
        );
        let ordinals: Vec<u32> = quote.columns.iter().map(|c| c.ordinal).collect();
        assert_eq!(ordinals, (1..=11).collect::<Vec<_>>());
        let virtuals = quote.columns.iter().filter(|c| c.is_virtual);
        assert_eq!(
            virtuals.map(|c| c.name.as_str()).collect::<Vec<_>>(),
            ["twice"]
        );
        let key = &tables[1].foreign_keys[0];
        assert_eq!(key.on_delete, "CASCADE");
        assert!(
            matches!(key.on_update.as_str(), "RESTRICT" | "NO ACTION"),
            "{key:?}"
        );
    }
}

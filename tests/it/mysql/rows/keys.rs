//! Keys of every type that can be one.

use cartage::mapping::plan::Lock;
use cartage::mysql::connect::Flavor;

use super::{Sketch, Stand, assert_missed, cells, delete, insert, update};
use crate::mysql::servers;

/// A type, keys as we write them, and keys that are not there.
const KEYS: &[(&str, &[&str], &[&str])] = &[
    ("BIGINT UNSIGNED", &["0", "18446744073709551615"], &["1"]),
    (
        "DECIMAL(10,2)",
        &["1.50", "-0.01", "99999999.99"],
        &["1.51"],
    ),
    (
        "VARCHAR(9) CHARACTER SET latin1",
        &["é", "b'\\", ""],
        &["e"],
    ),
    (
        "VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        &["a", "A", "ж🛒"],
        &["a ", "á"],
    ),
    ("CHAR(9) CHARACTER SET utf8mb4", &["a  ", "b"], &["A"]),
    ("BINARY(3)", &["\\x01", "\\x010203"], &["\\x0102"]),
    ("VARBINARY(3)", &["\\x01", "\\x0100", "\\x"], &["\\x010000"]),
    ("DATE", &["2024-02-29", "0001-01-01"], &["2024-02-28"]),
    (
        "DATETIME(3)",
        &["2024-02-29 01:02:03.5"],
        &["2024-02-29 01:02:03"],
    ),
    (
        "TIMESTAMP(6)",
        &["2024-02-29 01:02:03.000001+00"],
        &["2024-02-29 01:02:03+00"],
    ),
    ("TIME(2)", &["-838:59:59", "01:02:03.25"], &["01:02:03"]),
    ("YEAR", &["2024", "0"], &["24", "2000"]),
    ("BIT(12)", &["0", "4095"], &["1"]),
    ("ENUM('x','1')", &["x", "1"], &["2"]),
    ("SET('b','a')", &["a,b", "", "a"], &["b", "3"]),
    ("FLOAT", &["0.1", "-3.4028235e+38", "0"], &["0.2"]),
    ("DOUBLE", &["0.1", "1e+300"], &["0.2"]),
];

const OF_MARIADB: &[(&str, &[&str], &[&str])] = &[
    ("UUID", &["0190163d-8694-739b-aea5-966c26f8ad91"], &[]),
    (
        "INET6",
        &["::ffff:192.168.0.1", "2001:db8:0:0::1"],
        &["::1"],
    ),
];

#[tokio::test]
async fn rows_are_found_by_keys_of_every_type() {
    for server in servers() {
        let others = match server.programs().flavor {
            Flavor::MariaDb => OF_MARIADB,
            Flavor::MySql => &[],
        };
        for (n, (ty, keys, absent)) in KEYS.iter().chain(others).enumerate() {
            for (m, lock) in [Lock::Counter("version".into()), Lock::Row]
                .into_iter()
                .enumerate()
            {
                let token = (lock != Lock::Row).then_some("1");
                let shop = format!(
                    "CREATE TABLE t (k {ty} NOT NULL, part INT, v INT, version INT DEFAULT 1, \
                     PRIMARY KEY (k, part)) ENGINE = InnoDB"
                );
                let sketch = Sketch::of("t", lock, &["k", "part"], &["v"]);
                let name = format!("rows_keys_{n}_{m}");
                let stand = Stand::open(server, &name, &shop, vec![sketch]).await;
                let mut lane = stand.lane().await;
                let each = |op: &dyn Fn() -> cartage::mapping::difference::RowOp, token| {
                    let writes = keys.iter().map(|k| stand.write(0, &[k, "1"], op(), token));
                    writes.collect::<Vec<_>>()
                };
                lane.apply(each(&|| insert(&["1"]), None)).await.unwrap();
                assert_missed(
                    lane.apply(each(&|| insert(&["1"]), None)).await,
                    keys.len() as u64,
                );
                let asked: Vec<[&str; 2]> = keys.iter().map(|k| [*k, "1"]).collect();
                let asked: Vec<_> = asked.iter().map(|k| (&k[..], cells(&["1"]))).collect();
                let found = stand.find(0, &asked).await;
                assert!(found.iter().all(Option::is_some), "{ty}: {found:?}");
                let other = absent.iter().map(|k| [*k, "1"]).chain([[keys[0], "2"]]);
                let other: Vec<[&str; 2]> = other.collect();
                let other: Vec<_> = other.iter().map(|k| (&k[..], cells(&["1"]))).collect();
                let found = stand.find(0, &other).await;
                assert!(found.iter().all(Option::is_none), "{ty}: {found:?}");
                lane.apply(each(&|| update(&["1"], &["2"]), token))
                    .await
                    .unwrap();
                let token = token.map(|_| "2");
                lane.apply(each(&|| delete(&["2"]), token)).await.unwrap();
                assert_eq!(stand.rows("SELECT count(*) FROM t").await, [["0"]]);
                stand.run(&format!("DROP DATABASE {name}")).await;
            }
        }
    }
}

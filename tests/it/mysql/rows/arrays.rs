//! Many rows of one shape, which MariaDB takes as arrays of values.

use cartage::mapping::difference::{RowOp, RowWrite};
use cartage::mapping::plan::Lock;
use cartage::mysql::connect::Flavor;
use cartage::target::session::Target;

use super::{Lane, Sketch, Stand, assert_missed, cells, delete, insert, update};
use crate::mysql::servers;

const ROWS: usize = 200;
const SHOP: &str = r"
    CREATE TABLE cart (
        id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, part BIGINT UNSIGNED,
        name LONGTEXT CHARACTER SET utf8mb4, total BIGINT, seen TIMESTAMP(6) NULL, version INT NOT NULL,
        PRIMARY KEY (id, part)
    ) ENGINE = InnoDB;";
const NAMES: &[&str] = &["name", "total", "seen"];
/// The largest number of such a key, which no float holds.
const PART: &str = "18446744073709551615";

async fn open(server: &'static cartage::demo::mysql::Server, database: &str) -> Stand<'static> {
    let lock = Lock::Counter("version".into());
    let sketch = Sketch::of("cart", lock, &["id", "part"], NAMES);
    Stand::open(server, database, SHOP, vec![sketch]).await
}

/// The statements that the lane's session has asked for, by the server's count.
async fn questions(lane: &Lane) -> u64 {
    let Target::Mysql(session) = &lane.target else {
        panic!("not of this kind");
    };
    let sql = "SHOW SESSION STATUS LIKE 'Questions'";
    let rows = session.query(sql.into(), Vec::new()).await.unwrap();
    let (_, count): (String, String) = mysql_async::from_row(rows.into_iter().next().unwrap());
    count.parse().unwrap()
}

fn first(at: usize) -> [String; 3] {
    let seen = "2026-01-02 03:04:05.000006+00";
    [format!("it's {at}"), format!("-{at}"), seen.to_owned()]
}

/// Every third has no name any more, and every fifth no total.
fn second(at: usize) -> [String; 3] {
    let unless = |by: usize, text: String| match at % by {
        0 => "NULL".to_owned(),
        _ => text,
    };
    [
        unless(3, format!("\\é😀 {at}")),
        unless(5, i64::MIN.to_string()),
        unless(7, "2026-01-02 03:04:05.999999+00".to_owned()),
    ]
}

fn texts(row: &[String; 3]) -> [&str; 3] {
    row.each_ref().map(|text| text.as_str())
}

fn write(stand: &Stand<'_>, id: &str, op: RowOp, token: Option<&str>) -> RowWrite {
    stand.write(0, &[id, PART], op, token)
}

/// All rows are as they are to be, with this version.
async fn assert_rows(stand: &Stand<'_>, row: impl Fn(usize) -> [String; 3], version: &str) {
    let ids: Vec<String> = (0..ROWS).map(|at| format!("k{at}")).collect();
    let keys: Vec<[&str; 2]> = ids.iter().map(|id| [id.as_str(), PART]).collect();
    let asked = keys.iter().enumerate();
    let asked: Vec<_> = asked
        .map(|(at, key)| (&key[..], cells(&texts(&row(at)))))
        .collect();
    let found = stand.find(0, &asked).await;
    for ((_, wanted), found) in asked.iter().zip(&found) {
        let found = found.as_ref().unwrap();
        assert_eq!(
            (&found.cells, found.token.as_deref()),
            (wanted, Some(version))
        );
    }
}

/// They are written by a few statements, and a row that is not as it was left undoes them all.
#[tokio::test]
async fn rows_of_one_shape_are_written_together_under_their_guards() {
    for server in servers() {
        let stand = open(server, "rows_arrays").await;
        let mut lane = stand.lane().await;
        let each = |op: &dyn Fn(usize) -> RowOp, token: Option<&str>| {
            let row = |at: usize| write(&stand, &format!("k{at}"), op(at), token);
            (0..ROWS).map(row).collect::<Vec<_>>()
        };
        let born = |at: usize| insert(&texts(&first(at)));
        lane.apply(each(&born, None)).await.unwrap();
        let before = questions(&lane).await;
        // Other columns change in every row: those that stay are set all the same.
        let change = |at: usize| RowOp::Update {
            old: cells(&texts(&first(at))),
            new: cells(&texts(&second(at))),
            changed: (0..NAMES.len()).collect(),
        };
        lane.apply(each(&change, Some("1"))).await.unwrap();
        let asked = questions(&lane).await - before;
        match server.programs().flavor {
            Flavor::MariaDb => assert!(asked < 20, "{asked} statements"),
            Flavor::MySql => assert!(asked as usize > ROWS, "{asked} statements"),
        }
        assert_rows(&stand, second, "2").await;
        // One has been changed by somebody else.
        stand
            .run("UPDATE cart SET version = 3 WHERE id = 'k77'")
            .await;
        let back = |at: usize| update(&texts(&second(at)), &texts(&first(at)));
        assert_missed(lane.apply(each(&back, Some("2"))).await, 1);
        let gone = |at: usize| delete(&texts(&second(at)));
        assert_missed(lane.apply(each(&gone, Some("2"))).await, 1);
        stand
            .run("UPDATE cart SET version = 2 WHERE id = 'k77'")
            .await;
        assert_rows(&stand, second, "2").await;
        lane.apply(each(&gone, Some("2"))).await.unwrap();
        assert_eq!(stand.rows("SELECT count(*) FROM cart").await, [["0"]]);
    }
}

/// What a collation takes for the same text is another row.
#[tokio::test]
async fn rows_that_only_a_collation_takes_for_ours_are_not_met() {
    for server in servers() {
        let stand = open(server, "rows_arrays_alike").await;
        let mut lane = stand.lane().await;
        let row = ["a", "1", "NULL"];
        let ids = ["a", "b", "C", "é"];
        let born = ids.map(|id| write(&stand, id, insert(&row), None));
        lane.apply(born.to_vec()).await.unwrap();
        let next = ["b", "1", "NULL"];
        for (wrong, missed) in [(["a", "b", "c", "é"], 1), (["A", "B", "C", "É"], 3)] {
            let writes = wrong.map(|id| write(&stand, id, update(&row, &next), Some("1")));
            assert_missed(lane.apply(writes.to_vec()).await, missed);
        }
        let writes = ids.map(|id| write(&stand, id, update(&row, &next), Some("1")));
        lane.apply(writes.to_vec()).await.unwrap();
        let names = stand.rows("SELECT DISTINCT name, version FROM cart").await;
        assert_eq!(names, [["b", "2"]]);
    }
}

/// More than one message takes goes in several, and each is counted.
#[tokio::test]
async fn rows_that_one_message_does_not_take_go_in_several() {
    for server in servers() {
        let stand = open(server, "rows_arrays_large").await;
        let mut lane = stand.lane().await;
        let sql = "SELECT @@global.max_allowed_packet DIV 7";
        let length: usize = stand.rows(sql).await[0][0].parse().unwrap();
        let large = "x".repeat(length);
        let ids: Vec<String> = (0..10).map(|at| format!("k{at}")).collect();
        let (none, row) = (["NULL", "1", "NULL"], [large.as_str(), "1", "NULL"]);
        for (op, token) in [(insert(&none), None), (update(&none, &row), Some("1"))] {
            let writes = ids.iter().map(|id| write(&stand, id, op.clone(), token));
            lane.apply(writes.collect()).await.unwrap();
        }
        let sql = format!("SELECT count(*) FROM cart WHERE length(name) = {length}");
        assert_eq!(stand.rows(&sql).await, [["10"]]);
    }
}

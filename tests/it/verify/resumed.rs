//! A verification that is killed goes on where it was; one that may not read waits, and says why.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use super::stand::{CARTS, Stand};

async fn goes_on(pair: &str) {
    let stand = Stand::open("resumed", pair, "").await;
    stand
        .in_new("UPDATE cart_line SET unit_price = unit_price + 1 WHERE line_id IN (31, 1991)")
        .await;
    let killed = async |place: &str, arguments: &[&str]| {
        let switches = [
            ("CARTAGE_BOUND", "verify-chunk=20,verify-notes=0"),
            ("CARTAGE_KILL", place),
        ];
        let mut command = stand.command(arguments, &switches);
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
        let ended = ended.await.unwrap();
        assert_eq!(ended.status.signal(), Some(9), "{ended:?}");
    };
    let done = "SELECT carts_done FROM cartage.verify_run WHERE finished_at IS NULL";
    let parked = "SELECT cart FROM cartage.verify_cart WHERE verdict = 'parked'";

    killed("verify.noted@4", &[]).await;
    assert_eq!(stand.number(done).await, 79, "80, one of them doubtful");
    assert_eq!(stand.texts(parked).await, ["3"]);
    // It is killed again, in the stage behind that.
    killed("verify.stage", &["--resume"]).await;
    assert_eq!(stand.number(done).await, CARTS);
    assert!(stand.texts(parked).await.is_empty());

    let said = stand.verify(&["--resume"], &[]).await;
    assert_eq!(said.code, Some(3), "{}", said.log);
    assert_eq!(said.document["resumed"], true);
    assert_eq!(said.count("equal"), CARTS - 2, "{}", said.document);
    assert_eq!(
        said.carts(),
        [3, 199],
        "found before it was killed, and after"
    );
    let runs =
        "SELECT count(*) FROM cartage.verify_run WHERE stage = 'done' AND finished_at IS NOT NULL";
    assert_eq!(stand.number(runs).await, 1, "it is one run");
    let again = stand.verify(&["--resume"], &[]).await;
    assert_eq!(again.code, Some(1));
    assert!(
        again.log.contains("no verification to resume"),
        "{}",
        again.log
    );
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_verification_goes_on_where_it_was() {
    for pair in ["pp", "mm"] {
        goes_on(pair).await;
    }
}

async fn waits(pair: &str) {
    let guard = "\n[reconcile]\nguard = { sql = \"select n from busy\", max = 0 }\n";
    let stand = Stand::open("waits", pair, guard).await;
    stand.in_old("CREATE TABLE busy (n INT)").await;
    stand.in_old("INSERT INTO busy VALUES (1)").await;
    let mut child = stand.command(&["--json"], &[]).spawn().unwrap();
    let waiting = "SELECT waiting FROM cartage.verify_run WHERE waiting IS NOT NULL";
    let deadline = Instant::now() + Duration::from_secs(30);
    let why = loop {
        if let Some(why) = stand.texts(waiting).await.pop() {
            break why;
        }
        assert!(Instant::now() < deadline, "it does not say that it waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(why, "the query of [reconcile] guard gives more than 0");
    let done = stand
        .number("SELECT max(carts_done) FROM cartage.verify_run")
        .await;
    assert_eq!(done, 0, "it read while the source was busy");
    stand.in_old("UPDATE busy SET n = 0").await;
    let ended = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let mut document = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut document)
            .unwrap();
        (child.wait().unwrap(), document, said)
    });
    let (status, document, said) = ended.await.unwrap();
    assert!(status.success(), "{said}");
    assert!(said.contains(&format!("waiting: {why}")), "{said}");
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["equal"], CARTS);
    assert!(
        document["waited_seconds"].as_f64().unwrap() >= 1.0,
        "{document}"
    );
    assert!(document["seconds"].as_f64() >= document["waited_seconds"].as_f64());
    assert!(stand.texts(waiting).await.is_empty());
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_while_the_source_is_busy_and_says_why() {
    for pair in ["pp", "mm"] {
        waits(pair).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reads_no_faster_than_it_may() {
    let stand = Stand::open("rate", "pp", "").await;
    // 800 rows; the last portion is not waited for.
    let begun = Instant::now();
    let bound = [("CARTAGE_BOUND", "verify-chunk=20")];
    let said = stand.verify(&["--rows-per-second", "400"], &bound).await;
    assert_eq!(said.code, Some(0), "{}", said.log);
    assert!(
        begun.elapsed() > Duration::from_millis(1_700),
        "{:?}",
        begun.elapsed()
    );
    stand.close().await;
}

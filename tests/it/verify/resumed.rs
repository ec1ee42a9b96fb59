//! A verification that is killed goes on where it was; one that may not read waits, and says why.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use super::stand::{CARTS, Stand};

/// A verification that is killed at a place.
async fn killed(stand: &Stand, place: &str, arguments: &[&str]) {
    let switches = [
        ("CARTAGE_BOUND", "verify-chunk=20,verify-notes=0"),
        ("CARTAGE_KILL", place),
    ];
    let mut command = stand.command(arguments, &switches);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    let ended = ended.await.unwrap();
    assert_eq!(ended.status.signal(), Some(9), "{ended:?}");
}

async fn goes_on(pair: &str) {
    let stand = Stand::open("resumed", pair, "").await;
    stand
        .in_new("UPDATE cart_line SET unit_price = unit_price + 1 WHERE line_id IN (31, 1991)")
        .await;
    let done = "SELECT carts_done FROM cartage.verify_run WHERE finished_at IS NULL";
    let parked = "SELECT cart FROM cartage.verify_cart WHERE verdict = 'parked'";

    killed(&stand, "verify.noted@4", &[]).await;
    assert_eq!(stand.number(done).await, 79, "80, one of them doubtful");
    assert_eq!(stand.texts(parked).await, ["3"]);
    // It is killed again, in the stage behind that.
    killed(&stand, "verify.stage", &["--resume"]).await;
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

/// What was found beside rows, and what the target has alone, is told as if it had never been killed.
async fn finds_what_is_alone(pair: &str) {
    // A total that only one cart has right.
    let more = "\n[reconcile]\nown = \"customer_email = 'storefront'\"\n\
                sums = [{ total = \"cart.cart_id\", of = \"cart_line\", value = \"1\" }]\n";
    let mut stand = Stand::open("alone", pair, more).await;
    stand
        .in_new(
            "INSERT INTO cart (cart_id, customer_email, currency_code) \
             VALUES (9001, NULL, 'eur'), (9002, 'storefront', 'eur'), (9003, 'x', 'eur')",
        )
        .await;
    let places = [
        "verify.noted@1",
        "verify.noted@7",
        "verify.stage",
        "verify.noted@12",
    ];
    for (place, late) in places.into_iter().zip(1..) {
        let whole = stand.verify(&[], &[]).await;
        let wrong = whole.count("sum_mismatch");
        assert!(wrong >= CARTS - 1, "{}", whole.document);
        killed(&stand, place, &[]).await;
        // A cart before all that it has passed: it counts next time, and is no stranger.
        stand
            .in_old(&format!(
                "INSERT INTO orders (id, email, currency) VALUES (-{late}, 'late', 'EUR')"
            ))
            .await;
        stand.settle().await;
        let said = stand.verify(&["--resume", "--limit", "1000"], &[]).await;
        let document = &said.document;
        assert_eq!(said.code, Some(3), "{place}: {document}\n{}", said.log);
        for of in ["equal", "sum_mismatch", "target_only"] {
            assert_eq!(said.count(of), whole.count(of), "{place}: {of}: {document}");
        }
        assert_eq!(said.count("target_only"), 2, "{place}: {document}");
        let keys = document["differences"].as_array().unwrap().iter();
        let alone = keys.filter(|d| d["kind"] == "target_only");
        let mut alone: Vec<&str> = alone.filter_map(|d| d["key"].as_str()).collect();
        alone.sort_unstable();
        assert_eq!(alone, ["9001", "9003"], "{place}: {document}");
    }
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_verification_finds_what_the_target_has_alone() {
    for pair in ["pp", "mm"] {
        finds_what_is_alone(pair).await;
    }
}

/// Few carts: those that were chosen are looked at, each once.
async fn goes_on_with_few(pair: &str) {
    let stand = Stand::open("few", pair, "").await;
    let asked = "SELECT cart FROM cartage.verify_cart WHERE verdict = 'asked'";
    let named: Vec<String> = (1..=50).chain(1..=5).map(|cart| cart.to_string()).collect();
    let mut arguments = vec!["--carts"];
    arguments.extend(named.iter().map(String::as_str));
    killed(&stand, "verify.noted@1", &arguments).await;
    let left = stand.texts(asked).await;
    assert_eq!(left.len(), 30, "{left:?}");
    stand
        .in_new("UPDATE cart SET customer_email = 'x' WHERE cart_id IN (5, 45)")
        .await;
    let said = stand.verify(&["--resume"], &[]).await;
    assert_eq!(said.carts(), [45], "{}\n{}", said.document, said.log);
    assert_eq!(said.count("equal"), 49, "{}", said.document);
    stand
        .in_new(
            "UPDATE cart SET customer_email = concat('c', cart_id, '@example.org') \
             WHERE cart_id IN (5, 45)",
        )
        .await;

    killed(&stand, "verify.noted@2", &["--sample", "100"]).await;
    let mut left: Vec<i64> = stand
        .texts(asked)
        .await
        .iter()
        .map(|cart| cart.parse().unwrap())
        .collect();
    left.sort_unstable();
    assert_eq!(left.len(), 60, "{left:?}");
    // A whole verification in between leaves it what it has to do.
    let whole = stand.verify(&[], &[]).await;
    assert_eq!(whole.code, Some(0), "{}\n{}", whole.document, whole.log);
    stand.in_new("UPDATE cart SET customer_email = 'x'").await;
    let said = stand.verify(&["--resume", "--limit", "1000"], &[]).await;
    assert_eq!(said.carts(), left, "{}\n{}", said.document, said.log);
    assert_eq!(said.count("equal"), 40, "{}", said.document);
    assert!(stand.texts(asked).await.is_empty());
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_verification_of_few_carts_goes_on_with_the_same() {
    for pair in ["pp", "mm"] {
        goes_on_with_few(pair).await;
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

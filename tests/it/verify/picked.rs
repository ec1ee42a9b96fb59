//! Some carts instead of all: a sample, those that have changed, those that are named.

use super::stand::{CARTS, Stand};

async fn a_sample(pair: &str) {
    let stand = Stand::open("sample", pair, "").await;
    let said = stand.verify(&["--sample", "50"], &[]).await;
    assert_eq!(
        (said.code, said.count("equal")),
        (Some(0), 50),
        "{}",
        said.log
    );
    // By chance one of them is another one next time.
    stand
        .in_new("UPDATE cart SET customer_email = 'x' WHERE cart_id > 100")
        .await;
    let said = stand.verify(&["--sample=60", "--limit=1000"], &[]).await;
    let different = said.count("different");
    assert_eq!(said.count("equal") + different, 60, "{}", said.document);
    // 60 of 200 are all of one half once in 10^18 times.
    assert!((1..60).contains(&different), "{different}");
    let said = stand.verify(&["--sample"], &[]).await;
    assert_eq!(said.count("carts_compared"), CARTS, "there are no thousand");
    let kinds = "SELECT asked FROM cartage.verify_run WHERE kind = 'sample' ORDER BY id";
    assert_eq!(stand.texts(kinds).await, ["50", "60", "1000"]);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_as_large_as_asked() {
    for pair in ["pp", "mm"] {
        a_sample(pair).await;
    }
}

async fn since(pair: &str) {
    let mut stand = Stand::open("since", pair, "").await;
    stand
        .in_old("UPDATE orders SET changed = '2026-03-01 12:00:00' WHERE id IN (7, 8, 150)")
        .await;
    stand.settle().await;
    stand
        .in_new("UPDATE cart SET customer_email = 'x' WHERE cart_id IN (8, 9)")
        .await;
    let said = stand.verify(&["--since", "2026-02-01"], &[]).await;
    assert_eq!(
        said.count("carts_compared"),
        3,
        "{}\n{}",
        said.document,
        said.log
    );
    assert_eq!(said.carts(), [8], "the other one has not changed");
    let said = stand
        .verify(&["--since", "2026-03-01T12:00:01Z"], &[])
        .await;
    assert_eq!((said.code, said.count("carts_compared")), (Some(0), 0));
    let said = stand.verify(&["--since", "soon"], &[]).await;
    assert_eq!(said.code, Some(2));
    assert!(
        said.log.contains("neither a duration nor a time"),
        "{}",
        said.log
    );
    let said = stand.verify(&["--carts", "8", "9", "10"], &[]).await;
    assert_eq!((said.carts(), said.count("equal")), (vec![8, 9], 1));
    stand.reconfigure("changed_at = \"changed\"\n", "");
    let said = stand.verify(&["--since", "2h"], &[]).await;
    assert_eq!(said.code, Some(2));
    assert!(said.log.contains("changed_at"), "{}", said.log);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn since_takes_what_has_changed() {
    for pair in ["pp", "mm"] {
        since(pair).await;
    }
}

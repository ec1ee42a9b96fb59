//! Where the lock cannot tell who wrote a row, `--repair` says what becomes of the carts before it does
//! anything.

use super::stand::Stand;

async fn says_so(pair: &str) {
    let stand = Stand::open("blind", pair, "").await;
    stand
        .in_new("UPDATE cart SET customer_email = 'x' WHERE cart_id = 9")
        .await;
    let said = stand.verify(&["--repair"], &[]).await;
    assert_eq!(said.code, Some(3), "{}\n{}", said.document, said.log);
    let note = said.document["repair"]["note"].as_str().unwrap_or_default();
    assert!(
        note.contains("lock = \"row\" tells no write"),
        "{}",
        said.document
    );
    assert!(note.contains("and stays: the cart is merged"), "{note}");
    // It is as it was said.
    let said = stand.verify(&["--repair", "--yes"], &[]).await;
    let repair = &said.document["repair"];
    assert_eq!(
        repair["carts"]["merged"], 1,
        "{}\n{}",
        said.document, said.log
    );
    assert_eq!(repair["note"], note, "{repair}");
    let email = "SELECT customer_email FROM cart WHERE cart_id = 9";
    assert_eq!(stand.texts(email).await, ["x"]);

    stand
        .in_new("UPDATE cart SET customer_email = 'y' WHERE cart_id = 10")
        .await;
    let arguments = ["--repair", "--take", "source"];
    let said = stand.verify(&arguments, &[]).await;
    assert!(
        said.document["repair"]["note"].is_null(),
        "{}",
        said.document
    );
    let said = stand
        .verify(&["--repair", "--take", "source", "--yes"], &[])
        .await;
    assert_eq!(said.code, Some(0), "{}\n{}", said.document, said.log);
    let email = "SELECT customer_email FROM cart WHERE cart_id = 10";
    assert_eq!(stand.texts(email).await, ["c10@example.org"]);
    if pair == "pp" {
        stand.reconfigure("lock = \"row\"", "lock = \"xmin\"");
        let said = stand.verify(&["--repair"], &[]).await;
        let note = said.document["repair"]["note"].as_str().unwrap_or_default();
        assert!(note.contains("lock = \"xmin\" moves"), "{}", said.document);
        stand.reconfigure("lock = \"xmin\"", "lock = \"row\"");
    }
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_says_where_the_lock_cannot_tell_drift_from_the_new_backend() {
    for pair in ["pp", "mm"] {
        says_so(pair).await;
    }
}

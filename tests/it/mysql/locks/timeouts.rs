//! A lock that is not free in time takes back one statement only: the rest of the transaction is still
//! there to be rolled back. And sessions that a DBA ends.

use std::time::Duration;

use cartage::demo::mysql::Programs;

use super::{Buyer, Stand};

/// Where a batch of all carts is stopped: at its beginning, amid the rows, in the message that ends
/// with its COMMIT.
const PLACES: [&str; 3] = [
    "SELECT lane FROM cartage_checkpoint FOR UPDATE",
    "SELECT id FROM cart WHERE id = 5 FOR UPDATE",
    "SELECT cart FROM cartage_ledger WHERE cart = '5' FOR UPDATE",
];

const NOTHING: &str = "1 1 1 1 1 1 1 1";

/// `n` copies of a number.
fn all(n: u32) -> String {
    [n.to_string().as_str(); 8].join(" ")
}

async fn hold(stand: &Stand, place: &str) -> Buyer {
    let mut buyer = stand.buyer().await;
    buyer.run("BEGIN").await;
    buyer.run(place).await;
    buyer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_not_free_in_time_is_waited_for_again() {
    for programs in Programs::all().unwrap() {
        // The limit on the time of statements is shorter: what is waited for is a lock all the same.
        let mut stand = Stand::open(programs, "1", Some(300)).await;
        for (n, place) in (2..).zip(PLACES) {
            let mut buyer = hold(&stand, place).await;
            let before = (stand.waits().await, all(n - 1));
            stand
                .old(&format!("UPDATE order_lines SET qty = {n}"))
                .await;
            while stand.waits().await < before.0 + 3 {
                assert_eq!(stand.versions().await, before.1, "half of a batch");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            buyer.run("COMMIT").await;
            stand.comes_to(&all(n), &all(n)).await;
            assert_eq!(stand.epoch().await, "1", "it began anew\n{}", stand.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_never_free_has_all_begin_anew_and_loses_nothing() {
    for programs in Programs::all().unwrap() {
        let mut stand = Stand::open(programs, "1", None).await;
        let mut buyer = hold(&stand, PLACES[1]).await;
        stand.old("UPDATE order_lines SET qty = 2").await;
        let anew = "SELECT epoch > 1 FROM cartage_pipeline";
        stand.until("the daemon to begin anew", anew).await;
        assert_eq!(stand.versions().await, NOTHING);
        buyer.run("COMMIT").await;
        stand.comes_to(&all(2), &all(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_within_a_batch_has_done_nothing() {
    for programs in Programs::all().unwrap() {
        let mut stand = Stand::open(programs, "100", None).await;
        let mut n = 1;
        for end in ["KILL", "KILL QUERY"] {
            for place in &PLACES[1..] {
                n += 1;
                let mut buyer = hold(&stand, place).await;
                stand
                    .old(&format!("UPDATE order_lines SET qty = {n}"))
                    .await;
                // A session of before the last beginning may be the one that is seen, and end by itself.
                let lane = loop {
                    let lane = stand.waiting(&[&buyer]).await;
                    if stand.server.run(&format!("{end} {lane}")).await.is_ok() {
                        break lane;
                    }
                };
                let gone = format!(
                    "SELECT count(*) = 0 FROM information_schema.innodb_trx \
                     WHERE trx_mysql_thread_id = {lane}"
                );
                if end == "KILL" {
                    stand.until("the session to end", &gone).await;
                }
                assert_eq!(stand.versions().await, all(n - 1), "half of a batch");
                buyer.run("COMMIT").await;
                stand.comes_to(&all(n), &all(n)).await;
            }
        }
    }
}

//! Every session of the daemon is cut, again and again, while the old shop sells.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::scenario::daemon::Daemon;
use crate::scenario::servers::connect;
use crate::scenario::settled::{backfilled, settled};

use super::shop::Shop;

const CUTS: usize = 3;
const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn cut_sessions_come_back_by_themselves() {
    let shop = Shop::open("protocol_connection_loss").await;
    let mut daemon = Daemon::start(&shop.config);
    backfilled(&mut daemon, &shop.shops.target).await;

    let writer = connect(&shop.shops.source_url).await;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let sales = tokio::spawn(async move {
        let mut sales = 0;
        while !*stopped.borrow_and_update() {
            let (order, line) = (sales % 200 + 1, 1_000_000 + sales);
            writer
                .batch_execute(&format!(
                    "BEGIN;
                     UPDATE order_lines SET qty = qty + 1 WHERE order_id = {order};
                     INSERT INTO order_lines VALUES ({line}, {order}, 'new', 1, 2.5);
                     DELETE FROM order_lines WHERE id = {line} - 50;
                     COMMIT"
                ))
                .await
                .unwrap();
            sales += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sales
    });
    for cut in 1..=CUTS {
        sever(&shop.shops.source, "source", cut, &mut daemon).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        sever(&shop.shops.target, "target", cut, &mut daemon).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    stop.send(true).unwrap();
    assert!(sales.await.unwrap() > 0, "nothing was sold meanwhile");

    settled(&mut daemon, &shop.shops).await;
    shop.assert_equal(&daemon).await;
    daemon.stop().await;
}

/// Ends the daemon's sessions in this database, as soon as it has any.
async fn sever(client: &Client, side: &str, cut: usize, daemon: &mut Daemon) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        // The test's own sessions have no name.
        let ended: i64 = client
            .query_one(
                "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name LIKE 'cartage%'",
                &[],
            )
            .await
            .unwrap()
            .get(0);
        assert!(daemon.alive(), "the daemon ended\n{}", daemon.log());
        if ended > 0 {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "waited {DEADLINE:?} for the daemon's sessions at the {side}, cut {cut}\n{}",
            daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! Repairs that are asked for at the same moment: each has its own number, and its own carts.

use cartage::cart::key::CartKey;
use cartage::config::Config;
use cartage::params;
use cartage::repair::{self, Order};
use cartage::target::session::Target;

use super::Stand;
use super::records::on_both;

const ROUNDS: i64 = 40;

async fn each_has_its_own(pair: &str) {
    let mut stand = Stand::open(pair, &format!("repair_askers_{pair}"), "").await;
    // Nobody does what is asked for.
    stand.stop().await;
    let config = Config::load(&stand.config).unwrap();
    let session = async || Target::connect_to_write(&config.target, "askers").await;
    let (one, other) = (session().await.unwrap(), session().await.unwrap());
    let third = session().await.unwrap();
    let pipeline = stand.number("SELECT id FROM cartage.pipeline").await;
    let pipeline = i32::try_from(pipeline).unwrap();
    for round in 0..ROUNDS {
        let key = |asker: i64| [CartKey::of([(round * 10 + asker).to_string().as_str()])];
        let [first, second, own] = [key(1), key(2), key(3)];
        let by_command = Order::by_command(false);
        let runs = tokio::try_join!(
            repair::ask(&one, pipeline, by_command, &first),
            repair::ask(&other, pipeline, by_command, &second),
            repair::ask(&third, pipeline, Order::by_daemon(false), &own),
        );
        let runs = runs.unwrap();
        for (run, carts) in [(runs.0, &first), (runs.1, &second), (runs.2, &own)] {
            let sql = "SELECT cart FROM cartage.repair_cart WHERE run = $1";
            let found = one.query(sql, params![run]).await.unwrap();
            let found: Vec<String> = found.iter().map(|row| row.get(0).unwrap()).collect();
            assert_eq!(found, [carts[0].as_str()], "{pair}: run {run} of {runs:?}");
        }
    }
    let left = "SELECT count(*) FROM cartage.repair_run WHERE asked_by = 'daemon'";
    assert_eq!(stand.number(left).await, ROUNDS);
}

on_both! {
    each_has_its_own
}

//! Hazard 27: a cart that changes between the look at it and the place that the log has come to.

use std::time::Duration;

use rustix::process::Signal;

use crate::scenario::daemon::{self, Daemon};
use crate::scenario::folder::Scenario;
use crate::scenario::play::{configure, load};
use crate::scenario::settled::{backfilled, settled};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_on_its_way_is_pending_and_no_difference() {
    let mut scenario = Scenario::load("basic");
    scenario.name = "hazards_moving".to_owned();
    let shops = load(&scenario, "hazards_moving").await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(&scenario, &scenario.config, &shops, folder.path());
    daemon::command(&config, &["setup", "--yes"]);
    let mut running = Daemon::start(&config);
    backfilled(&mut running, &shops.target).await;
    settled(&mut running, &shops).await;

    let verify = || {
        let config = config.clone();
        tokio::task::spawn_blocking(move || {
            daemon::json(&config, &["verify", "--json", "--carts", "7"])
        })
    };
    // Nobody brings it over: neither a difference, nor equal.
    running.signal(Signal::STOP);
    let change = "UPDATE orders SET email = 'moved@example.org' WHERE id = 7";
    shops.source.batch_execute(change).await.unwrap();
    let report = verify().await.unwrap();
    assert_eq!(report["pending"], 1, "{report}");
    assert_eq!(report["equal"], 0, "{report}");

    // It is brought over between the two looks at it.
    let looking = verify();
    tokio::time::sleep(Duration::from_secs(1)).await;
    running.signal(Signal::CONT);
    let report = looking.await.unwrap();
    assert_eq!(report["equal"], 1, "{report}");
    assert_eq!(report["pending"], 0, "{report}");

    // What nobody is about to bring over is a difference, whatever the log does.
    let drift = "UPDATE cart SET customer_email = 'drift@example.org' WHERE cart_id = 7";
    settled(&mut running, &shops).await;
    shops.target.batch_execute(drift).await.unwrap();
    let report = verify().await.unwrap();
    assert_eq!(report["pending"], 0, "{report}");
    assert_eq!(report["equal"], 0, "{report}");
    running.stop().await;
}

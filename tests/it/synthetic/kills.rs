//! A daemon that is killed at each step of a synthetic cart leaves nothing of it in the old shop.

use std::time::{Duration, Instant};

use cartage::switch::Place;

use super::shop::{Shop, ours};
use crate::scenario::daemon::{Daemon, command};
use crate::scenario::session::Asked as _;

/// With whether rows of ours are there when it dies.
const PLACES: [(Place, bool); 4] = [
    (Place::SyntheticBegun, false),
    (Place::SyntheticMade, true),
    (Place::SyntheticChanged, true),
    (Place::SyntheticRemoved, false),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_in_postgres() {
    killed("pp").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_in_mysql() {
    killed("mp").await;
}

async fn killed(pair: &str) {
    let shop = Shop::open(&format!("synthetic_kills_{pair}"), pair, "30s").await;
    shop.follow().await.stop().await;
    let first = ours(&shop).await;
    assert_eq!(first, 0);
    for (place, there) in PLACES {
        let visit = format!("{}@2", place.name());
        Daemon::start_with(&shop.config, &[("CARTAGE_KILL", &visit)])
            .killed()
            .await;
        assert_eq!(ours(&shop).await > 0, there, "{}", place.name());

        // The next daemon plays no cart of its own: what it finds is the former one's.
        let last = "SELECT max(n) FROM cartage.synthetic";
        let last = shop.shops.target.session.number_of(last).await;
        shop.edit("every = \"300ms\"", "every = \"1h\"");
        let mut daemon = Daemon::start(&shop.config);
        let open = format!(
            "SELECT count(*) FROM cartage.synthetic WHERE n <= {last} AND step = 'made'
             OR n > {last} AND step <> 'gone' OR (SELECT max(n) FROM cartage.synthetic) = {last}"
        );
        let deadline = Instant::now() + Duration::from_secs(60);
        while shop.shops.target.session.number_of(&open).await > 0 {
            assert!(daemon.alive(), "{}", daemon.log());
            assert!(
                Instant::now() < deadline,
                "{}\n{}",
                place.name(),
                daemon.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(ours(&shop).await, 0, "{}\n{}", place.name(), daemon.log());
        daemon.stop().await;
        shop.edit("every = \"1h\"", "every = \"300ms\"");
    }

    // A daemon that nobody starts again: the command does it, and so does teardown.
    let visit = format!("{}@1", Place::SyntheticMade.name());
    for clean in [&["synthetic", "cleanup"][..], &["teardown", "--yes"]] {
        Daemon::start_with(&shop.config, &[("CARTAGE_KILL", &visit)])
            .killed()
            .await;
        assert!(ours(&shop).await > 0);
        // Until its lanes have been quiet for long enough that it counts as gone.
        tokio::time::sleep(Duration::from_secs(11)).await;
        command(&shop.config, clean);
        assert_eq!(ours(&shop).await, 0, "{clean:?}");
    }
    assert_eq!(
        shop.shops.source.number("SELECT count(*) FROM quote").await,
        3
    );
}

//! Rule 14: a change of the mapping that is killed halfway goes on where it was.

use super::stall::Stall;
use crate::scenario::daemon::Daemon;

const SHOUTED: &str = "SELECT count(*) FROM cart WHERE note = 'NOTE'";

#[tokio::test]
async fn a_changed_mapping_killed_halfway_goes_on() {
    let stall = Stall::changed("remapped", &[("chunk_carts = 1000", "chunk_carts = 2")]).await;
    stall.follow().await.stop().await;
    let config = std::fs::read_to_string(&stall.config).unwrap();
    let shouting = config.replace("note  = \"note\"", "note  = \"upper(note)\"");
    assert_ne!(config, shouting);
    std::fs::write(&stall.config, shouting).unwrap();
    let switches = [("CARTAGE_KILL", "lane.after-commit@2")];
    let mut killed = Daemon::start_with(&stall.config, &switches);
    assert!(killed.ended().await.code().is_none(), "{}", killed.log());
    let done = stall.count(SHOUTED).await;
    assert!(
        (1..9).contains(&done),
        "halfway, not with {done} of 9 carts"
    );
    let mappings = "SELECT count(DISTINCT mapping) FROM cartage.ledger";
    assert_eq!(stall.count(mappings).await, 2);
    // What comes meanwhile comes under the new one.
    stall
        .old_shop("UPDATE orders SET email = 'new' WHERE id IN (1, 9)")
        .await;
    let mut daemon = Daemon::start(&stall.config);
    stall.settled(&mut daemon).await;
    assert_eq!(stall.count(SHOUTED).await, 9, "{}", daemon.log());
    assert_eq!(stall.count(mappings).await, 1);
    let patches = "SELECT max(patches) FROM cartage.ledger WHERE cart NOT IN ('1', '9')";
    assert_eq!(stall.count(patches).await, 2, "each cart was changed once");
    daemon.stop().await;
}

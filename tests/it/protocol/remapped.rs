//! Rule 14: a change of the mapping that is killed halfway goes on where it was.

use super::stall::Stall;
use super::wares::OPTIONS;
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

#[tokio::test]
async fn a_held_cart_outlives_a_mapping_that_is_taken_back() {
    let stall = Stall::open("taken_back").await;
    let daemon = stall.follow().await;
    // The new backend refuses what the source has to say of the cart, and what the other mapping has.
    stall
        .new_shop(
            "ALTER TABLE cart_line ADD CONSTRAINT no CHECK (cart_id <> 3) NOT VALID;
             CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE check_violation; END $$;
             CREATE TRIGGER no BEFORE DELETE ON cart_option
                 FOR EACH ROW WHEN (old.line_id = 31) EXECUTE FUNCTION no()",
        )
        .await;
    let held = "SELECT EXISTS (SELECT FROM cartage.held WHERE cart = '3')";
    stall
        .old_shop("UPDATE lines SET qty = 7 WHERE id = 31")
        .await;
    stall.until(&daemon, held).await;
    daemon.stop().await;
    // Without options, and lines without gifts.
    let config = std::fs::read_to_string(&stall.config).unwrap();
    let rows = "options = { parent = \"lines\", by = \"line_id\", key = \"id\" }";
    let gift = "  gift    = \"gift\"";
    let less = [OPTIONS, rows, gift]
        .iter()
        .fold(config.clone(), |text, part| {
            assert!(text.contains(part), "{part}");
            text.replace(part, "")
        });
    std::fs::write(&stall.config, less).unwrap();
    let mut daemon = Daemon::start(&stall.config);
    stall.settled(&mut daemon).await;
    stall
        .old_shop("UPDATE lines SET qty = 8, gift = 'ribbon' WHERE id = 31")
        .await;
    stall.settled(&mut daemon).await;
    assert_eq!(stall.count("SELECT count(*) FROM cartage.held").await, 1);
    let mappings = "SELECT count(DISTINCT mapping) FROM cartage.ledger";
    assert_eq!(stall.count(mappings).await, 2, "{}", daemon.log());
    daemon.stop().await;
    std::fs::write(&stall.config, config).unwrap();
    // This comes before any walk has read it again.
    stall
        .old_shop("INSERT INTO options VALUES (3112, 31, 'late')")
        .await;
    let mut daemon = Daemon::start(&stall.config);
    stall.settled(&mut daemon).await;
    stall
        .new_shop(
            "ALTER TABLE cart_line DROP CONSTRAINT no; DROP FUNCTION no CASCADE;
             UPDATE cartage.held SET retry_at = now()",
        )
        .await;
    let none = "SELECT NOT EXISTS (SELECT FROM cartage.held)";
    stall.until(&daemon, none).await;
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

//! A row that leaves one cart for nobody, and then enters another: two changes of two carts, which
//! two lanes see in either order. A cart that is told of it too early is held until the other has let
//! it go.

use cartage::cart::key::CartKey;
use cartage::lanes::item::lane_of;

use super::stall::Stall;
use crate::scenario::daemon::Daemon;

#[tokio::test]
async fn a_line_that_goes_to_and_fro_arrives_where_it_ends_whenever_cartage_is_killed() {
    let stall = Stall::changed("rejoined", &[("lanes = 1", "lanes = 2")]).await;
    let lane = |cart: &str| lane_of(&CartKey::of([cart]), 2);
    let mut others = ["1", "2", "3", "4", "5", "6", "8", "9"].into_iter();
    let other = others.find(|cart| lane(cart) != lane("7")).unwrap();
    let mut daemon = stall.follow().await;
    for round in 1..=150 {
        let to = ["NULL", other, "7", "NULL", "7", other][round % 6];
        stall
            .old_shop(&format!("UPDATE lines SET order_id = {to} WHERE id = 72"))
            .await;
        if round % 37 == 0 {
            daemon.kill();
            daemon = Daemon::start_with(&stall.config, &[]);
        }
    }
    stall.assert_equal(&mut daemon).await;
    daemon.stop().await;
}

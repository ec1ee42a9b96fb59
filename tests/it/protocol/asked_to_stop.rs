//! A map that says `"error"` of what it does not know stops the daemon before anything of the cart is
//! written; once the mapping knows the value, nothing is missing.

use std::fs;

use super::shop::Shop;
use crate::scenario::daemon::Daemon;
use crate::scenario::settled::settled;

const MAP: &str =
    "[map.coin]\nvalues = { EUR = 'eur', USD = 'usd', GBP = 'gbp' }\nunknown = 'error'\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_value_stops_the_daemon_until_the_map_has_it() {
    let shop = Shop::open("asked_to_stop").await;
    let text = fs::read_to_string(&shop.config).unwrap();
    let with = |map: &str| {
        let text = text.replacen("lower(currency)", "coin(currency)", 1);
        assert!(text.contains("coin(currency)"));
        fs::write(&shop.config, format!("{text}\n{map}")).unwrap();
    };
    with(MAP);
    let source = &shop.shops.source;
    let euros = "UPDATE orders SET currency = 'EUR'";
    source.batch_execute(euros).await.unwrap();
    let mut daemon = Daemon::start(&shop.config);
    settled(&mut daemon, &shop.shops).await;

    let change = "UPDATE orders SET currency = 'XTS', email = 'new@example.org' WHERE id = 7";
    source.batch_execute(change).await.unwrap();
    let code = daemon.ended().await.code();
    let log = daemon.log();
    assert_eq!(code, Some(4), "{log}");
    let message =
        "cart 7: public.cart.currency_code: coin does not know a value; change the mapping";
    assert!(log.contains(message), "{log}");
    assert!(!log.contains("XTS"), "{log}");
    let there = shop.shops.target.query(
        "SELECT FROM cart WHERE customer_email = 'new@example.org'",
        &[],
    );
    assert!(there.await.unwrap().is_empty(), "{log}");

    // Started again as it is, it stops again.
    let mut daemon = Daemon::start(&shop.config);
    assert_eq!(daemon.ended().await.code(), Some(4), "{}", daemon.log());
    with(&MAP.replacen("values = {", "values = { XTS = 'xts',", 1));
    let mut daemon = Daemon::start(&shop.config);
    settled(&mut daemon, &shop.shops).await;
    shop.assert_equal(&daemon).await;
    daemon.stop().await;
}

//! What `[reconcile]` names and the target does not have is told with its place.

use super::{CONFIG, ends};
use crate::scenario::daemon;
use crate::scenario::folder::{Expect, Scenario};
use crate::scenario::pair::Pair;
use crate::scenario::play::{create, write};

async fn refusals(pair: &str) {
    let name = format!("beyond_refused_{pair}");
    let target = format!(
        "{} CREATE TABLE remark (id integer PRIMARY KEY, points integer)",
        super::TARGET
    );
    let scenario = Scenario {
        name: name.clone(),
        pair: Pair::named(pair),
        source: super::SOURCE.to_owned(),
        target,
        config: CONFIG.replace("LOCK", "version"),
        stages: Vec::new(),
        oracle_source: String::new(),
        oracle_target: String::new(),
        expect: Expect::default(),
    };
    let shops = create(&scenario, &name).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |more: &str| {
        let text = format!("{}{more}", scenario.config);
        write(&scenario, &text, &shops, folder.path())
    };
    let config = write("");
    daemon::command(&config, &["setup", "--yes"]);
    let line = scenario.config.lines().count() + 3;
    let sum = |total: &str, of: &str, value: &str| {
        format!("sums = [{{ total = \"{total}\", of = \"{of}\", value = \"{value}\" }}]")
    };
    for (key, expected) in [
        (
            sum("cart.totl", "cart_line", "quantity"),
            "has no column `totl`",
        ),
        (
            sum("cart.total_minor", "cart_lines", "quantity"),
            "no table `cart_lines`",
        ),
        (
            sum("cart.total_minor", "remark", "points"),
            "nothing shows which columns of `remark`",
        ),
        (
            sum("cart.total_minor", "cart_line", "quantity * unit_price"),
            "the target refuses this",
        ),
        (
            "own = \"creator = 'x'\"".to_owned(),
            "the target refuses this",
        ),
    ] {
        let config = write(&format!("\n[reconcile]\n{key}\n"));
        let (code, out, log) = ends(&config, &[]);
        assert_eq!(code, 2, "{key}: {out}{log}");
        assert!(log.contains(expected), "{key}: {log}");
        assert!(log.contains(&format!(":{line}:")), "{key}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_target_does_not_have_is_refused_with_its_place() {
    refusals("pp").await;
    refusals("pm").await;
}

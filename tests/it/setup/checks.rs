//! `check` finds the mistakes that people make, and prints what mends them.

use std::path::Path;

use cartage::check::Verdict;
use cartage::config::Config;
use cartage::demo::cluster::Options;
use cartage::source::postgres::publication;

use super::{Ends, config, found};
#[tokio::test]
async fn a_log_level_of_replica_is_found_and_refused() {
    let ends = Ends::start(Options::default().setting("wal_level", "replica")).await;
    let finding = found(&ends.check().await, "log level", Verdict::Fail);
    assert_eq!(finding.sql.unwrap(), "ALTER SYSTEM SET wal_level = logical");
    assert!(ends.refused().await.contains("wal_level"));
}

#[tokio::test]
async fn a_replica_identity_without_the_cart_is_found_on_tables_and_partitions() {
    let ends = Ends::start(Options::default()).await;
    ends.old(
        "ALTER TABLE items REPLICA IDENTITY DEFAULT;
              ALTER TABLE notes_2 REPLICA IDENTITY NOTHING",
    )
    .await;
    let report = ends.check().await;
    let sql = report.sql();
    assert!(
        sql.contains("ALTER TABLE public.items REPLICA IDENTITY FULL;"),
        "{sql}"
    );
    assert!(
        sql.contains("ALTER TABLE public.notes_2 REPLICA IDENTITY FULL;"),
        "{sql}"
    );
    assert!(!sql.contains("notes_1"), "{sql}");
    assert!(ends.refused().await.contains("public.items"));
    // The printed statements mend it.
    ends.old(&sql).await;
    assert!(ends.check().await.is_well());
    ends.setup().await;
}

#[tokio::test]
async fn tables_that_are_missing_or_partitions_are_named() {
    let ends = Ends::start(Options::default()).await;
    ends.old("DROP TABLE notes").await;
    let finding = found(&ends.check().await, "source tables", Verdict::Fail);
    assert!(finding.message.contains("notes"), "{}", finding.message);
    assert!(ends.refused().await.contains("notes"));
    ends.old(
        "CREATE TABLE whole (id bigint, order_id bigint, PRIMARY KEY (id, order_id))
                  PARTITION BY RANGE (id);
              CREATE TABLE notes PARTITION OF whole DEFAULT",
    )
    .await;
    let finding = found(&ends.check().await, "source tables", Verdict::Fail);
    assert!(finding.message.contains("partition"), "{}", finding.message);

    ends.target.batch_execute("DROP TABLE line").await.unwrap();
    let finding = found(&ends.check().await, "target table", Verdict::Fail);
    assert!(finding.message.contains("line"), "{}", finding.message);
}

#[tokio::test]
async fn privileges_that_lack_are_printed_as_grants_that_mend_them() {
    let mut ends = Ends::start(Options::default()).await;
    ends.old("CREATE ROLE mover LOGIN").await;
    let with_role = |url: String| {
        url.replace("postgres@", "mover@")
            .replace("postgres:throwaway@", "mover@")
    };
    ends.config = config(
        &with_role(ends.cluster.url("old")),
        &with_role(ends.cluster.url("new")),
    );
    let report = ends.check().await;
    found(&report, "replication", Verdict::Fail);
    found(&report, "publication right", Verdict::Fail);
    found(&report, "read right", Verdict::Fail);
    found(&report, "write right", Verdict::Fail);
    found(&report, "control schema", Verdict::Fail);
    let sql = report.sql();
    let (source, target) = sql.split_once("-- on the target").unwrap();
    ends.old(source).await;
    let target = format!("--{target}");
    ends.target.batch_execute(&target).await.unwrap();
    // Publishing takes the owner of the tables: a superuser does it beforehand.
    found(&ends.check().await, "publication right", Verdict::Warn);
    assert!(ends.refused().await.contains("CREATE PUBLICATION"));
    let layout = ends.outline().await.layout;
    for sql in publication::statements("cartage_shop", None, &layout) {
        ends.old(&sql).await;
    }
    let report = ends.check().await;
    assert!(report.is_well(), "{}", report.text());
    ends.setup().await;
}

#[tokio::test]
async fn an_expression_that_does_not_fit_is_a_failure_with_its_place() {
    let mut ends = Ends::start(Options::default()).await;
    let good = ends.config.clone();
    ends.config = changed(&ends, "sku = \"sku\"", "sku = \"upper(skew)\"");
    let finding = found(&ends.check().await, "mapping", Verdict::Fail);
    assert!(finding.message.contains("skew"), "{}", finding.message);
    let place: Vec<&str> = finding.message.splitn(4, ':').collect();
    assert_eq!(place[0], "shop.toml");
    assert!(place[1].parse::<u32>().is_ok(), "{}", finding.message);

    ends.config = good;
    ends.config = changed(&ends, "keyed_id(id)", "id");
    let report = ends.check().await;
    assert!(
        found(&report, "guessable id", Verdict::Warn)
            .message
            .contains("keyed_id")
    );
}

fn changed(ends: &Ends, from: &str, to: &str) -> Config {
    let text = ends.config.text.replace(from, to);
    Config::parse(&text, Path::new("shop.toml")).unwrap()
}

#[tokio::test]
async fn the_new_backends_triggers_and_missing_indexes_are_warned_of() {
    let ends = Ends::start(Options::default()).await;
    ends.target
        .batch_execute(
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
             CREATE TRIGGER touch BEFORE UPDATE ON cart FOR EACH ROW EXECUTE FUNCTION touch();
             ALTER TABLE line ADD needed text NOT NULL",
        )
        .await
        .unwrap();
    let report = ends.check().await;
    assert!(
        found(&report, "triggers", Verdict::Warn)
            .message
            .contains("touch")
    );
    let finding = found(&report, "target column", Verdict::Fail);
    assert!(finding.message.contains("needed"), "{}", finding.message);
}

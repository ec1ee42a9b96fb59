//! Whether slot, publication and source are still the ones that the checkpoint speaks of.

use cartage::check::Verdict;
use cartage::demo::cluster::Options;
use cartage::source::postgres::identity::IdentityError;
use cartage::source::postgres::slot;

use super::{Ends, found};
#[tokio::test]
async fn a_table_dropped_from_the_publication_stops_and_setup_mends_it() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    ends.old("ALTER PUBLICATION cartage_shop DROP TABLE items")
        .await;
    let error = ends.verify().await.unwrap_err().to_string();
    assert!(error.contains("public.items"), "{error}");
    assert!(error.contains("ADD TABLE public.items"), "{error}");
    found(&ends.check().await, "publication", Verdict::Fail);
    ends.setup().await;
    ends.verify().await.unwrap();
    assert_eq!(ends.runs().await, 1, "changes may have passed meanwhile");

    // Filters and column lists are new in 15.
    if ends.cluster.version().await.unwrap() >= 150_000 {
        ends.old("ALTER PUBLICATION cartage_shop SET TABLE orders WHERE (id > 5), items (id, order_id), notes")
        .await;
        let error = ends.verify().await.unwrap_err().to_string();
        assert!(
            error.contains("filters the rows of public.orders"),
            "{error}"
        );
        assert!(
            error.contains("leaves out columns of public.items: sku, tags"),
            "{error}"
        );
    }
    ends.old("ALTER PUBLICATION cartage_shop SET (publish = 'insert', publish_via_partition_root = false)")
        .await;
    let error = ends.verify().await.unwrap_err().to_string();
    assert!(
        error.contains("leaves out update, delete, truncate"),
        "{error}"
    );
    ends.setup().await;
    ends.verify().await.unwrap();
    ends.old("DROP PUBLICATION cartage_shop").await;
    let error = ends.verify().await.unwrap_err();
    assert!(matches!(error, IdentityError::PublicationMissing(_)));
}

#[tokio::test]
async fn a_slot_that_was_dropped_or_made_anew_stops_and_setup_starts_over() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    ends.old("SELECT pg_drop_replication_slot('cartage_shop')")
        .await;
    assert!(matches!(
        ends.verify().await.unwrap_err(),
        IdentityError::SlotMissing(_)
    ));
    ends.old("INSERT INTO orders VALUES (1, 'cart', 'a', 1)")
        .await;
    slot::create(&ends.source, "cartage_shop").await.unwrap();
    assert!(matches!(
        ends.verify().await.unwrap_err(),
        IdentityError::SlotAhead { .. }
    ));
    found(&ends.check().await, "slot", Verdict::Fail);
    ends.setup().await;
    ends.verify().await.unwrap();
    assert_eq!(ends.runs().await, 1);

    ends.old("SELECT pg_drop_replication_slot('cartage_shop')")
        .await;
    ends.setup().await;
    ends.verify().await.unwrap();
    assert_eq!(ends.runs().await, 1, "the run before is over");

    ends.old(
        "SELECT pg_drop_replication_slot('cartage_shop');
              SELECT pg_create_logical_replication_slot('cartage_shop', 'test_decoding')",
    )
    .await;
    let error = ends.verify().await.unwrap_err().to_string();
    assert!(error.contains("test_decoding"), "{error}");
}

#[tokio::test]
async fn another_cluster_and_an_earlier_timeline_are_not_the_source() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    let set = |sql: &'static str| async { ends.target.batch_execute(sql).await.unwrap() };
    set("UPDATE cartage.pipeline SET source_timeline = 7").await;
    let error = ends.verify().await.unwrap_err();
    assert!(matches!(
        error,
        IdentityError::EarlierTimeline { was: 7, is: 1 }
    ));
    set("UPDATE cartage.pipeline SET source_timeline = 0").await;
    assert_eq!(
        ends.verify().await.unwrap().timeline,
        1,
        "as after a promotion"
    );
    // The other cluster's log had come further than this one's.
    set(
        "INSERT INTO cartage.ledger (pipeline, cart, state, lsn, seq, mapping, refreshed, image)
         SELECT id, '1', 'mirror', 'F/F', 3, 1, 'F/F', '' FROM cartage.pipeline",
    )
    .await;
    set("UPDATE cartage.pipeline SET source_system = '42'").await;
    let error = ends.verify().await.unwrap_err();
    assert!(matches!(error, IdentityError::OtherSystem { .. }));
    ends.setup().await;
    ends.verify().await.unwrap();
    assert_eq!(ends.runs().await, 1);
    let sql = "SELECT count(*) FROM cartage.ledger l JOIN cartage.checkpoint c USING (pipeline)
               WHERE l.refreshed IS NULL AND l.lsn <= c.lsn AND l.seq = 0";
    let row = ends.target.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1, "the cart counts as unread");
}

#[tokio::test]
async fn what_happens_to_partitions_behind_the_log_is_seen() {
    let ends = Ends::start(Options::default()).await;
    ends.setup().await;
    ends.old(
        "TRUNCATE notes_1; ALTER TABLE notes DETACH PARTITION notes_2;
              CREATE TABLE notes_3 PARTITION OF notes
                  FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
    )
    .await;
    let changes = ends.verify().await.unwrap().changes;
    let said: Vec<String> = changes
        .iter()
        .map(|c| format!("{} {}", c.object, c.what))
        .collect();
    assert_eq!(
        said,
        [
            "public.notes had its partition public.notes_1 truncated or rewritten",
            "public.notes lost its partition public.notes_2",
            "public.notes has a new partition public.notes_3",
        ]
    );
}

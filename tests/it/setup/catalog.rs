//! What the catalogs say, read from a real server.

use cartage::catalog::{Catalog, ReplicaIdentity, TableKind};
use cartage::demo::cluster::Options;

use super::Ends;
#[tokio::test]
async fn the_catalog_is_read_as_it_is() {
    let ends = Ends::start(Options::default()).await;
    ends.old(
        "CREATE SCHEMA other; CREATE TABLE other.orders (id integer);
              ALTER TABLE items ADD twice text GENERATED ALWAYS AS (sku || sku) STORED;
              CREATE UNIQUE INDEX ON items (order_id, sku);
              CREATE UNIQUE INDEX ON items (sku) WHERE sku <> '';
              CREATE UNIQUE INDEX by_state ON orders (state, id);
              ALTER TABLE orders REPLICA IDENTITY USING INDEX by_state;",
    )
    .await;
    let names = [
        "orders",
        "items",
        "notes",
        "notes_1",
        "other.orders",
        "absent",
    ];
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let catalog = Catalog::read(&ends.source, &names).await.unwrap();
    assert_eq!(catalog.tables.len(), 5);
    assert!(catalog.find("absent").is_none());
    assert_eq!(catalog.find("other.orders").unwrap().columns.len(), 1);

    let orders = catalog.find("orders").unwrap();
    assert_eq!(orders.schema, "public");
    assert_eq!(orders.primary_key, ["id"]);
    assert_eq!(orders.column("state").unwrap().ty.labels, ["new", "cart"]);
    let total = orders.column("total").unwrap();
    assert_eq!(total.ty.numeric, Some((10, 2)));
    assert!(total.not_null, "by its domain");
    assert_eq!(
        orders.replica_identity,
        ReplicaIdentity::Index(vec!["state".into(), "id".into()])
    );

    let items = catalog.find("items").unwrap();
    assert_eq!(items.replica_identity, ReplicaIdentity::Full);
    assert_eq!(
        items.uniques.len(),
        2,
        "not the partial one: {:?}",
        items.uniques
    );
    assert!(items.column("twice").unwrap().generated);
    assert!(items.foreign_keys[0].enforced && items.foreign_keys[0].on_delete_cascade);
    assert_eq!(items.foreign_keys[0].referenced, ["id"]);

    assert_eq!(catalog.find("notes").unwrap().kind, TableKind::Partitioned);
    assert_eq!(catalog.find("notes_1").unwrap().kind, TableKind::Leaf);
}

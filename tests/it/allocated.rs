//! Keys that the target allocates, against a real server: one for each source row, whoever asks, and
//! none where nothing may be written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cartage::cart::answers::Given;
use cartage::cart::image::{Cell, Image, Row};
use cartage::config::Config;
use cartage::lookup::{Asker, Open, Unallocated};
use cartage::mapping::map::Mapper;
use cartage::target::control::migrate::migrate;

use crate::lookup::mapper;
use crate::scenario::servers::Shops;

fn config(shops: &Shops) -> Config {
    let text = format!(
        r#"name = "allocated"
[source]
kind = "postgres"
url = "{}"
[target]
kind = "postgres"
url = "{}"
[cart]
table = "basket"
[[into]]
table = "order"
per = "basket"
role = "header"
[into.columns]
id = {{ allocated = true }}
follows = "allocated('order', follows)"
"#,
        shops.source_url, shops.target_url
    );
    Config::parse(&text, Path::new("allocated")).unwrap_or_else(|e| panic!("{e}"))
}

fn carts(mapper: &Mapper, ids: impl Iterator<Item = usize>) -> Vec<Image> {
    let cart = |n: usize| {
        let mut image = Image::empty(mapper.layout());
        let texts = [n.to_string(), (n + 1).to_string()];
        let cells = texts.iter().map(|t| Cell::Text(t.into())).collect();
        image.tables[0].push(Row { cells, stamp: 0 });
        image
    };
    ids.map(cart).collect()
}

async fn fill(asker: &Asker, mapper: &Mapper, images: &mut [Image]) {
    let open = images.iter_mut().map(|image| Open {
        image,
        again: false,
        frozen: None,
    });
    asker.fill(mapper, open.collect()).await.unwrap();
}

/// By source key, as the carts have them.
fn keys(images: &[Image]) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    for answer in images.iter().flat_map(|image| image.answers.iter()) {
        let Given::Row(cells) = &answer.given else {
            panic!("{answer:?}");
        };
        let key = cells[0].text().unwrap().to_owned();
        let before = keys.insert(answer.question.args.join("|"), key.clone());
        assert!(
            before.is_none_or(|before| before == key),
            "two keys for one row"
        );
    }
    keys
}

async fn shops(name: &str) -> (Shops, Config) {
    let shops = Shops::create(name).await;
    let source = "CREATE TABLE basket (id integer PRIMARY KEY, follows integer)";
    shops.source.batch_execute(source).await.unwrap();
    let target = "CREATE TABLE \"order\" (id serial PRIMARY KEY, follows integer)";
    shops.target.batch_execute(target).await.unwrap();
    let config = config(&shops);
    (shops, config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_row_has_one_key_whoever_asks_at_once() {
    let (shops, config) = shops("allocated_at_once").await;
    migrate(&config.target).await.unwrap();
    let sql = "INSERT INTO cartage.pipeline (name) VALUES ('allocated')";
    shops.target.batch_execute(sql).await.unwrap();
    let mut sessions = Vec::new();
    for at in 0..4 {
        let mapper = mapper(&config).await;
        let asker = Asker::connect(&config, &mapper.mapping, Unallocated::Allocate).await;
        sessions.push((at, mapper, asker.unwrap()));
    }
    // Each asks for the same rows, some from the front and some from the back, and cuts them
    // otherwise.
    let tasks = sessions.into_iter().map(|(at, mapper, asker)| {
        tokio::spawn(async move {
            let mut images = carts(&mapper, 0..3_000);
            if at % 2 == 1 {
                images.reverse();
            }
            for part in images.chunks_mut(70 + 30 * at) {
                fill(&asker, &mapper, part).await;
            }
            keys(&images)
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    assert_eq!(seen[0].len(), 3_001);
    assert!(seen.iter().all(|keys| *keys == seen[0]));
    let different: BTreeSet<&String> = seen[0].values().collect();
    assert_eq!(different.len(), 3_001, "no two rows share a key");

    // A daemon that died before it wrote a cart, and the next one: the map is all that is left.
    let mapper = mapper(&config).await;
    let asker = Asker::connect(&config, &mapper.mapping, Unallocated::Allocate).await;
    let mut images = carts(&mapper, 0..3_000);
    fill(&asker.unwrap(), &mapper, &mut images).await;
    assert_eq!(keys(&images), seen[0]);
    // The new shop's own rows are beside them.
    let sql = "INSERT INTO \"order\" DEFAULT VALUES RETURNING id::text";
    let own: String = shops.target.query_one(sql, &[]).await.unwrap().get(0);
    assert!(!different.contains(&own));
}

#[tokio::test]
async fn a_sequence_that_was_set_back_gives_nothing_twice() {
    let (shops, config) = shops("allocated_set_back").await;
    migrate(&config.target).await.unwrap();
    let sql = "INSERT INTO cartage.pipeline (name) VALUES ('allocated')";
    shops.target.batch_execute(sql).await.unwrap();
    let mapper = mapper(&config).await;
    let asker = Asker::connect(&config, &mapper.mapping, Unallocated::Allocate).await;
    let asker = asker.unwrap();
    let mut before = carts(&mapper, 0..5);
    fill(&asker, &mapper, &mut before).await;
    let sql = "SELECT setval('order_id_seq', 1)";
    shops.target.batch_execute(sql).await.unwrap();
    let mut after = carts(&mapper, 100..120);
    fill(&asker, &mapper, &mut after).await;
    let (before, after) = (keys(&before), keys(&after));
    let all: BTreeSet<&String> = before.values().chain(after.values()).collect();
    assert_eq!(all.len(), before.len() + after.len());
}

#[tokio::test]
async fn who_only_looks_allocates_nothing() {
    let (shops, config) = shops("allocated_looks").await;
    let mapper = mapper(&config).await;
    let mut images = carts(&mapper, 5..6);
    // Before setup there is no map.
    let asker = Asker::connect(&config, &mapper.mapping, Unallocated::Show).await;
    fill(&asker.unwrap(), &mapper, &mut images).await;
    let shown = keys(&images);
    assert_eq!(shown["5"], "(not allocated yet: order 5)");
    assert!(mapper.map(&images[0]).is_ok(), "it is still shown");

    migrate(&config.target).await.unwrap();
    let sql = "INSERT INTO cartage.pipeline (name) VALUES ('allocated')";
    shops.target.batch_execute(sql).await.unwrap();
    let mut images = carts(&mapper, 5..6);
    let asker = Asker::connect(&config, &mapper.mapping, Unallocated::Leave).await;
    fill(&asker.unwrap(), &mapper, &mut images).await;
    assert!(images[0].answers.iter().all(|a| a.given == Given::Missing));
    let sql = "SELECT (SELECT count(*) FROM cartage.key_map),
               (SELECT is_called::int::bigint FROM order_id_seq)";
    let row = shops.target.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 0));
}

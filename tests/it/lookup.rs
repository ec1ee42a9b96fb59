//! Lookups against real servers: many carts take few statements, and what was not found is asked again.

use std::path::Path;

use cartage::cart::answers::Given;
use cartage::cart::image::{Cell, Image, Row};
use cartage::config::Config;
use cartage::lookup::{Asker, Open, Unallocated};
use cartage::mapping::compile::compile;
use cartage::mapping::expr::IdKey;
use cartage::mapping::map::Mapper;
use cartage::source::Source;
use cartage::target::session::Target;

use crate::scenario::servers::Shops;

const CARTS: usize = 2_500;

fn config(shops: &Shops) -> Config {
    let text = format!(
        r#"name = "lookup-batches"
[source]
kind = "postgres"
url = "{}"
[target]
kind = "postgres"
url = "{}"
[cart]
table = "quote"
[lookup.product]
on = "source"
table = "product"
match = "id"
get = "sku"
missing = "null"
[lookup.variant]
on = "target"
table = "variant"
match = "sku"
get = ["id", "title"]
missing = "null"
[[into]]
table = "cart"
per = "quote"
role = "header"
[into.columns]
id = {{ key = "id" }}
variant = "variant(product(product_id)).id"
title = "variant(product(product_id)).title"
"#,
        shops.source_url, shops.target_url
    );
    Config::parse(&text, Path::new("lookup")).unwrap_or_else(|e| panic!("{e}"))
}

/// The configuration's mapping, compiled against both servers.
pub async fn mapper(config: &Config) -> Mapper {
    let source = Source::connect(&config.source, "test").await.unwrap();
    let target = Target::connect(&config.target, "test").await.unwrap();
    let source = source.catalog(&config.source_schema()).await.unwrap();
    let target = target.catalog(&config.target_schema()).await.unwrap();
    let compiled = compile(config, &source, &target).unwrap_or_else(|e| panic!("{e}"));
    Mapper {
        mapping: compiled.mapping,
        id: 1,
        secret: IdKey::of(b"k"),
    }
}

/// Carts of a quarter as many products, each with one more whose product nobody has.
fn images(mapper: &Mapper) -> Vec<Image> {
    let names: Vec<&str> = mapper.layout().tables[0]
        .columns
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["id", "product_id"]);
    let cart = |n: usize| {
        let mut image = Image::empty(mapper.layout());
        let texts = [n.to_string(), (n % (CARTS / 4)).to_string()];
        let cells = texts.iter().map(|t| Cell::Text(t.into())).collect();
        image.tables[0].push(Row { cells, stamp: 0 });
        image
    };
    (0..CARTS).map(cart).collect()
}

async fn fill(asker: &Asker, mapper: &Mapper, images: &mut [Image], again: bool) -> u64 {
    let before = asker.statements();
    let frozen = None;
    let open = images.iter_mut().map(|image| Open {
        image,
        again,
        frozen,
    });
    asker.fill(mapper, open.collect()).await.unwrap();
    asker.statements() - before
}

fn missing(images: &[Image]) -> usize {
    let answers = images.iter().flat_map(|image| image.answers.iter());
    answers.filter(|a| a.given == Given::Missing).count()
}

#[tokio::test]
async fn many_carts_take_few_statements() {
    let shops = Shops::create("lookup_batches").await;
    let source = "CREATE TABLE quote (id integer PRIMARY KEY, product_id integer);
        CREATE TABLE product (id integer PRIMARY KEY, sku text);
        INSERT INTO product SELECT n, 's' || n FROM generate_series(0, 10000) n";
    shops.source.batch_execute(source).await.unwrap();
    let target = "CREATE TABLE cart (id integer PRIMARY KEY, variant text, title text);
        CREATE TABLE variant (id text PRIMARY KEY, sku text UNIQUE, title text);
        INSERT INTO variant SELECT 'v' || n, 's' || n, 't' || n FROM generate_series(1, 10000) n";
    shops.target.batch_execute(target).await.unwrap();
    let config = config(&shops);
    let mapper = mapper(&config).await;
    let asker = Asker::connect(&config, &mapper.mapping, Unallocated::Allocate)
        .await
        .unwrap();

    // Two links, and 625 products: a statement for each.
    let mut carts = images(&mapper);
    assert_eq!(fill(&asker, &mapper, &mut carts, false).await, 2);
    assert_eq!(missing(&carts), 4, "product 0 has no variant");
    let rows = mapper.map(&carts[7]).unwrap();
    let texts: Vec<_> = rows[0].cells.iter().map(Cell::text).collect();
    assert_eq!(texts, [Some("v7"), Some("t7")]);

    // What the images hold is not asked, and other carts are served from memory.
    assert_eq!(fill(&asker, &mapper, &mut carts, false).await, 0);
    let mut others = images(&mapper);
    others.truncate(100);
    others.remove(0);
    assert_eq!(fill(&asker, &mapper, &mut others, false).await, 0);

    // Frozen until it is asked again; then only for what was not found.
    let more = "INSERT INTO variant VALUES ('v0', 's0', 't0')";
    shops.target.batch_execute(more).await.unwrap();
    fill(&asker, &mapper, &mut carts, false).await;
    assert_eq!(missing(&carts), 4);
    assert_eq!(fill(&asker, &mapper, &mut carts, true).await, 1);
    assert_eq!(missing(&carts), 0);
}

//! Lookups: what is refused, what they are asked for, and that their answers are frozen.

use super::*;
use crate::cart::answers::{Answer, Given, Question};
use crate::cart::image::{Cell, Image, Row};
use crate::mapping::expr::IdKey;
use crate::mapping::map::{MapError, Mapper, TargetRow};

fn with_variants(mut target: Catalog) -> Catalog {
    target.tables.push(table(
        "variant",
        "id integer not null, sku text, title text, gone text, shape json",
    ));
    target
}

fn with_products(mut source: Catalog) -> Catalog {
    source
        .tables
        .push(table("product", "id bigint not null, sku text"));
    source
}

/// `more` stands within `[lookup.variant]`; `sku` and `code` are expressions for those columns.
fn text(more: &str, sku: &str, code: &str) -> String {
    let lookups = format!(
        "[lookup.variant]\non = 'target'\ntable = 'variant'\nmatch = ['sku']\n\
         get = ['id', 'title']\n{more}\n\
         [lookup.product]\non = 'source'\ntable = 'product'\nmatch = ['id']\nget = 'sku'\n[[into]]"
    );
    MAPPING
        .replacen("[[into]]", &lookups, 1)
        .replace("sku = \"sku\"", &format!("sku = \"{sku}\""))
        .replace("lower(email)", code)
}

fn compile_text(text: &str) -> Result<Compiled, String> {
    try_compile(text, &with_products(source()), &with_variants(target()))
        .map_err(|e| e.render(false))
}

fn mapper(text: &str) -> Mapper {
    let mapping = compile_text(text).unwrap_or_else(|e| panic!("{e}")).mapping;
    Mapper {
        mapping,
        id: 1,
        secret: IdKey::of(b"k"),
    }
}

fn row(texts: &[&str]) -> Row {
    let cell = |text: &&str| match *text {
        "-" => Cell::Null,
        text => Cell::Text(text.into()),
    };
    Row {
        cells: texts.iter().map(cell).collect(),
        stamp: 0,
    }
}

/// A cart with a line for each sku.
fn cart(mapper: &Mapper, skus: &[&str]) -> Image {
    let mut image = Image::empty(mapper.layout());
    image.tables[0].push(row(&["1", "cart", "A@b", "-"]));
    for (at, sku) in skus.iter().enumerate() {
        image.tables[1].push(row(&[&at.to_string(), "1", sku, "1"]));
    }
    image
}

fn question(lookup: usize, arg: &str) -> Question {
    Question {
        lookup,
        args: [arg.into()].into(),
    }
}

fn answer(image: &mut Image, lookup: usize, arg: &str, given: Given) {
    let question = question(lookup, arg);
    image.answers.put(Answer { question, given });
}

fn found(texts: &[&str]) -> Given {
    Given::Row(row(texts).cells)
}

fn asked(mapper: &Mapper, image: &Image) -> Vec<(usize, String)> {
    let each = mapper.asks(image).into_iter();
    each.map(|q| (q.lookup, q.args.join("|"))).collect()
}

fn skus(rows: &[TargetRow]) -> Vec<Option<String>> {
    let lines = rows.iter().filter(|row| row.into == 1);
    let sku = |row: &TargetRow| row.cells[1].text().map(str::to_owned);
    lines.map(sku).collect()
}

#[test]
fn what_a_cart_asks_is_known_before_and_its_answers_are_frozen() {
    let mapper = mapper(&text("", "variant(sku).title", "email"));
    let mut image = cart(&mapper, &["a", "b", "a", "-"]);
    let all = [(0, "a".to_owned()), (0, "b".to_owned())];
    assert_eq!(asked(&mapper, &image), all);
    assert!(mapper.map(&image).unwrap_err().is_unasked());
    answer(&mut image, 0, "a", found(&["1", "Apple"]));
    answer(&mut image, 0, "b", found(&["2", "-"]));
    // What has an answer is still asked: only what is asked no more is forgotten.
    assert_eq!(asked(&mapper, &image), all);
    let rows = mapper.map(&image).unwrap();
    let apple = Some("Apple".to_owned());
    assert_eq!(skus(&rows), [apple.clone(), None, apple, None]);
    let read = crate::cart::codec::decode(&crate::cart::codec::encode(&image)).unwrap();
    assert_eq!(mapper.map(&read).unwrap(), rows);
}

#[test]
fn a_chain_comes_to_light_link_by_link() {
    let chain = "coalesce(variant(product(id)).title, sku)";
    let mapper = mapper(&text("", chain, "email"));
    let mut image = cart(&mapper, &["x"]);
    assert_eq!(asked(&mapper, &image), [(1, "0".to_owned())]);
    answer(&mut image, 1, "0", found(&["a"]));
    let both = [(0, "a".to_owned()), (1, "0".to_owned())];
    assert_eq!(asked(&mapper, &image), both);
    answer(&mut image, 0, "a", found(&["1", "Apple"]));
    assert_eq!(skus(&mapper.map(&image).unwrap()), [Some("Apple".into())]);
}

#[test]
fn only_the_branch_that_is_taken_asks() {
    let case = "case when quantity > 5 then variant(sku).title else 'few' end";
    let mapper = mapper(&text("", case, "email"));
    let image = cart(&mapper, &["a"]);
    assert_eq!(asked(&mapper, &image), []);
    assert_eq!(skus(&mapper.map(&image).unwrap()), [Some("few".into())]);
}

#[test]
fn what_is_not_found_is_as_the_mapping_says() {
    let outcome = |more: &str, given: Given| {
        let mapper = mapper(&text(more, "variant(sku).title", "email"));
        let mut image = cart(&mapper, &["a", "b"]);
        answer(&mut image, 0, "a", given);
        answer(&mut image, 0, "b", found(&["2", "Bread"]));
        mapper.map(&image).map(|rows| skus(&rows))
    };
    let bread = Some("Bread".to_owned());
    let held = outcome("", Given::Missing).unwrap_err();
    assert!(held.is_unknown(), "{held}");
    assert!(outcome("", Given::Ambiguous).unwrap_err().is_unknown());
    let null = outcome("missing = 'null'", Given::Missing);
    assert_eq!(null, Ok(vec![None, bread.clone()]));
    let skip = outcome("missing = 'skip'", Given::Missing);
    assert_eq!(skip, Ok(vec![bread.clone()]));
    let skip = outcome("ambiguous = 'skip'", Given::Ambiguous);
    assert_eq!(skip, Ok(vec![bread]));
    let stop: MapError = outcome("missing = 'error'", Given::Missing).unwrap_err();
    assert!(stop.is_stop(), "{stop}");
    assert!(stop.to_string().contains("lookup `variant`"), "{stop}");
}

#[test]
fn a_stored_mapping_calls_the_same_lookups() {
    let text = text("where = 'gone is null'", "variant(sku).title", "email");
    let compiled = compile_text(&text).unwrap();
    let json = serde_json::to_string(&compiled.schemas).unwrap();
    let schemas: StoredSchemas = serde_json::from_str(&json).unwrap();
    let again = recompile(&compiled.text, &schemas).unwrap();
    assert_eq!(again.lookups, compiled.mapping.lookups);
    assert_eq!(again.lookups[0].filter_columns[0].name, "gone");
    let other = text.replace("gone is null", "gone is not null");
    assert_ne!(compile_text(&other).unwrap().hash, compiled.hash);
}

#[test]
fn mistakes_are_named() {
    for (more, sku, expected) in [
        (
            "",
            "variant(sku)",
            "`variant` gets several columns: write variant(…).id",
        ),
        (
            "",
            "variant(sku).shape",
            "`variant` does not get a column shape",
        ),
        (
            "",
            "variant(sku, id).id::text",
            "`variant` is called with (sku)",
        ),
        (
            "",
            "product(sku)",
            "`product` matches id, which is bigint, and this is text",
        ),
        ("", "varian(sku)", "no function and no lookup `varian`"),
        ("where = 'lost'", "sku", "no column lost"),
        ("where = '1 / id = 1'", "sku", "can fail, and this must not"),
    ] {
        let refused = compile_text(&text(more, sku, "email")).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
    let by_json = text("", "sku", "email").replace("match = ['sku']", "match = ['shape']");
    let refused = compile_text(&by_json).unwrap_err();
    assert!(
        refused.contains("by which no row can be found"),
        "{refused}"
    );
    let live = text("", "sku", "email").replace("state = 'cart'", "product(id) = 'x'");
    let refused = compile_text(&live).unwrap_err();
    assert!(refused.contains("cannot be called in `live`"), "{refused}");
    let gone = text("", "sku", "email").replace("table = 'variant'", "table = 'variants'");
    let refused = compile_text(&gone).unwrap_err();
    assert!(
        refused.contains("the target has no table `variants`"),
        "{refused}"
    );
}

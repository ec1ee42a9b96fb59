//! The cart that is measured, before and after a sale, and its mapping: those of the benchmark of the
//! whole (`benches/peers/shop`), so that the figures of both can be set side by side.

use std::path::Path;

use cartage::cart::image::{Cell, Cells, Image, Row};
use cartage::cart::key::CartKey;
use cartage::cart::layout::Layout;
use cartage::catalog::Catalog;
use cartage::config::Config;
use cartage::mapping::compile::compile;
use cartage::mapping::map::Mapper;
use cartage::mapping::plan::Mapping;

use crate::catalog;

/// Tables of the layout.
pub const HEADER: usize = 0;
pub const LINE: usize = 1;

/// Commit times of the cart and of the sale, microseconds since 1970.
pub const MADE: i64 = 1_795_770_843_482_915;
pub const SOLD: i64 = 1_795_857_243_118_204;

const MADE_AT: &str = "2026-11-27 09:14:03.482915+00";
const SOLD_AT: &str = "2026-11-28 09:14:03.118204+00";

/// In the order of the table's columns.
pub type CartRow = [&'static str; 8];
pub type LineRow = [&'static str; 7];

pub const CART: CartRow = [
    "48211",
    "7e1c1f0a-52b4-4c0e-9a43-0d3f6f1b2c55",
    "31877",
    "EUR",
    "open",
    "0",
    MADE_AT,
    MADE_AT,
];

pub const LINES: [LineRow; 3] = [
    line("144631", "SKU-002477", "2", "17.90", MADE_AT),
    line("144632", "SKU-003486", "1", "64.25", MADE_AT),
    line("144633", "SKU-004495", "4", "8.07", MADE_AT),
];

/// What a sale makes of the header, and of the line in the middle.
pub const SOLD_CART: CartRow = {
    let mut cart = CART;
    cart[5] = "1";
    cart[7] = SOLD_AT;
    cart
};
pub const SOLD_LINE: LineRow = line("144632", "SKU-003486", "4", "52.10", SOLD_AT);
/// What it makes a line of where there was none.
pub const NEW_LINE: LineRow = line("300107", "SKU-000504", "3", "52.10", SOLD_AT);

const fn line(
    id: &'static str,
    sku: &'static str,
    qty: &'static str,
    price: &'static str,
    updated_at: &'static str,
) -> LineRow {
    [id, CART[0], sku, qty, price, MADE_AT, updated_at]
}

/// The mapping of the old shop on a server of this kind.
pub fn mapping(kind: &str, source: &Catalog) -> Mapping {
    let file = "benches/peers/shop/cartage.toml";
    let text = include_str!("../peers/shop/cartage.toml")
        .replace("$SOURCE_KIND", kind)
        .replace("$SOURCE", &format!("{kind}://cartage@old/old"))
        .replace("$TARGET_KIND", "postgres")
        .replace("$TARGET", "postgres://cartage@new/new")
        .replace("$LANES", "2")
        .replace("$BATCH_ROWS", "2000");
    let compiled = Config::parse(&text, Path::new(file))
        .and_then(|config| compile(&config, source, &catalog::new()));
    match compiled {
        Ok(compiled) => compiled.mapping,
        Err(problems) => panic!("{problems}"),
    }
}

pub fn mapper() -> Mapper {
    Mapper {
        mapping: mapping("postgres", &catalog::old()),
        id: 1,
        secret: cartage::mapping::expr::IdKey::of(&[0x5a; 32]),
    }
}

pub fn key() -> CartKey {
    CartKey::of([CART[0]])
}

pub fn header(layout: &Layout, row: &CartRow) -> Cells {
    let names = catalog::CART_COLUMNS.iter().map(|column| column.0);
    cells(layout, HEADER, names.zip(row.iter().copied()))
}

pub fn item(layout: &Layout, row: &LineRow) -> Cells {
    let names = catalog::CART_ITEM_COLUMNS.iter().map(|column| column.0);
    cells(layout, LINE, names.zip(row.iter().copied()))
}

/// As much of a row as the mapping reads.
fn cells<'a>(
    layout: &Layout,
    table: usize,
    values: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Cells {
    let value = |name: &str| {
        let found = values.clone().find(|(column, _)| *column == name);
        found.map_or(Cell::Missing, |(_, text)| Cell::Text(text.into()))
    };
    let columns = &layout.tables[table].columns;
    columns.iter().map(|column| value(&column.name)).collect()
}

/// The cart before the sale.
pub fn image(layout: &Layout) -> Image {
    let row = |cells| Row { cells, stamp: MADE };
    let mut image = Image::empty(layout);
    image.tables[HEADER] = vec![row(header(layout, &CART))];
    image.tables[LINE] = LINES.iter().map(|line| row(item(layout, line))).collect();
    image
}

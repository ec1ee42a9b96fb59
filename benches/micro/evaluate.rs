//! Simple column expressions over a line of the cart, one after the other.

use std::hint::black_box;

use cartage::cart::image::Image;
use cartage::mapping::expr::{Env, Expr, Scope};
use cartage::mapping::map::Mapper;

use crate::cart;
use crate::measured::Measured;

/// What most columns of a mapping are made of.
const COLUMNS: [&str; 10] = [
    "id",
    "sku",
    "qty",
    "'line_' || id",
    "lower(sku)",
    "qty + 1",
    "coalesce(sku, 'none')",
    "cast(qty as text)",
    "case when qty > 1 then sku else 'one' end",
    "header.currency",
];

pub struct Columns {
    mapper: Mapper,
    image: Image,
    columns: Vec<Expr>,
}

impl Columns {
    fn values(&self) -> usize {
        let layout = &self.mapper.mapping.layout;
        let row = &self.image.tables[cart::LINE][0];
        let env = Env {
            layout,
            image: &self.image,
            row,
            stamp: row.stamp,
            secret: &self.mapper.secret,
            time_zone: self.mapper.mapping.time_zone,
        };
        let mut values = 0;
        for column in &self.columns {
            let value = black_box(column.evaluate(black_box(&env)));
            values += usize::from(value.is_ok_and(|value| !value.is_null()));
        }
        values
    }
}

impl Measured for Columns {
    type Input = ();
    const ITEMS: usize = COLUMNS.len();

    fn ready() -> Self {
        let mapper = cart::mapper();
        let image = cart::image(mapper.layout());
        let scope = Scope {
            layout: mapper.layout(),
            per: cart::LINE,
        };
        let compile = |text: &&str| {
            Expr::compile(text, &scope).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"))
        };
        let columns = COLUMNS.iter().map(compile).collect();
        let ready = Self {
            mapper,
            image,
            columns,
        };
        assert_eq!(ready.values(), COLUMNS.len());
        ready
    }

    fn input(&self) {}

    fn run(&self, (): ()) {
        black_box(self.values());
    }
}

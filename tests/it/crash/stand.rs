//! One pair of shops with its configuration, and `cartage` between them.

use std::ops::Deref;

use cartage::config::Kind;
use fastrand::Rng;

use super::mortal::{Death, Mortal};
use super::process::Cartage;
use super::tally::Tally;
use crate::scenario::folder::Side;
use crate::scenario::pair::{Pair, word};
use crate::scenario::shop::{Shop, Shops};

/// What the variant of the mapping has for the note.
pub const UPPER: &str = "upper(note)";

pub struct Stand {
    pub shops: Shops,
    pub tally: Tally,
    name: String,
    lanes: u32,
    batch_rows: u32,
    /// As the configuration names the ends.
    urls: [String; 2],
    timeout: &'static str,
    /// The variant of the mapping that makes notes upper case.
    pub upper: bool,
    cartage: Cartage,
    /// The target's server, where it is the test's own.
    mortal: Option<Mortal>,
}

impl Stand {
    /// On the servers that all tests share.
    pub async fn new(name: &str, pair: &str, lanes: u32, batch_rows: u32) -> Self {
        let name = format!("{name}_{pair}");
        let shops = Shops::create(Pair::named(pair), &name).await;
        Self::between(shops, name, lanes, batch_rows).await
    }

    /// With a server for the target that can die.
    pub async fn mortal(name: &str, pair: &str, lanes: u32, batch_rows: u32) -> Self {
        let (name, pair) = (format!("{name}_{pair}"), Pair::named(pair));
        let mortal = Mortal::start(pair.target, None).await;
        let shops = Shops {
            source: Shop::create(pair.source, Side::Source, &name).await,
            target: mortal.shop(&name).await,
        };
        let mut stand = Self::between(shops, name, lanes, batch_rows).await;
        stand.urls[1] = at_port(&stand.urls[1], mortal.port());
        stand.mortal = Some(mortal);
        stand.configure();
        stand
    }

    async fn between(shops: Shops, name: String, lanes: u32, batch_rows: u32) -> Self {
        let run = async |shop: &Shop, sql: &str| shop.session.run(sql).await.unwrap();
        run(&shops.source, include_str!("old_shop.sql")).await;
        let new = match shops.target.kind {
            Kind::Postgres => include_str!("new_shop.sql"),
            Kind::Mysql => include_str!("mysql/new_shop.sql"),
        };
        run(&shops.target, new).await;
        let stand = Self {
            urls: [shops.source.url.clone(), shops.target.url.clone()],
            timeout: "10s",
            shops,
            tally: Tally::default(),
            name,
            lanes,
            batch_rows,
            upper: false,
            cartage: Cartage::new(),
            mortal: None,
        };
        stand.configure();
        stand
    }

    /// Writes the configuration with the mapping's variant.
    pub fn configure(&self) {
        let note = if self.upper { UPPER } else { "note" };
        let text = include_str!("cartage.toml")
            .replace("{{name}}", &self.name.replace('_', "-"))
            .replace("{{source_url}}", &self.urls[0])
            .replace("{{target_kind}}", word(self.shops.target.kind))
            .replace("{{target_url}}", &self.urls[1])
            .replace("{{timeout}}", self.timeout)
            .replace("{{lanes}}", &self.lanes.to_string())
            .replace("{{batch_rows}}", &self.batch_rows.to_string())
            .replace("{{note}}", note);
        self.cartage.configure(&text);
    }

    /// Numbers that are smaller than usual (`CARTAGE_BOUND`).
    pub fn bound(&mut self, bounds: &'static str) {
        self.cartage.bounds = bounds;
    }

    /// Both ends are reached at other ports, and lose patience soon.
    pub fn through(&mut self, source: u16, target: u16) {
        for (url, port) in self.urls.iter_mut().zip([source, target]) {
            *url = at_port(url, port);
        }
        self.timeout = "1s";
        self.configure();
    }

    /// One lane, and batches of one.
    pub fn exact(&mut self) {
        (self.lanes, self.batch_rows) = (1, 1);
        self.configure();
    }

    /// The name of the slot and of the publication.
    pub fn slot(&self) -> String {
        format!("cartage_{}", self.name)
    }

    /// The target's server dies under a daemon.
    pub async fn target_dies(&mut self, how: Death, rng: &mut Rng, provoke: impl AsyncFn()) {
        let mortal = self.mortal.as_mut().unwrap();
        let shop = &mut self.shops.target;
        mortal.dies(how, &self.cartage, shop, rng, provoke).await;
        self.tally.random += 1;
    }

    /// Takes what the processes have noted into the tally.
    pub fn count(&mut self) {
        self.tally.read(&self.cartage.places());
    }
}

/// What is asked of `cartage` here.
impl Deref for Stand {
    type Target = Cartage;

    fn deref(&self) -> &Cartage {
        &self.cartage
    }
}

pub fn at_port(url: &str, port: u16) -> String {
    let (server, database) = url.rsplit_once('/').unwrap();
    let (host, _) = server.rsplit_once(':').unwrap();
    format!("{host}:{port}/{database}")
}

//! What is known of a shop's tables, as data: what the old shop can say of a cart, and what the new
//! shop wants to be told.
//!
//! Both sides meet in words: a *saying* is an expression for a word (`email`, `sku`, `quantity`), a
//! *wish* is an expression with words in braces. `{h}` stands for the way from a row to its cart's
//! header, `@` for the prefix of the shop's tables.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    pub name: String,
    /// The versions that this was written for.
    pub versions: String,
    /// Tables without their prefix, with columns that tell them from others of that name.
    pub marks: BTreeMap<String, Vec<String>>,
    pub source: Option<AsSource>,
    pub target: Option<AsTarget>,
}

/// `[lookup.NAME]`, but for its side.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    pub table: String,
    #[serde(rename = "match")]
    pub by: Vec<String>,
    #[serde(rename = "where")]
    pub filter: Option<String>,
    pub get: Vec<String>,
    pub missing: Option<String>,
    pub ambiguous: Option<String>,
    pub why: Option<String>,
}

/// `[map.NAME]`: its values are the shop's own, so these are examples.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Map {
    #[serde(rename = "type")]
    pub ty: Option<String>,
    pub values: BTreeMap<String, String>,
    pub unknown: Option<String>,
    pub why: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsSource {
    pub table: String,
    #[serde(default)]
    pub key: Vec<String>,
    pub live: Option<String>,
    pub live_why: Option<String>,
    pub changed_at: Option<String>,
    /// What its times without a zone mean, where that is the same in each shop.
    pub time_zone: Option<String>,
    #[serde(default)]
    pub rows: Vec<RowsOf>,
    /// By name: `cart`, `line`, `address`, …
    pub scope: BTreeMap<String, Scope>,
    #[serde(default)]
    pub lookup: BTreeMap<String, Lookup>,
}

/// One entry of `[cart.rows]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsOf {
    pub table: String,
    #[serde(default)]
    pub cart: Vec<String>,
    pub parent: Option<String>,
    #[serde(default)]
    pub by: Vec<String>,
    #[serde(default)]
    pub key: Vec<String>,
    pub why: Option<String>,
}

/// What can be said in a row of one table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    pub per: String,
    #[serde(rename = "where")]
    pub filter: Option<String>,
    #[serde(default)]
    pub group: Vec<String>,
    /// The way to the header's columns.
    #[serde(default)]
    pub header: String,
    pub says: BTreeMap<String, Saying>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Saying {
    Text(String),
    Full { is: String, guess: String },
}

impl Saying {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Full { is: text, .. } => text,
        }
    }

    /// Why it is a guess, if it is one.
    pub fn doubt(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Full { guess, .. } => Some(guess),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsTarget {
    pub into: Vec<Wanted>,
    #[serde(default)]
    pub lookup: BTreeMap<String, Lookup>,
    #[serde(default)]
    pub map: BTreeMap<String, Map>,
}

/// An `[[into]]` for each of its scopes that the old shop has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub table: String,
    pub scopes: Vec<String>,
    pub role: String,
    pub lock: Option<String>,
    pub lock_why: Option<String>,
    /// Words without which there is no such row.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// The old shop must be able to say these.
    #[serde(default)]
    pub needs: Vec<String>,
    pub closed: Option<String>,
    /// As TOML, like `deleted`.
    pub ended: Option<String>,
    pub deleted: Option<String>,
    /// The target columns of the product and of the quantity.
    pub line: Option<(String, String)>,
    pub columns: BTreeMap<String, Wish>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Wish {
    Text(String),
    /// The first that the old shop can say.
    Any(Vec<String>),
    Full(FullWish),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullWish {
    #[serde(default)]
    pub key: Vec<String>,
    #[serde(default)]
    pub once: Vec<String>,
    #[serde(default)]
    pub value: Vec<String>,
    #[serde(default)]
    pub allocated: bool,
    pub why: Option<String>,
    /// Why it is a guess, if it is one.
    pub guess: Option<String>,
}

impl Wish {
    pub fn full(&self) -> FullWish {
        let value = match self {
            Self::Text(text) => vec![text.clone()],
            Self::Any(texts) => texts.clone(),
            Self::Full(full) => return full.clone(),
        };
        FullWish {
            value,
            ..FullWish::default()
        }
    }
}

/// The old shop: a platform's, or a guessed one.
#[derive(Clone, Debug)]
pub struct OldShop {
    pub platform: Option<String>,
    pub side: AsSource,
}

#[derive(Clone, Debug)]
pub struct NewShop {
    pub platform: Option<String>,
    pub side: AsTarget,
}

/// The platforms' files, with a place for the prefix in them.
pub const FILES: [(&str, &str); 8] = [
    ("magento2", include_str!("platforms/magento2.toml")),
    ("prestashop", include_str!("platforms/prestashop.toml")),
    ("opencart", include_str!("platforms/opencart.toml")),
    ("woocommerce", include_str!("platforms/woocommerce.toml")),
    ("spree", include_str!("platforms/spree.toml")),
    ("saleor", include_str!("platforms/saleor.toml")),
    ("medusa2", include_str!("platforms/medusa2.toml")),
    ("vendure", include_str!("platforms/vendure.toml")),
];

/// None where the file is wrong, which a test rules out.
pub fn read(text: &str, prefix: &str) -> Option<Platform> {
    toml::from_str(&text.replace('@', prefix)).ok()
}

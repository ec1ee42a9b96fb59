//! Carts that are tied together, because rows move between them or they are held as one.

use std::collections::BTreeMap;

use crate::cart::key::CartKey;
use crate::hash::HashMap;

/// Which carts are tied together (union by smallest key, so that the result is the same each time).
#[derive(Debug, Default)]
pub struct Ties {
    up: HashMap<CartKey, CartKey>,
}

impl Ties {
    /// The representative of the cart's group: its smallest key.
    pub fn root(&self, key: &CartKey) -> CartKey {
        let mut at = key;
        while let Some(up) = self.up.get(at) {
            at = up;
        }
        at.clone()
    }

    pub fn tie(&mut self, a: &CartKey, b: &CartKey) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            self.up.insert(high, low);
        }
    }

    /// The carts by group, each group in the order given.
    pub fn groups(&self, keys: Vec<CartKey>) -> Vec<Vec<CartKey>> {
        let mut groups: BTreeMap<CartKey, Vec<CartKey>> = BTreeMap::new();
        for key in keys {
            groups.entry(self.root(&key)).or_default().push(key);
        }
        groups.into_values().collect()
    }

    /// Groups whose carts differ in `lane`, by representative.
    pub fn across(&self, lane: impl Fn(&CartKey) -> usize) -> HashMap<CartKey, Vec<CartKey>> {
        let mut tied: HashMap<CartKey, Vec<CartKey>> = HashMap::default();
        for cart in self.up.keys() {
            let root = self.root(cart);
            tied.entry(root.clone())
                .or_insert_with(|| vec![root])
                .push(cart.clone());
        }
        tied.retain(|_, carts| {
            let first = lane(&carts[0]);
            carts.iter().any(|c| lane(c) != first)
        });
        tied
    }
}

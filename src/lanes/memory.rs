//! What a lane remembers of its carts, the least recently used forgotten first. Bounded in bytes,
//! for a cart of thousands of lines takes as much as thousands of carts.

use std::sync::Arc;

use lru::LruCache;

use super::known::Known;
use crate::cart::key::CartKey;

#[derive(Debug)]
pub struct Memory {
    carts: LruCache<CartKey, (Arc<Known>, usize)>,
    bytes: usize,
    most: usize,
}

impl Memory {
    pub fn new(most: usize) -> Self {
        Self {
            carts: LruCache::unbounded(),
            bytes: 0,
            most,
        }
    }

    pub fn get(&mut self, cart: &CartKey) -> Option<Arc<Known>> {
        self.carts.get(cart).map(|(known, _)| known.clone())
    }

    pub fn put(&mut self, cart: CartKey, known: Known) {
        let bytes = known.footprint();
        self.bytes += bytes;
        if let Some((_, before)) = self.carts.put(cart, (Arc::new(known), bytes)) {
            self.bytes -= before;
        }
        while self.bytes > self.most
            && let Some((_, (_, forgotten))) = self.carts.pop_lru()
        {
            self.bytes -= forgotten;
        }
    }

    pub fn forget(&mut self, cart: &CartKey) {
        if let Some((_, bytes)) = self.carts.pop(cart) {
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_remembered_and_no_more_than_allowed() {
        let cart = |n: u32| CartKey::of([n.to_string().as_str()]);
        let each = Known::default().footprint();
        let mut memory = Memory::new(each * 3);
        for n in [1, 2, 3] {
            memory.put(cart(n), Known::default());
        }
        memory.put(cart(3), Known::default());
        assert!(memory.get(&cart(1)).is_some());
        memory.put(cart(4), Known::default());
        assert!(memory.get(&cart(2)).is_none());
        assert!(memory.get(&cart(1)).is_some());
        memory.forget(&cart(1));
        memory.put(cart(5), Known::default());
        let remembered = [3, 4, 5].map(|n| memory.get(&cart(n)).is_some());
        assert_eq!((remembered, memory.bytes), ([true; 3], each * 3));
    }
}

//! Hash maps of the hot path: seeded at random as std's are, and several times as fast for the short
//! keys of carts and rows.

use foldhash::fast::RandomState;

pub type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
pub type HashSet<K> = std::collections::HashSet<K, RandomState>;

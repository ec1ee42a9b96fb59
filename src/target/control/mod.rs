//! The control tables: everything that the daemon knows, in a schema of its own beside the shop.

pub mod mapping_row;
pub mod migrate;
pub mod pipeline;

/// The schema that holds them.
pub const SCHEMA: &str = "cartage";

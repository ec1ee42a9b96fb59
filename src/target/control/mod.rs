//! The control tables: everything that the daemon knows, beside the new shop's own.

pub mod conflicts;
pub mod histories;
pub mod key_map;
pub mod mapping_row;
pub mod migrate;
pub mod pipeline;
pub mod synthetic;

/// The schema that holds them in Postgres.
pub const SCHEMA: &str = "cartage";

/// The tables in MySQL, in the order in which they are dropped. The journal of their migrations goes
/// first, so that a setup after a teardown that was cut short makes all of them again; then those
/// that refer to others.
pub const TABLES: [&str; 15] = [
    "cartage_migrations",
    "cartage_repair_cart",
    "cartage_repair_run",
    "cartage_synthetic",
    "cartage_share",
    "cartage_verify_cart",
    "cartage_verify_run",
    "cartage_conflict",
    "cartage_refresh_run",
    "cartage_wish",
    "cartage_held",
    "cartage_ledger",
    "cartage_checkpoint",
    "cartage_mapping",
    "cartage_pipeline",
];

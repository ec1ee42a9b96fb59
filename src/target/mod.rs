//! The new backend: guarded writes, and beside them in the same transaction the ledger and the
//! checkpoint.

pub mod session;
pub mod words;
pub mod row;
pub mod error;
pub mod postgres;
pub mod mysql;
pub mod control;
pub mod tables;
pub mod shape;
mod group;
pub mod writer;
pub mod claim;
pub mod ledger;
pub mod checkpoint;
pub mod found;
pub mod seen;
pub mod examine;
pub mod rivals;
pub mod beside;
pub mod put;
pub mod closed;

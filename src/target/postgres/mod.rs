//! A new backend on Postgres.

pub mod closed;
pub mod statement;
pub mod rivals;
pub mod beside;
pub mod printed;
pub mod found;
pub mod seen;
pub mod claim;
pub mod ledger;
pub mod records;
pub mod writer;
pub mod put;

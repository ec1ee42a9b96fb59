//! A new backend on MySQL or MariaDB.

pub mod session;
pub mod claim;
pub mod ledger;
pub mod records;
mod place;
mod alike;
mod json;
mod statement;
mod arrays;
mod put;
pub mod found;
pub mod rivals;
pub mod beside;
pub mod rows;
pub mod writer;

pub(super) use put::put;
pub use session::Session;

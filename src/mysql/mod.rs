//! MySQL and MariaDB: sessions, URLs, what their errors mean, what their catalogs say, and their values.

pub mod connect;
pub mod fault;
pub mod url;
pub mod charset;
pub mod types;
pub mod catalog;
pub mod lifeline;
pub mod shared;
pub mod moment;
mod json;
pub mod value;
pub mod sql;
pub mod literal;
pub mod stored;
pub mod moved;

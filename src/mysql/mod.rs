//! MySQL and MariaDB: sessions, URLs, what their errors mean, and what their catalogs say.

pub mod connect;
pub mod fault;
pub mod url;
pub mod charset;
pub mod types;
pub mod catalog;

//! MySQL and MariaDB: sessions, URLs, what their errors mean.

pub mod connect;
pub mod fault;
pub mod url;

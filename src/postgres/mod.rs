//! Postgres as both ends need it: connections, TLS, faults by SQLSTATE, the system catalogs.

pub mod catalog;
pub mod connect;
pub mod fault;
pub mod lifeline;
pub mod url;
pub mod wire;

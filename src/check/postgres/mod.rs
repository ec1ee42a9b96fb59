//! What Postgres must be, as a source and as a target.

pub mod server;
pub mod grants;
pub mod tables;
pub mod pipeline;
pub mod version;
pub mod rights;
pub mod triggers;

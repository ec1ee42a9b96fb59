//! What a Postgres source must be.

pub mod server;
pub mod grants;
pub mod tables;
pub mod pipeline;

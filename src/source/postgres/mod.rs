//! A Postgres source: its log by pgoutput.

pub mod error;
mod feed;
pub mod pgoutput;
pub mod relation;
pub mod stream;

pub use error::SourceError;
pub use stream::LogStream;

//! What MySQL and MariaDB must be, as a source and as a target.

pub mod source;
pub mod columns;
mod settings;
pub mod target;
pub mod rights;
pub mod grants;
pub mod triggers;
pub mod one;
mod unlogged;

//! cartage moves live shopping carts from an old commerce backend's database into a new one's.
//!
//! The modules stand in the order in which a change passes through them.

#![warn(clippy::unwrap_used)]

pub mod cart;
pub mod cli;
pub mod config;
pub mod demo;
pub mod mapping;
pub mod postgres;
pub mod source;
pub mod sqltype;

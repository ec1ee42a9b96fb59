//! cartage moves live shopping carts from an old commerce backend's database into a new one's.
//!
//! The modules stand in the order in which a change passes through them.

pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod check;
pub mod init;
pub mod hash;
pub mod sqltype;
pub mod catalog;
pub mod tls;
pub mod fault;
pub mod retry;
pub mod stop;
pub mod pulse;
pub mod switch;
pub mod postgres;
pub mod mysql;
pub mod source;
pub mod cart;
pub mod mapping;
pub mod merge;
pub mod target;
pub mod lookup;
pub mod lanes;
pub mod refresh;
pub mod daemon;
pub mod forecast;
pub mod status;
pub mod metrics;
pub mod verify;
pub mod repair;
pub mod synthetic;
pub mod explain;
pub mod sequences;
pub mod demo;

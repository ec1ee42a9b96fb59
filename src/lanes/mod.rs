//! Lanes: each owns the carts whose key hashes to it, and brings their changes into the target.

pub mod reader;
pub mod tail;
pub mod window;
pub mod transaction;
mod scratch;
mod groups;
mod deal;
mod truncate;
pub mod dispatch;
pub mod item;
pub mod ties;
pub mod lane;
pub mod known;
pub mod memory;
mod unit;
mod gather;
mod settle;
mod apply;
mod resolve;
mod revived;
mod sight;
mod merge;
mod take;
mod mend;
mod record;

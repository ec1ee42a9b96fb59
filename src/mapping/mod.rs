//! `map(image)`: the exact target rows that a cart should be. Pure: no I/O, no clock, no driver.

pub mod compile;
pub mod expr;
pub mod former;
pub mod lookup;
pub mod plan;
pub mod error;
pub mod map;
pub mod header;
mod members;
mod row;
pub mod difference;
pub mod convert;
mod fate;

//! Guards: what becomes of a cart that the new backend writes too. Each test is one history.

mod adopted;
mod counting;
mod ended;
mod header;
mod held;
mod index;
mod keys;
pub mod kinds;
mod preflight;
pub mod shop;
mod tokens;
mod unique;

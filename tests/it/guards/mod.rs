//! Guards: what becomes of a cart that the new backend writes too. Each test is one history.

mod adopted;
mod counting;
mod ended;
mod header;
mod held;
mod index;
mod keys;
mod kinds;
mod preflight;
mod shop;
mod tokens;
mod unique;

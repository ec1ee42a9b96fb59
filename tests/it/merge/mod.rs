//! Carts that both sides write: each test is one history, played between two servers.

mod at_once;
mod kinds;
mod lines;
mod lives;
mod races;
mod rules;
mod two_writers;

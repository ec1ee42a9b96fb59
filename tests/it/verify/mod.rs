//! `cartage verify` on a moving system, on both kinds of servers: what it finds and what not, that it
//! goes on where it was killed, when it waits, and which carts it takes for a sample.

mod blind;
mod moving;
mod picked;
mod resumed;
mod stand;
mod worker;

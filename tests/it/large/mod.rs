//! Source transactions and carts that are large: each cart stays whole, nothing is lost, and what
//! the daemon needs of memory does not grow with them.

mod shop;
mod whole;
mod memory;

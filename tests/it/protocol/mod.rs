//! Histories of the protocol that a scenario cannot play: cut connections and the like.

mod allocated;
mod asked_to_stop;
mod batches;
mod births;
mod confirmed;
mod connection_loss;
mod headless;
mod ids_secret;
mod images;
mod lookups;
mod moves;
mod overtaken;
mod rejoined;
mod remapped;
pub mod shop;
mod stamps;
mod stall;
mod standstill;
mod truncated;
mod unseen;
mod wares;
mod windows;

//! Histories of the protocol that a scenario cannot play: cut connections and the like.

mod connection_loss;
pub mod shop;

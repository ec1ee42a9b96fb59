//! Histories of the protocol that a scenario cannot play: cut connections and the like.

mod connection_loss;
mod ids_secret;
mod shop;

//! Refresh: carts are read whole from the source and enter the stream at a definite point. Backfill,
//! repair and recovery are refreshes.

pub mod refresher;
mod walk;
mod window;
pub mod runs;
pub mod throttle;
pub mod read;
pub mod owners;
mod unanswered;

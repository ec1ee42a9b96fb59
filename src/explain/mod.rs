//! Why a cart is as it is in the target: facts are read from both ends (`read`, `rows`, `control`), a
//! table decides (`conclude`, `differs`, pure), and both are told (`document`, `text`). Where an end is
//! away, what the other one knows is told (`away`).

pub mod away;
pub mod conclude;
mod control;
mod differs;
mod document;
pub mod facts;
pub mod read;
mod rows;
mod text;
pub mod why;

pub use conclude::conclude;
pub use facts::{Conclusion, Facts, Verdict};
pub use read::Explained;
pub use why::Why;

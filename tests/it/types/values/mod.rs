//! Random values of each type, as text that the server takes.

mod compound;
mod document;
mod number;
mod text;
mod time;

pub use compound::*;
pub use document::*;
pub use number::*;
pub use text::*;
pub use time::*;

use fastrand::Rng;

/// One in `n`.
pub fn chance(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

pub fn pick(rng: &mut Rng, from: &[&str]) -> String {
    from[rng.usize(..from.len())].to_owned()
}

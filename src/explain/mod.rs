//! Why a cart is as it is in the target: facts are read from both ends (`read`), a table decides
//! (`conclude`, pure), and both are told (`text`).

pub mod conclude;
pub mod read;
mod text;

pub use conclude::{Conclusion, Facts, Verdict, conclude};
pub use read::Explained;

//! Hazards that have no other place: numbers after the change of shops, and comparing what moves.

mod moving;
mod sequences;

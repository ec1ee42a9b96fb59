//! The tables of either shop are altered while customers buy and the daemon runs or is killed: nothing is
//! lost, whatever goes on by itself, and whatever stops with the statement that mends it.

mod hunt;
mod moves;
mod stand;
mod storefront;
mod swaps;
mod target;

/// The seeds to play.
fn seeds() -> Vec<u64> {
    crate::seeds::seeds("CARTAGE_SCHEMA_SEEDS", 2)
}

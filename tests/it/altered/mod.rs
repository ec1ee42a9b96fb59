//! The tables of either shop are altered while customers buy and the daemon runs or is killed: nothing is
//! lost, whatever goes on by itself, and whatever stops with the statement that mends it.

mod hunt;
mod moves;
mod stand;
mod storefront;
mod swaps;
mod target;

/// The seeds to play: so many as CARTAGE_SCHEMA_SEEDS says, beginning with CARTAGE_SEED or anywhere.
fn seeds() -> Vec<u64> {
    let number = |name: &str| {
        let number = std::env::var(name).ok()?;
        Some(number.parse::<u64>().expect("a number of seeds, or a seed"))
    };
    let first = number("CARTAGE_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    (first..)
        .take(number("CARTAGE_SCHEMA_SEEDS").unwrap_or(2) as usize)
        .collect()
}

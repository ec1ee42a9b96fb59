//! Each type that a shop uses: what is read and what is logged give the same value, Postgres' own.

mod columns;
mod documented;
mod held;
mod keys;
mod pipeline;
mod same_value;
mod sessions;
mod values;

/// From `CARTAGE_SEED`, else any; printed, so that it can be played again.
fn seed() -> u64 {
    let seed = match std::env::var("CARTAGE_SEED") {
        Ok(seed) => seed.parse().expect("CARTAGE_SEED is a number"),
        Err(_) => fastrand::u64(..1_000_000),
    };
    println!("CARTAGE_SEED={seed}");
    seed
}

//! The crash matrix: `cartage` is killed at each named place and at random moments, while the old
//! shop sells, and starts again at once. In the end nothing may be lost and nothing done twice.
//!
//! `CARTAGE_SEED` replays what was drawn; when it happens still depends on the machine.
//! `CARTAGE_CRASH_ROUNDS` says how often each place of the daemon has its turn.

mod customer;
mod exact;
pub mod judge;
mod load;
mod model;
mod repair;
pub mod stand;
pub mod storefront;
mod tally;
mod unseen;

use std::thread;

use self::tally::Tally;

/// Kills in a run of several rounds.
const MANY: u64 = 100;

#[test]
fn nothing_is_lost_or_done_twice_wherever_it_is_killed() {
    let seed = match std::env::var("CARTAGE_SEED") {
        Ok(seed) => seed.parse().expect("CARTAGE_SEED is a number"),
        Err(_) => fastrand::u64(..1_000_000),
    };
    let rounds = match std::env::var("CARTAGE_CRASH_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("CARTAGE_CRASH_ROUNDS is a number"),
        Err(_) => 1,
    };
    println!("crash matrix: CARTAGE_SEED={seed}, {rounds} rounds");
    let parts = [
        thread::spawn(move || block_on(load::play(seed, rounds))),
        thread::spawn(move || block_on(exact::play(seed, rounds))),
        thread::spawn(move || block_on(repair::play(seed, rounds))),
    ];
    let mut tally = Tally::default();
    for part in parts {
        match part.join() {
            Ok(part) => tally.add(&part),
            Err(_) => panic!("a part of the matrix failed: CARTAGE_SEED={seed}"),
        }
    }
    println!("{tally}");
    let spared = tally.spared();
    assert!(spared.is_empty(), "nothing was killed at {spared:?}");
    assert!(
        rounds == 1 || tally.kills() >= MANY,
        "{} kills",
        tally.kills()
    );
}

fn block_on<T>(part: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(part)
}

//! The crash matrix: `cartage` is killed at each named place and at random moments, and the target's
//! server dies under it, while the old shop sells; it starts again at once. In the end nothing may be lost and nothing done twice.
//!
//! `CARTAGE_SEED` replays what was drawn; when it happens still depends on the machine.
//! `CARTAGE_CRASH_ROUNDS` says how often each place of the daemon has its turn. The old shop is on
//! Postgres here; for one on MySQL or MariaDB see `mysql::kills`.

pub mod customer;
mod exact;
pub mod judge;
mod load;
mod model;
pub mod mortal;
pub mod process;
mod repair;
pub mod stand;
pub mod storefront;
pub mod tally;
mod unseen;
mod valve;

use std::any::Any;
use std::thread;

use cartage::switch::Place;

use self::tally::Tally;

/// Where nobody comes who follows Postgres.
const OF_A_BINLOG: Place = Place::Remembered;
/// Where nobody comes who writes into Postgres: its definitions are part of a transaction.
const OF_LOOSE_DEFINITIONS: [Place; 2] = [Place::TableMade, Place::TableDropped];
/// Where only a human sends it; `conflicts::resolve` and `conflicts::repair` kill it there.
const OF_A_HUMAN: [Place; 4] = [
    Place::TakeRead,
    Place::Taken,
    Place::RepairRead,
    Place::Repaired,
];

/// Where nobody comes whose keys are his own; `protocol::allocated` kills it there.
const OF_ALLOCATED_KEYS: [Place; 1] = [Place::KeysAllocated];
/// Where nobody comes who has no carts of his own in the old shop; `synthetic` kills it there.
const OF_SYNTHETIC_CARTS: [Place; 4] = [
    Place::SyntheticBegun,
    Place::SyntheticMade,
    Place::SyntheticChanged,
    Place::SyntheticRemoved,
];

/// Where only a verification comes; `verify::resumed` kills it there.
const OF_A_VERIFICATION: [Place; 2] = [Place::VerifyNoted, Place::VerifyStage];

#[test]
fn nothing_is_lost_or_done_twice_wherever_it_is_killed() {
    let elsewhere = [
        &OF_A_HUMAN[..],
        &OF_ALLOCATED_KEYS,
        &OF_A_VERIFICATION,
        &OF_SYNTHETIC_CARTS,
    ]
    .concat();
    let unseen = [&[OF_A_BINLOG][..], &OF_LOOSE_DEFINITIONS, &elsewhere].concat();
    matrix("pp", &unseen);
}

#[test]
fn nor_where_the_target_is_mysql() {
    let elsewhere = [
        &OF_A_HUMAN[..],
        &OF_ALLOCATED_KEYS,
        &OF_A_VERIFICATION,
        &OF_SYNTHETIC_CARTS,
    ]
    .concat();
    let unseen = [&[OF_A_BINLOG][..], &elsewhere].concat();
    matrix("pm", &unseen);
}

/// Each place is one that somebody is killed at, or one where nobody comes between these servers.
fn matrix(pair: &'static str, unseen: &[Place]) {
    let seed = seed();
    let rounds = rounds();
    println!("crash matrix {pair}: CARTAGE_SEED={seed}, {rounds} rounds");
    let parts = [
        thread::spawn(move || block_on(load::play(pair, seed, rounds))),
        thread::spawn(move || block_on(exact::play(pair, seed, rounds))),
        thread::spawn(move || block_on(repair::play(pair, seed, rounds))),
    ];
    let mut tally = Tally::default();
    for part in parts {
        match part.join() {
            Ok(part) => tally.add(&part),
            Err(panic) => panic!(
                "a part of the matrix {pair} failed: CARTAGE_SEED={seed}: {}",
                said(panic.as_ref())
            ),
        }
    }
    tally.judge(unseen, rounds);
}

/// How a panic begins: the rest is in its own report.
fn said(panic: &dyn Any) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or_default().chars().take(4_000).collect()
}

pub fn seed() -> u64 {
    match std::env::var("CARTAGE_SEED") {
        Ok(seed) => seed.parse().expect("CARTAGE_SEED is a number"),
        Err(_) => fastrand::u64(..1_000_000),
    }
}

pub fn rounds() -> u64 {
    match std::env::var("CARTAGE_CRASH_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("CARTAGE_CRASH_ROUNDS is a number"),
        Err(_) => 1,
    }
}

fn block_on<T>(part: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(part)
}

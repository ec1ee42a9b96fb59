//! The switches of the test build at work: what the environment wishes, and what is done about it.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use super::{Bound, Mutant, Place};

static KILL: LazyLock<Option<Visit>> = LazyLock::new(|| wish("CARTAGE_KILL"));
static HALT: LazyLock<Option<Visit>> = LazyLock::new(|| wish("CARTAGE_HALT"));
static MUTANT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("CARTAGE_MUTANT").ok());
static PLACES: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("CARTAGE_PLACES").ok());
static VISITS: LazyLock<Mutex<HashMap<&'static str, u64>>> = LazyLock::new(Mutex::default);

/// A place, and how often the process has come there.
type Visit = (String, u64);

fn wish(name: &str) -> Option<Visit> {
    let wish = std::env::var(name).ok()?;
    let (place, nth) = wish.split_once('@').unwrap_or((&wish, "1"));
    Some((place.to_owned(), nth.parse().ok()?))
}

pub fn place(place: Place) {
    if KILL.is_none() && HALT.is_none() && PLACES.is_none() {
        return;
    }
    let Ok(mut visits) = VISITS.lock() else {
        return;
    };
    let visit = visits.entry(place.name()).or_default();
    *visit += 1;
    if *visit == 1 {
        note(place.name());
    }
    let wished = |wish: &Option<Visit>| {
        let is = |(name, nth): &Visit| name == place.name() && nth == visit;
        wish.as_ref().is_some_and(is)
    };
    if wished(&HALT) {
        let _ = kill_process(getpid(), Signal::STOP);
        // All threads stop, but not before another one may have taken the signal.
        std::thread::sleep(Duration::from_millis(50));
    }
    if wished(&KILL) {
        let name = place.name();
        note(&format!("killed at {name}"));
        let _ = kill_process(getpid(), Signal::KILL);
        // The signal ends all threads; this one does nothing more until then.
        loop {
            std::thread::park();
        }
    }
}

pub fn bound(bound: Bound, usual: u64) -> u64 {
    static BOUNDS: LazyLock<HashMap<String, u64>> = LazyLock::new(|| {
        let wish = std::env::var("CARTAGE_BOUND").unwrap_or_default();
        let bounds = wish.split(',').filter_map(|part| part.split_once('='));
        bounds
            .filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?)))
            .collect()
    });
    BOUNDS.get(bound.name()).copied().unwrap_or(usual)
}

pub fn mutant(mutant: Mutant) -> bool {
    MUTANT.as_deref() == Some(mutant.name())
}

/// One write of one line, so that what several processes note does not mix.
fn note(line: &str) {
    let Some(file) = &*PLACES else { return };
    let file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(file);
    let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
}

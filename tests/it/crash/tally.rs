//! How many processes came to each place, and how many were killed there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cartage::switch::Place;

/// Kills in a run of several rounds.
const MANY: u64 = 100;

#[derive(Clone, Debug, Default)]
pub struct Tally {
    came: BTreeMap<String, u64>,
    killed: BTreeMap<String, u64>,
    /// At a moment, and not at a place.
    pub random: u64,
}

impl Tally {
    /// What the processes noted (`CARTAGE_PLACES`).
    pub fn read(&mut self, noted: &str) {
        self.came.clear();
        self.killed.clear();
        for line in noted.lines() {
            let (counts, place) = match line.strip_prefix("killed at ") {
                Some(place) => (&mut self.killed, place),
                None => (&mut self.came, line),
            };
            *counts.entry(place.to_owned()).or_default() += 1;
        }
    }

    pub fn add(&mut self, other: &Tally) {
        for (mine, theirs) in [
            (&mut self.came, &other.came),
            (&mut self.killed, &other.killed),
        ] {
            for (place, count) in theirs {
                *mine.entry(place.clone()).or_default() += count;
            }
        }
        self.random += other.random;
    }

    /// Each place is one that somebody was killed at, or one of those where nobody comes.
    pub fn judge(&self, unseen: &[Place], rounds: u64) {
        println!("{self}");
        let spared = self.spared();
        assert!(spared.is_empty(), "nothing was killed at {spared:?}");
        let names = |places: &[Place]| -> BTreeSet<_> { places.iter().map(|p| p.name()).collect() };
        let unseen = names(unseen);
        assert_eq!(names(&self.unseen()), unseen, "places that nothing came to");
        let kills = self.kills();
        assert!(rounds == 1 || kills >= MANY, "{kills} kills");
    }

    fn kills(&self) -> u64 {
        self.killed.values().sum::<u64>() + self.random
    }

    /// Places that processes came to and at which none was killed.
    pub fn spared(&self) -> Vec<&str> {
        let spared = |place: &&String| !self.killed.contains_key(*place);
        self.came
            .keys()
            .filter(spared)
            .map(String::as_str)
            .collect()
    }

    /// Places that no process came to.
    pub fn unseen(&self) -> Vec<Place> {
        let unseen = |place: &Place| !self.came.contains_key(place.name());
        Place::ALL.iter().copied().filter(unseen).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<30} {:>9} {:>7}", "place", "came", "killed")?;
        for place in Place::ALL {
            let count = |counts: &BTreeMap<String, u64>| *counts.get(place.name()).unwrap_or(&0);
            let (came, killed) = (count(&self.came), count(&self.killed));
            writeln!(f, "{:<30} {came:>9} {killed:>7}", place.name())?;
        }
        writeln!(f, "{:<30} {:>9} {:>7}", "at any moment", "", self.random)?;
        write!(f, "{} kills in all", self.kills())
    }
}

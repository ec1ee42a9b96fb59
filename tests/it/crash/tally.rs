//! How many processes came to each place, and how many were killed there.

use std::collections::BTreeMap;
use std::fmt;

use cartage::switch::Place;

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

    pub fn kills(&self) -> u64 {
        self.killed.values().sum::<u64>() + self.random
    }

    /// Places at which no process was killed.
    pub fn spared(&self) -> Vec<&'static str> {
        let places = Place::ALL.iter().map(|place| place.name());
        places
            .filter(|place| !self.killed.contains_key(*place))
            .collect()
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

//! Switches of the test build: named places where the process can be killed, and answers to hazards
//! that can be taken out one by one. Without the feature `switches` there is none of it.
//!
//! `CARTAGE_KILL=place@n` kills the process the n-th time that it comes to `place`.
//! `CARTAGE_PLACES=file` has each place that the process comes to written into `file`, once, and
//! `killed at place` before a kill.
//! `CARTAGE_MUTANT=name` takes out the answer of that name.

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$about:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$about])* $variant,)* }

        impl $type {
            pub const ALL: &'static [$type] = &[$($type::$variant,)*];

            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }
        }
    };
}

named! {
    /// A border between what is durable and what is not yet.
    Place {
        /// A source transaction is decoded; nothing of it was dealt out.
        Decoded = "reader.decoded",
        /// A large source transaction is in the order of its carts; no piece of it was dealt out.
        Grouped = "reader.grouped",
        /// A piece of a large source transaction is on its way to the lanes.
        PieceDealt = "reader.piece-dealt",
        /// A lane knows the ledger rows of its batch.
        LedgerRead = "lane.ledger-read",
        /// The rows of a batch are written and their guards have matched; nothing is committed.
        BeforeCommit = "lane.before-commit",
        /// The batch is committed; nobody was told.
        AfterCommit = "lane.after-commit",
        /// A position is about to be told to the source.
        BeforeFeedback = "feed.before-feedback",
        /// A position was told to the source.
        AfterFeedback = "feed.after-feedback",
    }
}

named! {
    /// An answer to a hazard that can be taken out.
    Mutant {
        /// Confirms what was delivered instead of what is durable.
        ConfirmDelivered = "confirm-delivered",
    }
}

#[cfg(feature = "switches")]
mod on {
    use std::collections::HashMap;
    use std::io::Write;
    use std::sync::{LazyLock, Mutex};

    use rustix::process::{Signal, getpid, kill_process};

    use super::{Mutant, Place};

    static KILL: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let wish = std::env::var("CARTAGE_KILL").ok()?;
        let (place, nth) = wish.split_once('@').unwrap_or((&wish, "1"));
        Some((place.to_owned(), nth.parse().ok()?))
    });
    static MUTANT: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("CARTAGE_MUTANT").ok());
    static PLACES: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("CARTAGE_PLACES").ok());
    static VISITS: LazyLock<Mutex<HashMap<&'static str, u64>>> = LazyLock::new(Mutex::default);

    pub fn place(place: Place) {
        if KILL.is_none() && PLACES.is_none() {
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
        if let Some((name, nth)) = &*KILL
            && name == place.name()
            && nth == visit
        {
            note(&format!("killed at {name}"));
            let _ = kill_process(getpid(), Signal::KILL);
            // The signal ends all threads; this one does nothing more until then.
            loop {
                std::thread::park();
            }
        }
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
}

/// The process is at this place.
#[cfg(feature = "switches")]
pub fn place(place: Place) {
    on::place(place);
}

#[cfg(not(feature = "switches"))]
#[inline(always)]
pub fn place(_: Place) {}

/// Whether this answer is taken out.
#[cfg(feature = "switches")]
pub fn mutant(mutant: Mutant) -> bool {
    on::mutant(mutant)
}

#[cfg(not(feature = "switches"))]
#[inline(always)]
pub fn mutant(_: Mutant) -> bool {
    false
}

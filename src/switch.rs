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
        /// The reader keeps the changes of a chunk's carts; nothing is read yet.
        WindowOpened = "refresh.window-opened",
        /// A snapshot that sees everything delivered is open.
        SnapshotTaken = "refresh.snapshot-taken",
        /// The chunk is read; the reader does not know of it.
        ChunkRead = "refresh.chunk-read",
        /// The reader was asked to close the window.
        CloseAsked = "refresh.close-asked",
        /// Reads and kept changes are on their way to the lanes.
        WindowDealt = "reader.window-dealt",
        /// A chunk is durable; the run's cursor still stands before it.
        ChunkDurable = "refresh.chunk-durable",
        /// The run's cursor stands after a chunk.
        CursorAdvanced = "refresh.cursor-advanced",
        /// All chunks of a stage are durable; the run stands in that stage.
        StageWalked = "refresh.stage-walked",
        /// The run is in its next stage, or finished.
        StageDone = "refresh.stage-done",
        /// A cart's wish to be read was committed.
        WishCommitted = "lane.wish-committed",
        /// A read and the end of its wish were committed.
        WishGranted = "lane.wish-granted",
        /// A cart was set aside, in a commit.
        Held = "lane.held",
        /// A cart of the new backend was let go, in a commit.
        HandedOver = "lane.handed-over",
        /// One part of a batch is committed, the rest is not.
        PartCommitted = "lane.part-committed",
        /// All lanes of a meeting are quiet; nothing of it is written.
        MeetingBegun = "lane.meeting-begun",
        /// What concerned several lanes is durable; the others still wait.
        MeetingDone = "lane.meeting-done",
        /// All that came before a TRUNCATE is durable; no cart is cleared.
        TruncateBegun = "reader.truncate-begun",
        /// A chunk of carts is cleared.
        TruncateChunk = "reader.truncate-chunk",
        /// Source and target are compared; the pipeline is still the former owner's.
        BeforeTakeOver = "start.before-take-over",
        /// The lanes are this daemon's.
        TakenOver = "start.taken-over",
        /// A new mapping is stored; the former is in force.
        MappingStored = "start.mapping-stored",
        /// The walk over the ledger is begun; the former mapping is in force.
        MappingBegun = "start.mapping-begun",
        /// The new mapping is in force; no cart has it.
        MappingInForce = "start.mapping-in-force",
        /// A chunk of carts has the new mapping; the run's cursor stands before it.
        MappingTouched = "refresh.mapping-touched",
        /// A walk for what the log did not tell is begun; the state that showed it is not stored.
        RereadBegun = "refresh.reread-begun",
        /// The first walk is begun; nothing was read from the log.
        BackfillBegun = "start.backfill-begun",
        /// The control tables are there, with no row of the pipeline.
        Migrated = "setup.migrated",
        /// The pipeline has its row, and nothing else.
        Registered = "setup.registered",
        /// A slot that is of no use was dropped; nothing replaces it.
        OldSlotDropped = "setup.old-slot-dropped",
        /// What a publication lacked is stored; the publication still lacks it.
        LackStored = "setup.lack-stored",
        /// The publication is whole.
        PublicationMade = "setup.publication-made",
        /// There is a slot; the checkpoint does not stand at it.
        SlotMade = "setup.slot-made",
        /// The first checkpoint stands where the slot begins.
        CheckpointMade = "setup.checkpoint-made",
        /// The checkpoint stands at another slot, and all carts are to be read again.
        StartedOver = "setup.started-over",
        /// All carts are to be read again; the publication is still known as not whole.
        RefreshBegun = "setup.refresh-begun",
        /// The published tables are known as they are.
        StateStored = "setup.state-stored",
        /// The lanes stand elsewhere, and the operator was not told.
        CheckpointMoved = "checkpoint.moved",
        /// The slot is gone, all else is there.
        SlotDropped = "teardown.slot-dropped",
        /// Nothing is left in the source.
        PublicationDropped = "teardown.publication-dropped",
        /// The pipeline's rows are gone, the schema is there.
        RowsRemoved = "teardown.rows-removed",
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

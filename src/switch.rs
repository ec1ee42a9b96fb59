//! Switches of the test build: named places where the process can be killed, and answers to hazards
//! that can be taken out one by one. Without the feature `switches` there is none of it.
//!
//! `CARTAGE_KILL=place@n` kills the process the n-th time that it comes to `place`.
//! `CARTAGE_HALT=place@n` stops it there instead, until it is told to go on (SIGSTOP, SIGCONT).
//! `CARTAGE_PLACES=file` has each place that the process comes to written into `file`, once, and
//! `killed at place` before a kill.
//! `CARTAGE_BOUND=name=number,…` sets numbers that are otherwise fixed.
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
        /// Keys are in the map for carts of a batch; nothing of the batch is written.
        KeysAllocated = "lane.keys-allocated",
        /// The rows of a batch are written and their guards have matched; nothing is committed.
        BeforeCommit = "lane.before-commit",
        /// A COMMIT is on its way; nobody has heard whether it was done.
        CommitSent = "lane.commit-sent",
        /// The batch is committed; nobody was told.
        AfterCommit = "lane.after-commit",
        /// What a server does not remember of us is stored; the checkpoint stands there or further.
        Remembered = "memory.remembered",
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
        /// What the target holds of a cart that is to have one side's rows was read; nothing is written.
        TakeRead = "lane.take-read",
        /// One side's rows were taken for a cart, in a commit.
        Taken = "lane.taken",
        /// What the target holds of a cart that is to be repaired was read; nothing is written.
        RepairRead = "lane.repair-read",
        /// A cart was repaired, in a commit.
        Repaired = "lane.repaired",
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
        /// A synthetic cart is written down; none of its rows is made.
        SyntheticBegun = "synthetic.begun",
        /// Its rows are in the old database; their keys are not written down.
        SyntheticMade = "synthetic.made",
        /// It was changed there.
        SyntheticChanged = "synthetic.changed",
        /// Its rows are gone from there; that is not written down.
        SyntheticRemoved = "synthetic.removed",
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
        /// A control table is made where definitions commit by themselves; the others are missing.
        TableMade = "setup.table-made",
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
        /// A verification has written down where it is.
        VerifyNoted = "verify.noted",
        /// A verification has looked at all carts of the source; those of the ledger are left.
        VerifyStage = "verify.stage",
        /// A control table is dropped where definitions commit by themselves; the others are there.
        TableDropped = "teardown.table-dropped",
    }
}

named! {
    /// A number that a test can set.
    Bound {
        /// Changes that a window keeps.
        Kept = "kept",
        /// Changes of a source transaction that wait in memory.
        InMemory = "in-memory",
        /// Bytes of log behind which no window opens.
        Lag = "lag",
        /// Carts that a TRUNCATE clears at once.
        Cleared = "cleared",
        /// Ghosts of a cart.
        Ghosts = "ghosts",
        /// Milliseconds between two looks at the publication.
        Watch = "watch",
        /// Milliseconds between two looks for records that are too old.
        Purge = "purge",
        /// Carts that a verification reads at once.
        VerifyChunk = "verify-chunk",
        /// Milliseconds between two notes of where a verification is.
        VerifyNotes = "verify-notes",
        /// Carts that a verification parks before it looks at them again.
        VerifyParked = "verify-parked",
        /// Records that are deleted at once.
        Purged = "purged",
    }
}

named! {
    /// An answer to a hazard that can be taken out.
    Mutant {
        /// Confirms what was delivered instead of what is durable.
        ConfirmDelivered = "confirm-delivered",
        /// Reads carts in a snapshot that misses transactions delivered before.
        ReadAtOnce = "read-at-once",
        /// Checkpoints pass transactions that no snapshot is known to see.
        PassTail = "pass-tail",
        /// Commits although the lane's checkpoint row is another daemon's.
        NoFence = "no-fence",
        /// Takes the pipeline back from the daemon that has overtaken this one.
        TakeBack = "take-back",
        /// Does not wait for a slot that a dead reader still holds.
        SlotImpatient = "slot-impatient",
        /// Does not tell idle lanes how far the log has come.
        IdleSilent = "idle-silent",
        /// Confirms the furthest lane instead of the least.
        ConfirmFurthest = "confirm-furthest",
        /// Confirms where a keepalive says that the log is.
        ConfirmKeepalive = "confirm-keepalive",
        /// Lets the part of a batch that goes first move the checkpoint past the rest.
        CheckpointFirst = "checkpoint-first",
        /// Does not store what a held cart should become.
        HoldForgets = "hold-forgets",
        /// Does not store wishes.
        WishForgotten = "wish-forgotten",
        /// Takes a whole commit for done where a part of it is.
        SkipCommit = "skip-commit",
        /// Lets the checkpoint pass a TRUNCATE before the carts are cleared.
        TruncatePasses = "truncate-passes",
        /// Walks the ledger while lanes still have work from before the TRUNCATE.
        TruncateAtOnce = "truncate-at-once",
        /// Does not tell an open window of a TRUNCATE.
        TruncateUnkept = "truncate-unkept",
        /// Does not compare partitions with what they were.
        LeavesUnwatched = "leaves-unwatched",
        /// Closes a window before the log has come to where the snapshot was taken.
        CloseAtOnce = "close-at-once",
        /// Lets changes of carts that are being read pass to their lanes.
        WindowLetsPass = "window-lets-pass",
        /// Keeps any number of changes.
        WindowUnbounded = "window-unbounded",
        /// Drops what an abandoned window has kept.
        AbandonForgets = "abandon-forgets",
        /// Opens windows however far the reader is behind.
        LagUnbounded = "lag-unbounded",
        /// Does not let the other cart of a move join the window.
        MoveAlone = "move-alone",
        /// Takes a cart that joined a window for one that was read.
        JoinedAsRead = "joined-as-read",
        /// Takes a header in the log for all that there is of its cart.
        TrustBirths = "trust-births",
        /// Takes a row that arrives for all that there is below it.
        ArrivalUnread = "arrival-unread",
        /// The same for a row that belonged to nobody.
        NobodyUnread = "nobody-unread",
        /// The same for a row that was deleted before.
        ReturnsAlone = "returns-alone",
        /// Takes a row that is deleted and inserted again for one that keeps what hung below it.
        ReplacedIsMoved = "replaced-is-moved",
        /// Does not ask whose an unknown row is.
        OwnersUnasked = "owners-unasked",
        /// Leaves a row that moves in its former cart too.
        MoveStays = "move-stays",
        /// Lets lanes go on while another one applies a move that concerns them.
        NoMeeting = "no-meeting",
        /// Holds the carts of a move each for itself.
        HeldAlone = "held-alone",
        /// Takes a header's delete for that of one row.
        HeaderIsARow = "header-is-a-row",
        /// Takes a large value that did not change for NULL.
        ToastIsNull = "toast-is-null",
        /// Takes what a key's old tuple does not hold for NULL.
        UnsentIsNull = "unsent-is-null",
        /// Remembers no ghosts.
        GhostsForgotten = "ghosts-forgotten",
        /// Remembers any number of ghosts.
        GhostsUnbounded = "ghosts-unbounded",
        /// A save that changes nothing moves the stamp.
        SaveStamps = "save-stamps",
        /// A read moves the stamps of rows that it finds unchanged.
        ReadStamps = "read-stamps",
        /// Dates by the time of applying.
        StampNow = "stamp-now",
        /// Does not date what a read finds by the cart's own column.
        ChangedAtUnread = "changed-at-unread",
        /// Does not begin the walk that a changed mapping asks for.
        MappingUnwalked = "mapping-unwalked",
        /// Reads on from a slot that stands behind the checkpoint.
        SlotAheadUnseen = "slot-ahead-unseen",
        /// Reads on from another cluster.
        AnyCluster = "any-cluster",
        /// Reads on from a publication that lacks tables.
        NarrowPublication = "narrow-publication",
        /// Lines are written without a look at their header.
        LinesAlone = "lines-alone",
        /// A row is deleted before those are written that refer to it.
        DeletesFirst = "deletes-first",
        /// Writes are not guarded by `closed`.
        ClosedUnseen = "closed-unseen",
        /// A line is inserted whatever the new backend has put into the cart.
        AnyLine = "any-line",
        /// A header is not locked while lines are put below it.
        UnlockedHeader = "unlocked-header",
        /// Deletes do not ask what the row holds.
        DeleteAnyway = "delete-anyway",
        /// Rows that a statement did not hit are not missed.
        MissedRows = "missed-rows",
        /// Tokens are what our own statements left.
        TokensBeforeTriggers = "tokens-before-triggers",
        /// A lock column that the mapping sets is compared alone.
        MappedLockAlone = "mapped-lock-alone",
        /// The row is compared without the columns that only `ended` and `deleted` set.
        FatesUncompared = "fates-uncompared",
        /// A token that moved is a conflict, whatever the row holds.
        TokenIsLaw = "token-is-law",
        /// Of a cart whose token moved, only the rows to be written are looked at.
        OthersUnseen = "others-unseen",
        /// A row that is closed was closed by the new backend.
        ClosedIsClosed = "closed-is-closed",
        /// What the source does to a held cart is forgotten.
        PendingStays = "pending-stays",
        /// Takes what a held cart should become to be in the terms of its ledger row.
        PendingIsOurs = "pending-is-ours",
        /// Each attempt at a held cart leaves a record.
        RecordAgain = "record-again",
        /// What both sides have written is set aside.
        NoMerge = "no-merge",
        /// Lookups are asked anew each time that a cart is mapped.
        AnswersThaw = "answers-thaw",
        /// What was not found is not asked again.
        MissingStays = "missing-stays",
        /// What was not found is asked again only where a cart is held or read.
        NullForGood = "null-for-good",
        /// What is not found is null, whatever the mapping says.
        MissingIsNull = "missing-is-null",
        /// Where a row cannot be made, what its cart's rows were made by is forgotten.
        StuckForgets = "stuck-forgets",
        /// A row that moves leaves behind what was found for it.
        AnswersStay = "answers-stay",
        /// A change of a held cart puts its next attempt off.
        ChangesAreAttempts = "changes-are-attempts",
        /// Rows of different carts are one where their keys differ in the cart alone.
        NamesakesMove = "namesakes-move",
        /// A held cart that ends in the source waits for its turn.
        EndWaits = "end-waits",
        /// An end in the source yields to the new backend's edits.
        EndYields = "end-yields",
        /// A cart that the new backend has finished with is a cart like any other.
        NoTombstone = "no-tombstone",
        /// The purge horizon is not looked at.
        NoHorizon = "no-horizon",
        /// Lines of this ledger are rivals as well.
        OwnLinesClash = "own-lines-clash",
        /// `check` does not look into the target's triggers.
        TriggersTrusted = "triggers-trusted",
        /// `check` says nothing of ids that count up.
        CountersAsIds = "counters-as-ids",
        /// `check` lets columns be mapped that the target makes itself.
        GeneratedMapped = "generated-mapped",
        /// A row that is saved again as it was counts as changed.
        SavesAreChanges = "saves-are-changes",
        /// A row whose key changed is put in without being taken out.
        KeysStay = "keys-stay",
        /// A deadlock is never tried again.
        DeadlockIsFatal = "deadlock-is-fatal",
        /// Whatever breaks off each time is tried for ever.
        NeverSerial = "never-serial",
        /// A clash with any unique key is taken for one with the row's own.
        ClashUnnamed = "clash-unnamed",
        /// Does not see that a publication, or a column, is another one than it was.
        AlteredUnseen = "altered-unseen",
        /// Reads carts before the transactions that were open have ended.
        WritersUnawaited = "writers-unawaited",
        /// Takes a column that the log does not have for one that did not change.
        AbsentIsUnchanged = "absent-is-unchanged",
        /// Takes a key and an owner that the log does not show for ones that did not change.
        HiddenIsUnchanged = "hidden-is-unchanged",
        /// Lets changes go that name no cart, and reads nothing for it.
        UntracedUnread = "untraced-unread",
        /// Does not look at the schemas when a statement fails.
        SchemaUnexplained = "schema-unexplained",
        /// Reads on from an earlier timeline, and from one that left the stored one too soon.
        AnyTimeline = "any-timeline",
        /// Reads on from a log that ends before the checkpoint.
        EndUnseen = "end-unseen",
        /// Reads on from the binlog of whatever server, with whatever transactions.
        AnyBinlog = "any-binlog",
        /// Reads on from another file of the same name.
        AnyFile = "any-file",
        /// Does not see that log which is needed was given up.
        LossUnseen = "loss-unseen",
        /// Does not forecast when the source gives its log up.
        LossUnforeseen = "loss-unforeseen",
        /// Passes compressed events and transactions by.
        PackedPassed = "packed-passed",
        /// Takes what the log's row does not have for NULL.
        AbsentIsNull = "absent-is-null",
        /// Passes statements by that the log has instead of rows.
        StatementsPassed = "statements-passed",
        /// Does not hear of a TRUNCATE in the binlog.
        TruncateUnheard = "truncate-unheard",
        /// Reads rows of before by the tables of today.
        TodaysColumns = "todays-columns",
        /// Does not read the names of columns in the log.
        NamesUnread = "names-unread",
        /// Does not compare the types in the log with those of the table.
        TypesUnread = "types-unread",
        /// Does not know numbers without a sign.
        SignsUnread = "signs-unread",
        /// Reads bytes of the log as if all were of one charset.
        OneCharset = "one-charset",
        /// Leaves sessions at the clock and the spellings of their server.
        SessionsUnset = "sessions-unset",
        /// Cuts large transactions wherever a piece is full.
        PiecesAnywhere = "pieces-anywhere",
        /// Begins the first walk with each start.
        BackfillAnew = "backfill-anew",
        /// `check` lets a table be read and written.
        OwnSource = "own-source",
        /// A distance that is not known is none.
        UnknownIsNear = "unknown-is-near",
        /// What a merge has left is not kept.
        MergeForgets = "merge-forgets",
        /// `verify` believes what it sees at first.
        SeenOnce = "seen-once",
        /// `verify` does not let the log pass before it looks again.
        LogUnawaited = "log-unawaited",
        /// `verify` takes a cart that changes while it is compared for one that stands still.
        MovingStandsStill = "moving-stands-still",
        /// `verify` takes what it cannot compare for equal.
        PendingIsEqual = "pending-is-equal",
        /// `verify` forgets what was doubtful when it was cut short.
        ParkedForgotten = "parked-forgotten",
        /// `verify` looks at no cart that the source does not have live.
        LedgerUnwalked = "ledger-unwalked",
        /// `verify` does not tell carts that only the target has.
        AloneUntold = "alone-untold",
        /// A repair does not mind what the new backend writes after the look at a cart.
        RepairUnguarded = "repair-unguarded",
        /// A repair takes all that differs for drift.
        AllIsDrift = "all-is-drift",
        /// A repair by the daemon puts back what the new backend has deleted.
        DeletedIsDrift = "deleted-is-drift",
        /// A repair does not record the rows as they were.
        BeforeUnrecorded = "before-unrecorded",
        /// A repair is undone whatever the rows hold now.
        UndoneAnyway = "undone-anyway",
        /// Counters are moved back, too.
        CountersBack = "counters-back",
        /// The source's counter is not looked at.
        SourceUncounted = "source-uncounted",
    }
}

#[cfg(feature = "switches")]
mod on;

/// The process is at this place.
#[cfg(feature = "switches")]
pub fn place(place: Place) {
    on::place(place);
}

#[cfg(not(feature = "switches"))]
#[inline(always)]
pub fn place(_: Place) {}

/// Waits for an answer. The process is at this place when the question is on its way: a driver sends
/// what it is asked when it is polled for the first time.
#[cfg(feature = "switches")]
pub async fn asked<T>(at: Place, answer: impl Future<Output = T>) -> T {
    let mut answer = std::pin::pin!(answer);
    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(answer.as_mut().poll(cx))).await;
    place(at);
    match first {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => answer.await,
    }
}

#[cfg(not(feature = "switches"))]
#[inline(always)]
pub async fn asked<T>(_: Place, answer: impl Future<Output = T>) -> T {
    answer.await
}

/// The bound, which is the usual one unless a test has set it.
#[cfg(feature = "switches")]
pub fn bound(bound: Bound, usual: u64) -> u64 {
    on::bound(bound, usual)
}

#[cfg(not(feature = "switches"))]
#[inline(always)]
pub fn bound(_: Bound, usual: u64) -> u64 {
    usual
}

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

//! The ledger: what cartage knows of each cart, read by the batch and written with its effect.

use super::error::TargetError;
use super::session::Target;
use super::{mysql, postgres};
use crate::cart::codec::{self, CodecError};
use crate::cart::image::Image;
use crate::cart::key::CartKey;
use crate::merge::{self, Kept};
use crate::source::change::Position;

/// A cart's state as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Mirror,
    Merged,
    HandedOver,
    Held,
    Ended,
}

impl State {
    pub(super) const ALL: [State; 5] = [
        State::Mirror,
        State::Merged,
        State::HandedOver,
        State::Held,
        State::Ended,
    ];

    pub fn name(self) -> &'static str {
        match self {
            State::Mirror => "mirror",
            State::Merged => "merged",
            State::HandedOver => "handed_over",
            State::Held => "held",
            State::Ended => "ended",
        }
    }

    fn of(name: &str, cart: &CartKey) -> Result<Self, LedgerError> {
        let known = Self::ALL.into_iter().find(|s| s.name() == name);
        known.ok_or_else(|| LedgerError::State {
            cart: cart.clone(),
            state: name.to_owned(),
        })
    }
}

/// One cart's row, with what is held or wished of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub state: State,
    pub position: Position,
    pub mapping: i32,
    pub image: Image,
    pub tokens: Vec<Option<Box<str>>>,
    /// The image that a held cart should be brought to, and the unit that it is held with.
    pub pending: Option<(Image, Option<String>)>,
    /// The mapping in whose terms that image is.
    pub pending_mapping: i32,
    /// Target rows that a merge has left other than the image says.
    pub kept: Vec<Kept>,
}

/// What loading a cart gave.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub entry: Option<Entry>,
    pub wished: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("target: {0}")]
    Database(#[from] TargetError),
    #[error("the ledger, cart {cart}: {why}")]
    Damaged { cart: CartKey, why: CodecError },
    #[error("the ledger, cart {cart}: unknown state {state}")]
    State { cart: CartKey, state: String },
}

impl From<tokio_postgres::Error> for LedgerError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<mysql_async::Error> for LedgerError {
    fn from(error: mysql_async::Error) -> Self {
        Self::Database(error.into())
    }
}

/// A row as it is kept.
pub(super) struct Stored<'a> {
    pub state: &'a str,
    pub position: Position,
    pub mapping: i32,
    pub image: &'a [u8],
    pub tokens: Option<&'a [u8]>,
    pub pending: Option<(&'a [u8], Option<String>)>,
    pub kept: Option<&'a [u8]>,
}

impl Stored<'_> {
    pub fn read(self, cart: &CartKey) -> Result<Entry, LedgerError> {
        let damaged = |why| LedgerError::Damaged {
            cart: cart.clone(),
            why,
        };
        let mut pending_mapping = self.mapping;
        let pending = match self.pending {
            Some((bytes, unit)) => {
                let (mapping, image) = codec::decode_pending(bytes).map_err(damaged)?;
                pending_mapping = mapping.unwrap_or(self.mapping);
                Some((image, unit))
            }
            None => None,
        };
        let tokens = self.tokens.map(codec::decode_tokens).transpose();
        let kept = self.kept.map(merge::decode).transpose();
        Ok(Entry {
            state: State::of(self.state, cart)?,
            position: self.position,
            mapping: self.mapping,
            image: codec::decode(self.image).map_err(damaged)?,
            tokens: tokens.map_err(damaged)?.unwrap_or_default(),
            pending,
            pending_mapping,
            kept: kept.map_err(damaged)?.unwrap_or_default(),
        })
    }
}

/// Reads the rows of these carts, in their order.
pub async fn load(
    target: &Target,
    pipeline: i32,
    carts: &[&CartKey],
) -> Result<Vec<Loaded>, LedgerError> {
    match target {
        Target::Postgres(client) => {
            let statement = client.prepare(postgres::ledger::LOAD).await?;
            postgres::ledger::load(client, &statement, pipeline, carts).await
        }
        Target::Mysql(session) => {
            let mut state = session.lock().await;
            let loaded = mysql::ledger::load(&mut state, pipeline, carts);
            session.hold(loaded).await
        }
    }
}

/// What a comparison needs of a cart's row.
#[derive(Clone, Debug)]
pub struct Brief {
    pub state: State,
    pub position: Position,
    pub mapping: i32,
    /// As it is kept: of carts that are as they were nobody has to read it.
    pub image: Box<[u8]>,
}

impl Brief {
    pub(super) fn of(
        cart: &CartKey,
        state: &str,
        position: Position,
        mapping: i32,
        image: &[u8],
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            state: State::of(state, cart)?,
            position,
            mapping,
            image: image.into(),
        })
    }

    pub fn read(&self, cart: &CartKey) -> Result<Image, LedgerError> {
        codec::decode(&self.image).map_err(|why| LedgerError::Damaged {
            cart: cart.clone(),
            why,
        })
    }
}

/// What a comparison was told of a cart.
#[derive(Clone, Debug, Default)]
pub struct Briefed {
    pub entry: Option<Brief>,
    pub wished: bool,
}

/// Reads what a comparison needs of these carts, in their order: states, positions and images. Tokens, what is
/// held, and what a merge has kept stay where they are. `statement` is [`images_statement`]'s.
pub async fn images(
    target: &Target,
    statement: Option<&tokio_postgres::Statement>,
    pipeline: i32,
    carts: &[&CartKey],
) -> Result<Vec<Briefed>, LedgerError> {
    match target {
        Target::Postgres(client) => {
            let prepared;
            let statement = match statement {
                Some(statement) => statement,
                None => {
                    prepared = client.prepare(postgres::ledger::IMAGES).await?;
                    &prepared
                }
            };
            postgres::ledger::images(client, statement, pipeline, carts).await
        }
        Target::Mysql(session) => {
            let mut state = session.lock().await;
            let loaded = mysql::ledger::images(&mut state, pipeline, carts);
            session.hold(loaded).await
        }
    }
}

/// What [`images`] asks again and again, prepared once.
pub async fn images_statement(
    target: &Target,
) -> Result<Option<tokio_postgres::Statement>, TargetError> {
    match target {
        Target::Postgres(client) => Ok(Some(client.prepare(postgres::ledger::IMAGES).await?)),
        Target::Mysql(_) => Ok(None),
    }
}

/// Whether a patch of the cart commits with its ledger row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patched {
    No,
    Yes,
    /// It inserts the header: lock counters begin at 1, and so does the count of patches.
    First,
}

/// What of a cart no lookup has found, although its rows were mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unanswered {
    /// All was found.
    None,
    /// Something, as it was before.
    Still,
    /// Something, and that was asked just now.
    Asked,
}

/// A ledger row to write.
#[derive(Clone, Debug)]
pub struct LedgerRow {
    pub cart: CartKey,
    /// The state in the row that it replaces.
    pub before: Option<State>,
    pub state: State,
    pub position: Position,
    pub mapping: i32,
    pub patched: Patched,
    /// The cart was read whole at this position.
    pub refreshed: bool,
    pub image: Vec<u8>,
    pub tokens: Option<Vec<u8>>,
    /// Target rows that a merge has left other than the image says.
    pub kept: Option<Vec<u8>>,
    pub unanswered: Unanswered,
    /// Numbers of its target rows that could be another cart's too.
    pub shareable: Vec<i64>,
}

/// A ledger row of which only state and position change.
#[derive(Clone, Debug)]
pub struct KeptRow {
    pub cart: CartKey,
    pub before: State,
    pub state: State,
    pub position: Position,
}

/// A held row to write. `evidence` is base, ours and theirs as JSON where it is new.
#[derive(Clone, Debug)]
pub struct HeldRow {
    pub cart: CartKey,
    pub unit: Option<String>,
    pub reason: &'static str,
    pub message: String,
    pub pending: Vec<u8>,
    pub evidence: Option<Evidence>,
    /// It was tried again just now.
    pub tried: bool,
    /// That was by taking one side's rows: it is not tried so again.
    pub taken: bool,
}

/// Target rows as JSON texts: as last written, as the source wants them, as found.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub base: Option<String>,
    pub ours: Option<String>,
    pub theirs: Option<String>,
}

/// A conflict record.
#[derive(Clone, Debug)]
pub struct ConflictRow {
    pub cart: CartKey,
    pub kind: &'static str,
    pub position: Position,
    pub evidence: Evidence,
    /// What a merge decided, as JSON.
    pub decisions: Option<String>,
    /// Lines whose quantity both sides had changed.
    pub items: u64,
    /// All that a merge looked at, and the mapping by which it did.
    pub inputs: Option<(i32, Vec<u8>)>,
}

/// What became of a cart's repair, with its target rows before and after as JSON.
#[derive(Clone, Debug)]
pub struct RepairRow {
    pub run: i32,
    pub cart: CartKey,
    pub state: &'static str,
    pub before: Option<String>,
    pub after: Option<String>,
    pub note: String,
}

/// All that commits with a batch beside its target rows and its checkpoint.
#[derive(Clone, Debug, Default)]
pub struct Records {
    pub ledger: Vec<LedgerRow>,
    pub kept: Vec<KeptRow>,
    pub held: Vec<HeldRow>,
    /// Carts that are no longer held.
    pub released: Vec<CartKey>,
    pub wishes: Vec<(CartKey, &'static str)>,
    /// Carts whose wish is fulfilled.
    pub granted: Vec<CartKey>,
    pub conflicts: Vec<ConflictRow>,
    pub repairs: Vec<RepairRow>,
}

impl Records {
    /// By how much the number of carts in each state changes, in the order of [`State::ALL`].
    pub(super) fn moved(&self) -> [i64; 5] {
        let rows = self.ledger.iter().map(|r| (r.before, r.state));
        let kept = self.kept.iter().map(|r| (Some(r.before), r.state));
        let mut moved = [0; 5];
        for (before, after) in rows.chain(kept) {
            for (count, state) in moved.iter_mut().zip(State::ALL) {
                *count += i64::from(after == state) - i64::from(before == Some(state));
            }
        }
        moved
    }
}

//! The ledger: what cartage knows of each cart, read by the batch and written with its effect.

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::checkpoint::position;
use crate::cart::codec::{self, CodecError};
use crate::cart::image::Image;
use crate::cart::key::CartKey;
use crate::postgres::fault;
use crate::source::change::Position;
use crate::switch::{self, Mutant};

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
    const ALL: [State; 5] = [
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

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
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
}

/// What loading a cart gave.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub entry: Option<Entry>,
    pub wished: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("target: {}", fault::describe(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error("cartage.ledger, cart {cart}: {why}")]
    Damaged { cart: CartKey, why: CodecError },
    #[error("cartage.ledger, cart {cart}: unknown state {state}")]
    State { cart: CartKey, state: String },
}

/// Reads the rows of these carts with one statement, in their order.
pub async fn load(
    client: &Client,
    statement: &tokio_postgres::Statement,
    pipeline: i32,
    carts: &[&CartKey],
) -> Result<Vec<Loaded>, LedgerError> {
    let keys: Vec<&str> = carts.iter().map(|c| c.as_str()).collect();
    let rows = client.query(statement, &[&pipeline, &keys]).await?;
    let mut loaded: Vec<Loaded> = carts.iter().map(|_| Loaded::default()).collect();
    for row in rows {
        let ord: i64 = row.get(0);
        let Some(at) = usize::try_from(ord - 1).ok().filter(|at| *at < carts.len()) else {
            continue;
        };
        let cart = carts[at];
        let damaged = |why| LedgerError::Damaged {
            cart: cart.clone(),
            why,
        };
        loaded[at].wished = row.get(1);
        let Some(state) = row.get::<_, Option<&str>>(2) else {
            continue;
        };
        let pending = match row.get::<_, Option<&[u8]>>(8) {
            Some(bytes) => Some((codec::decode(bytes).map_err(damaged)?, row.get(9))),
            None => None,
        };
        loaded[at].entry = Some(Entry {
            state: State::parse(state).ok_or_else(|| LedgerError::State {
                cart: cart.clone(),
                state: state.to_owned(),
            })?,
            position: position(&row, 3),
            mapping: row.get(5),
            image: codec::decode(row.get(6)).map_err(damaged)?,
            tokens: match row.get::<_, Option<&[u8]>>(7) {
                Some(bytes) => codec::decode_tokens(bytes).map_err(damaged)?,
                None => Vec::new(),
            },
            pending,
        });
    }
    Ok(loaded)
}

/// The statement of [`load`].
pub const LOAD: &str = "SELECT c.ord, w.cart IS NOT NULL, l.state, l.lsn::text, l.seq, l.mapping, \
           l.image, l.tokens, h.pending, h.unit \
    FROM unnest($2::text[]) WITH ORDINALITY AS c(cart, ord) \
    LEFT JOIN cartage.ledger l ON l.pipeline = $1 AND l.cart = c.cart \
    LEFT JOIN cartage.wish w ON w.pipeline = $1 AND w.cart = c.cart \
    LEFT JOIN cartage.held h ON h.pipeline = $1 AND h.cart = c.cart \
    WHERE l.cart IS NOT NULL OR w.cart IS NOT NULL";

/// Whether a patch of the cart commits with its ledger row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patched {
    No,
    Yes,
    /// It inserts the header: lock counters begin at 1, and so does the count of patches.
    First,
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
}

/// A statement with its parameters, ready to be sent.
pub type Prepared = (&'static str, Vec<Box<dyn ToSql + Sync + Send>>);

impl Records {
    /// By how much the number of carts in each state changes, in the order of [`State::ALL`].
    fn moved(&self) -> [i64; 5] {
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

    /// The statements that write the records of a lane, in order.
    pub fn statements(&self, pipeline: i32, lane: i32) -> Vec<Prepared> {
        let mut out: Vec<Prepared> = Vec::new();
        let moved = self.moved();
        if moved != [0; 5] {
            let mut params: Vec<Box<dyn ToSql + Sync + Send>> =
                vec![Box::new(pipeline), Box::new(lane)];
            params.extend(moved.map(|n| Box::new(n) as Box<dyn ToSql + Sync + Send>));
            out.push((COUNT_CARTS, params));
        }
        let texts = |carts: &[CartKey]| -> Vec<String> {
            carts.iter().map(|c| c.as_str().to_owned()).collect()
        };
        if !self.ledger.is_empty() {
            out.push((PUT_LEDGER, self.ledger_params(pipeline)));
        }
        if !self.kept.is_empty() {
            let carts: Vec<String> = self
                .kept
                .iter()
                .map(|r| r.cart.as_str().to_owned())
                .collect();
            let states: Vec<&'static str> = self.kept.iter().map(|r| r.state.name()).collect();
            let lsns: Vec<String> = self
                .kept
                .iter()
                .map(|r| r.position.lsn.to_string())
                .collect();
            let seqs: Vec<i64> = self
                .kept
                .iter()
                .map(|r| i64::from(r.position.seq))
                .collect();
            out.push((
                "UPDATE cartage.ledger AS l SET state = d.state, lsn = d.lsn::pg_lsn, seq = d.seq \
                 FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) \
                      AS d(cart, state, lsn, seq) \
                 WHERE l.pipeline = $1 AND l.cart = d.cart",
                vec![
                    Box::new(pipeline),
                    Box::new(carts),
                    Box::new(states),
                    Box::new(lsns),
                    Box::new(seqs),
                ],
            ));
        }
        if !self.granted.is_empty() {
            out.push((
                "DELETE FROM cartage.wish WHERE pipeline = $1 AND cart = ANY($2::text[])",
                vec![Box::new(pipeline), Box::new(texts(&self.granted))],
            ));
        }
        if !self.wishes.is_empty() {
            let carts: Vec<String> = self
                .wishes
                .iter()
                .map(|w| w.0.as_str().to_owned())
                .collect();
            let reasons: Vec<&'static str> = self.wishes.iter().map(|w| w.1).collect();
            out.push((
                "INSERT INTO cartage.wish (pipeline, cart, reason) \
                 SELECT $1, * FROM unnest($2::text[], $3::text[]) ON CONFLICT DO NOTHING",
                vec![Box::new(pipeline), Box::new(carts), Box::new(reasons)],
            ));
        }
        if !self.released.is_empty() {
            out.push((
                "DELETE FROM cartage.held WHERE pipeline = $1 AND cart = ANY($2::text[])",
                vec![Box::new(pipeline), Box::new(texts(&self.released))],
            ));
        }
        for held in &self.held {
            let evidence = held.evidence.clone().unwrap_or_default();
            out.push((
                PUT_HELD,
                vec![
                    Box::new(pipeline),
                    Box::new(held.cart.as_str().to_owned()),
                    Box::new(held.unit.clone()),
                    Box::new(held.reason),
                    Box::new(held.message.clone()),
                    Box::new(held.pending.clone()),
                    Box::new(evidence.base),
                    Box::new(evidence.ours),
                    Box::new(evidence.theirs),
                    Box::new(held.tried),
                ],
            ));
        }
        for conflict in &self.conflicts {
            out.push((
                PUT_CONFLICT,
                vec![
                    Box::new(pipeline),
                    Box::new(conflict.cart.as_str().to_owned()),
                    Box::new(conflict.kind),
                    Box::new(conflict.position.lsn.to_string()),
                    Box::new(conflict.evidence.base.clone()),
                    Box::new(conflict.evidence.ours.clone()),
                    Box::new(conflict.evidence.theirs.clone()),
                    Box::new(switch::mutant(Mutant::RecordAgain)),
                ],
            ));
        }
        out
    }

    fn ledger_params(&self, pipeline: i32) -> Vec<Box<dyn ToSql + Sync + Send>> {
        let rows = &self.ledger;
        let carts: Vec<String> = rows.iter().map(|r| r.cart.as_str().to_owned()).collect();
        let states: Vec<&'static str> = rows.iter().map(|r| r.state.name()).collect();
        let lsns: Vec<String> = rows.iter().map(|r| r.position.lsn.to_string()).collect();
        let seqs: Vec<i64> = rows.iter().map(|r| i64::from(r.position.seq)).collect();
        let mappings: Vec<i32> = rows.iter().map(|r| r.mapping).collect();
        let patches: Vec<i64> = rows
            .iter()
            .map(|r| i64::from(r.patched != Patched::No))
            .collect();
        let first: Vec<String> = rows
            .iter()
            .filter(|r| r.patched == Patched::First)
            .map(|r| r.cart.as_str().to_owned())
            .collect();
        let refreshed: Vec<Option<String>> = rows
            .iter()
            .map(|r| r.refreshed.then(|| r.position.lsn.to_string()))
            .collect();
        let images: Vec<Vec<u8>> = rows.iter().map(|r| r.image.clone()).collect();
        let tokens: Vec<Option<Vec<u8>>> = rows.iter().map(|r| r.tokens.clone()).collect();
        // As texts, for arrays of different lengths make no array of two dimensions.
        let shareable: Vec<Option<String>> = rows
            .iter()
            .map(|r| {
                let numbers: Vec<String> = r.shareable.iter().map(i64::to_string).collect();
                (!numbers.is_empty()).then(|| format!("{{{}}}", numbers.join(",")))
            })
            .collect();
        vec![
            Box::new(pipeline),
            Box::new(carts),
            Box::new(states),
            Box::new(lsns),
            Box::new(seqs),
            Box::new(mappings),
            Box::new(patches),
            Box::new(refreshed),
            Box::new(images),
            Box::new(tokens),
            Box::new(first),
            Box::new(shareable),
        ]
    }
}

/// So that nobody has to count the ledger to say how many carts there are.
const COUNT_CARTS: &str = "UPDATE cartage.checkpoint SET mirror = mirror + $3, \
        merged = merged + $4, handed_over = handed_over + $5, held = held + $6, ended = ended + $7 \
    WHERE pipeline = $1 AND lane = $2";

const PUT_LEDGER: &str = "INSERT INTO cartage.ledger AS l \
        (pipeline, cart, state, lsn, seq, mapping, patches, refreshed, image, tokens, shareable) \
    SELECT $1, cart, state, lsn::pg_lsn, seq, mapping, patches, refreshed::pg_lsn, image, tokens, \
        shareable::bigint[] \
    FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::integer[], $7::bigint[], \
                $8::text[], $9::bytea[], $10::bytea[], $12::text[]) \
         AS d(cart, state, lsn, seq, mapping, patches, refreshed, image, tokens, shareable) \
    ON CONFLICT (pipeline, cart) DO UPDATE SET state = excluded.state, lsn = excluded.lsn, \
        seq = excluded.seq, mapping = excluded.mapping, \
        patches = excluded.patches + CASE WHEN l.cart = ANY ($11::text[]) THEN 0 ELSE l.patches END, \
        refreshed = coalesce(excluded.refreshed, l.refreshed), image = excluded.image, \
        tokens = excluded.tokens, shareable = excluded.shareable";

/// What is found again as it was found last is no news: neither the attempts at a held cart nor the
/// changes to one that the new backend has finished with add up.
const PUT_CONFLICT: &str = "INSERT INTO cartage.conflict \
        (pipeline, cart, kind, lsn, base, ours, theirs) \
    SELECT n.* FROM (SELECT $1::integer, $2::text, $3::text AS kind, $4::text::pg_lsn, \
                            $5::text::jsonb AS base, $6::text::jsonb AS ours, \
                            $7::text::jsonb AS theirs) AS n \
    WHERE $8::boolean OR NOT EXISTS (SELECT 1 FROM ( \
        SELECT kind, base, ours, theirs FROM cartage.conflict \
        WHERE pipeline = $1 AND cart = $2 ORDER BY id DESC LIMIT 1) AS l \
        WHERE l.kind = n.kind AND l.base IS NOT DISTINCT FROM n.base \
          AND l.ours IS NOT DISTINCT FROM n.ours AND l.theirs IS NOT DISTINCT FROM n.theirs)";

/// A hold is tried again after 1, 2, 4 … seconds, at most ten minutes.
const PUT_HELD: &str = "INSERT INTO cartage.held AS h \
        (pipeline, cart, unit, reason, message, pending, base, ours, theirs, retry_at) \
    VALUES ($1, $2::text, $3::text, $4::text, $5::text, $6, $7::text::jsonb, $8::text::jsonb, \
            $9::text::jsonb, now() + interval '1 second') \
    ON CONFLICT (pipeline, cart) DO UPDATE SET pending = excluded.pending, \
        unit = coalesce(excluded.unit, h.unit), \
        reason = CASE WHEN $10::boolean THEN excluded.reason ELSE h.reason END, \
        message = CASE WHEN $10::boolean THEN excluded.message ELSE h.message END, base = coalesce(excluded.base, h.base), \
        ours = coalesce(excluded.ours, h.ours), theirs = coalesce(excluded.theirs, h.theirs), \
        attempts = h.attempts + $10::boolean::integer, \
        retry_at = CASE WHEN $10::boolean \
            THEN now() + least(interval '10 minutes', interval '1 second' * 2 ^ least(h.attempts, 12)) \
            ELSE h.retry_at END";

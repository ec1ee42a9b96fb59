//! Repair: carts whose target rows were changed behind cartage's back are brought back to the source's
//! state by the lane that owns them, guarded like any write, and recorded so that it can be undone.
//!
//! Who wants carts repaired asks for it here; the refresher reads them from the source, and the lane
//! decides by the lock tokens that it finds what is drift and what the new backend has written.

pub mod document;
pub mod pace;
pub mod undo;

use crate::cart::key::CartKey;
use crate::mapping::plan::{Lock, Mapping, Role};
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;
use crate::target::words::{Param, Words};

/// Carts that are named in one statement.
const AT_ONCE: usize = 500;

/// Who asks for a repair, and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    by: &'static str,
    /// The source's rows are written over what the new backend wrote, too.
    take_source: bool,
    /// A cart whose header is gone is put back while it is live in the source.
    restore_deleted: bool,
}

impl Order {
    /// By a human, who has seen what differs.
    pub fn by_command(take_source: bool) -> Self {
        Self {
            by: "command",
            take_source,
            restore_deleted: true,
        }
    }

    /// By the daemon itself: a header that is gone may well be the new backend's doing.
    pub fn by_daemon(restore_deleted: bool) -> Self {
        Self {
            by: "daemon",
            take_source: false,
            restore_deleted,
        }
    }
}

/// A cart's repair on its way to its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    pub run: i32,
    pub take_source: bool,
    pub restore_deleted: bool,
}

/// What became of a cart's repair, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Asked,
    Repaired,
    /// It was as it should be.
    Nothing,
    /// The new backend has written it: that stays.
    Merged,
    Refused,
    Undone,
}

impl State {
    pub const ALL: [State; 6] = [
        State::Asked,
        State::Repaired,
        State::Nothing,
        State::Merged,
        State::Refused,
        State::Undone,
    ];

    pub fn name(self) -> &'static str {
        match self {
            State::Asked => "asked",
            State::Repaired => "repaired",
            State::Nothing => "nothing",
            State::Merged => "merged",
            State::Refused => "refused",
            State::Undone => "undone",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What is to be said before a repair where the lock of the headers cannot tell who wrote a row.
pub fn blind(mapping: &Mapping) -> Option<String> {
    let mut intos = mapping.intos.iter();
    let into = intos.find(|into| into.role == Role::Header)?;
    let why = match &into.lock {
        Lock::Counter(_) | Lock::Clock(_) => return None,
        Lock::Row => {
            "lock = \"row\" tells no write of the new backend from any other: what differs"
        }
        Lock::Xmin => "lock = \"xmin\" moves with every write, whoever makes it: what differs",
        Lock::Mapped(_) => {
            "the mapping sets the lock column itself, and a write that leaves it as it is cannot be \
             told from drift, nor drift of it from a write. A cart in which it is as cartage left it \
             is brought back; what differs in any other"
        }
    };
    let table = into.full_name();
    Some(format!(
        "{table}: {why} is taken for the new backend's, and stays: the cart is merged, unless with \
         --take source."
    ))
}

/// Asks for the repair of these carts; answers the number of the run. The daemon does it as soon as
/// there is one. All of it commits together: who looks at a run looks at all of its carts.
pub async fn ask(
    target: &Target,
    pipeline: i32,
    order: Order,
    carts: &[CartKey],
) -> Result<i32, TargetError> {
    target.run("BEGIN").await?;
    match ask_now(target, pipeline, order, carts).await {
        Ok(run) => target.run("COMMIT").await.map(|()| run),
        Err(why) => {
            // The first error says what was wrong.
            let _ = target.run("ROLLBACK").await;
            Err(why)
        }
    }
}

async fn ask_now(
    target: &Target,
    pipeline: i32,
    order: Order,
    carts: &[CartKey],
) -> Result<i32, TargetError> {
    let insert = "INSERT INTO cartage.repair_run (pipeline, asked_by, take_source, restore_deleted) \
                  VALUES ($1, $2, $3, $4)";
    let params = params![pipeline, order.by, order.take_source, order.restore_deleted];
    let run = target.insert(insert, params).await?;
    for some in carts.chunks(AT_ONCE) {
        let rows: Vec<String> = (2..some.len() + 2).map(|n| format!("($1, ${n})")).collect();
        let rows = rows.join(", ");
        let sql = Words::each(
            format!(
                "INSERT INTO cartage.repair_cart (run, cart) VALUES {rows} ON CONFLICT DO NOTHING"
            ),
            format!(
                "INSERT INTO cartage_repair_cart (run, cart) VALUES {rows} \
                 ON DUPLICATE KEY UPDATE state = cartage_repair_cart.state"
            ),
        );
        let mut params = vec![Param::from(run)];
        params.extend(some.iter().map(|cart| Param::from(cart.as_str())));
        target.execute(sql, &params).await?;
    }
    Ok(run)
}

/// Whether nothing of a run is still to be done.
pub async fn finished(target: &Target, run: i32) -> Result<bool, TargetError> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM cartage.repair_cart \
               WHERE run = $1 AND state = 'asked')";
    target.one(sql, params![run]).await?.get(0)
}

/// The carts that have waited longest, each once, and whether something is in the way of each.
pub async fn asked(
    target: &Target,
    pipeline: i32,
    limit: usize,
) -> Result<Vec<(CartKey, Repair, Option<&'static str>)>, TargetError> {
    let sql = "SELECT c.run, c.cart, r.take_source, r.restore_deleted, l.state \
               FROM cartage.repair_cart c JOIN cartage.repair_run r ON r.id = c.run \
               LEFT JOIN cartage.ledger l ON l.pipeline = r.pipeline AND l.cart = c.cart \
               WHERE c.state = 'asked' AND r.pipeline = $1 \
               ORDER BY c.asked_at, c.run, c.cart LIMIT $2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut asked: Vec<(CartKey, Repair, Option<&'static str>)> = Vec::new();
    for row in target.query(sql, params![pipeline, limit]).await? {
        let cart = CartKey::stored(&row.get::<String>(1)?);
        let repair = Repair {
            run: row.get(0)?,
            take_source: row.get(2)?,
            restore_deleted: row.get(3)?,
        };
        let state: Option<String> = row.get(4)?;
        let why = match state.as_deref() {
            Some("held") => Some(HELD),
            Some("handed_over") => Some(FINISHED),
            _ => None,
        };
        if asked.iter().all(|(known, ..)| *known != cart) {
            asked.push((cart, repair, why));
        }
    }
    Ok(asked)
}

pub const HELD: &str = "it is held, and not repaired; see: cartage held show, cartage held retry";
pub const FINISHED: &str = "the new backend has finished with it, and it is not brought back";

/// Says of a cart that was asked for why it is not repaired.
pub async fn refuse(
    target: &Target,
    run: i32,
    cart: &CartKey,
    why: &str,
) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.repair_cart SET state = 'refused', note = $3, \
               done_at = CURRENT_TIMESTAMP(6) WHERE run = $1 AND cart = $2 AND state = 'asked'";
    target
        .execute(sql, params![run, cart.as_str(), why])
        .await?;
    Ok(())
}

/// Runs of which nothing is left to be done are finished.
pub async fn close(target: &Target, pipeline: i32) -> Result<(), TargetError> {
    let sql = "UPDATE cartage.repair_run SET finished_at = CURRENT_TIMESTAMP(6) \
               WHERE pipeline = $1 AND finished_at IS NULL AND NOT EXISTS \
                   (SELECT 1 FROM cartage.repair_cart c \
                    WHERE c.run = cartage.repair_run.id AND c.state = 'asked')";
    target.execute(sql, params![pipeline]).await?;
    Ok(())
}

/// How many carts of a run are in each state.
pub async fn counts(target: &Target, run: i32) -> Result<Vec<(State, i64)>, TargetError> {
    let sql = "SELECT state, count(*) FROM cartage.repair_cart WHERE run = $1 GROUP BY state";
    let mut counts = Vec::new();
    for row in target.query(sql, params![run]).await? {
        let state: String = row.get(0)?;
        if let Some(state) = State::parse(&state) {
            counts.push((state, row.get(1)?));
        }
    }
    counts.sort();
    Ok(counts)
}

//! Target rows that a unit takes and that could be another cart's: each target row belongs to one
//! cart, and this is where a mapping in which two would write one row is found out.
//!
//! Rows whose key holds the source row's key cannot be shared and are not looked for. The others
//! stand as numbers in the ledger, which commits with the rows: who finds a row there finds its
//! owner too.

use tokio_postgres::{Client, Error};

use crate::cart::key::CartKey;

/// Rows that one unit takes.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// The carts of the unit, which may own them already.
    pub carts: Vec<String>,
    pub rows: Vec<Claim>,
}

#[derive(Clone, Debug)]
pub struct Claim {
    /// `schema.table`.
    pub table: String,
    /// See [`crate::mapping::map::row_number`].
    pub number: i64,
    /// It was there already and is taken over as it is.
    pub adopts: bool,
}

/// Why a row cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Claimed {
    #[error(
        "{table}: carts {owner} and {cart} give the same target row, and it belongs to {owner}; \
         a row belongs to one cart, so the key in the mapping has to tell them apart"
    )]
    Owned {
        table: String,
        owner: String,
        cart: String,
    },
    #[error(
        "{table}: the row exists already, and whose it is can only be told when the changed \
         mapping has been applied to all carts; it is tried again by itself"
    )]
    Untold { table: String },
}

impl Claimed {
    pub fn owner(&self) -> Option<CartKey> {
        match self {
            Self::Owned { owner, .. } => Some(CartKey::stored(owner.as_str())),
            Self::Untold { .. } => None,
        }
    }
}

const WALKING: &str = "SELECT EXISTS (SELECT FROM cartage.refresh_run \
    WHERE pipeline = $1 AND kind = 'mapping' AND finished_at IS NULL)";

const OWNERS: &str = "SELECT cart, state = 'handed_over', shareable FROM cartage.ledger \
    WHERE pipeline = $1 AND shareable && $2::bigint[]";

/// Serializes those that adopt: two that find a row of nobody's must not both take it.
const ALONE: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('cartage claims', $1::integer::bigint))";

/// Inside the transaction that takes the rows, after they are written and locked.
pub async fn check(
    client: &Client,
    pipeline: i32,
    claims: &[Claims],
) -> Result<Option<Claimed>, Error> {
    let mut adopted = claims.iter().flat_map(|c| &c.rows).filter(|c| c.adopts);
    if let Some(claim) = adopted.next() {
        client.execute(ALONE, &[&pipeline]).await?;
        // Ledger rows of the former mapping have no numbers of this one.
        if client.query_one(WALKING, &[&pipeline]).await?.try_get(0)? {
            let table = claim.table.clone();
            return Ok(Some(Claimed::Untold { table }));
        }
    }
    owned(client, pipeline, claims).await
}

/// The first of the rows that belongs to a cart outside its unit.
pub async fn owned(
    client: &Client,
    pipeline: i32,
    claims: &[Claims],
) -> Result<Option<Claimed>, Error> {
    let rows = claims.iter().flat_map(|c| &c.rows);
    let numbers: Vec<i64> = rows.map(|claim| claim.number).collect();
    if numbers.is_empty() {
        return Ok(None);
    }
    for row in client.query(OWNERS, &[&pipeline, &numbers]).await? {
        let (owner, over, owns): (String, bool, Vec<i64>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        for unit in claims.iter().filter(|unit| !unit.carts.contains(&owner)) {
            // A row that is no longer there is no longer that of a cart which is handed over.
            let is_owned = |c: &&Claim| owns.contains(&c.number) && (c.adopts || !over);
            if let Some(claim) = unit.rows.iter().find(is_owned) {
                return Ok(Some(Claimed::Owned {
                    table: claim.table.clone(),
                    owner,
                    cart: unit.carts.join(", "),
                }));
            }
        }
    }
    Ok(None)
}

//! Target rows that a unit takes and that could be another cart's: each target row belongs to one
//! cart, and this is where a mapping in which two would write one row is found out.
//!
//! Rows whose key holds the source row's key cannot be shared and are not looked for. The others
//! stand as numbers in the ledger, which commits with the rows: who finds a row there finds its
//! owner too.

use super::error::TargetError;
use super::session::Target;
use super::{mysql, postgres};
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

/// A cart that owns some of the rows.
pub(super) struct Owner {
    pub cart: String,
    /// The new backend has taken it over.
    pub over: bool,
    pub owns: Vec<i64>,
}

/// The numbers of all rows that are taken.
pub(super) fn numbers(claims: &[Claims]) -> Vec<i64> {
    let rows = claims.iter().flat_map(|c| &c.rows);
    rows.map(|claim| claim.number).collect()
}

/// One of the rows that are taken over as they are.
pub(super) fn adopted(claims: &[Claims]) -> Option<&Claim> {
    claims.iter().flat_map(|c| &c.rows).find(|c| c.adopts)
}

/// The first of the rows that belongs to a cart outside its unit.
pub(super) fn judge(claims: &[Claims], owners: &[Owner]) -> Option<Claimed> {
    for owner in owners {
        for unit in claims
            .iter()
            .filter(|unit| !unit.carts.contains(&owner.cart))
        {
            // A row that is no longer there is no longer that of a cart which is handed over.
            let is_owned = |c: &&Claim| owner.owns.contains(&c.number) && (c.adopts || !owner.over);
            if let Some(claim) = unit.rows.iter().find(is_owned) {
                return Some(Claimed::Owned {
                    table: claim.table.clone(),
                    owner: owner.cart.clone(),
                    cart: unit.carts.join(", "),
                });
            }
        }
    }
    None
}

/// The first of the rows that belongs to a cart outside its unit, before they are taken.
pub async fn owned(
    target: &Target,
    pipeline: i32,
    claims: &[Claims],
) -> Result<Option<Claimed>, TargetError> {
    match target {
        Target::Postgres(client) => Ok(postgres::claim::owned(client, pipeline, claims).await?),
        Target::Mysql(session) => {
            let mut state = session.lock().await;
            let owned = mysql::claim::owned(&mut state, pipeline, claims);
            session.hold(owned).await
        }
    }
}

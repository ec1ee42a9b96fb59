//! One visit to the old shop, which locks a basket while it changes it.

use fastrand::Rng;

use super::choice;
use super::writers::{Done, Visit, What};
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// Serves a customer within a transaction, and notes in it what was meant.
pub async fn serve(session: &Target, rng: &mut Rng, visit: Visit) -> Result<Done, TargetError> {
    let cart = visit.cart;
    let lock = "SELECT id FROM baskets WHERE id = $1 FOR UPDATE";
    session.one(lock, params![cart]).await?;
    let (what, amount, done) = match visit.what {
        What::Product(product) => match change(session, rng, visit, product).await? {
            Some(amount) => (format!("sku-{product}"), amount, Done::Quantity),
            None => return Ok(Done::Nothing),
        },
        What::Own => {
            let email = next(session, cart, "email").await?.to_string();
            let update = "UPDATE baskets SET email = $2 WHERE id = $1";
            session.execute(update, params![cart, &email]).await?;
            ("email".to_owned(), 1, Done::Value)
        }
        What::Note => {
            let note = format!("old {}", next(session, cart, "note").await?);
            let update = "UPDATE baskets SET note = $2 WHERE id = $1";
            session.execute(update, params![cart, &note]).await?;
            ("note".to_owned(), 1, Done::Value)
        }
    };
    let touch = "UPDATE baskets SET updated_at = CURRENT_TIMESTAMP(6) WHERE id = $1";
    session.execute(touch, params![cart]).await?;
    note(session, cart, &what, amount).await?;
    Ok(done)
}

async fn change(
    session: &Target,
    rng: &mut Rng,
    visit: Visit,
    product: i64,
) -> Result<Option<i64>, TargetError> {
    let (cart, sku) = (visit.cart, format!("sku-{product}"));
    let line = "SELECT id, quantity FROM basket_lines WHERE basket_id = $1 AND sku = $2";
    let line = session.first(line, params![cart, &sku]).await?;
    let (id, seen): (Option<i64>, i64) = match line {
        Some(line) => (line.get(0)?, line.get(1)?),
        None => (None, 0),
    };
    let Some(wanted) = choice::in_old_shop(rng, visit.edge, product, seen) else {
        return Ok(None);
    };
    match (id, wanted) {
        (Some(id), 0) => {
            let delete = "DELETE FROM basket_lines WHERE id = $1";
            session.execute(delete, params![id]).await?;
        }
        (Some(id), _) => {
            let update = "UPDATE basket_lines SET quantity = $2 WHERE id = $1";
            session.execute(update, params![id, wanted]).await?;
        }
        (None, _) => {
            let insert = "INSERT INTO basket_lines (basket_id, sku, quantity) VALUES ($1, $2, $3)";
            session.execute(insert, params![cart, &sku, wanted]).await?;
        }
    }
    Ok(Some(wanted - seen))
}

/// The number of this shop's next value of this column.
pub async fn next(session: &Target, cart: i64, what: &str) -> Result<i64, TargetError> {
    Ok(meant(session, cart, what).await? + 1)
}

/// What this shop's customers have meant so far, all together.
pub async fn meant(session: &Target, cart: i64, what: &str) -> Result<i64, TargetError> {
    let sum = "SELECT coalesce(sum(amount), 0) FROM intended WHERE cart_id = $1 AND what = $2";
    session.one(sum, params![cart, what]).await?.get(0)
}

pub async fn note(session: &Target, cart: i64, what: &str, amount: i64) -> Result<(), TargetError> {
    let insert = "INSERT INTO intended (cart_id, what, amount) VALUES ($1, $2, $3)";
    session
        .execute(insert, params![cart, what, amount])
        .await
        .map(drop)
}

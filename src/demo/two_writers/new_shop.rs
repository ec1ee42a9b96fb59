//! One visit to the new shop, which locks nothing while it looks: what it writes, whole values and no
//! differences, stands only if the cart's version is still the one that it saw first.

use fastrand::Rng;

use super::choice;
use super::old_shop::{meant, next, note};
use super::writers::{Done, Visit, What};
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;

/// Serves a customer within a transaction, and notes in it what was meant.
pub async fn serve(session: &Target, rng: &mut Rng, visit: Visit) -> Result<Done, TargetError> {
    let cart = visit.cart;
    let version = "SELECT version FROM cart WHERE id = $1";
    let Some(version) = session.first(version, params![cart]).await? else {
        return Ok(Done::Nothing);
    };
    let version: i64 = version.get(0)?;
    let wish = match visit.what {
        What::Product(product) => match want(session, rng, visit, product).await? {
            Some(wish) => wish,
            None => return Ok(Done::Nothing),
        },
        What::Own => Wish::Remark(next(session, cart, "remark").await?),
        What::Note => Wish::Note(next(session, cart, "note").await?),
    };
    let take = "UPDATE cart SET version = version + 1, updated_at = CURRENT_TIMESTAMP(6)
                WHERE id = $1 AND version = $2";
    if session.execute(take, params![cart, version]).await? == 0 {
        return Ok(Done::Late);
    }
    let (what, amount, done) = match wish {
        Wish::Remark(number) => {
            let update = "UPDATE cart SET remark = $2 WHERE id = $1";
            let params = params![cart, number.to_string()];
            session.execute(update, params).await?;
            ("remark".to_owned(), 1, Done::Value)
        }
        Wish::Note(number) => {
            let update = "UPDATE cart SET note = $2 WHERE id = $1";
            let params = params![cart, format!("new {number}")];
            session.execute(update, params).await?;
            ("note".to_owned(), 1, Done::Value)
        }
        Wish::Quantity {
            sku,
            line,
            amount,
            wanted,
        } => {
            write(session, rng, cart, &sku, line.as_deref(), wanted).await?;
            (sku, amount, Done::Quantity)
        }
    };
    note(session, cart, &what, amount).await?;
    Ok(done)
}

enum Wish {
    Remark(i64),
    Note(i64),
    Quantity {
        sku: String,
        line: Option<String>,
        amount: i64,
        wanted: i64,
    },
}

async fn want(
    session: &Target,
    rng: &mut Rng,
    visit: Visit,
    product: i64,
) -> Result<Option<Wish>, TargetError> {
    let (cart, sku) = (visit.cart, format!("sku-{product}"));
    let line = "SELECT id, quantity FROM cart_line WHERE cart_id = $1 AND sku = $2 ORDER BY id";
    let line = session.first(line, params![cart, &sku]).await?;
    let (line, seen): (Option<String>, i64) = match line {
        Some(line) => (line.get(0)?, line.get(1)?),
        None => (None, 0),
    };
    let own = meant(session, cart, &sku).await?;
    let wanted = choice::in_new_shop(rng, visit.edge, product, seen, own);
    Ok(wanted.map(|wanted| Wish::Quantity {
        sku,
        line,
        amount: wanted - seen,
        wanted,
    }))
}

async fn write(
    session: &Target,
    rng: &mut Rng,
    cart: i64,
    sku: &str,
    line: Option<&str>,
    wanted: i64,
) -> Result<(), TargetError> {
    match (line, wanted) {
        (Some(id), 0) => {
            let delete = "DELETE FROM cart_line WHERE id = $1";
            session.execute(delete, params![id]).await?;
        }
        (Some(id), _) => {
            let update = "UPDATE cart_line SET quantity = $2 WHERE id = $1";
            session.execute(update, params![id, wanted]).await?;
        }
        (None, _) => {
            // Some come before and some behind cartage's own in the order of keys.
            let first = if rng.bool() { 'a' } else { 'z' };
            let id = format!("{first}_{:032x}", rng.u128(..));
            let insert =
                "INSERT INTO cart_line (id, cart_id, sku, quantity) VALUES ($1, $2, $3, $4)";
            let params = params![id, cart, sku, wanted];
            session.execute(insert, params).await?;
        }
    }
    Ok(())
}

//! `cartage held resolve`: a human says whose rows a held cart is to have. The daemon does it, for the
//! lane that owns the cart is the only one that may write it.

use std::time::Duration;

use serde_json::json;

use super::with_their_units;
use crate::cli::{CommandError, ends, keys};
use crate::params;
use crate::target::session::Target;
use crate::target::words::Param;

pub async fn run(
    target: &Target,
    pipeline: i32,
    cart: Vec<String>,
    take: &str,
    wait: bool,
    as_json: bool,
) -> Result<(), CommandError> {
    let carts = with_their_units(target, pipeline, Some(cart)).await?;
    for cart in &carts {
        let sql = "SELECT message FROM cartage.held \
                   WHERE pipeline = $1 AND cart = $2 AND reason IN ('lookup', 'unmappable')";
        if let Some(row) = target.first(sql, params![pipeline, cart]).await? {
            let message: String = row.get(0)?;
            return Err(CommandError::failed(format!(
                "cart {cart} cannot be mapped, so the source has no rows for it to be resolved by \
                 ({message}); mend the mapping or the source, then run: cartage held retry {cart}"
            )));
        }
    }
    for some in carts.chunks(keys::AT_ONCE) {
        let sql = format!(
            "UPDATE cartage.held SET take = ${}, retry_at = CURRENT_TIMESTAMP(6) \
             WHERE pipeline = $1 AND cart IN ({})",
            some.len() + 2,
            keys::places(some)
        );
        let mut params = keys::params(pipeline, some);
        params.push(Param::from(take));
        target.execute(sql.as_str(), &params).await?;
    }
    let works = ends::daemon_works(target, pipeline).await?;
    if wait && !works {
        return Err(CommandError::failed(
            "it is noted, but no daemon is there to do it; start it: systemctl start cartage",
        ));
    }
    if wait {
        until_done(target, pipeline, &carts).await?;
    }
    if as_json {
        let document = json!({ "carts": carts, "take": take, "daemon": works, "done": wait });
        println!("{document}");
        return Ok(());
    }
    let what = match take {
        "source" => "what the source wants is written over what is found",
        _ => "what is found in the target stays, and later changes of the source are put into it",
    };
    let carts = carts.join(", ");
    match (wait, works) {
        (true, _) => println!("{carts}: done; {what}."),
        (false, true) => println!("{carts}: noted; {what}. Look: cartage conflicts list"),
        (false, false) => println!("{carts}: noted for when the daemon is started; {what}."),
    }
    Ok(())
}

/// Until each of them was tried so. One that is still held then says why.
async fn until_done(target: &Target, pipeline: i32, carts: &[String]) -> Result<(), CommandError> {
    let mut looks = 0_u32;
    loop {
        let (mut noted, mut held) = (false, Vec::new());
        for some in carts.chunks(keys::AT_ONCE) {
            let sql = format!(
                "SELECT cart, message, take IS NOT NULL FROM cartage.held \
                 WHERE pipeline = $1 AND cart IN ({}) ORDER BY cart",
                keys::places(some)
            );
            let params = keys::params(pipeline, some);
            for row in target.query(sql.as_str(), &params).await? {
                noted |= row.get::<bool>(2)?;
                let (cart, message): (String, String) = (row.get(0)?, row.get(1)?);
                held.push(format!("cart {cart} is still held: {message}"));
            }
        }
        match (noted, held.is_empty()) {
            (_, true) => return Ok(()),
            (false, false) => return Err(CommandError::failed(held.join("; "))),
            (true, false) => {}
        }
        looks += 1;
        if looks.is_multiple_of(50) && !ends::daemon_works(target, pipeline).await? {
            return Err(CommandError::failed(
                "the daemon has stopped; it goes on with it once it is started again \
                 (cartage status says why it stopped)",
            ));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

//! Compares what arrived with what was sold, by SQL on either side.

use std::collections::BTreeMap;

use crate::report::Verdict;
use crate::server::{Server, Session};
use crate::shop::{DATABASE, OldShop};
use crate::{Failed, Result};

/// Carts that differ and are printed.
const SHOWN: usize = 3;

pub async fn judge(old: &OldShop, new: &Server, database: &str, before: Counts) -> Result<Verdict> {
    let wanted = match &old.server {
        Server::Postgres(_) => include_str!("shop/postgres/wanted.sql"),
        Server::Mariadb(_) => include_str!("shop/mariadb/wanted.sql"),
    };
    let found = match new {
        Server::Postgres(_) => include_str!("shop/postgres/found.sql"),
        Server::Mariadb(_) => include_str!("shop/mariadb/found.sql"),
    };
    let mut source = session(&old.server, DATABASE).await?;
    let mut target = session(new, database).await?;
    let sold = carts(&mut source, wanted).await?;
    // Nothing is like nothing, which would prove nothing.
    if sold.is_empty() {
        return Err(Failed::because("the old shop has no carts to compare"));
    }
    let carts_sold = sold.len() as u64;
    let mut arrived = carts(&mut target, found).await?;
    let mut differ = Vec::new();
    for (token, cart) in sold {
        if arrived.remove(&token) != Some(cart) {
            differ.push(token);
        }
    }
    // What is left, nobody has sold.
    differ.extend(arrived.into_keys());
    for token in differ.iter().take(SHOWN) {
        let [wanted, found] = [
            text(&mut source, wanted, token).await?,
            text(&mut target, found, token).await?,
        ];
        eprintln!("bench: cart {token} should be\n  {wanted}\nand is\n  {found}");
    }
    let after = counts(&mut target).await?;
    let patches = after.patches - before.patches;
    Ok(Verdict {
        carts: carts_sold,
        differences: differ.len() as u64,
        conflicts: (after.conflicts - before.conflicts).unsigned_abs(),
        fold: (patches > 0 && old.backlog.transactions > 0)
            .then(|| old.backlog.transactions as f64 / patches as f64),
    })
}

async fn session(server: &Server, database: &str) -> Result<Session> {
    let mut session = server.session(database).await?;
    if let Session::Mariadb(_) = session {
        let settings = "SET SESSION time_zone = '+00:00', group_concat_max_len = 16777216";
        session.run(settings).await?;
    }
    Ok(session)
}

/// Each cart's token, and a digest of all that is compared.
async fn carts(session: &mut Session, sql: &str) -> Result<BTreeMap<String, String>> {
    let sql = format!("SELECT token, md5(cart) FROM ({sql}) carts");
    Ok(session.pairs(&sql).await?.into_iter().collect())
}

/// All that is compared of one cart.
async fn text(session: &mut Session, sql: &str, token: &str) -> Result<String> {
    let sql = format!("SELECT token, cart FROM ({sql}) carts WHERE token = '{token}'");
    let found = session.pairs(&sql).await?.into_iter().next();
    Ok(found.map_or_else(|| "not there".to_owned(), |(_, cart)| cart))
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    patches: i64,
    conflicts: i64,
}

/// What cartage has counted so far in a target.
pub async fn counts(session: &mut Session) -> Result<Counts> {
    let of = |what: &str| match session {
        Session::Postgres(_) => {
            format!("SELECT coalesce(sum({what}), 0)::bigint FROM cartage.checkpoint")
        }
        Session::Mariadb(_) => {
            format!("SELECT CAST(coalesce(sum({what}), 0) AS SIGNED) FROM cartage.checkpoint")
        }
    };
    let (patches, conflicts) = (of("patches"), of("conflicts"));
    Ok(Counts {
        patches: session.number(&patches).await?,
        conflicts: session.number(&conflicts).await?,
    })
}

//! What a run that goes on where it was cut short no longer knows: which headers of the target belong
//! to carts that its first part has met. The ledger knows them all.

use super::super::look::Looker;
use super::super::walk::Walk;
use super::super::{CHUNK, VerifyError};
use super::Claims;
use crate::cart::key::CartKey;
use crate::params;

impl Walk<'_> {
    /// Goes through the ledger once more, after the headers of the target were read: what cartage had
    /// written by then is in it.
    pub(in crate::verify) async fn recall(&mut self) -> Result<(), VerifyError> {
        if !self.look.verifier.is_looking_for_alone().await {
            return Ok(());
        }
        let mut after = None;
        loop {
            self.welcome().await?;
            let carts = page(&self.look, after.as_ref()).await?;
            let Some(last) = carts.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            claim(&self.look, &carts).await?;
            if let Some(pace) = &mut self.pace {
                pace.spend(carts.len() as u64);
            }
        }
    }
}

async fn page(look: &Looker<'_>, after: Option<&CartKey>) -> Result<Vec<CartKey>, VerifyError> {
    let sql = "SELECT cart FROM cartage.ledger WHERE pipeline = $1 AND cart > $2 \
               ORDER BY cart LIMIT $3";
    let after = after.map_or("", CartKey::as_str);
    let of = params![look.verifier.pipeline, after, CHUNK as i64];
    let mut carts = Vec::with_capacity(CHUNK);
    for row in look.verifier.target.query(sql, of).await? {
        carts.push(CartKey::stored(&row.get::<String>(0)?));
    }
    Ok(carts)
}

async fn claim(look: &Looker<'_>, carts: &[CartKey]) -> Result<(), VerifyError> {
    let mapper = look.verifier.mapper;
    let briefed = look.ledger(carts).await?;
    // Images by a former mapping cannot be mapped by this one; the source's can.
    let pairs = carts.iter().zip(&briefed);
    let strange = pairs.filter(|(_, briefed)| {
        let entry = briefed.entry.as_ref();
        entry.is_some_and(|entry| entry.mapping != mapper.id)
    });
    let strange: Vec<CartKey> = strange.map(|(cart, _)| cart.clone()).collect();
    let (reads, _) = look.read(&strange).await?;
    let claims = Claims::recalled(mapper, carts, &briefed, &reads)?;
    look.verifier.know(claims).await
}

//! What the injector's own customers do in the old shop: they leave it for good, or come back once.

use super::cast::Known;
use crate::params;
use crate::target::error::TargetError;
use crate::target::session::Target;

pub async fn buy(session: &Target, cart: &Known) -> Result<(), TargetError> {
    let buy = "UPDATE orders SET state = 'complete', completed_at = CURRENT_TIMESTAMP(6),
                      updated_at = CURRENT_TIMESTAMP(6)
               WHERE id = $1";
    session.execute(buy, params![cart.id]).await.map(drop)
}

pub async fn delete(session: &Target, cart: &Known) -> Result<(), TargetError> {
    let delete = "DELETE FROM orders WHERE id = $1";
    session.execute(delete, params![cart.id]).await.map(drop)
}

/// A note, which is on the header alone.
pub async fn note(session: &Target, cart: &Known) -> Result<(), TargetError> {
    let update = "UPDATE orders SET note = 'I am back', updated_at = CURRENT_TIMESTAMP(6)
                  WHERE id = $1";
    session.execute(update, params![cart.id]).await.map(drop)
}

/// An address, which customers of the new shop do not write.
pub async fn address(session: &Target, cart: &Known) -> Result<(), TargetError> {
    let email = format!("back{}@example.com", cart.id);
    let update = "UPDATE orders SET email = $2, updated_at = CURRENT_TIMESTAMP(6) WHERE id = $1";
    session
        .execute(update, params![cart.id, &email])
        .await
        .map(drop)
}

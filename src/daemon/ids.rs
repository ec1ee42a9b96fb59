//! The key of `keyed_id` and `uuid_v5`, and whether it is still the one that made the identifiers.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::DaemonError;
use crate::config::Config;
use crate::target::control::pipeline::PipelineRow;

/// The message whose code under the key is its fingerprint.
const FINGERPRINT: &[u8] = b"cartage ids fingerprint";

/// The configuration's key, else the one that `setup` made. Under another key than the one that
/// made the identifiers all of them would change, and every cart would be written a second time.
pub fn secret(config: &Config, pipeline: &PipelineRow) -> Result<Vec<u8>, DaemonError> {
    let secret = match (&config.ids_secret, &pipeline.ids_secret) {
        (Some(secret), _) => secret.0.clone().into_bytes(),
        (None, Some(secret)) => secret.0.clone(),
        (None, None) => return Err(DaemonError::NoSecret),
    };
    match &pipeline.ids_fingerprint {
        Some(known) if *known != fingerprint(&secret) => Err(DaemonError::OtherSecret {
            configured: config.ids_secret.is_some(),
        }),
        _ => Ok(secret),
    }
}

/// Says nothing of the key but whether it is the same.
pub fn fingerprint(secret: &[u8]) -> String {
    // HMAC takes keys of any length (RFC 2104).
    Hmac::<Sha256>::new_from_slice(secret).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(FINGERPRINT);
            data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()[..16])
        },
    )
}

//! Ids that are the same at every run and cannot be guessed without the pipeline's secret.

use std::fmt;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::{Args, Function, Takes, function};
use crate::mapping::expr::error::EvalError;
use crate::sqltype::Class;

type Given = Result<Option<String>, EvalError>;

/// The message whose code under the secret names the uuid namespace.
const NAMESPACE: &[u8] = b"cartage uuid_v5 namespace";

/// Characters of a keyed id: 130 bits.
const LENGTH: usize = 26;

/// In so many bytes they are.
const BYTES: usize = (LENGTH * 5).div_ceil(8);

pub(super) const ALL: &[Function] = &[
    Function {
        sql: false,
        repeats: true,
        ..function("keyed_id", &[Takes::Any], Class::Text, keyed_id)
    },
    Function {
        sql: false,
        ..function("uuid_v5", &[Takes::Is(Class::Text)], Class::Uuid, uuid_v5)
    },
];

/// RFC 4648 base32 in lower case, without padding.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification
        .encoding()
        .expect("the alphabet has 32 distinct symbols")
});

/// The pipeline's secret, as HMAC-SHA-256 begins with it.
#[derive(Clone)]
pub struct IdKey(Hmac<Sha256>);

impl IdKey {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Hmac::new_from_slice(bytes).expect("HMAC takes keys of any length (RFC 2104)"))
    }

    /// For expressions that make no ids.
    pub fn none() -> &'static Self {
        static NONE: LazyLock<IdKey> = LazyLock::new(|| IdKey::of(&[]));
        &NONE
    }
}

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Each argument goes in with its length before it, so that no two lists of arguments are one message.
fn keyed_id(a: &Args<'_>) -> Given {
    let mut mac = a.env.secret.0.clone();
    for value in a.values {
        let text = value.text().unwrap_or("");
        mac.update(&(text.len() as u64).to_be_bytes());
        mac.update(text.as_bytes());
    }
    let mut id = BASE32.encode(&mac.finalize().into_bytes()[..BYTES]);
    id.truncate(LENGTH);
    Ok(Some(id))
}

fn uuid_v5(a: &Args<'_>) -> Given {
    let mut mac = a.env.secret.0.clone();
    mac.update(NAMESPACE);
    let code = mac.finalize().into_bytes();
    let mut namespace = [0; 16];
    for (to, from) in namespace.iter_mut().zip(code) {
        *to = from;
    }
    let id = Uuid::new_v5(&Uuid::from_bytes(namespace), a.text(0).as_bytes());
    Ok(Some(id.hyphenated().to_string()))
}

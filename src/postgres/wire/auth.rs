//! Proving who we are: SCRAM with channel binding, and what older servers ask for.

use std::io;

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio_postgres::config;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::db::rfc5912;

use super::frame::{Frame, Frames};
use super::{ServerError, malformed, server_error};

/// Why the server did not let us in.
pub(super) enum Denied {
    NoPassword,
    /// The server asks for the password itself over a line that anybody can read.
    Cleartext,
    /// The URL demands a bound channel, and the server has not bound it.
    Unbound,
    Server(ServerError),
    Io(io::Error),
}

impl From<io::Error> for Denied {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(super) struct Login<'a> {
    pub user: &'a str,
    pub password: Option<&'a [u8]>,
    /// The certificate that TLS showed, where there is TLS.
    pub certificate: Option<&'a [u8]>,
    pub encrypted: bool,
    pub binding: config::ChannelBinding,
}

impl Login<'_> {
    /// Any other way in than a bound SCRAM, also that of asking for nothing.
    fn unbound(&self) -> Result<(), Denied> {
        match self.binding {
            config::ChannelBinding::Require => Err(Denied::Unbound),
            _ => Ok(()),
        }
    }

    fn digest(&self) -> Option<Vec<u8>> {
        match self.binding {
            config::ChannelBinding::Disable => None,
            _ => self.certificate.and_then(end_point_digest),
        }
    }
}

/// Answers the server until it is ready for queries.
pub(super) async fn authenticate(frames: &mut Frames, login: Login<'_>) -> Result<(), Denied> {
    let mut scram: Option<ScramSha256> = None;
    let mut proven = false;
    loop {
        let Frame::Message(message) = frames.next().await? else {
            return Err(malformed("authentication").into());
        };
        let password = || login.password.ok_or(Denied::NoPassword);
        match message {
            Message::AuthenticationCleartextPassword => {
                login.unbound()?;
                if !login.encrypted {
                    return Err(Denied::Cleartext);
                }
                frontend::password_message(password()?, frames.out())?;
                frames.flush().await?;
            }
            Message::AuthenticationMd5Password(body) => {
                login.unbound()?;
                let hash = md5_hash(login.user.as_bytes(), password()?, body.salt());
                frontend::password_message(hash.as_bytes(), frames.out())?;
                frames.flush().await?;
            }
            Message::AuthenticationSasl(body) => {
                let offered: Vec<String> = body.mechanisms().map(|m| Ok(m.to_owned())).collect()?;
                let (mechanism, binding) = mechanism(&offered, login.digest())?;
                if mechanism != SCRAM_SHA_256_PLUS {
                    login.unbound()?;
                }
                let exchange = ScramSha256::new(password()?, binding);
                frontend::sasl_initial_response(mechanism, exchange.message(), frames.out())?;
                frames.flush().await?;
                scram = Some(exchange);
            }
            Message::AuthenticationSaslContinue(body) => {
                let exchange = scram.as_mut().ok_or_else(|| malformed("SASL exchange"))?;
                exchange.update(body.data())?;
                frontend::sasl_response(exchange.message(), frames.out())?;
                frames.flush().await?;
            }
            Message::AuthenticationSaslFinal(body) => {
                let exchange = scram.as_mut().ok_or_else(|| malformed("SASL exchange"))?;
                exchange.finish(body.data())?;
                proven = true;
            }
            // A server that breaks off the exchange has not shown that it knows the password.
            Message::AuthenticationOk if scram.is_some() && !proven => {
                return Err(malformed("SASL exchange").into());
            }
            Message::ErrorResponse(body) => return Err(Denied::Server(server_error(&body)?)),
            Message::ReadyForQuery(_) if proven => return Ok(()),
            Message::ReadyForQuery(_) => return login.unbound(),
            Message::AuthenticationOk
            | Message::ParameterStatus(_)
            | Message::BackendKeyData(_)
            | Message::NoticeResponse(_) => {}
            _ => {
                let what = "authentication method, neither SCRAM, md5 nor a password";
                return Err(malformed(what).into());
            }
        }
    }
}

/// SCRAM bound to the TLS channel wherever both ends can. Else the first message says whether we
/// could have: then a server that did offer it notices that somebody took the offer away.
fn mechanism(
    offered: &[String],
    digest: Option<Vec<u8>>,
) -> io::Result<(&'static str, ChannelBinding)> {
    let offers = |name: &str| offered.iter().any(|m| m == name);
    let (mechanism, binding) = match digest {
        Some(digest) if offers(SCRAM_SHA_256_PLUS) => (
            SCRAM_SHA_256_PLUS,
            ChannelBinding::tls_server_end_point(digest),
        ),
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
    };
    if !offers(mechanism) {
        return Err(malformed("list of SASL mechanisms"));
    }
    Ok((mechanism, binding))
}

/// The hash of the server's certificate by its own signature's hash function, at least SHA-256
/// (RFC 5929, section 4.1); none where the signature has no hash function of its own.
fn end_point_digest(certificate: &[u8]) -> Option<Vec<u8>> {
    let parsed = Certificate::from_der(certificate).ok()?;
    match parsed.signature_algorithm().oid {
        rfc5912::SHA_1_WITH_RSA_ENCRYPTION
        | rfc5912::SHA_256_WITH_RSA_ENCRYPTION
        | rfc5912::ECDSA_WITH_SHA_256 => Some(Sha256::digest(certificate).to_vec()),
        rfc5912::SHA_384_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_384 => {
            Some(Sha384::digest(certificate).to_vec())
        }
        rfc5912::SHA_512_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_512 => {
            Some(Sha512::digest(certificate).to_vec())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's first message: GS2 header `p=tls-server-end-point`, `y` or `n` (RFC 5802, 7).
    fn first(offered: &[&str], digest: Option<Vec<u8>>) -> (&'static str, String) {
        let offered: Vec<String> = offered.iter().map(|m| m.to_string()).collect();
        let (mechanism, binding) = mechanism(&offered, digest).expect("a mechanism");
        let exchange = ScramSha256::new(b"sesame", binding);
        let header = String::from_utf8_lossy(exchange.message()).into_owned();
        let end = header.find(",,").expect("a GS2 header");
        (mechanism, header[..end].to_owned())
    }

    #[test]
    fn the_channel_is_bound_where_both_ends_can() {
        let both = [SCRAM_SHA_256, SCRAM_SHA_256_PLUS];
        let digest = || Some(vec![7; 32]);
        let bound = (SCRAM_SHA_256_PLUS, "p=tls-server-end-point".to_owned());
        assert_eq!(first(&both, digest()), bound);
        assert_eq!(first(&[SCRAM_SHA_256_PLUS], digest()), bound);
        let stripped = (SCRAM_SHA_256, "y".to_owned());
        assert_eq!(first(&[SCRAM_SHA_256], digest()), stripped);
        assert_eq!(first(&both, None), (SCRAM_SHA_256, "n".to_owned()));
    }

    #[test]
    fn other_mechanisms_are_refused() {
        for offered in [vec![], vec!["OAUTHBEARER".to_owned()]] {
            assert!(mechanism(&offered, None).is_err());
            assert!(mechanism(&offered, Some(vec![7; 32])).is_err());
        }
        assert!(mechanism(&[SCRAM_SHA_256_PLUS.to_owned()], None).is_err());
    }

    #[test]
    fn a_certificate_that_is_none_has_no_digest() {
        assert_eq!(end_point_digest(b""), None);
        assert_eq!(end_point_digest(b"not DER"), None);
    }
}

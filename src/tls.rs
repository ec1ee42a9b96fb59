//! Encryption as the endpoint asks for it, with libpq's meaning of each mode.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use crate::config::{Tls, TlsMode};

/// The files that TLS needs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {what} from {}: {cause}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        cause: String,
    },
    #[error("the system has no certificate authorities; name a PEM file in `tls.ca`")]
    NoRoots,
    #[error("`tls.certificate` and `tls.key` belong together; only one of them is given")]
    HalfIdentity,
    #[error(
        "the client key {} is not that of the client certificate {}; give the key that the \
         certificate was made for",
        key.display(), certificate.display()
    )]
    OtherKey { certificate: PathBuf, key: PathBuf },
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// What to verify of the server's certificate. As in libpq ("Protection Provided in Different
/// Modes"), `prefer` and `require` check nothing unless a CA file is given, and then its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Nothing,
    Chain,
    ChainAndName,
}

/// The client side of the handshake; `disable` has one too, which is then not used.
pub fn client_config(tls: &Tls) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let check = match (tls.mode, &tls.ca) {
        (TlsMode::VerifyFull, _) => Check::ChainAndName,
        (TlsMode::VerifyCa, _) | (TlsMode::Require | TlsMode::Prefer, Some(_)) => Check::Chain,
        _ => Check::Nothing,
    };
    let chain = match check {
        Check::Nothing => None,
        Check::Chain | Check::ChainAndName => {
            let roots = Arc::new(roots(tls.ca.as_deref())?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                .build()
                .map_err(|e| rustls::Error::General(e.to_string()))?;
            Some(verifier)
        }
    };
    let verifier = Verifier {
        chain,
        name: check == Check::ChainAndName,
        provider: provider.clone(),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates("the client certificate", certificate)?;
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| match e {
                pem::Error::NoItemsFound => unreadable(
                    "the client key",
                    key,
                    &"it holds no unencrypted private key",
                ),
                e => unreadable("the client key", key, &e),
            })?;
            builder
                .with_client_auth_cert(chain, secret)
                .map_err(|e| match e {
                    Error::InconsistentKeys(_) => TlsError::OtherKey {
                        certificate: certificate.clone(),
                        key: key.clone(),
                    },
                    e => e.into(),
                })
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(TlsError::HalfIdentity),
    }
}

/// Why a handshake failed, and what mends it. None where it was the connection that broke: a server
/// that goes down does so in the middle of one too, and that passes.
pub(crate) fn explain(error: &io::Error) -> Option<String> {
    use CertificateError as C;
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "the server's certificate has expired; renew it on the server".into()
        }
        Error::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "the server's certificate is not valid yet; is a clock wrong?".into()
        }
        // An authority of the same name with another key is found, and has not signed it.
        Error::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => {
            "the server's certificate is not signed by an authority that we trust; name that \
             authority's PEM file in `tls.ca`"
                .into()
        }
        Error::InvalidCertificate(C::NotValidForNameContext { presented, .. }) => format!(
            "the server's certificate is for another name ({}); use such a name in the URL, or \
             `tls.mode = \"verify-ca\"`",
            presented.join(", ")
        ),
        Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError),
        ) => format!(
            "the server does not accept our client certificate ({alert:?}); look at \
             `tls.certificate`, and at ssl_ca_file on the server"
        ),
        error => format!("{error}; look at `tls.mode` and `tls.ca`"),
    })
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates("the certificate authority", path)? {
                roots.add(certificate)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    Ok(roots)
}

/// Those that can be read: systems carry some that cannot.
pub(crate) fn usable(
    all: Vec<CertificateDer<'static>>,
) -> impl Iterator<Item = CertificateDer<'static>> {
    all.into_iter()
        .filter(|one| RootCertStore::empty().add(one.clone()).is_ok())
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|e| unreadable(what, path, &e))?;
    if found.is_empty() {
        return Err(unreadable(what, path, &"it holds no PEM certificate"));
    }
    Ok(found)
}

fn unreadable(what: &'static str, path: &Path, cause: &dyn std::fmt::Display) -> TlsError {
    TlsError::File {
        what,
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

/// rustls knows only the full check; the lesser modes of libpq need their own verifier. The
/// handshake's signature is always checked: the peer must hold the key of what it shows.
#[derive(Debug)]
struct Verifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        let verdict =
            chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            // The name is checked last: only it is wrong.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

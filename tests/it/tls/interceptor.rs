//! Somebody in between: ends the client's TLS, talks TLS to the server, and reads along.

use std::io;
use std::sync::{Arc, Mutex};

use cartage::config::{Tls, TlsMode};
use cartage::tls::client_config;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::authority::Pem;

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const PLUS: &[u8] = b"SCRAM-SHA-256-PLUS\0";
const BARE: &[u8] = b"SCRAM-SHA-256\0";

/// What it does to the server's words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    PassOn,
    /// Takes the offer to bind the channel away.
    HidePlus,
}

pub struct Interceptor {
    pub port: u16,
    /// The SASL mechanisms that clients have chosen.
    chosen: Arc<Mutex<Vec<&'static str>>>,
}

impl Interceptor {
    pub async fn start(server: u16, shown: &Pem, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let certificate = CertificateDer::from_pem_slice(shown.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let chosen: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let noted = chosen.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, noted) = (acceptor.clone(), noted.clone());
                tokio::spawn(async move {
                    // Either end may go at any time.
                    let _ = relay(client, server, acceptor, manner, noted).await;
                });
            }
        });
        Self { port, chosen }
    }

    /// The mechanisms chosen since the last call.
    pub fn chosen(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.chosen.lock().unwrap())
    }
}

async fn relay(
    mut client: TcpStream,
    server: u16,
    acceptor: TlsAcceptor,
    manner: Manner,
    noted: Arc<Mutex<Vec<&'static str>>>,
) -> io::Result<()> {
    let mut request = [0; 8];
    client.read_exact(&mut request).await?;
    assert_eq!(request, SSL_REQUEST);
    client.write_all(b"S").await?;
    let client = acceptor.accept(client).await?;

    let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
    server.write_all(&SSL_REQUEST).await?;
    assert_eq!(server.read_u8().await?, b'S');
    let anybody = Tls {
        mode: TlsMode::Require,
        ca: None,
        certificate: None,
        key: None,
    };
    let connector = TlsConnector::from(Arc::new(client_config(&anybody).unwrap()));
    let name = ServerName::try_from("localhost").unwrap();
    let server = connector.connect(name, server).await?;

    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    let up = pump(from_client, to_server, |chunk| {
        for (name, text) in [("SCRAM-SHA-256-PLUS", PLUS), ("SCRAM-SHA-256", BARE)] {
            if find(chunk, text).is_some() {
                noted.lock().unwrap().push(name);
            }
        }
    });
    let down = pump(from_server, to_client, |chunk| {
        if manner == Manner::HidePlus
            && let Some(at) = find(chunk, PLUS)
        {
            // AuthenticationSASL is the first message; its length follows the `R`.
            chunk.drain(at..at + PLUS.len());
            let length = u32::from_be_bytes(chunk[1..5].try_into().unwrap()) - PLUS.len() as u32;
            chunk[1..5].copy_from_slice(&length.to_be_bytes());
        }
    });
    tokio::select! {
        done = up => done,
        done = down => done,
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut look: impl FnMut(&mut Vec<u8>),
) -> io::Result<()> {
    loop {
        let mut chunk = vec![0; 16 * 1024];
        let size = from.read(&mut chunk).await?;
        if size == 0 {
            return Ok(());
        }
        chunk.truncate(size);
        look(&mut chunk);
        to.write_all(&chunk).await?;
        to.flush().await?;
    }
}

fn find(chunk: &[u8], text: &[u8]) -> Option<usize> {
    chunk.windows(text.len()).position(|w| w == text)
}

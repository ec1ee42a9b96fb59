//! A relay before a server, which can let its answers vanish: what is asked is done, and nobody
//! hears of it. Connections that come later are not concerned.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Valve {
    pub port: u16,
    /// How often it was shut.
    shut: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Valve {
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shut = Arc::<AtomicU64>::default();
        let accepting = tokio::spawn(accept(listener, server, shut.clone()));
        Self {
            port,
            shut,
            accepting,
        }
    }

    /// For all connections that there are.
    pub fn shut(&self) {
        self.shut.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Valve {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: u16, shut: Arc<AtomicU64>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let shut = shut.clone();
        tokio::spawn(async move {
            // Where no server listens, the client learns it by the end of its connection.
            if let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await {
                relay(client, server, &shut).await;
            }
        });
    }
}

/// Ends both connections with the first of them.
async fn relay(mut client: TcpStream, mut server: TcpStream, shut: &AtomicU64) {
    let begun = shut.load(Ordering::SeqCst);
    let (mut asks, mut hears) = client.split();
    let (mut answers, mut does) = server.split();
    let said = async {
        let mut bytes = vec![0; 16 << 10];
        while let Ok(n @ 1..) = answers.read(&mut bytes).await {
            let heard = shut.load(Ordering::SeqCst) == begun;
            if heard && hears.write_all(&bytes[..n]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = said => {}
        _ = tokio::io::copy(&mut asks, &mut does) => {}
    }
}

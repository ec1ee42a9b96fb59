//! A proxy between cartage and a server that knows where messages begin and end, and cuts or falls
//! silent at a chosen one.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const DEADLINE: Duration = Duration::from_secs(120);

/// At which message.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// The server has done a statement of which this is a part, and says so with this tag.
    Done(&'static str, &'static str),
    /// The server sends a change of its log.
    Change,
    /// The client confirms a position.
    Feedback,
}

/// What happens then. The message itself does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Cut,
    /// Half of it arrives.
    CutInside,
    /// Both connections stand, and nothing passes any more.
    Silence,
}

#[derive(Clone, Copy, Debug)]
pub struct Trap {
    /// How the application name begins.
    pub session: &'static str,
    pub at: At,
    pub then: Then,
}

#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    /// With the number of the first link that it is for: what a killed process has sent may still
    /// be on its way.
    trap: Arc<Mutex<Option<(Trap, u64)>>>,
    links: Arc<AtomicU64>,
}

impl Proxy {
    /// Listens, and passes everything on to the server at this port.
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            trap: Arc::default(),
            links: Arc::default(),
        };
        let shared = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    // How a connection ends is for its two ends to see.
                    let _ = shared.pass(client, server).await;
                });
            }
        });
        proxy
    }

    pub fn set(&self, trap: Trap) {
        let first = self.links.load(Ordering::SeqCst);
        *self.trap.lock().unwrap() = Some((trap, first));
    }

    pub fn has_sprung(&self) -> bool {
        self.trap.lock().unwrap().is_none()
    }

    /// Waits until the message has come.
    pub async fn springs(&self, alive: impl AsyncFn()) {
        let deadline = Instant::now() + DEADLINE;
        while !self.has_sprung() {
            alive().await;
            let trap = *self.trap.lock().unwrap();
            assert!(
                Instant::now() < deadline,
                "waited {DEADLINE:?} for {trap:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What is to be done with this message, if it is the one.
    fn spring(&self, link: &Link, is: impl FnOnce(At) -> bool) -> Option<Then> {
        let mut trap = self.trap.lock().unwrap();
        let (set, _) = trap.filter(|(trap, first)| {
            link.number >= *first && link.session.starts_with(trap.session) && is(trap.at)
        })?;
        *trap = None;
        Some(set.then)
    }

    async fn pass(&self, client: TcpStream, server: u16) -> io::Result<()> {
        let server = TcpStream::connect(("127.0.0.1", server)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_server, mut to_server) = server.into_split();
        let (mut from_client, from_server) = (From::new(from_client), From::new(from_server));
        let startup = startup(&mut from_client).await?;
        to_server.write_all(&startup).await?;
        let link = Link {
            proxy: self.clone(),
            number: self.links.fetch_add(1, Ordering::SeqCst),
            session: application_name(&startup),
            said: Arc::default(),
            silent: watch::Sender::new(false),
        };
        let link = Arc::new(link);
        let asks = link.clone();
        tokio::select! {
            done = asks.forward(from_client, to_server) => done,
            done = link.back(from_server, to_client) => done,
        }
    }
}

type From = BufReader<OwnedReadHalf>;

/// One session that passes.
struct Link {
    proxy: Proxy,
    number: u64,
    session: String,
    /// What the client has sent since a statement was done.
    said: Arc<Mutex<String>>,
    silent: watch::Sender<bool>,
}

impl Link {
    async fn forward(&self, mut from: From, mut to: OwnedWriteHalf) -> io::Result<()> {
        loop {
            let frame = self.next(&mut from).await?;
            if matches!(frame[0], b'Q' | b'P') {
                let mut said = self.said.lock().unwrap();
                said.push_str(&String::from_utf8_lossy(&frame[5..]));
            }
            let feedback = frame[0] == b'd' && frame.get(5) == Some(&b'r');
            let is = |at| matches!(at, At::Feedback if feedback);
            if let Some(then) = self.proxy.spring(self, is) {
                return self.end(then, &frame, &mut to).await;
            }
            to.write_all(&frame).await?;
        }
    }

    async fn back(&self, mut from: From, mut to: OwnedWriteHalf) -> io::Result<()> {
        loop {
            let frame = self.next(&mut from).await?;
            let change = frame[0] == b'd' && frame.get(5) == Some(&b'w');
            let done = frame[0] == b'C';
            let is = |at| match at {
                At::Done(part, tag) => {
                    done && frame[5..].starts_with(tag.as_bytes())
                        && self.said.lock().unwrap().contains(part)
                }
                At::Change => change,
                At::Feedback => false,
            };
            if let Some(then) = self.proxy.spring(self, is) {
                return self.end(then, &frame, &mut to).await;
            }
            to.write_all(&frame).await?;
        }
    }

    async fn end(&self, then: Then, frame: &[u8], to: &mut OwnedWriteHalf) -> io::Result<()> {
        match then {
            Then::Cut => Ok(()),
            Then::CutInside => to.write_all(&frame[..frame.len() / 2]).await,
            Then::Silence => {
                self.silent.send_replace(true);
                std::future::pending().await
            }
        }
    }

    /// The next message, whole; after the silence fell, none.
    async fn next(&self, from: &mut From) -> io::Result<Vec<u8>> {
        let mut silent = self.silent.subscribe();
        tokio::select! {
            biased;
            () = fallen(&mut silent) => std::future::pending().await,
            frame = frame(from) => frame,
        }
    }
}

async fn fallen(silent: &mut watch::Receiver<bool>) {
    // The sender lives as long as the link.
    let _ = silent.wait_for(|silent| *silent).await;
}

/// The first message has no type.
async fn startup(from: &mut From) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    message.resize(length as usize, 0);
    from.read_exact(&mut message[4..]).await?;
    Ok(message)
}

async fn frame(from: &mut From) -> io::Result<Vec<u8>> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    message.resize(1 + length as usize, 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}

fn application_name(startup: &[u8]) -> String {
    let mut words = startup[8..].split(|byte| *byte == 0);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        if name == b"application_name" {
            return String::from_utf8_lossy(value).into_owned();
        }
    }
    String::new()
}

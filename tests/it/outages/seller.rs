//! The old shop sells on, over whatever its database does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

const PAUSE: Duration = Duration::from_millis(10);
const DEADLINE: Duration = Duration::from_secs(30);

pub struct Seller {
    stop: watch::Sender<bool>,
    sold: Arc<AtomicI64>,
    task: JoinHandle<()>,
}

impl Seller {
    /// Sells at these servers, of which one at a time takes writes.
    pub fn start(urls: Vec<String>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let sold = Arc::new(AtomicI64::new(0));
        let task = tokio::spawn(sell(urls, stopped, sold.clone()));
        Self { stop, sold, task }
    }

    /// Waits until so many more sales have been answered with success.
    pub async fn sells(&self, more: i64) {
        let goal = self.sold.load(Ordering::SeqCst) + more;
        let deadline = Instant::now() + DEADLINE;
        while self.sold.load(Ordering::SeqCst) < goal {
            assert!(
                Instant::now() < deadline,
                "waited {DEADLINE:?} for {more} sales"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sells no more.
    pub async fn stop(&mut self) {
        self.stop.send_replace(true);
        (&mut self.task).await.unwrap();
    }
}

async fn sell(urls: Vec<String>, stopped: watch::Receiver<bool>, sold: Arc<AtomicI64>) {
    let mut session: Option<Client> = None;
    let mut urls = urls.iter().cycle();
    let mut sale = 0;
    while !*stopped.borrow() {
        let Some(client) = &session else {
            if let Some(url) = urls.next() {
                session = connect(url).await;
            }
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (order, line) = (sale % 200 + 1, 1_000_000 + sale);
        let sql = format!(
            "BEGIN;
             UPDATE order_lines SET qty = qty + 1 WHERE order_id = {order};
             INSERT INTO order_lines VALUES ({line}, {order}, 'new', 1, 2.5);
             DELETE FROM order_lines WHERE id = {line} - 50;
             COMMIT"
        );
        // Whether a sale whose answer was lost is in the shop, the shop itself says in the end.
        match client.batch_execute(&sql).await {
            Ok(()) => {
                sold.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => session = None,
        }
        sale += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn connect(url: &str) -> Option<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

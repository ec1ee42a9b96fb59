//! The figures that the daemon serves, scraped over HTTP as Prometheus does it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::protocol::shop::Shop;
use crate::scenario::daemon::{Daemon, refusal};
use crate::scenario::settled::{backfilled, settled};

/// An address that nobody has.
pub fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// The answer to one request, head and body.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<(String, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Ok((head.to_owned(), body.to_owned()))
}

/// The value of a figure with just these labels beside the pipeline's.
pub fn figure(page: &str, name: &str, labels: &str) -> Option<f64> {
    let line = page.lines().find(|line| {
        line.strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('{'))
            .is_some_and(|rest| rest.contains(labels))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Scrapes until the page is as it should be.
pub async fn scraped(
    daemon: &mut Daemon,
    address: SocketAddr,
    good: impl Fn(&str) -> bool,
) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let page = get(address, "/metrics").map_or_else(|e| e.to_string(), |(_, body)| body);
        if good(&page) {
            return page;
        }
        assert!(daemon.alive(), "the daemon ended\n{}", daemon.log());
        assert!(Instant::now() < deadline, "{page}\n{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn what_status_knows_is_scraped() {
    let shop = Shop::open("metrics_scraped").await;
    let address = free();
    let mut text = fs::read_to_string(&shop.config).unwrap();
    text += &format!("\n[metrics]\nlisten = \"{address}\"\n");
    fs::write(&shop.config, &text).unwrap();
    let mut daemon = Daemon::start(&shop.config);
    backfilled(&mut daemon, &shop.shops.target).await;
    settled(&mut daemon, &shop.shops).await;
    let mirrored = |page: &str| figure(page, "cartage_carts", "state=\"mirrored\"") == Some(200.0);
    let page = scraped(&mut daemon, address, mirrored).await;
    let pipeline = "pipeline=\"metrics-scraped\"";
    for (name, value) in [
        ("cartage_running", 1.0),
        ("cartage_source_up", 1.0),
        ("cartage_stalled", 0.0),
        ("cartage_walk_running", 0.0),
        ("cartage_walk_carts_done", 200.0),
        ("cartage_conflicts_total", 0.0),
    ] {
        assert_eq!(figure(&page, name, pipeline), Some(value), "{name}\n{page}");
    }
    assert_eq!(
        figure(&page, "cartage_phase", "phase=\"following\""),
        Some(1.0),
        "{page}"
    );
    let rows = figure(&page, "cartage_rows_applied_total", pipeline).unwrap();
    assert!(rows >= 400.0, "{page}");
    assert!(
        figure(&page, "cartage_lag_bytes", pipeline)
            .unwrap()
            .is_finite(),
        "{page}"
    );
    assert!(page.contains("# HELP cartage_lag_bytes "), "{page}");

    let (head, body) = get(address, "/").unwrap();
    assert!(head.starts_with("HTTP/1.1 404"), "{head}{body}");
    let (head, _) = get(address, "/metrics").unwrap();
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");

    // A second daemon is told that the address is taken, and by which key.
    let said = refusal(&shop.config, &["run"]);
    assert!(
        said.contains("[metrics] listen") && said.contains(&address.to_string()),
        "{said}"
    );
    daemon.stop().await;
}

//! As much of HTTP as a scrape needs: one request a connection, one page.
//!
//! The exporter's own listener would bring hyper and its tree; what a scraper asks is one line, and
//! the answer is one text (RFC 9112, 2.1 and 9.6).

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::Page;

/// Scrapers at once; others wait to be accepted.
const AT_ONCE: usize = 16;
/// A request is read and answered within this, or the connection is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a request's head.
const MOST: usize = 16 << 10;

pub async fn serve(listener: TcpListener, page: Arc<Page>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // No descriptor is free, or the peer has gone already: neither stays so.
            Err(error) => {
                debug!("a scrape was not accepted: {error}");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let page = page.clone();
        tokio::spawn(async move {
            let _place = place;
            if let Ok(Err(error)) = timeout(PATIENCE, answer(stream, &page)).await {
                debug!("a scrape was cut short: {error}");
            }
        });
    }
}

async fn answer(mut stream: TcpStream, page: &Page) -> std::io::Result<()> {
    let Some(head) = head(&mut stream).await? else {
        return Ok(());
    };
    let response = respond(&head, || page.text());
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

/// All up to the empty line. None where it ends before, or is no scraper's.
async fn head(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while head.len() < MOST {
        let read = stream.read(&mut part).await?;
        if read == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&part[..read]);
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

fn respond(head: &[u8], page: impl FnOnce() -> String) -> String {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let text = "text/plain; charset=utf-8";
    let (status, kind, body) = match (method, path) {
        // The version of the format that Prometheus calls its text format.
        ("GET" | "HEAD", "/metrics") => {
            ("200 OK", "text/plain; version=0.0.4; charset=utf-8", page())
        }
        ("GET" | "HEAD", _) => (
            "404 Not Found",
            text,
            "the figures are at /metrics\n".to_owned(),
        ),
        _ => ("405 Method Not Allowed", text, "only GET\n".to_owned()),
    };
    let length = body.len();
    let body = if method == "HEAD" { "" } else { &body };
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(request: &str) -> String {
        respond(request.as_bytes(), || "cartage_lanes 4\n".to_owned())
    }

    #[test]
    fn the_page_is_where_scrapers_look_and_nowhere_else() {
        let page = answered("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
        assert!(page.ends_with("Content-Length: 16\r\nConnection: close\r\n\r\ncartage_lanes 4\n"));
        assert!(answered("GET /metrics?x=1 HTTP/1.1\r\n\r\n").contains("200 OK"));
        assert!(answered("HEAD /metrics HTTP/1.1\r\n\r\n").ends_with("close\r\n\r\n"));
        assert!(answered("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(answered("POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        assert!(answered("nonsense").starts_with("HTTP/1.1 405"));
    }
}

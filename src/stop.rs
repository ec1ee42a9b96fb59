//! The signal to come to rest.

use tokio::sync::watch;

/// Waits until the signal is given, or nobody is left who could give it.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

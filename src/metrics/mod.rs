//! Figures for Prometheus: what `cartage status` knows, looked at every few seconds by whoever looks
//! anyway, and what parts of the daemon tell where it happens.

pub mod names;
mod figures;
mod serve;

use std::net::SocketAddr;
use std::sync::Arc;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tokio::net::TcpListener;

pub use figures::{now, tell, tell_forecast};
use names::{FIGURES, Kind};

/// Bounds of histograms of seconds: a cart takes milliseconds on a good day.
const SECONDS: [f64; 14] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
];

#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    #[error(
        "[metrics] listen: nothing can be served on {address}: {why}; give another address, or end \
         what has it"
    )]
    Listen {
        address: SocketAddr,
        why: std::io::Error,
    },
    #[error("[metrics] cannot be kept: {0}")]
    Recorder(String),
}

/// Takes the address, and serves the figures of this process on it from now on.
pub async fn serve(address: SocketAddr, pipeline: &str) -> Result<(), MetricsError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|why| MetricsError::Listen { address, why })?;
    let recorder = recorder(pipeline)?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)
        .map_err(|error| MetricsError::Recorder(error.to_string()))?;
    describe();
    tokio::spawn(serve::serve(listener, Arc::new(Page(handle))));
    Ok(())
}

fn recorder(pipeline: &str) -> Result<PrometheusRecorder, MetricsError> {
    let mut builder = PrometheusBuilder::new().add_global_label("pipeline", pipeline);
    for figure in FIGURES.iter().filter(|f| f.kind == Kind::Histogram) {
        builder = builder
            .set_buckets_for_metric(Matcher::Full(figure.name.to_owned()), &SECONDS)
            .map_err(|error| MetricsError::Recorder(error.to_string()))?;
    }
    Ok(builder.build_recorder())
}

/// Says of each figure what it means.
fn describe() {
    for figure in FIGURES {
        let unit = match figure.name.trim_end_matches("_total").rsplit('_').next() {
            Some("seconds") => Unit::Seconds,
            Some("bytes") => Unit::Bytes,
            _ => Unit::Count,
        };
        match figure.kind {
            Kind::Gauge => describe_gauge!(figure.name, unit, figure.help),
            Kind::Counter => describe_counter!(figure.name, unit, figure.help),
            Kind::Histogram => describe_histogram!(figure.name, unit, figure.help),
        }
    }
    gauge!("cartage_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    gauge!("cartage_running").set(0.0);
}

/// What is answered to a scrape.
struct Page(PrometheusHandle);

impl Page {
    fn text(&self) -> String {
        // Nothing else empties what histograms have gathered.
        self.0.run_upkeep();
        self.0.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;

    /// The figures of a status, as they are scraped.
    fn scraped(status: &Status) -> String {
        let recorder = recorder("shop").expect("recorder");
        let page = Page(recorder.handle());
        metrics::with_local_recorder(&recorder, || {
            describe();
            tell(status);
            tell_forecast(&status.forecast());
        });
        page.text()
    }

    #[test]
    fn each_figure_has_its_help_and_its_kind() {
        let text = scraped(&figures::tests::full());
        for figure in FIGURES.iter().filter(|f| !f.name.contains("synthetic")) {
            let (name, kind) = (figure.name, figure.kind.word());
            assert!(text.contains(&format!("# HELP {name} ")), "{name}\n{text}");
            assert!(
                text.contains(&format!("# TYPE {name} {kind}\n")),
                "{name}\n{text}"
            );
            assert!(
                text.contains(&format!("\n{name}{{pipeline=\"shop\"")),
                "{name}\n{text}"
            );
        }
        for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
            let name = line.split(' ').nth(2).unwrap_or_default();
            assert!(
                FIGURES.iter().any(|f| f.name == name),
                "{name} is nowhere explained"
            );
        }
    }

    #[test]
    fn what_is_not_measured_is_not_a_number() {
        let text = scraped(&Status::default());
        assert!(
            text.contains("cartage_lag_bytes{pipeline=\"shop\"} NaN\n"),
            "{text}"
        );
    }
}

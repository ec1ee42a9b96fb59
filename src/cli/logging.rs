//! Log lines on stderr, for people or for machines.

use tracing_subscriber::EnvFilter;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// Called once, first thing. `RUST_LOG` wins over `-v`.
pub fn init(format: Format, verbose: u8) {
    let default = match verbose {
        0 => "info",
        1 => "info,cartage=debug",
        _ => "debug,cartage=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A subscriber that is already there, as in a test, stays.
    let _ = match format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
}

//! Log lines on stderr, for people or for machines.

use std::io::IsTerminal;

use tracing_subscriber::filter::{FilterFn, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// What is logged; it can change while the process runs.
#[derive(Clone, Debug)]
pub struct Levels {
    handle: reload::Handle<EnvFilter, Registry>,
    /// `RUST_LOG` or `-v`, which win over the configuration.
    given: Option<&'static str>,
}

/// Called once, first thing. `RUST_LOG` wins over `-v`, and both over the configuration.
pub fn init(format: Format, verbose: u8) -> Levels {
    let default = match verbose {
        0 => "info",
        1 => "info,cartage=debug",
        _ => "debug,cartage=trace",
    };
    let (filter, given) = match EnvFilter::try_from_default_env() {
        Ok(filter) => (filter, Some("RUST_LOG")),
        Err(_) => (
            EnvFilter::new(default),
            (verbose > 0).then_some("-v on the command line"),
        ),
    };
    let (filter, handle) = reload::Layer::new(filter);
    // In the journal and in files colours would be noise.
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    // A subscriber that is already there, as in a test, stays.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines.with_filter(without_values()))
        .try_init();
    Levels { handle, given }
}

/// The driver logs the parameters of statements at DEBUG, and at INFO what triggers say: both hold
/// what customers wrote, and are logged at no level.
fn without_values() -> FilterFn<impl Fn(&tracing::Metadata<'_>) -> bool> {
    FilterFn::new(|line| {
        !line.target().starts_with("tokio_postgres") || *line.level() <= LevelFilter::WARN
    })
}

impl Levels {
    /// Logs as `[log] level` says; an error names what wins over it.
    pub fn follow(&self, level: &str) -> Result<(), String> {
        match self.given {
            Some(given) => Err(format!("{given} decides what is logged")),
            None => {
                let filter = EnvFilter::try_new(level).map_err(|error| error.to_string())?;
                self.handle
                    .reload(filter)
                    .map_err(|error| error.to_string())
            }
        }
    }
}

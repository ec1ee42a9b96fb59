//! The command line; everything else is in the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use cartage::cli::logging::Levels;
use cartage::cli::{self, Cli, Command, CommandError};
use cartage::config::Config;
use clap::Parser;
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let levels = cli::logging::init(cli.log_format, cli.verbose);
    // A second provider in the tree would make rustls unable to choose one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return cli::exit(Err(CommandError::failed(error))),
    };
    cli::exit(runtime.block_on(run(cli, levels)))
}

async fn run(cli: Cli, levels: Levels) -> Result<ExitCode, CommandError> {
    if let Command::Demo(args) = cli.command {
        return cli::demo::run(args).await.map_err(CommandError::failed);
    }
    // It writes the file that the others read.
    if let Command::Init(args) = cli.command {
        return cli::init::run(args).await;
    }
    let config = Config::load(&cli.config).map_err(|problems| {
        CommandError::usage(problems.render(std::io::stderr().is_terminal()))
    })?;
    match cli.command {
        Command::Check(args) => cli::check::run(&config, args).await,
        Command::Setup(args) => cli::setup::run(&config, args).await,
        Command::Preview(args) => cli::preview::run(&config, args).await,
        Command::Run => cli::run::run(&config, levels).await,
        Command::Status(args) => cli::status::run(&config, args).await,
        Command::Verify(args) => cli::verify::run(&config, args).await,
        Command::Explain(args) => cli::explain::run(&config, args).await,
        Command::Refresh(args) => cli::refresh::run(&config, args).await,
        Command::Synthetic(command) => cli::synthetic::run(&config, command).await,
        Command::Held(command) => cli::held::run(&config, command).await,
        Command::Repair(command) => cli::repair::run(&config, command).await,
        Command::Conflicts(command) => cli::conflicts::run(&config, command).await,
        Command::Checkpoint(command) => cli::checkpoint::run(&config, command).await,
        Command::Sequences(args) => cli::sequences::run(&config, args).await,
        Command::Teardown(args) => cli::teardown::run(&config, args).await,
        Command::Demo(_) | Command::Init(_) => unreachable!("it has no configuration file"),
    }
}

//! The commands of `heliograph`.

mod config;
mod demo;
mod doctor;
mod serve;
mod zone_check;

use crate::config::{Loaded, Sources, load};
use crate::data::{DataFolder, keep_private};
use crate::{secret, wiring};
use clap::{Args, Parser, Subcommand};
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

/// Video visits across time zones.
#[derive(Parser)]
#[command(
    name = "heliograph",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve people until a signal comes.
    Serve {
        #[command(flatten)]
        settings: Settings,
        /// Make the demo clinic if it is missing, and print its links.
        #[arg(long)]
        demo: bool,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look for what would keep the service from working.
    Doctor {
        #[command(flatten)]
        settings: Settings,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Bring the database up to date, and end.
    Migrate {
        #[command(flatten)]
        settings: Settings,
    },
    /// Make the demo clinic if it is missing, print its links, and end. Harmless when repeated.
    Demo {
        #[command(flatten)]
        settings: Settings,
        /// Make the institutions and their people, and no visits.
        #[arg(long)]
        people_only: bool,
        /// Write JSON.
        #[arg(long)]
        json: bool,
    },
    /// Look at time zones.
    Zone {
        #[command(subcommand)]
        command: ZoneCommand,
    },
    /// Write the description of the API.
    Openapi,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print the configuration as it is in effect, and where each value comes from. Passwords are hidden.
    Print {
        #[command(flatten)]
        settings: Settings,
    },
    /// Say what is wrong with the configuration, if anything is.
    Check {
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Subcommand)]
enum ZoneCommand {
    Check(zone_check::ZoneCheckArgs),
}

/// What most commands read. Options win over the environment (HELIOGRAPH_HTTP__LISTEN=…), which wins over the file.
#[derive(Args)]
struct Settings {
    /// The configuration file [default: heliograph.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "HELIOGRAPH_CONFIG")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Where the database file and the secret lie
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

/// What the environment holds for us.
struct Environment {
    loaded: Loaded,
    secret: Option<String>,
}

/// Runs the command of the command line. What goes wrong is told in one line.
pub fn main() -> ExitCode {
    keep_private();
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("heliograph: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False when a check found something.
fn run(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Serve { settings, demo } => settings.read().and_then(|read| serve::run(&read, demo)).map(|()| true),
        Command::Config {
            command: ConfigCommand::Print { settings },
        } => config::print(&settings.read()?, &mut stdout()).map(|()| true),
        Command::Config {
            command: ConfigCommand::Check { settings },
        } => config::check(&settings.read()?, &mut stdout()).map(|()| true),
        Command::Doctor { settings, json } => doctor::run(settings.read(), json, &mut stdout()),
        Command::Migrate { settings } => migrate(&settings.read()?).map(|()| true),
        Command::Demo {
            settings,
            people_only,
            json,
        } => demo::run(&settings.read()?, json, people_only, &mut stdout()).map(|()| true),
        Command::Zone {
            command: ZoneCommand::Check(args),
        } => zone_check::run(&args, &mut stdout()),
        Command::Openapi => Ok(write!(stdout(), "{}", heliograph_http::openapi_json()).map(|()| true)?),
    }
}

fn migrate(read: &Environment) -> anyhow::Result<()> {
    let data = DataFolder::open(&read.loaded.config.data.dir)?;
    runtime()?.block_on(async {
        let store = wiring::open_store(&read.loaded.config, &data).await?;
        wiring::migrate(&store).await?;
        store.close().await;
        println!("the database is up to date");
        Ok(())
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // What a frame takes is less than waking another thread for it; the other half is the database's and the network's.
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    Ok(runtime.worker_threads(threads).enable_all().build()?)
}

impl Settings {
    #[expect(clippy::disallowed_methods, reason = "here the environment comes in, for everybody")]
    fn read(self) -> anyhow::Result<Environment> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("HELIOGRAPH_"))?;
            Some((name, value.to_string_lossy().into_owned()))
        });
        let variables: Vec<_> = variables.collect();
        let secret = variables
            .iter()
            .find(|(name, _)| name == secret::VARIABLE)
            .map(|(_, text)| text.clone());
        let options = [("http.listen", self.listen), ("data.dir", self.data)];
        let options = options
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        let loaded = load(&Sources {
            file: self.config,
            variables,
            options,
        })?;
        Ok(Environment { loaded, secret })
    }
}

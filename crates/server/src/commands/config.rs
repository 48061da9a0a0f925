//! `heliograph config print|check`.

use super::Environment;
use crate::config;
use crate::data::DataFolder;
use crate::secret::{self, Place};
use crate::wiring;
use std::io::Write;

/// Every key with its value.
pub(super) fn print(read: &Environment, out: &mut dyn Write) -> anyhow::Result<()> {
    Ok(write!(out, "{}", config::show(&read.loaded)?)?)
}

/// What can be checked without starting: keys and values were when they were read.
pub(super) fn check(read: &Environment, out: &mut dyn Write) -> anyhow::Result<()> {
    let config = &read.loaded.config;
    wiring::zones(config)?;
    let data = DataFolder::open(&config.data.dir)?;
    match Place::of(read.secret.clone(), config.secret.file.as_deref(), data.path()) {
        // It is made at the first start.
        Place::Own(path) if !path.exists() => {}
        place => drop(secret::load(&place)?),
    }
    Ok(writeln!(out, "the configuration is fine")?)
}

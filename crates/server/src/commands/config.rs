//! `heliograph config print|check`.

use super::Environment;
use crate::config;
use crate::data::DataFolder;
use crate::secret::{self, Place};
use crate::wiring;
use std::io::Write;

/// Every key with its value.
pub(super) fn print(read: &Environment, out: &mut dyn Write) -> anyhow::Result<()> {
    let variable = secret::VARIABLE;
    let wins = if read.secret.is_some() {
        "is set: the secret comes from it, and no file is read"
    } else {
        "is not set: the secret comes from the file, else from `secret` in the data folder"
    };
    Ok(writeln!(out, "{}# {variable} {wins}", config::show(&read.loaded)?)?)
}

/// What can be checked without starting: keys and values were when they were read.
pub(super) fn check(read: &Environment, out: &mut dyn Write) -> anyhow::Result<()> {
    let config = &read.loaded.config;
    wiring::zones(config)?;
    DataFolder::look(&config.data.dir)?;
    match Place::of(read.secret.clone(), config.secret.file.as_deref(), &config.data.dir) {
        // It is made at the first start.
        Place::Own(path) if !path.exists() => {}
        place => drop(secret::load(&place)?),
    }
    Ok(writeln!(out, "the configuration is fine")?)
}

//! Puts the layers together, and says what is wrong with them.

use super::explain::{explain, out_of_range};
use super::unknown::unknown_keys;
use super::{Config, Loaded};
use crate::data::plainly;
use anyhow::{anyhow, bail};
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, util};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILE: &str = "heliograph.toml";
const PREFIX: &str = "HELIOGRAPH_";
/// Variables that are no keys, as keys would be spelt, and as they are.
pub(super) const NOT_KEYS: [(&str, &str); 2] = [("config", "HELIOGRAPH_CONFIG"), ("secret", "HELIOGRAPH_SECRET")];
/// How the place of what comes from the environment begins.
pub(super) const THE_VARIABLE: &str = "the environment variable ";

/// What the layers are read from.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file that was named; else `heliograph.toml`, if it is there.
    pub file: Option<PathBuf>,
    /// The variables of the environment.
    pub variables: Vec<(String, String)>,
    /// Values of options, by key.
    pub options: Vec<(&'static str, String)>,
}

/// Reads all layers. What is wrong is told with the key, what was found, what is expected, and where it stands.
pub fn load(sources: &Sources) -> anyhow::Result<Loaded> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = file(sources.file.as_deref())? {
        figment = figment.merge(Toml::file_exact(file));
    }
    let keys = sources
        .variables
        .iter()
        .filter(|(name, _)| !NOT_KEYS.iter().any(|(_, variable)| variable == name));
    let keys =
        keys.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_lowercase().replace("__", "."), value)));
    for (key, value) in keys {
        figment = figment.merge(Given::new(
            format!("{THE_VARIABLE}{}", variable_name(&key)),
            &key,
            value.parse().unwrap_or_else(|e| match e {}),
        ));
    }
    for (key, text) in &sources.options {
        figment = figment.merge(Given::new(option(key), key, text.clone().into()));
    }

    let unknown = unknown_keys(&figment)?;
    if !unknown.is_empty() {
        bail!("{}", unknown.join("\n"));
    }
    let (config, mut wrong) = values(&figment)?;
    wrong.extend(out_of_range(&figment, &config));
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(Loaded { config, figment })
}

/// The configuration, with the default in place of each value that can't be read, and what is wrong with those.
fn values(figment: &Figment) -> anyhow::Result<(Config, Vec<String>)> {
    let defaults = serde_json::to_value(Config::default())?;
    let (mut mended, mut wrong) = (figment.clone(), BTreeMap::new());
    loop {
        let error = match mended.extract() {
            Ok(config) => return Ok((config, wrong.into_values().collect())),
            Err(error) => error,
        };
        // What is wrong in a list is mended with the list.
        let key: Vec<&str> = error
            .path
            .iter()
            .map(String::as_str)
            .take_while(|part| part.parse::<usize>().is_err())
            .collect();
        let told = explain(figment, &error);
        let default = defaults.pointer(&format!("/{}", key.join("/")));
        let Some(default) = default.filter(|_| !key.is_empty() && !wrong.contains_key(&key.join("."))) else {
            bail!("{told}");
        };
        mended = mended.merge(Serialized::default(&key.join("."), default));
        wrong.insert(key.join("."), told);
    }
}

/// The file to read, once it is known to be TOML.
fn file(named: Option<&Path>) -> anyhow::Result<Option<PathBuf>> {
    let path = named.unwrap_or(Path::new(FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => return Ok(None),
        Err(error) => {
            bail!(
                "the configuration file {} can't be read ({}); name another one with --config",
                path.display(),
                plainly(&error)
            );
        }
    };
    toml::from_str::<toml::Table>(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        anyhow!("{}, line {line}: {}", path.display(), error.message())
    })?;
    Ok(Some(path.to_owned()))
}

/// One value from outside of the file.
struct Given {
    origin: String,
    data: Dict,
}

impl Given {
    fn new(origin: String, key: &str, value: Value) -> Self {
        let data = util::nest(key, value).into_dict().unwrap_or_default();
        Self { origin, data }
    }
}

impl Provider for Given {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.data.clone()))
    }
}

pub(super) fn variable_name(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

fn option(key: &str) -> String {
    format!(
        "the option --{}",
        if key == "data.dir" {
            "data"
        } else {
            key.rsplit('.').next().unwrap_or(key)
        }
    )
}

/// Where a value stands; none if it is a default.
pub(super) fn origin(metadata: Option<&Metadata>) -> Option<String> {
    let metadata = metadata?;
    match metadata.source.as_ref().and_then(|source| source.file_path()) {
        Some(path) => Some(path.display().to_string()),
        None if metadata.name.starts_with("the ") => Some(metadata.name.to_string()),
        None => None,
    }
}

#[cfg(test)]
mod tests;

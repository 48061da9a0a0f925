//! Puts the layers together, and says what is wrong with them.

use super::{Config, Loaded};
use crate::data::plainly;
use anyhow::{anyhow, bail};
use figment::error::{Actual, Kind};
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, util};
use std::path::{Path, PathBuf};

const FILE: &str = "heliograph.toml";
const PREFIX: &str = "HELIOGRAPH_";
/// Variables that are no keys.
const NOT_KEYS: [&str; 2] = ["HELIOGRAPH_CONFIG", "HELIOGRAPH_SECRET"];

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
        .filter(|(name, _)| !NOT_KEYS.contains(&name.as_str()));
    let keys =
        keys.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_lowercase().replace("__", "."), value)));
    for (key, value) in keys {
        figment = figment.merge(Given::new(
            variable(&key),
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
    let config = figment
        .extract()
        .map_err(|error| anyhow!("{}", explain(&figment, &error)))?;
    Ok(Loaded { config, figment })
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

fn variable(key: &str) -> String {
    format!(
        "the environment variable {PREFIX}{}",
        key.to_uppercase().replace('.', "__")
    )
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

/// The keys that nobody knows, each with its place and the known one that is closest.
fn unknown_keys(figment: &Figment) -> anyhow::Result<Vec<String>> {
    let known = serde_json::to_value(Config::default())?;
    let mut names = Vec::new();
    list(&known, "", &mut names);
    let mut found = Vec::new();
    for dict in figment.data()?.values() {
        walk(figment, dict, &known, "", &names, &mut found);
    }
    Ok(found)
}

fn list(known: &serde_json::Value, prefix: &str, names: &mut Vec<String>) {
    match known.as_object() {
        Some(section) => section
            .iter()
            .for_each(|(name, inner)| list(inner, &join(prefix, name), names)),
        None => names.push(prefix.to_owned()),
    }
}

fn walk(
    figment: &Figment,
    dict: &Dict,
    known: &serde_json::Value,
    prefix: &str,
    names: &[String],
    found: &mut Vec<String>,
) {
    for (name, value) in dict {
        let key = join(prefix, name);
        match (known.get(name), value) {
            (None, _) => {
                let place = origin(figment.get_metadata(value.tag())).unwrap_or_default();
                let meant = nearest(&key, names)
                    .map(|key| format!("; did you mean {key}?"))
                    .unwrap_or_default();
                found.push(format!("unknown key {key} in {place}{meant}"));
            }
            (Some(inner), Value::Dict(_, dict)) if inner.is_object() => walk(figment, dict, inner, &key, names, found),
            (Some(_), _) => {}
        }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

/// The known key that was perhaps meant: of the same name in another section, or spelt alike.
fn nearest<'a>(key: &str, names: &'a [String]) -> Option<&'a str> {
    const FARTHEST: f64 = 0.6;
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let alike = |name: &str| {
        let whole = strsim::normalized_damerau_levenshtein(key, name);
        if last(name) == last(key) {
            whole.max(FARTHEST)
        } else {
            whole
        }
    };
    let closest = names.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)))?;
    (alike(closest) >= FARTHEST).then_some(closest.as_str())
}

/// One sentence: key, what was found, what is expected, where. The value itself may be a secret.
fn explain(figment: &Figment, error: &figment::Error) -> String {
    let key = error.path.join(".");
    let place = origin(error.metadata.as_ref())
        .map(|place| format!(" (in {place})"))
        .unwrap_or_default();
    let present = || {
        figment
            .find_value(&key)
            .map_or("another value", |value| kind(&value.to_actual()))
    };
    let what = match &error.kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            format!("found {}, expected {}", kind(found), plain(expected))
        }
        Kind::InvalidLength(found, expected) => format!("found {found} items, expected {expected}"),
        Kind::UnknownVariant(_, expected) => format!("found another word, expected one of {}", expected.join(", ")),
        Kind::UnknownField(name, expected) => format!("unknown key {name}, expected one of {}", expected.join(", ")),
        Kind::MissingField(name) => format!("{name} is missing"),
        Kind::Message(message) => format!("found {}, {message}", present()),
        other => format!("found {}: {other}", present()),
    };
    format!("{key}: {what}{place}")
}

/// The words of people for the types of Rust.
fn plain(expected: &str) -> &str {
    match expected {
        "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "a string" | "path string" => "a text",
        "a sequence" => "a list",
        other => other,
    }
}

fn kind(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a section",
        _ => "another value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(toml: &str, variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("heliograph.toml");
        std::fs::write(&file, toml)?;
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        load(&Sources {
            file: Some(file),
            variables,
            options: Vec::new(),
        })
        .map(|loaded| loaded.config)
    }

    fn refused(toml: &str, variables: &[(&str, &str)]) -> String {
        with(toml, variables).unwrap_err().to_string()
    }

    #[test]
    fn later_layers_win() {
        let toml = "[http]\nlisten = \"127.0.0.1:1\"\n[signaling.timers]\nping_ms = 100\n";
        let config = with(toml, &[("HELIOGRAPH_HTTP__LISTEN", "127.0.0.1:2"), ("HOME", "/root")]).unwrap();
        assert_eq!(config.http.listen.0.port(), 2);
        assert_eq!(
            (config.signaling.timers.ping_ms, config.signaling.timers.dead_ms),
            (100, 3_000)
        );
        assert_eq!(with("", &[]).unwrap(), Config::default());
        let origins = "[\"https://a.example\", \"https://b.example\"]";
        let config = with("", &[("HELIOGRAPH_HTTP__ALLOWED_ORIGINS", origins)]).unwrap();
        assert_eq!(config.http.allowed_origins.len(), 2);
    }

    #[test]
    fn an_unknown_key_is_told_with_its_place_and_the_nearest_one() {
        let told = refused("[http]\nlisen = \"127.0.0.1:1\"\n", &[]);
        assert!(told.starts_with("unknown key http.lisen in /"), "{told}");
        assert!(told.ends_with("heliograph.toml; did you mean http.listen?"), "{told}");
        let told = refused("listen = \"127.0.0.1:1\"\n", &[]);
        assert!(
            told.contains("unknown key listen") && told.ends_with("did you mean http.listen?"),
            "{told}"
        );
        let told = refused("", &[("HELIOGRAPH_SIGNALING__TIMERS__PINGMS", "1")]);
        assert_eq!(
            told,
            "unknown key signaling.timers.pingms in the environment variable HELIOGRAPH_SIGNALING__TIMERS__PINGMS; did \
             you mean signaling.timers.ping_ms?"
        );
        assert!(!refused("[quux]\nfrob = 1\n", &[]).contains("did you mean"));
        assert_eq!(refused("a = 1\nb = 2\n", &[]).lines().count(), 2);
    }

    #[test]
    fn a_wrong_value_is_told_with_key_kind_expectation_and_place() {
        let told = refused("[http]\nlisten = 8080\n", &[]);
        assert!(
            told.starts_with("http.listen: found a number, expected a text (in /"),
            "{told}"
        );
        let told = refused("[http]\nlisten = \"8080\"\n", &[]);
        assert!(
            told.starts_with("http.listen: found a text, expected an address and a port, such as"),
            "{told}"
        );
        let told = refused("", &[("HELIOGRAPH_SIGNALING__TIMERS__PING_MS", "soon")]);
        assert_eq!(
            told,
            "signaling.timers.ping_ms: found a text, expected a whole number of 0 or more (in the environment variable \
             HELIOGRAPH_SIGNALING__TIMERS__PING_MS)"
        );
        let told = refused("[log]\nformat = \"xml\"\n", &[]);
        assert!(
            told.starts_with("log.format: found another word, expected one of auto, text, json"),
            "{told}"
        );
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_never_repeated() {
        let told = refused("[database]\nurl = \"mysql://helio:s3cret@db\"\n", &[]);
        assert!(
            told.contains("database.url: found a text, expected sqlite:") && !told.contains("s3cret"),
            "{told}"
        );
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_with_its_line() {
        let told = refused("[http]\nlisten = \n", &[]);
        assert!(told.contains("heliograph.toml, line 2: "), "{told}");
    }

    #[test]
    fn a_named_file_must_exist() {
        let file = Some(PathBuf::from("/nonexistent/heliograph.toml"));
        let error = load(&Sources {
            file,
            ..Sources::default()
        })
        .err()
        .unwrap();
        assert!(
            format!("{error:#}").contains("/nonexistent/heliograph.toml can't be read"),
            "{error:#}"
        );
    }

    #[test]
    fn the_documentation_has_every_key() {
        let page = include_str!("../../../../docs/OPERATIONS.md");
        let (mut names, known) = (Vec::new(), serde_json::to_value(Config::default()).unwrap());
        list(&known, "", &mut names);
        let documented = |name: &String| page.contains(&format!("| `{name}` |")) || name.starts_with("signaling.");
        let missing: Vec<_> = names.iter().filter(|name| !documented(name)).collect();
        assert!(missing.is_empty(), "docs/OPERATIONS.md lacks {missing:?}");
    }

    #[test]
    fn variables_that_are_no_keys_are_left_alone() {
        assert!(with("", &[("HELIOGRAPH_SECRET", "x"), ("HELIOGRAPH_CONFIG", "y")]).is_ok());
    }
}

//! Keys that nobody knows, each with the known one that was perhaps meant.

use super::layers::origin;
use super::{Config, Ice};
use figment::value::{Dict, Value};
use figment::{Figment, Provider};
use heliograph_protocol::IceServer;
use serde_json::Value as Json;

/// The keys of the file, the environment and the options that nobody knows, each with its place and the nearest one. What
/// they hold may be a secret, and is not told.
pub(super) fn unknown_keys(figment: &Figment) -> anyhow::Result<Vec<String>> {
    let known = serde_json::to_value(complete())?;
    let mut search = Search {
        figment,
        names: names(&known),
        found: Vec::new(),
    };
    for dict in figment.data()?.values() {
        search.walk(dict, &known, "");
    }
    Ok(search.found)
}

/// A configuration in which every list has an item, so that the keys of items are known as well.
fn complete() -> Config {
    let server = IceServer {
        urls: Vec::new(),
        username: Some(String::new()),
        credential: Some(String::new()),
    };
    Config {
        ice: Ice {
            servers: vec![server],
            ..Ice::default()
        },
        ..Config::default()
    }
}

/// Every key and section by its full name; `[]` stands for any item of a list.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) keys: Vec<String>,
    sections: Vec<String>,
}

pub(super) fn names(known: &Json) -> Names {
    let mut names = Names::default();
    names.list(known, "");
    names
}

impl Names {
    fn list(&mut self, known: &Json, prefix: &str) {
        match known {
            Json::Object(section) => {
                if !prefix.is_empty() && !prefix.ends_with("[]") {
                    self.sections.push(prefix.to_owned());
                }
                section
                    .iter()
                    .for_each(|(name, inner)| self.list(inner, &join(prefix, name)));
            }
            Json::Array(items) => {
                self.keys.push(prefix.to_owned());
                if let Some(item) = items.first() {
                    self.list(item, &format!("{prefix}[]"));
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => self.keys.push(prefix.to_owned()),
        }
    }
}

struct Search<'a> {
    figment: &'a Figment,
    names: Names,
    found: Vec<String>,
}

impl Search<'_> {
    fn walk(&mut self, dict: &Dict, known: &Json, prefix: &str) {
        for (name, value) in dict {
            let key = join(prefix, name);
            match (known.get(name), value) {
                (None, _) => self.tell(&key, value),
                (Some(inner), Value::Dict(_, dict)) if inner.is_object() => self.walk(dict, inner, &key),
                (Some(Json::Array(known)), Value::Array(_, items)) => {
                    for (index, item) in items.iter().enumerate() {
                        if let (Some(known), Value::Dict(_, dict)) = (known.first().filter(|k| k.is_object()), item) {
                            self.walk(dict, known, &format!("{key}[{index}]"));
                        }
                    }
                }
                (Some(_), _) => {}
            }
        }
    }

    fn tell(&mut self, key: &str, value: &Value) {
        let (what, candidates) = match value {
            Value::Dict(..) => ("section", &self.names.sections),
            Value::String(..)
            | Value::Char(..)
            | Value::Bool(..)
            | Value::Num(..)
            | Value::Empty(..)
            | Value::Array(..) => ("key", &self.names.keys),
        };
        let place = origin(self.figment.get_metadata(value.tag())).unwrap_or_default();
        let meant = nearest(&any_item(key), candidates).map(|meant| like(key, meant));
        let meant = meant
            .map(|meant| format!("; did you mean {meant}?"))
            .unwrap_or_default();
        self.found.push(format!("unknown {what} {key} in {place}{meant}"));
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

/// `a[2].b` → `a[].b`
fn any_item(key: &str) -> String {
    let mut parts = key.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        format!("{name}[{}", part.trim_start_matches(|c: char| c.is_ascii_digit()))
    })
}

/// The known name with the numbers of the items that the key names.
fn like(key: &str, meant: &str) -> String {
    let mut numbers = key
        .split('[')
        .skip(1)
        .map(|part| part.split(']').next().unwrap_or_default());
    let mut parts = meant.split("[]");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        format!("{name}[{}]{part}", numbers.next().unwrap_or_default())
    })
}

/// The known name that was perhaps meant: of the same last part in another section, or spelt alike.
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

//! Keys that nobody knows, each with the known one that was perhaps meant.

use super::layers::{NOT_KEYS, THE_VARIABLE, origin, variable_name};
use super::{Config, Ice};
use figment::value::{Dict, Value};
use figment::{Figment, Provider};
use heliograph_protocol::IceServer;
use serde_json::Value as Json;
use std::cmp::Ordering;

/// Names that are less alike are no hint.
const FARTHEST: f64 = 0.6;

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
        let place = origin(self.figment.get_metadata(value.tag())).unwrap_or_default();
        let in_environment = place.starts_with(THE_VARIABLE);
        let what = match value {
            // A variable is told by its own name, and not by the sections that it is in.
            Value::Dict(_, inner) if in_environment && !inner.is_empty() => {
                for (name, value) in inner {
                    self.tell(&join(key, name), value);
                }
                return;
            }
            Value::Dict(..) => "section",
            Value::String(..)
            | Value::Char(..)
            | Value::Bool(..)
            | Value::Num(..)
            | Value::Empty(..)
            | Value::Array(..) => "key",
        };
        let hint = self.names.hint(key, what == "section", in_environment);
        self.found.push(format!("unknown {what} {key} in {place}; {hint}"));
    }
}

impl Names {
    /// The known name that was perhaps meant, else those that stand there.
    fn hint(&self, key: &str, section: bool, in_environment: bool) -> String {
        let spell = |name: &str| {
            // What is in a list has no variable of its own.
            if in_environment && !name.contains('[') {
                variable_name(name)
            } else {
                like(key, name)
            }
        };
        let wanted = any_item(key);
        let mut candidates: Vec<(&str, String)> = Vec::new();
        if !section {
            candidates.extend(self.keys.iter().map(|name| (name.as_str(), spell(name))));
        }
        candidates.extend(self.sections.iter().map(|name| {
            let holds = || {
                self.within(name)
                    .into_iter()
                    .map(&spell)
                    .collect::<Vec<_>>()
                    .join(" or ")
            };
            (name.as_str(), if section { spell(name) } else { holds() })
        }));
        if in_environment {
            candidates.extend(NOT_KEYS.map(|(key, variable)| (key, variable.to_owned())));
        }
        let near = |name: &str| nearness(&wanted, name);
        let closest = candidates
            .iter()
            .filter(|(name, _)| near(name).0 >= FARTHEST)
            .max_by(|(a, _), (b, _)| near(a).partial_cmp(&near(b)).unwrap_or(Ordering::Equal));
        if let Some((_, meant)) = closest {
            return format!("did you mean {meant}?");
        }
        let above = wanted.rsplit_once('.').map_or("", |(above, _)| above);
        match self.within(above).as_slice() {
            known if !above.is_empty() && !known.is_empty() => {
                let known: Vec<_> = known.iter().map(|name| spell(name)).collect();
                format!("{} has {}", like(key, above), known.join(", "))
            }
            _ => format!("the sections are {}", self.within("").join(", ")),
        }
    }

    /// The keys right in a section; at the top, the sections.
    fn within(&self, section: &str) -> Vec<&str> {
        let all = if section.is_empty() { &self.sections } else { &self.keys };
        let prefix = join(section, "");
        let inside = |name: &&str| name.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('.'));
        all.iter().map(String::as_str).filter(inside).collect()
    }
}

/// How much one name is spelt like another, 0 to 1: as a whole or in its last part; then as a whole.
fn nearness(key: &str, name: &str) -> (f64, f64) {
    fn last(name: &str) -> &str {
        name.rsplit('.').next().unwrap_or_default()
    }
    let whole = strsim::normalized_damerau_levenshtein(key, name);
    let part = strsim::normalized_damerau_levenshtein(last(key), last(name));
    (whole.max(part), whole)
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

//! Prints a configuration as TOML, without what is secret.

use super::{Loaded, layers::origin};
use serde_json::Value;
use std::fmt::Write;

const HIDDEN: &str = "(hidden)";

/// Every key with its value, and where the value stands if it is no default. Passwords are hidden.
pub fn show(loaded: &Loaded) -> anyhow::Result<String> {
    let mut text = String::new();
    section(loaded, "", &masked(loaded)?, &mut text)?;
    Ok(text.trim_start().to_owned())
}

fn masked(loaded: &Loaded) -> anyhow::Result<Value> {
    let mut value = serde_json::to_value(&loaded.config)?;
    if let Some(url) = &loaded.config.database.url {
        value["database"]["url"] = url.to_string().into();
    }
    for server in value["ice"]["servers"].as_array_mut().into_iter().flatten() {
        if let Some(credential) = server.get_mut("credential").filter(|credential| !credential.is_null()) {
            *credential = HIDDEN.into();
        }
    }
    Ok(value)
}

fn section(loaded: &Loaded, name: &str, value: &Value, text: &mut String) -> anyhow::Result<()> {
    let entries = || value.as_object().into_iter().flatten();
    if !name.is_empty() && entries().any(|(_, value)| !value.is_object()) {
        writeln!(text, "\n[{name}]")?;
    }
    for (key, value) in entries().filter(|(_, value)| !value.is_object()) {
        let path = if name.is_empty() {
            key.clone()
        } else {
            format!("{name}.{key}")
        };
        let note = origin(loaded.figment.find_metadata(&path))
            .map(|origin| format!("  # {origin}"))
            .unwrap_or_default();
        if value.is_null() {
            writeln!(text, "# {key} is not set")?;
        } else {
            writeln!(text, "{key} = {}{note}", toml::Value::try_from(value)?)?;
        }
    }
    for (key, value) in entries().filter(|(_, value)| value.is_object()) {
        let path = if name.is_empty() {
            key.clone()
        } else {
            format!("{name}.{key}")
        };
        section(loaded, &path, value, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Sources, load};

    fn variables(pairs: &[(&str, &str)]) -> Sources {
        let variables = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Sources {
            variables,
            ..Sources::default()
        }
    }

    #[test]
    fn secrets_are_hidden_and_origins_are_told() {
        let servers = r#"[{urls = ["turn:relay.example"], username = "u", credential = "s3cret"}]"#;
        let loaded = load(&variables(&[
            ("HELIOGRAPH_DATABASE__URL", "postgres://helio:s3cret@db/helio"),
            ("HELIOGRAPH_ICE__SERVERS", servers),
        ]))
        .unwrap();
        let text = super::show(&loaded).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        assert!(
            text.contains("postgres://helio:…@db/helio\"  # the environment variable HELIOGRAPH_DATABASE__URL"),
            "{text}"
        );
        assert!(text.contains("turn:relay.example"), "{text}");
    }

    #[test]
    fn what_is_printed_reads_back() {
        let text = super::show(&load(&Sources::default()).unwrap()).unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), Config::default());
        assert!(text.contains("\nlisten = \"127.0.0.1:8080\"\n"), "{text}");
    }
}

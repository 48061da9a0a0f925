//! npm packages are named by their exact versions, so that a lock file made anew holds what was tested.

use serde_json::{Map, Value};

use super::Finding;
use crate::tree::SourceFile;

const SECTIONS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

pub fn check(file: &SourceFile) -> Vec<Finding> {
    if file.name.rsplit('/').next() != Some("package.json") {
        return Vec::new();
    }
    let manifest: Map<String, Value> = match serde_json::from_str(&file.text) {
        Ok(manifest) => manifest,
        Err(error) => return vec![Finding::new(&file.name, error.line(), format!("is no JSON: {error}"))],
    };
    let named = SECTIONS
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_object());
    let mut versions: Vec<(&str, &str)> = named
        .flatten()
        .map(|(name, version)| (name.as_str(), version.as_str().unwrap_or("?")))
        .collect();
    overrides(manifest.get("overrides"), &mut versions);
    let inexact = versions.into_iter().filter(|(_, version)| !is_exact(version));
    let finding = |(name, version): (&str, &str)| {
        let key = format!("\"{name}\"");
        let line = file
            .text
            .lines()
            .position(|line| line.contains(&key) && line.contains(version));
        let text =
            format!("`{name}` is wanted as `{version}`, which means another version tomorrow: write the exact one");
        Finding::new(&file.name, line.map_or(1, |index| index + 1), text)
    };
    inexact.map(finding).collect()
}

/// What packages below others are replaced by; `$name` means the version that stands elsewhere in the file.
fn overrides<'a>(value: Option<&'a Value>, versions: &mut Vec<(&'a str, &'a str)>) {
    for (name, value) in value.and_then(Value::as_object).into_iter().flatten() {
        match value.as_str() {
            Some(version) if !version.starts_with('$') => versions.push((name, version)),
            Some(_) => {}
            None => overrides(Some(value), versions),
        }
    }
}

/// `1.2.3`, `1.2.3-rc.1`
fn is_exact(version: &str) -> bool {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = release.split('.').collect();
    numbers.len() == 3
        && numbers
            .iter()
            .all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str) -> Vec<String> {
        let file = SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        check(&file).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn versions_that_are_not_exact_are_found_at_their_line() {
        for inexact in [
            "^1.2.3",
            "~1.2.3",
            "1.2",
            "1.x.0",
            "*",
            "latest",
            ">=1.2.3",
            "1.2.3 || 2.0.0",
            "",
        ] {
            let text = format!("{{\"devDependencies\": {{\n\"vite\": \"8.3.8\",\n\"svelte\": \"{inexact}\"}}}}");
            let found = found("web-client/package.json", &text);
            assert_eq!(found.len(), 1, "{inexact}");
            let place = format!("web-client/package.json:3: `svelte` is wanted as `{inexact}`");
            assert!(found[0].starts_with(&place), "{}", found[0]);
        }
        let overridden = r#"{"overrides": {"a": {"b": "^1.0.0", "c": "$c", "d": "1.0.0"}}}"#;
        assert_eq!(found("package.json", overridden).len(), 1);
        assert!(found("package.json", "{").len() == 1);
    }

    #[test]
    fn exact_versions_and_other_files_pass() {
        let text = r#"{"engines": {"node": ">=20"}, "dependencies": {"a": "1.2.3", "b": "1.2.3-rc.1"}}"#;
        assert_eq!(found("package.json", text), [] as [&str; 0]);
        assert_eq!(
            found("package-lock.json", r#"{"dependencies": {"a": "^1.2.3"}}"#),
            [] as [&str; 0]
        );
    }
}

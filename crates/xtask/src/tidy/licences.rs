//! The licences of all dependencies, against the list in deny.toml.

use serde_json::Value;

use super::Finding;

pub const FILE: &str = "deny.toml";

pub fn check(metadata: &Value, deny: &str) -> Vec<Finding> {
    let (line, allowed) = allowed(deny);
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    // Packages of this workspace have no source.
    let dependencies = packages.iter().filter(|p| !p["source"].is_null());
    let finding = |p: &Value| {
        let (name, version) = (p["name"].as_str().unwrap_or("?"), p["version"].as_str().unwrap_or("?"));
        let licence = p["license"].as_str().unwrap_or("none named");
        let accepted = accepts(licence, &|id| allowed.iter().any(|a| a == id));
        let text = format!(
            "the licence of {name} {version} ({licence}) is not on the list of licences that may be shipped: \
             use another crate, or have the licence looked at and add it to `allow`"
        );
        (!accepted).then(|| Finding::new(FILE, line, text))
    };
    dependencies.filter_map(finding).collect()
}

/// The line of `allow` in `[licenses]`, and its entries.
fn allowed(deny: &str) -> (usize, Vec<String>) {
    let mut section = "";
    let mut found: Option<usize> = None;
    let mut entries = Vec::new();
    for (index, line) in deny.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.starts_with('[') && found.is_none() {
            section = line;
        } else if section == "[licenses]" && found.is_none() && line.starts_with("allow ") {
            found = Some(index + 1);
        }
        if found.is_some() {
            entries.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
            if line.ends_with(']') {
                break;
            }
        }
    }
    (found.unwrap_or(1), entries)
}

/// Does an SPDX expression hold when `allowed` says which licences do? `AND` binds closer than `OR`.
fn accepts(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    // Old crates write "MIT/Apache-2.0" for a choice.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    any_of(&mut words, allowed) && words.is_empty()
}

/// `words` is reversed: the next one is popped.
fn any_of(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut holds = all_of(words, allowed);
    while words.pop_if(|word| *word == "OR").is_some() {
        holds |= all_of(words, allowed);
    }
    holds
}

fn all_of(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut holds = one(words, allowed);
    while words.pop_if(|word| *word == "AND").is_some() {
        holds &= one(words, allowed);
    }
    holds
}

fn one(words: &mut Vec<&str>, allowed: &dyn Fn(&str) -> bool) -> bool {
    match words.pop() {
        Some("(") => {
            let holds = any_of(words, allowed);
            words.pop() == Some(")") && holds
        }
        Some(licence) if words.pop_if(|word| *word == "WITH").is_some() => {
            let exception = words.pop().unwrap_or_default();
            allowed(licence) || allowed(&format!("{licence} WITH {exception}"))
        }
        Some(licence) => allowed(licence),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(expression: &str) -> bool {
        accepts(expression, &|id| ["MIT", "Apache-2.0", "Unicode-3.0"].contains(&id))
    }

    #[test]
    fn expressions_are_understood() {
        assert!(holds("MIT"));
        assert!(holds("MIT/Apache-2.0") && holds("GPL-3.0 OR MIT") && holds("(MIT OR GPL-3.0) AND Unicode-3.0"));
        assert!(holds("Apache-2.0 WITH LLVM-exception OR GPL-3.0"));
        assert!(!holds("GPL-3.0") && !holds("MIT AND GPL-3.0") && !holds("MIT AND (GPL-3.0 OR AGPL-3.0)"));
        assert!(holds("MIT OR GPL-3.0 AND AGPL-3.0"), "AND binds closer");
        assert!(!holds("") && !holds("(MIT") && !holds("MIT MIT"));
    }

    #[test]
    fn a_licence_outside_of_the_list_is_found() {
        let metadata = json!({"packages": [
            {"name": "ours", "version": "0.1.0", "license": null, "source": null},
            {"name": "good", "version": "1.0.0", "license": "MIT", "source": "registry"},
            {"name": "bad", "version": "2.0.0", "license": "AGPL-3.0", "source": "registry"},
            {"name": "silent", "version": "3.0.0", "license": null, "source": "registry"}]});
        let deny =
            "[bans]\nallow = [\"x\"]\n[licenses]\n# why\nallow = [\n  \"MIT\", # ours\n  \"ISC\",\n]\nconfidence = 1\n";
        let found = check(&metadata, deny);
        assert_eq!(found.len(), 2);
        assert!(
            found[0]
                .to_string()
                .starts_with("deny.toml:5: the licence of bad 2.0.0 (AGPL-3.0) is not"),
            "{}",
            found[0]
        );
        assert!(found[1].text.contains("silent 3.0.0 (none named)"));
        assert_eq!(allowed(deny).1, ["MIT", "ISC"]);
    }
}

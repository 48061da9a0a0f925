//! Which crates may name the big third-party crates, in manifests and in sources.

use super::{
    Finding,
    arrows::{self, Package},
    rust_text::RustText,
};
use crate::tree::SourceFile;

/// A family of third-party crates (`axum` means `axum-extra` as well) and who may name it.
struct Rule {
    family: &'static str,
    who: Who,
    why: &'static str,
}

enum Who {
    Only(&'static [&'static str]),
    NotPure,
}

const RULES: &[Rule] = &[
    Rule {
        family: "axum",
        // The bench compares with a bare relay.
        who: Who::Only(&["http", "server", "bench"]),
        why: "rules and rooms must not know how requests arrive",
    },
    Rule {
        family: "sqlx",
        who: Who::Only(&["store"]),
        why: "ports have no driver types",
    },
    Rule {
        family: "redis",
        who: Who::Only(&["roomlog"]),
        why: "ports have no driver types",
    },
    Rule {
        family: "webrtc",
        who: Who::Only(&["media"]),
        why: "its traps are known in one place",
    },
    Rule {
        family: "rtc",
        who: Who::Only(&["media"]),
        why: "its traps are known in one place",
    },
    Rule {
        family: "jiff",
        who: Who::Only(&["domain"]),
        why: ZONE,
    },
    Rule {
        family: "chrono",
        who: Who::Only(&["domain"]),
        why: ZONE,
    },
    Rule {
        family: "tokio",
        who: Who::NotPure,
        why: "layer 0 takes values and gives values",
    },
];

const ZONE: &str = "local times are converted only in domain::zone";
const ZONE_FILE: &str = "crates/domain/src/zone.rs";
const ZONE_FOLDER: &str = "crates/domain/src/zone/";
const ZONE_TESTS: &str = "crates/domain/tests/zone";

impl Rule {
    fn allows(&self, folder: &str) -> bool {
        match self.who {
            Who::Only(folders) => folders.contains(&folder),
            Who::NotPure => !arrows::is_pure(folder),
        }
    }

    /// Does the family have this crate? `deadpool-redis` is as much of a driver as `redis`. Both spellings, with `-` and `_`.
    fn has(&self, name: &str) -> bool {
        name.split(['-', '_']).any(|part| part == self.family)
    }

    fn remedy(&self) -> String {
        match self.who {
            Who::Only(folders) => format!("go through {}", folders.join(" or ")),
            Who::NotPure => "move what waits or spawns to an adapter or to layer 2".to_owned(),
        }
    }
}

pub fn in_manifests(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        for dependency in package.dependencies.iter().filter(|d| d.ours.is_none()) {
            for rule in RULES
                .iter()
                .filter(|r| r.has(&dependency.name) && !r.allows(&package.folder))
            {
                let Package { folder, manifest, .. } = package;
                let text = format!(
                    "`{folder}` may not depend on `{}`, since {}: {}",
                    dependency.name,
                    rule.why,
                    rule.remedy()
                );
                findings.push(Finding::new(manifest, package.line_of(&dependency.name), text));
            }
        }
    }
    findings
}

pub fn in_source(file: &SourceFile) -> Vec<Finding> {
    let (true, Some(folder)) = (file.has_extension(&["rs"]), file.package()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (number, line) in RustText::new(&file.text).code_lines() {
        for name in crates_named(line) {
            for rule in RULES.iter().filter(|r| r.has(name)) {
                let remedy = if rule.why == ZONE && folder == "domain" && !is_of_zone(&file.name) {
                    format!("move this to {ZONE_FILE} or {ZONE_FOLDER}")
                } else if rule.allows(folder) {
                    continue;
                } else {
                    rule.remedy()
                };
                let text = format!("`{name}` may not be named here, since {}: {remedy}", rule.why);
                findings.push(Finding::new(&file.name, number, text));
            }
        }
    }
    findings
}

/// Is the file one of the module `domain::zone`, or of its tests?
fn is_of_zone(file: &str) -> bool {
    file == ZONE_FILE || file.starts_with(ZONE_FOLDER) || file.starts_with(ZONE_TESTS)
}

/// The first segments of the paths in a line of code: `x` of `x::y` and of `use x;`, but not of `a::x::y`.
fn crates_named(line: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut named = Vec::new();
    let mut at = 0;
    while let Some(start) = line[at..].find(is_name).map(|i| at + i) {
        let end = line[start..].find(|c| !is_name(c)).map_or(line.len(), |i| start + i);
        let (before, after) = (line[..start].trim_end(), &line[end..]);
        let outer = before
            .strip_suffix("::")
            .map(|outer| outer.ends_with(is_name) || outer.ends_with('>'));
        let imported = before.ends_with("use") && (after.starts_with(';') || after.starts_with(" as "));
        if outer != Some(true) && (after.starts_with("::") || imported) {
            named.push(&line[start..end]);
        }
        at = end;
    }
    named
}

#[cfg(test)]
mod tests {
    use super::{super::arrows::tests::package, *};

    fn source(name: &str, text: &str) -> Vec<String> {
        in_source(&SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        })
        .iter()
        .map(Finding::to_string)
        .collect()
    }

    #[test]
    fn manifests_name_only_what_is_theirs() {
        let manifest = "[dependencies]\naxum-extra = \"1\"\ntokio.workspace = true\n";
        let dependencies = [("axum-extra", false, None), ("tokio", true, None)];
        assert_eq!(in_manifests(&[package("http", manifest, &dependencies)]), []);
        let found = in_manifests(&[package("room", manifest, &dependencies)]);
        assert!(
            found[0]
                .to_string()
                .starts_with("crates/room/Cargo.toml:2: `room` may not depend on `axum-extra`")
        );
        assert!(
            found[1]
                .to_string()
                .starts_with("crates/room/Cargo.toml:3: `room` may not depend on `tokio`")
        );
    }

    #[test]
    fn sources_name_only_what_is_theirs() {
        let found = source(
            "crates/app/src/visits.rs",
            "use std::fmt;\nlet pool: sqlx::Pool = todo();\n",
        );
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("crates/app/src/visits.rs:2: `sqlx` may not be named here"),
            "{}",
            found[0]
        );
        assert_eq!(source("crates/store/src/pool.rs", "use sqlx::Pool;"), [] as [&str; 0]);
        assert_eq!(source("crates/room/tests/fold.rs", "#[tokio::test]").len(), 1);
    }

    #[test]
    fn time_libraries_stay_in_the_zone_module() {
        assert_eq!(
            source("crates/domain/src/zone/tzdb.rs", "use jiff::tz;"),
            [] as [&str; 0]
        );
        assert!(
            source("crates/domain/src/visit.rs", "use jiff::tz;")[0]
                .ends_with("move this to crates/domain/src/zone.rs or crates/domain/src/zone/")
        );
        for other in ["crates/domain/src/zones.rs", "crates/domain/src/zone_of_visit/mod.rs"] {
            assert_eq!(source(other, "use jiff::tz;").len(), 1, "{other}");
        }
        assert_eq!(source("crates/ical/src/lib.rs", "use chrono_tz::Tz;").len(), 1);
    }

    #[test]
    fn a_family_has_every_crate_with_its_name_in_it() {
        for name in ["deadpool_redis", "tower_sessions_sqlx_store", "tokio_tungstenite"] {
            assert_eq!(
                source("crates/room/src/lib.rs", &format!("{name}::open()")).len(),
                1,
                "{name}"
            );
        }
        assert_eq!(
            source("crates/room/src/lib.rs", "predis::x; tokios::y"),
            [] as [&str; 0]
        );
    }

    #[test]
    fn comments_texts_and_inner_modules_do_not_name_a_crate() {
        let text =
            "// sqlx::query\nlet s = \"axum::Router\"; use crate::redis::open;\nfn redis() {}\nuse self::sqlx::x;";
        assert_eq!(source("crates/app/src/lib.rs", text), [] as [&str; 0]);
    }

    #[test]
    fn paths_are_told_from_names() {
        assert_eq!(
            crates_named("use ::tokio::sync; let x = Vec::<tokio::Id>::new(); use axum as web;"),
            ["tokio", "Vec", "tokio", "axum"]
        );
    }
}

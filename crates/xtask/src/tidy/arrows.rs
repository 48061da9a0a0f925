//! Which of our crates may use which: the table of docs/ARCHITECTURE.md.

use std::{fs, path::Path};

use serde_json::Value;

use super::Finding;
use crate::shell::Result;

/// A crate's folder, its layer (`None` beside the layers) and the crates that it may use.
struct Row(&'static str, Option<u8>, &'static [&'static str]);

const TABLE: &[Row] = &[
    Row("domain", Some(0), &[]),
    Row("schedule", Some(0), &["domain"]),
    Row("protocol", Some(0), &["domain"]),
    Row("room", Some(0), &["domain", "protocol"]),
    Row("store", Some(1), &["domain", "schedule"]),
    Row("roomlog", Some(1), &["domain"]),
    Row("ical", Some(1), &["domain"]),
    Row("access", Some(1), &["domain"]),
    Row("notify", Some(1), &["domain", "ical"]),
    Row("media", Some(1), &["domain"]),
    Row(
        "app",
        Some(2),
        &["domain", "schedule", "protocol", "room", "store", "access", "ical"],
    ),
    Row(
        "signaling",
        Some(2),
        &["domain", "schedule", "protocol", "room", "roomlog", "access"],
    ),
    Row(
        "http",
        Some(3),
        &[
            "domain",
            "schedule",
            "protocol",
            "room",
            "access",
            "ical",
            "app",
            "signaling",
        ],
    ),
    Row("server", Some(4), LAYERS),
    Row("client", None, &["domain", "protocol"]),
    Row("bench", None, ALL),
    Row("testkit", None, &[]),
    Row("xtask", None, &[]),
    Row(
        "simulation",
        None,
        &["domain", "protocol", "room", "roomlog", "access", "signaling", "client"],
    ),
    Row(
        "tests",
        None,
        &[
            "domain",
            "protocol",
            "room",
            "roomlog",
            "access",
            "signaling",
            "server",
            "client",
            "testkit",
        ],
    ),
];

const LAYERS: &[&str] = &[
    "domain",
    "schedule",
    "protocol",
    "room",
    "store",
    "roomlog",
    "ical",
    "access",
    "notify",
    "media",
    "app",
    "signaling",
    "http",
];

const ALL: &[&str] = &[
    "domain",
    "schedule",
    "protocol",
    "room",
    "store",
    "roomlog",
    "ical",
    "access",
    "notify",
    "media",
    "app",
    "signaling",
    "http",
    "server",
    "client",
    "testkit",
];

/// Third-party crates that `xtask` may use, so that it compiles in seconds.
const XTASK_MAY_USE: &[&str] = &["serde_json"];

/// A package of this workspace as `cargo metadata` and its manifest tell.
pub struct Package {
    /// Its folder's name: `room` for crates/room, `tests` for tests.
    pub folder: String,
    /// Its manifest, named from the root.
    pub manifest: String,
    pub manifest_text: String,
    pub dependencies: Vec<Dependency>,
}

pub struct Dependency {
    /// The name under which it is published.
    pub name: String,
    pub dev: bool,
    /// The folder's name, for packages of this workspace.
    pub ours: Option<String>,
}

impl Package {
    /// The line of the manifest that names the dependency.
    pub fn line_of(&self, dependency: &str) -> usize {
        let names = |line: &str| {
            let rest = line.trim_start().trim_start_matches('"').strip_prefix(dependency);
            rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=', '"']))
        };
        self.manifest_text.lines().position(names).map_or(1, |index| index + 1)
    }
}

/// Is the folder one of a crate of layer 0?
pub fn is_pure(folder: &str) -> bool {
    TABLE
        .iter()
        .any(|Row(name, layer, _)| *name == folder && *layer == Some(0))
}

pub fn packages(metadata: &Value, root: &Path) -> Result<Vec<Package>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let folder_of = |path: &str| {
        Path::new(path)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let dependency = |d: &Value| {
        let ours = d["path"].as_str().and_then(folder_of);
        Some(Dependency {
            name: text(&d["name"])?,
            dev: d["kind"] == "dev",
            ours,
        })
    };
    let package = |p: &Value| {
        let manifest = Path::new(p["manifest_path"].as_str()?);
        Some(Package {
            folder: folder_of(manifest.parent()?.to_str()?)?,
            manifest: manifest
                .strip_prefix(root)
                .unwrap_or(manifest)
                .to_string_lossy()
                .into_owned(),
            manifest_text: fs::read_to_string(manifest).unwrap_or_default(),
            dependencies: p["dependencies"].as_array()?.iter().filter_map(dependency).collect(),
        })
    };
    let list = metadata["packages"]
        .as_array()
        .and_then(|list| list.iter().map(package).collect());
    list.ok_or_else(|| "the answer of `cargo metadata` has an unknown form: check the version of Cargo".to_owned())
}

pub fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let Some(Row(_, _, allowed)) = TABLE.iter().find(|Row(name, ..)| *name == package.folder) else {
        let text = format!(
            "the crate `{}` is not in the table of crates, so nobody knows what it may use: give it a row in \
             docs/ARCHITECTURE.md and in crates/xtask/src/tidy/arrows.rs",
            package.folder
        );
        return vec![Finding::new(&package.manifest, 1, text)];
    };
    let may_use = |d: &Dependency| match &d.ours {
        Some(ours) => allowed.contains(&ours.as_str()) || (d.dev && ours == "testkit"),
        None => package.folder != "xtask" || XTASK_MAY_USE.contains(&d.name.as_str()),
    };
    let finding = |d: &Dependency| {
        let text = match &d.ours {
            Some(ours) => format!(
                "`{}` may not use `{ours}`: the table of docs/ARCHITECTURE.md has no such arrow, which keeps each crate \
                 understandable alone; move the code to a crate that may use both, or pass a value or a port instead",
                package.folder
            ),
            None => format!(
                "`xtask` may not use `{}`, so that it compiles in seconds: use std and serde_json",
                d.name
            ),
        };
        Finding::new(&package.manifest, package.line_of(&d.name), text)
    };
    package
        .dependencies
        .iter()
        .filter(|d| !may_use(d))
        .map(finding)
        .collect()
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;

    pub fn package(folder: &str, manifest_text: &str, dependencies: &[(&str, bool, Option<&str>)]) -> Package {
        let dependency = |(name, dev, ours): &(&str, bool, Option<&str>)| Dependency {
            name: (*name).to_owned(),
            dev: *dev,
            ours: ours.map(str::to_owned),
        };
        Package {
            folder: folder.to_owned(),
            manifest: format!("crates/{folder}/Cargo.toml"),
            manifest_text: manifest_text.to_owned(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    #[test]
    fn an_arrow_that_goes_down_is_found_at_its_line() {
        let manifest = "[dependencies]\nheliograph-domain.workspace = true\nheliograph-store.workspace = true\n";
        let room = package(
            "room",
            manifest,
            &[
                ("heliograph-domain", false, Some("domain")),
                ("heliograph-store", false, Some("store")),
            ],
        );
        let found = check(&[room]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .to_string()
                .starts_with("crates/room/Cargo.toml:3: `room` may not use `store`"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn testkit_is_for_tests_only() {
        let testkit = ("heliograph-testkit", true, Some("testkit"));
        assert_eq!(check(&[package("store", "", &[testkit])]), []);
        assert_eq!(
            check(&[package("store", "", &[("heliograph-testkit", false, Some("testkit"))])]).len(),
            1
        );
    }

    #[test]
    fn a_crate_outside_of_the_table_is_found() {
        assert!(
            check(&[package("video", "", &[])])[0]
                .text
                .starts_with("the crate `video` is not in the table")
        );
    }

    #[test]
    fn xtask_keeps_to_serde_json() {
        let found = check(&[package(
            "xtask",
            "serde_json = 1\nregex = 1",
            &[("serde_json", false, None), ("regex", false, None)],
        )]);
        assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn arrows_go_up_in_the_table() {
        let layer = |name: &str| {
            TABLE
                .iter()
                .find(|Row(n, ..)| *n == name)
                .and_then(|Row(_, layer, _)| *layer)
        };
        for Row(name, own, uses) in TABLE {
            for used in *uses {
                assert!(
                    own.is_none() || layer(used) <= *own && layer(used).is_some(),
                    "{name} → {used}"
                );
            }
        }
    }

    #[test]
    fn cargo_metadata_is_read() {
        let metadata = json!({"packages": [{"manifest_path": "/r/crates/app/Cargo.toml", "dependencies": [
            {"name": "heliograph-store", "path": "/r/crates/store", "kind": null}, {"name": "insta", "kind": "dev"}]}]});
        let packages = packages(&metadata, Path::new("/r")).unwrap();
        let Package {
            folder,
            manifest,
            dependencies,
            ..
        } = &packages[0];
        assert_eq!((folder.as_str(), manifest.as_str()), ("app", "crates/app/Cargo.toml"));
        assert_eq!(
            (dependencies[0].ours.as_deref(), dependencies[0].dev),
            (Some("store"), false)
        );
        assert_eq!((dependencies[1].ours.as_deref(), dependencies[1].dev), (None, true));
    }
}

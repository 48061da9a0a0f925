//! docs/PROTOCOL.md names every message with its fields, every error and every close code.

use heliograph_protocol::{CloseCode, ErrorCode};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fs, path::PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn section(document: &str, title: &str) -> String {
    let after = document
        .split_once(&format!("\n## {title}\n"))
        .unwrap_or_else(|| panic!("no section {title}"))
        .1;
    after.split("\n## ").next().unwrap().to_owned()
}

fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_tables_agree_with_the_fixtures() {
    let document = fs::read_to_string(root().join("../../docs/PROTOCOL.md")).unwrap();
    let envelopes = [
        ("client", "Client → server", &["type", "c"][..]),
        (
            "server",
            "Server → client",
            &["type", "s", "p", "chain", "from", "session", "c", "at"],
        ),
    ];
    for (side, title, envelope) in envelopes {
        let table = section(&document, title);
        let mut named = BTreeSet::new();
        for row in table.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<_> = row.split(" | ").collect();
            let name = quoted(cells[0]).pop_first().unwrap();
            let path = root().join(format!("fixtures/{side}/{name}.json"));
            let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{side} {name} has no fixture"));
            let fixture: Map<String, Value> = serde_json::from_str(&text).unwrap();
            let own = |field: &&String| {
                let older_session = side == "client" && name != "hello" && field.as_str() == "session";
                !envelope.contains(&field.as_str()) && !older_session
            };
            let fields: BTreeSet<String> = fixture.keys().filter(own).cloned().collect();
            let told = quoted(cells[1]);
            assert!(
                fields.is_subset(&told),
                "{side} {name}: the fixture has {fields:?}, the table {told:?}"
            );
            named.insert(name);
        }
        let files = fs::read_dir(root().join("fixtures").join(side)).unwrap();
        let files: BTreeSet<String> = files
            .map(|f| f.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(named, files, "{side}");
    }
}

#[test]
fn every_code_is_explained() {
    let document = fs::read_to_string(root().join("../../docs/PROTOCOL.md")).unwrap();
    let errors = section(&document, "Error codes");
    for code in ErrorCode::ALL {
        let name = serde_json::to_value(code).unwrap();
        assert!(
            errors.contains(&format!("| `{}` |", name.as_str().unwrap())),
            "{code:?}"
        );
    }
    let closes = section(&document, "Close codes");
    for code in CloseCode::ALL {
        assert!(
            closes.contains(&format!("| {} | {} |", code.number(), code.reason())),
            "{code:?}"
        );
    }
}

//! docs/PROTOCOL.md names every message with its fields, every error and every close code, as the types have them.

use heliograph_protocol::{ClientMessage, CloseCode, ErrorCode, Header, Limits, ServerMessage, Timers};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs, path::PathBuf};
use utoipa::{PartialSchema, ToSchema};

/// Fields by name, and whether they may be absent.
type Fields = BTreeMap<String, bool>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("../../docs/PROTOCOL.md")).unwrap()
}

fn section(document: &str, title: &str) -> String {
    let after = document
        .split_once(&format!("\n## {title}\n"))
        .unwrap_or_else(|| panic!("no section {title}"))
        .1;
    after.split("\n## ").next().unwrap().to_owned()
}

/// `a`, `b`? → a, and b that may be absent.
fn told(cell: &str) -> Fields {
    let parts: Vec<&str> = cell.split('`').collect();
    let names = parts.chunks(2).filter_map(|pair| pair.get(1));
    let marks = parts.iter().skip(2).step_by(2).map(|after| after.starts_with('?'));
    names.map(|name| (*name).to_owned()).zip(marks).collect()
}

/// The messages of a table, each with its fields.
fn table(title: &str) -> BTreeMap<String, Fields> {
    let section = section(&page(), title);
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<_> = line.split(" | ").collect();
        (told(cells[0]).pop_first().unwrap().0, told(cells[1]))
    };
    rows.map(row).collect()
}

/// The messages that a type has by its schema, each with its fields.
fn messages<T: ToSchema>() -> BTreeMap<String, Fields> {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let named: Map<String, Value> = named
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap()))
        .collect();
    let schema = serde_json::to_value(<T as PartialSchema>::schema()).unwrap();
    let message = |variant: &Value| {
        let mut fields = fields(variant, &named);
        assert_eq!(fields.remove("type"), Some(false), "{variant}");
        (kind(variant), fields)
    };
    schema["oneOf"].as_array().unwrap().iter().map(message).collect()
}

/// The fields of an object, of one that is named elsewhere, or of several as one.
fn fields(schema: &Value, named: &Map<String, Value>) -> Fields {
    if let Some(name) = schema["$ref"].as_str() {
        return fields(&named[name.rsplit('/').next().unwrap()], named);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().flat_map(|part| fields(part, named)).collect();
    }
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, _)| (name.clone(), !required.contains(&Value::from(name.as_str()))))
        .collect()
}

/// The one value that `type` may have.
fn kind(variant: &Value) -> String {
    let parts = variant["allOf"]
        .as_array()
        .map_or(std::slice::from_ref(variant), Vec::as_slice);
    let kinds = parts
        .iter()
        .find_map(|part| part["properties"]["type"]["enum"].as_array());
    kinds.unwrap()[0].as_str().unwrap().to_owned()
}

#[test]
fn the_tables_agree_with_the_types() {
    let sides = [
        (table("Client → server"), messages::<ClientMessage>()),
        (table("Server → client"), messages::<ServerMessage>()),
    ];
    for (told, types) in sides {
        for (name, fields) in &types {
            assert_eq!(
                told.get(name),
                Some(fields),
                "{name}: left the page, right the type; true: may be absent"
            );
        }
        assert_eq!(told.len(), types.len(), "the page has a message that no type has");
    }
}

#[test]
fn the_timers_and_limits_are_told_with_their_defaults() {
    let section = section(&page(), "Timers and limits");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let told: BTreeMap<String, u64> = rows
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_matches('`').to_owned(), cells[1].parse().unwrap())
        })
        .collect();
    let of = |value: Value| value.as_object().unwrap().clone();
    let types = of(serde_json::to_value(Timers::default()).unwrap());
    let types = types
        .into_iter()
        .chain(of(serde_json::to_value(Limits::default()).unwrap()));
    let types: BTreeMap<String, u64> = types.map(|(name, value)| (name, value.as_u64().unwrap())).collect();
    assert_eq!(told, types);
}

#[test]
fn the_envelope_of_the_server_agrees_with_its_type() {
    let header = serde_json::to_value(Header::schema()).unwrap();
    let told: Vec<String> = fields(&header, &Map::new())
        .into_iter()
        .map(|(name, absent)| if absent { format!("{name}?") } else { name })
        .collect();
    let page = page();
    let envelope = page
        .split_once("Server → client `{type, ")
        .unwrap()
        .1
        .split(", …}`")
        .next()
        .unwrap();
    let mut named: Vec<&str> = envelope.split(", ").collect();
    named.sort_unstable();
    assert_eq!(named, told);
}

#[test]
fn the_fixtures_have_no_fields_but_those_of_the_tables() {
    let envelopes = [
        ("client", "Client → server", &["type", "c"][..]),
        (
            "server",
            "Server → client",
            &["type", "s", "p", "chain", "from", "session", "c", "at"],
        ),
    ];
    for (side, title, envelope) in envelopes {
        let table = table(title);
        for file in fs::read_dir(root().join("fixtures").join(side)).unwrap() {
            let path = file.unwrap().path();
            // A message of several forms has a fixture of each: `hello.desk.json`.
            let name = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap();
            let fixture: Map<String, Value> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let told = &table[name];
            for field in fixture.keys() {
                // Only what an older session numbered names it.
                let own = !envelope.contains(&field.as_str()) && (side, field.as_str()) != ("client", "session");
                assert!(
                    !own || told.contains_key(field),
                    "{side} {name}: {field} is not in the table"
                );
            }
            for (field, may_be_absent) in told {
                assert!(
                    *may_be_absent || fixture.contains_key(field),
                    "{side} {name}: the fixture lacks {field}"
                );
            }
        }
    }
}

#[test]
fn every_code_is_explained() {
    let document = page();
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

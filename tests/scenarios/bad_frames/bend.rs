//! The fixtures of the protocol, and how they are bent. A message that is added is bent with the others.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::fs;

pub struct Fixture {
    pub name: String,
    pub fields: Map<String, Value>,
}

/// One example of every message that a client sends.
pub fn fixtures() -> Result<Vec<Fixture>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/protocol/fixtures/client");
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::path);
    let read = |file: &fs::DirEntry| {
        let path = file.path();
        let file = path.file_name().and_then(|name| name.to_str()).context("a name")?;
        // `hello.desk.json` is a `hello` of another form.
        let name = file.split('.').next().context("a kind")?;
        Ok(Fixture {
            name: name.to_owned(),
            fields: serde_json::from_slice(&fs::read(&path)?)?,
        })
    };
    files.iter().map(read).collect()
}

impl Fixture {
    pub fn text(&self) -> String {
        Value::Object(self.fields.clone()).to_string()
    }

    pub fn is_numbered(&self) -> bool {
        self.fields.contains_key("c")
    }

    /// The same with another number, and of this session, where it has them.
    #[must_use]
    pub fn numbered(&self, c: u64, session: &str) -> Fixture {
        let mut fields = self.fields.clone();
        if let Some(number) = fields.get_mut("c") {
            *number = c.into();
        }
        if let Some(own) = fields.get_mut("session").filter(|_| self.is_numbered()) {
            *own = session.into();
        }
        let name = self.name.clone();
        Fixture { name, fields }
    }

    /// Ends too early, at several places.
    pub fn truncated(&self) -> Vec<String> {
        let text = self.text();
        let ends = [1, text.len() / 4, text.len() / 2, text.len() * 3 / 4, text.len() - 1];
        ends.iter().map(|end| text[..*end].to_owned()).collect()
    }

    /// Above the limit of a frame, and right in every other way.
    pub fn oversized(&self) -> String {
        self.text() + &" ".repeat(66_000)
    }

    /// Each value in its turn is of another type.
    pub fn wrong_types(&self) -> Vec<String> {
        self.bent(&|value| {
            *value = match value {
                Value::String(_) => json!(7),
                Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) | Value::Null => json!("wrong"),
            };
            true
        })
    }

    /// Each object in its turn has a field more.
    pub fn unknown_fields(&self) -> Vec<String> {
        let mut more = self.bent(&|value| match value {
            // Marks have the names of sessions, and no fields.
            Value::Object(fields) if !fields.values().all(Value::is_number) => {
                fields.insert("surprise".to_owned(), json!(1));
                true
            }
            _ => false,
        });
        let mut fields = self.fields.clone();
        fields.insert("surprise".to_owned(), json!(1));
        more.push(Value::Object(fields).to_string());
        more
    }

    /// Each field in its turn is missing.
    pub fn missing_fields(&self) -> Vec<String> {
        let without = |name: &String| {
            let mut fields = self.fields.clone();
            fields.remove(name);
            Value::Object(fields).to_string()
        };
        self.fields.keys().map(without).collect()
    }

    fn bent(&self, change: &dyn Fn(&mut Value) -> bool) -> Vec<String> {
        let mut all = Vec::new();
        for place in 0.. {
            let mut frame = Value::Object(self.fields.clone());
            let mut n = place;
            let Some(value) = frame
                .as_object_mut()
                .and_then(|fields| nth_of(fields.values_mut(), &mut n))
            else {
                return all;
            };
            if change(value) {
                all.push(frame.to_string());
            }
        }
        all
    }
}

fn nth_of<'a>(values: impl Iterator<Item = &'a mut Value>, n: &mut usize) -> Option<&'a mut Value> {
    let mut values = values;
    values.find_map(|value| nth(value, n))
}

fn nth<'a>(value: &'a mut Value, n: &mut usize) -> Option<&'a mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Object(fields) => nth_of(fields.values_mut(), n),
        Value::Array(list) => nth_of(list.iter_mut(), n),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

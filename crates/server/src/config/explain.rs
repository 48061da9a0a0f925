//! What is wrong with a value, in one sentence: key, what was found, what is expected, where.

use super::Config;
use super::layers::origin;
use figment::Figment;
use figment::error::{Actual, Kind};
use heliograph_protocol::OutOfRange;

/// One sentence: key, what was found, what is expected, where. The value itself may be a secret.
pub(super) fn explain(figment: &Figment, error: &figment::Error) -> String {
    let key = error.path.join(".");
    let place = origin(error.metadata.as_ref())
        .map(|place| format!(" (in {place})"))
        .unwrap_or_default();
    let present = || {
        figment
            .find_value(&key)
            .map_or("another value", |value| kind(&value.to_actual()))
    };
    let what = match &error.kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            format!("found {}, expected {}", kind(found), plain(expected))
        }
        Kind::InvalidLength(found, expected) => format!("found {found} items, expected {expected}"),
        Kind::UnknownVariant(_, expected) => format!("found another word, expected one of {}", expected.join(", ")),
        Kind::UnknownField(name, expected) => format!("unknown key {name}, expected one of {}", expected.join(", ")),
        Kind::MissingField(name) => format!("{name} is missing"),
        Kind::Message(message) => format!("found {}, {message}", present()),
        other => format!("found {}: {other}", present()),
    };
    format!("{key}: {what}{place}")
}

/// The words of people for the types of Rust.
fn plain(expected: &str) -> &str {
    match expected {
        "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "a string" | "path string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        // serde names the Rust type, which nobody outside knows.
        other if other.starts_with("struct ") => "a section with keys of its own",
        other => other,
    }
}

fn kind(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a section",
        _ => "another value",
    }
}

/// The numbers by which nobody could work. They are no secrets, and are told.
pub(super) fn out_of_range(figment: &Figment, config: &Config) -> Vec<String> {
    let place_of = |key: &str| origin(figment.find_metadata(key));
    let section = |name: &'static str, checked: Result<(), Vec<OutOfRange>>| {
        let told = move |fault: OutOfRange| {
            let key = |field: &str| format!("signaling.{name}.{field}");
            // One of two that contradict each other may be a default, which stands nowhere.
            let place = place_of(&key(fault.field)).or_else(|| place_of(&key(fault.than?)));
            let place = place.map(|place| format!(" (in {place})")).unwrap_or_default();
            let OutOfRange { value, expected, .. } = &fault;
            format!("{}: found {value}, expected {expected}{place}", key(fault.field))
        };
        checked.err().unwrap_or_default().into_iter().map(told)
    };
    let mut wrong: Vec<String> = section("timers", config.signaling.timers.check()).collect();
    wrong.extend(section("limits", config.signaling.limits.check()));
    let mut positive = |key: &str, value: u32, expected: &str| {
        if value == 0 {
            let place = place_of(key).unwrap_or_default();
            wrong.push(format!("{key}: found 0, expected {expected} (in {place})"));
        }
    };
    let kept = "at least 1; `journal = false` keeps nothing";
    positive("rooms.keep_hours", config.rooms.keep_hours, kept);
    positive("ice.lifetime_s", config.ice.lifetime_s, "at least 1");
    wrong
}

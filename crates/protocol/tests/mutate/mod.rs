//! Fixtures, bent: fields lost, doubled, of another type, too long, too large, and bytes that are changed.

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};
use std::{fmt, fs, path::PathBuf, sync::LazyLock};

/// A bent frame; it prints as text.
#[derive(Clone)]
pub struct Bent(pub Vec<u8>);

impl fmt::Debug for Bent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(&self.0))
    }
}

/// Every fixture of both sides, the client's first.
static FIXTURES: LazyLock<Vec<String>> = LazyLock::new(|| [fixtures("client"), fixtures("server")].concat());

fn fixtures(side: &str) -> Vec<String> {
    let folder = PathBuf::from(super::FIXTURES_FOLDER).join(side);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// One change of a frame.
#[derive(Debug, Clone)]
enum Bend {
    /// Another value in place of one somewhere in it.
    Put(Index, Value),
    /// A field or an item goes.
    Remove(Index, Index),
    /// A field more.
    Add(Index, &'static str, Value),
    /// A value of another fixture in place of one of this.
    Graft(Index, Index, Index),
    /// A text or a list of the right form, and so long.
    Grow(Index, usize),
    /// A byte is another.
    Byte(Index, u8),
    /// Nothing after it.
    Cut(Index),
    /// A part comes twice.
    Twice(Index, Index),
    /// A part of another fixture.
    Splice(Index, Index, Index),
}

/// Around every limit.
const LENGTHS: [usize; 15] = [0, 1, 8, 9, 16, 17, 20, 21, 33, 64, 65, 4_001, 16_385, 49_153, 66_000];

fn numbers() -> Vec<Value> {
    let big = [u64::from(u32::MAX), (1 << 53) - 1, 1 << 53, u64::MAX].map(Value::from);
    let odd = [
        json!(0),
        json!(-1),
        json!(1),
        json!(61),
        json!(1.5),
        json!(-0.0),
        json!(1e300),
        json!(i64::MIN),
    ];
    odd.into_iter().chain(big).collect()
}

fn texts() -> Vec<Value> {
    let texts = [
        "",
        "*",
        "staff",
        "offer",
        "end",
        "null",
        "\0",
        "a\u{301}",
        "שלום",
        "🧑\u{200d}⚕",
        "\u{202e}x",
        "2",
        "pAtIeNtPage0001",
        "01938000-0000-7000-8000-000000000001",
        "0123456789abcdef",
        "Europe/Zurich",
        "zh-Hant-TW",
        "{\"type\":\"end\"}",
    ];
    texts.map(Value::from).into()
}

fn value() -> impl Strategy<Value = Value> {
    let deep = select(vec![10, 127, 128, 500]).prop_map(|depth| (0..depth).fold(json!(1), |inner, _| json!([inner])));
    prop_oneof![
        4 => select(numbers()),
        4 => select(texts()),
        1 => deep,
        2 => select(vec![json!(null), json!(true), json!({}), json!([])]),
        1 => any::<String>().prop_map(Value::from),
    ]
}

/// Every value of every fixture in every one of the other forms, one at a time; what clients send in every length, too.
pub fn each_place_bent() -> impl Iterator<Item = Bent> {
    let forms = numbers().into_iter().chain(texts());
    let forms: Vec<_> = forms.chain([json!(null), json!(true), json!({}), json!([])]).collect();
    let client = fixtures("client").into_iter().map(|text| (text, &LENGTHS[..]));
    let server = fixtures("server").into_iter().map(|text| (text, &[][..]));
    client.chain(server).flat_map(move |(text, lengths)| {
        let fixture: Value = serde_json::from_str(&text).unwrap();
        let mut all = Vec::new();
        for place in 0..count(&fixture) {
            let mut bend = |change: &dyn Fn(&mut Value)| {
                let mut value = fixture.clone();
                change(nth(&mut value, &mut place.clone()).expect("the place is below the count"));
                all.push(Bent(serde_json::to_vec(&value).unwrap()));
            };
            for form in &forms {
                bend(&|at| at.clone_from(form));
            }
            for length in lengths {
                bend(&|at| grow(at, *length));
            }
        }
        all
    })
}

/// A text or a list with its own content over and over, up to a length.
fn grow(value: &mut Value, length: usize) {
    match value {
        Value::Object(fields) => {
            fields.extend((0..length.min(100)).map(|i| (format!("more-{i}"), json!(i))));
        }
        Value::Array(list) => {
            let items = if list.is_empty() { vec![json!(0)] } else { list.clone() };
            *list = items.into_iter().cycle().take(length.min(1_000)).collect();
        }
        Value::String(text) => {
            let letters = if text.is_empty() { "x" } else { text.as_str() };
            *text = letters.chars().cycle().take(length).collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => *value = json!(length),
    }
}

fn bend() -> impl Strategy<Value = Bend> {
    let fields = vec![
        "c", "session", "type", "to", "s", "p", "chain", "surprise", "from", "message", "canned", "secret", "desk", "",
    ];
    prop_oneof![
        6 => (any::<Index>(), value()).prop_map(|(at, value)| Bend::Put(at, value)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(at, which)| Bend::Remove(at, which)),
        3 => (any::<Index>(), select(fields), value()).prop_map(|(at, name, value)| Bend::Add(at, name, value)),
        3 => (any::<Index>(), any::<Index>(), any::<Index>()).prop_map(|(at, other, from)| Bend::Graft(at, other, from)),
        4 => (any::<Index>(), select(&LENGTHS[..])).prop_map(|(at, length)| Bend::Grow(at, length)),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Bend::Byte(at, byte)),
        1 => any::<Index>().prop_map(Bend::Cut),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Bend::Twice(from, to)),
        1 => (any::<Index>(), any::<Index>(), any::<Index>()).prop_map(|(at, other, from)| Bend::Splice(at, other, from)),
    ]
}

/// A fixture with up to four changes.
pub fn bent() -> impl Strategy<Value = Bent> {
    (any::<Index>(), proptest::collection::vec(bend(), 0..4)).prop_map(|(which, bends)| {
        let text = which.get::<String>(&FIXTURES).clone().into_bytes();
        Bent(bends.iter().fold(text, apply))
    })
}

fn apply(text: Vec<u8>, bend: &Bend) -> Vec<u8> {
    if text.is_empty() {
        return text;
    }
    match bend {
        Bend::Put(at, new) => at_place(text, *at, |place| *place = new.clone()),
        Bend::Remove(at, which) => at_place(text, *at, |place| match place {
            Value::Object(fields) if !fields.is_empty() => {
                let name = fields.keys().nth(which.index(fields.len())).cloned();
                name.map(|name| fields.remove(&name));
            }
            Value::Array(list) if !list.is_empty() => drop(list.remove(which.index(list.len()))),
            other => *other = Value::Null,
        }),
        Bend::Add(at, name, new) => at_place(text, *at, |place| match place {
            Value::Object(fields) => drop(fields.insert((*name).to_owned(), new.clone())),
            Value::Array(list) => list.push(new.clone()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => *place = new.clone(),
        }),
        Bend::Graft(at, other, from) => {
            let mut donor: Value = serde_json::from_str(other.get::<String>(&FIXTURES)).unwrap();
            let new = place_in(&mut donor, *from).clone();
            at_place(text, *at, |place| *place = new)
        }
        Bend::Grow(at, length) => at_place(text, *at, |place| grow(place, *length)),
        Bend::Byte(at, byte) => {
            let (mut text, at) = (text.clone(), at.index(text.len()));
            text[at] = *byte;
            text
        }
        Bend::Cut(at) => text[..at.index(text.len())].to_vec(),
        Bend::Twice(from, to) => {
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            [&text[..from.max(to)], &text[from.min(to)..]].concat()
        }
        Bend::Splice(at, other, from) => {
            let donor = other.get::<String>(&FIXTURES).as_bytes();
            [&text[..at.index(text.len())], &donor[from.index(donor.len())..]].concat()
        }
    }
}

/// Changes one value of the frame; what is no JSON any more stays as it is.
fn at_place(text: Vec<u8>, at: Index, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(&text) else {
        return text;
    };
    change(place_in(&mut value, at));
    serde_json::to_vec(&value).unwrap()
}

/// The frame itself, one of its fields, or one of theirs, however deep.
fn place_in(value: &mut Value, at: Index) -> &mut Value {
    let mut n = at.index(count(value));
    nth(value, &mut n).expect("the index is below the count")
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn nth<'a>(value: &'a mut Value, n: &mut usize) -> Option<&'a mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Object(fields) => fields.values_mut().find_map(|field| nth(field, n)),
        Value::Array(list) => list.iter_mut().find_map(|item| nth(item, n)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Runs so many cases from one seed, which it prints.
pub fn runner(cases: u32) -> TestRunner {
    let given = option_env!("HELIOGRAPH_FUZZ_SEED").map(|seed| seed.parse().expect("HELIOGRAPH_FUZZ_SEED is a number"));
    // Every run bends other frames.
    let seed: u64 = given.unwrap_or_else(|| u64::from(std::process::id()));
    println!("HELIOGRAPH_FUZZ_SEED={seed}");
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(
        config,
        TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.to_le_bytes(); 4].concat()),
    )
}

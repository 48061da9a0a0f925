//! What a scenario found: one JSON object, and the same as text.

use crate::{load::ledger::Totals, machine::Spent};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _};

/// Above this share of a core the generator may be what is measured.
const BUSY: f64 = 0.8;
/// The fields that every scenario has, in their order; the others follow.
const USUAL: [&str; 15] = [
    "scenario",
    "seconds",
    "sent",
    "delivered",
    "lost",
    "doubled",
    "reordered",
    "cpu_us_per_message",
    "baseline_cpu_us_per_message",
    "p50_ms",
    "p99_ms",
    "sockets",
    "rss_kb_per_socket",
    "baseline_rss_kb_per_socket",
    "generator_cores",
];

/// A field is null where the scenario does not measure it.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    pub scenario: &'static str,
    pub seconds: u64,
    pub sent: Option<u64>,
    pub delivered: Option<u64>,
    pub lost: Option<u64>,
    pub doubled: Option<u64>,
    pub reordered: Option<u64>,
    pub cpu_us_per_message: Option<f64>,
    pub baseline_cpu_us_per_message: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub sockets: Option<u64>,
    /// KiB, as in `VmRSS`.
    pub rss_kb_per_socket: Option<f64>,
    pub baseline_rss_kb_per_socket: Option<f64>,
    /// The generator's own seconds of processor time in a second.
    pub generator_cores: Option<f64>,
    /// What only this scenario has.
    #[serde(flatten)]
    more: BTreeMap<&'static str, Value>,
}

impl Figures {
    pub fn new(scenario: &'static str, seconds: u64) -> Figures {
        Figures {
            scenario,
            seconds,
            ..Figures::default()
        }
    }

    pub fn count(&mut self, totals: Totals) {
        self.sent = Some(totals.sent);
        self.delivered = Some(totals.delivered);
        self.lost = Some(totals.lost);
        self.doubled = Some(totals.doubled);
        self.reordered = Some(totals.reordered);
        self.more("acknowledged", totals.acked);
    }

    pub fn more(&mut self, name: &'static str, value: impl Into<Value>) {
        self.more.insert(name, value.into());
    }

    pub fn ratio(&mut self, name: &'static str, of: Option<f64>, to: Option<f64>) {
        let ratio = of.zip(to).filter(|(_, to)| *to > 0.0).map(|(of, to)| of / to);
        self.more(name, ratio);
    }

    /// The generator's own load; the highest of several counts.
    pub fn generator(&mut self, spent: Spent) {
        self.generator_cores = Some(self.generator_cores.unwrap_or(0.0).max(spent.own_cores()));
    }

    /// Something was lost, doubled or reordered.
    pub fn broken(&self) -> bool {
        [self.lost, self.doubled, self.reordered]
            .iter()
            .any(|count| count.is_some_and(|count| count > 0))
    }

    /// The object on one line.
    pub fn line(&self) -> String {
        let fields = self.fields().into_iter();
        let fields: Vec<_> = fields
            .map(|(name, value)| format!("{}:{value}", Value::from(name)))
            .collect();
        format!("{{{}}}", fields.join(","))
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let Ok(Value::Object(mut all)) = serde_json::to_value(self).map(rounded) else {
            unreachable!("figures are an object with texts for keys")
        };
        let usual = USUAL.map(|name| (name.to_owned(), all.remove(name).unwrap_or_default()));
        usual.into_iter().chain(all).collect()
    }

    /// One figure a line, without those that were not measured.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.fields().iter().filter(|(_, value)| !value.is_null()) {
            let _ = writeln!(
                text,
                "{name:<32}{}",
                value.as_str().map_or(value.to_string(), ToOwned::to_owned)
            );
        }
        if self.generator_cores.is_some_and(|cores| cores > BUSY) {
            let _ = writeln!(
                text,
                "The generator used more than {BUSY} of a core: latencies and rates may be its own, not the server's."
            );
        }
        if self.broken() {
            let _ = writeln!(text, "Messages were lost, doubled or reordered.");
        }
        text
    }
}

/// Three digits behind the point are more than is known.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => Value::from((float * 1000.0).round() / 1000.0),
            None => Value::Number(number),
        },
        Value::Array(all) => all.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_every_usual_field_and_null_for_what_was_not_measured() {
        let mut figures = Figures::new("idle", 5);
        figures.rss_kb_per_socket = Some(11.234_56);
        figures.more("slope_kb", 10.5);
        let value: Value = serde_json::from_str(&figures.line()).unwrap();
        for name in USUAL
            .iter()
            .filter(|name| !["scenario", "seconds", "rss_kb_per_socket"].contains(name))
        {
            assert!(
                value.as_object().unwrap().contains_key(*name) && value[name].is_null(),
                "{name}"
            );
        }
        assert!(
            figures
                .line()
                .starts_with("{\"scenario\":\"idle\",\"seconds\":5,\"sent\":null,"),
            "{}",
            figures.line()
        );
        assert_eq!(value["scenario"], "idle");
        assert_eq!(
            (value["rss_kb_per_socket"].as_f64(), value["slope_kb"].as_f64()),
            (Some(11.235), Some(10.5))
        );
        assert!(!figures.line().contains('\n') && !figures.text().contains("sent"));
    }

    #[test]
    fn one_message_lost_doubled_or_reordered_is_a_failure() {
        let broken = |lost, doubled, reordered| {
            let mut figures = Figures::new("relay", 1);
            figures.count(Totals {
                lost,
                doubled,
                reordered,
                ..Totals::default()
            });
            figures.broken()
        };
        assert!(!broken(0, 0, 0));
        assert!(broken(1, 0, 0) && broken(0, 1, 0) && broken(0, 0, 1));
        assert!(!Figures::new("idle", 1).broken());
    }

    #[test]
    fn a_ratio_to_nothing_is_null() {
        let mut figures = Figures::new("relay", 1);
        figures.ratio("ratio", Some(3.0), Some(2.0));
        figures.ratio("other_ratio", Some(3.0), None);
        figures.ratio("third_ratio", Some(3.0), Some(0.0));
        let value: Value = serde_json::from_str(&figures.line()).unwrap();
        assert_eq!(
            (value["ratio"].as_f64(), &value["other_ratio"]),
            (Some(1.5), &Value::Null)
        );
        assert_eq!(value["third_ratio"], Value::Null);
    }
}

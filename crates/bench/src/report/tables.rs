//! Which runs make which table, its rows, and what was to be reached.

use serde_json::Value;
use std::fmt::Write as _;

/// A table of the page.
pub struct Table {
    /// Of its markers.
    pub name: &'static str,
    pub scenario: &'static str,
    /// The command lines of its runs; one column for each.
    pub runs: &'static [&'static str],
    /// What tells the runs apart.
    column: &'static str,
    rows: &'static [Row],
}

/// A figure: what it is called, its field, its unit, and the bound that it is to keep.
struct Row(&'static str, &'static str, &'static str, Goal);

enum Goal {
    None,
    AtMost(f64),
    AtLeast(f64),
    /// The highest of all runs is at most this share above the lowest.
    Flat(f64),
}

use Goal::{AtLeast, AtMost, Flat, None as Reported};

const SENT: Row = Row("messages sent", "sent", "", Reported);
const LOST: Row = Row("lost", "lost", "", AtMost(0.0));
const DOUBLED: Row = Row("doubled", "doubled", "", AtMost(0.0));
const REORDERED: Row = Row("reordered", "reordered", "", AtMost(0.0));

pub const TABLES: &[Table] = &[
    Table {
        name: "relay",
        scenario: "relay",
        runs: &[
            "relay --rooms 100 --seconds 30",
            "relay --rooms 10 --seconds 30",
            "relay --rooms 1000 --seconds 30",
            "relay --rooms 10000 --seconds 30",
        ],
        column: "rooms",
        rows: &[
            SENT,
            LOST,
            DOUBLED,
            REORDERED,
            Row("processor time of a message", "cpu_us_per_message", "µs", AtMost(30.0)),
            Row("the same in all columns", "cpu_us_per_message", "µs", Flat(0.15)),
            Row(
                "the same at the baseline",
                "baseline_cpu_us_per_message",
                "µs",
                Reported,
            ),
            Row("ratio", "cpu_ratio", "", AtMost(1.3)),
            Row("without what open rooms cost", "net_cpu_us_per_message", "µs", Reported),
            Row(
                "an open idle room in a second",
                "idle_cpu_us_per_room_s",
                "µs",
                Reported,
            ),
            Row("latency p50", "p50_ms", "ms", Reported),
            Row("latency p99", "p99_ms", "ms", AtMost(1.5)),
            Row("p99 at the baseline", "baseline_p99_ms", "ms", Reported),
            Row("the generator's share of a core", "generator_cores", "", AtMost(0.8)),
        ],
    },
    Table {
        name: "idle",
        scenario: "idle",
        runs: &[
            "idle --sockets 1000 --seconds 20",
            "idle --sockets 5000 --seconds 20",
            "idle --sockets 1000,5000,15000 --seconds 20",
        ],
        column: "sockets",
        rows: &[
            Row(
                "memory of a socket, its half of a room included",
                "rss_kb_per_socket",
                "KiB",
                AtMost(12.0),
            ),
            Row(
                "the same at the baseline",
                "baseline_rss_kb_per_socket",
                "KiB",
                Reported,
            ),
            Row("ratio", "rss_ratio", "", Reported),
            Row(
                "slope from 1,000 sockets on",
                "slope_kb_per_socket",
                "KiB",
                AtMost(12.0),
            ),
            Row("an open idle room in a second", "cpu_us_per_room_s", "µs", Reported),
        ],
    },
    Table {
        name: "stalled",
        scenario: "stalled",
        runs: &["stalled --sockets 100 --seconds 20"],
        column: "sockets",
        rows: &[
            Row(
                "memory while one does not read, above its highest point before",
                "rss_growth_kb",
                "KiB",
                AtMost(1024.0),
            ),
            Row(
                "the same until the line is closed",
                "rss_growth_at_close_kb",
                "KiB",
                Reported,
            ),
            Row("the highest point while nobody stalls", "rss_calm_kb", "KiB", Reported),
            Row("while one does", "rss_stalled_kb", "KiB", Reported),
            Row("until the line is closed", "closed_after_s", "s", AtMost(10.0)),
            Row("latency p99 of the others", "p99_ms", "ms", AtMost(5.0)),
            Row("how the one comes back", "stalled_resumed", "", Reported),
            Row(
                "messages older than the kept log, which a resync leaves out",
                "stalled_left_out",
                "",
                Reported,
            ),
            SENT,
            LOST,
            DOUBLED,
            REORDERED,
        ],
    },
    Table {
        name: "join-storm",
        scenario: "join-storm",
        runs: &["join-storm --sockets 1000"],
        column: "sockets",
        rows: &[
            Row("until the snapshot, p50", "p50_ms", "ms", Reported),
            Row("p95", "p95_ms", "ms", Reported),
            Row("all are there", "all_joined_ms", "ms", Reported),
            Row("processor time of a join", "cpu_us_per_join", "µs", Reported),
            Row("the same at the baseline", "baseline_cpu_us_per_join", "µs", Reported),
            LOST,
        ],
    },
    Table {
        name: "resume-storm",
        scenario: "resume-storm",
        runs: &["resume-storm --sockets 1000 --kills 5 --seconds 10"],
        column: "sockets",
        rows: &[
            Row("kill -9", "kills", "", Reported),
            Row(
                "unacknowledged by everybody at the kill, at least",
                "unacknowledged_at_kill",
                "",
                AtLeast(5.0),
            ),
            Row("the server listens again, after the kill", "restart_ms", "ms", Reported),
            Row("the seat is back, after the kill, p50", "p50_ms", "ms", Reported),
            Row("p95", "p95_ms", "ms", AtMost(1500.0)),
            Row("all are back", "all_back_ms", "ms", Reported),
            Row("not back after a minute", "not_back", "", AtMost(0.0)),
            Row("came back with the missed frames only", "resumed_full", "", Reported),
            Row("came back with a snapshot", "resumed_resync", "", Reported),
            SENT,
            LOST,
            DOUBLED,
            REORDERED,
        ],
    },
    Table {
        name: "soak",
        scenario: "soak",
        runs: &["soak --sockets 200 --rate 500 --seconds 600"],
        column: "sockets",
        rows: &[
            Row("seconds", "seconds", "", Reported),
            Row("faults", "faults", "", Reported),
            Row("pages came back", "resumes", "times", Reported),
            Row(
                "memory, slope in the second half",
                "rss_slope_kb_per_min",
                "KiB/min",
                Reported,
            ),
            SENT,
            LOST,
            DOUBLED,
            REORDERED,
        ],
    },
    Table {
        name: "flood",
        scenario: "flood",
        runs: &["flood --versus rooms.journal=false --rounds 3 --seconds 10"],
        column: "sockets",
        rows: &[
            Row("acknowledged in a second, journal on", "acked_per_s", "", Reported),
            Row("journal off", "versus_acked_per_s", "", Reported),
            Row("ratio", "acked_ratio", "", AtLeast(0.7)),
            Row(
                "processor time of a message, journal on",
                "cpu_us_per_message",
                "µs",
                Reported,
            ),
            Row("journal off", "versus_cpu_us_per_message", "µs", Reported),
            SENT,
            LOST,
            DOUBLED,
            REORDERED,
        ],
    },
];

impl Table {
    /// As Markdown, with the command lines below.
    pub fn text(&self, figures: &[&Value]) -> String {
        let mut text = String::from("| figure |");
        for one in figures {
            let _ = write!(text, " {} {} |", plain(&one[self.column]), self.column);
        }
        let _ = writeln!(text, " to reach |\n|---|{}---|", "---|".repeat(figures.len()));
        for Row(name, field, unit, goal) in self.rows {
            let values: Vec<_> = figures.iter().map(|one| &one[*field]).collect();
            let _ = write!(text, "| {name} |");
            for value in &values {
                let unit = if value.is_null() { "" } else { unit };
                let _ = write!(text, " {} |", format!("{} {unit}", plain(value)).trim_end());
            }
            let bound = goal.text(unit);
            let _ = if goal.is_reached(&values) {
                writeln!(text, " {bound} |")
            } else {
                writeln!(text, " **{bound}, not reached** |")
            };
        }
        let commands: Vec<_> = self
            .runs
            .iter()
            .map(|run| format!("`heliograph-bench {run}`"))
            .collect();
        let _ = writeln!(text, "\n{}", commands.join("; "));
        text
    }
}

impl Goal {
    fn text(&self, unit: &str) -> String {
        let bound = |sign: &str, bound: f64| format!("{sign} {bound} {unit}").trim_end().to_owned();
        match self {
            Reported => "–".to_owned(),
            AtMost(0.0) => "0".to_owned(),
            AtMost(most) => bound("≤", *most),
            AtLeast(least) => bound("≥", *least),
            Flat(share) => format!("within {} %", (share * 100.0).round()),
        }
    }

    /// By all runs that measured it, and by one at least.
    fn is_reached(&self, values: &[&Value]) -> bool {
        let measured: Vec<_> = values.iter().filter_map(|value| value.as_f64()).collect();
        let all = |good: &dyn Fn(f64) -> bool| !measured.is_empty() && measured.iter().all(|value| good(*value));
        match self {
            Reported => true,
            AtMost(most) => all(&|value| value <= *most),
            AtLeast(least) => all(&|value| value >= *least),
            Flat(share) => all(&|value| measured.iter().all(|other| value <= other * (1.0 + share))),
        }
    }
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => thousands(whole),
            None => format!("{:.2}", number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Object(fields) => {
            let all: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{} {name}", plain(value)))
                .collect();
            all.join(", ")
        }
        Value::Bool(_) | Value::Array(_) => value.to_string(),
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;
    use serde_json::json;

    #[test]
    fn every_run_of_every_table_is_a_command_line_that_is_understood() {
        for run in TABLES.iter().flat_map(|table| table.runs) {
            let arguments = ["heliograph-bench"].into_iter().chain(run.split(' '));
            assert!(Cli::try_parse_from(arguments).is_ok(), "{run}");
        }
    }

    #[test]
    fn a_goal_is_reached_by_all_runs_or_not() {
        let reached = |goal: Goal, values: &[f64]| {
            let values: Vec<_> = values.iter().map(|value| json!(value)).collect();
            goal.is_reached(&values.iter().collect::<Vec<_>>())
        };
        assert!(reached(AtMost(30.0), &[29.0, 30.0]) && !reached(AtMost(30.0), &[29.0, 31.0]));
        assert!(reached(AtLeast(0.7), &[0.7]) && !reached(AtLeast(0.7), &[0.69]));
        assert!(reached(Flat(0.15), &[10.0, 11.0, 10.5]) && !reached(Flat(0.15), &[10.0, 11.0, 9.0]));
        assert!(!AtMost(1.0).is_reached(&[&Value::Null]) && Reported.is_reached(&[&Value::Null]));
        assert!(AtMost(1.0).is_reached(&[&Value::Null, &json!(1.0)]));
    }

    #[test]
    fn a_table_has_a_column_for_each_run_and_names_what_was_not_reached() {
        let table = Table {
            name: "x",
            scenario: "x",
            runs: &["x --rooms 10"],
            column: "rooms",
            rows: &[
                Row("lost", "lost", "", AtMost(0.0)),
                Row("latency", "p99_ms", "ms", AtMost(1.5)),
                Row("faults", "faults", "", Reported),
            ],
        };
        let one = json!({"rooms": 10, "lost": 0, "p99_ms": 1.25, "faults": {"cuts": 3}});
        let other = json!({"rooms": 10_000, "lost": 0, "p99_ms": 2.0, "faults": null});
        assert_eq!(
            table.text(&[&one, &other]),
            "| figure | 10 rooms | 10,000 rooms | to reach |\n|---|---|---|---|\n| lost | 0 | 0 | 0 |\n\
             | latency | 1.25 ms | 2.00 ms | **≤ 1.5 ms, not reached** |\n| faults | 3 cuts | – | – |\n\n\
             `heliograph-bench x --rooms 10`\n"
        );
    }
}

//! Every scenario once, tiny, against the server beside this program: that it measures, and that nothing is lost.
//!
//! `cargo xtask test rust` builds that server first; alone, `cargo build -p heliograph-server` does.

use heliograph_testkit::Process;
use serde_json::Value;
use std::{process::Command, time::Duration};

const SOON: Duration = Duration::from_mins(2);

/// The figures of a run, which must be those of exactly once and in order.
async fn figures(arguments: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heliograph-bench"));
    command.args(arguments.split(' ')).args(["--seconds", "1", "--json"]);
    let mut process = Process::start(command).unwrap();
    let status = process.ended(SOON).await.unwrap();
    let line = process.line("{\"scenario\"", SOON).await.unwrap();
    let figures: Value = serde_json::from_str(&line).unwrap();
    assert!(status.success(), "{status} {line}");
    figures
}

fn delivered_all(figures: &Value) {
    for fault in ["lost", "doubled", "reordered"] {
        assert_eq!(figures[fault], 0, "{fault}: {figures}");
    }
    assert!(figures["sent"].as_u64() > Some(0), "{figures}");
    assert_eq!(figures["sent"], figures["delivered"], "{figures}");
}

fn measured(figures: &Value, fields: &[&str]) {
    for field in fields {
        assert!(figures[field].is_number(), "{field}: {figures}");
    }
}

#[tokio::test]
async fn idle() {
    let figures = figures("idle --sockets 4,12").await;
    assert_eq!(
        (figures["sockets"].as_u64(), &figures["sent"]),
        (Some(12), &Value::Null)
    );
    measured(
        &figures,
        &[
            "rss_kb_per_socket",
            "baseline_rss_kb_per_socket",
            "slope_kb_per_socket",
            "cpu_us_per_room_s",
        ],
    );
}

#[tokio::test]
async fn relay() {
    let figures = figures("relay --rooms 3 --rate 60").await;
    delivered_all(&figures);
    measured(
        &figures,
        &[
            "cpu_us_per_message",
            "baseline_cpu_us_per_message",
            "p50_ms",
            "p99_ms",
            "baseline_p99_ms",
        ],
    );
    assert_eq!(figures["refused"], 0);
}

#[tokio::test]
async fn chat_is_relayed_too() {
    delivered_all(&figures("relay --rooms 1 --rate 20 --kind chat").await);
}

#[tokio::test]
async fn join_storm() {
    let figures = figures("join-storm --sockets 10").await;
    delivered_all(&figures);
    measured(&figures, &["p95_ms", "all_joined_ms", "cpu_us_per_join"]);
}

#[tokio::test]
async fn resume_storm() {
    let figures = figures("resume-storm --sockets 6 --rate 60 --kills 2").await;
    delivered_all(&figures);
    measured(&figures, &["p95_ms", "restart_ms", "resumed_full"]);
    assert!(figures["unacknowledged_at_kill"].as_u64() >= Some(5), "{figures}");
    assert_eq!(figures["stopped"], serde_json::json!({}));
}

#[tokio::test]
async fn stalled() {
    let figures = figures("stalled --sockets 4 --rate 40 --stalled-rate 40 --stalled-bytes 1200").await;
    delivered_all(&figures);
    measured(
        &figures,
        &[
            "rss_growth_kb",
            "rss_calm_kb",
            "rss_stalled_kb",
            "p99_ms",
            "stalled_sent",
        ],
    );
}

#[tokio::test]
async fn soak() {
    // A dead line is found sooner than people need to.
    let timers = "--config-set signaling.timers.ping_ms=200 --config-set signaling.timers.dead_ms=300";
    let figures = figures(&format!(
        "soak --sockets 4 --lines 2 --rate 40 --fault-every-ms 100 --seed 7 {timers}"
    ))
    .await;
    delivered_all(&figures);
    measured(&figures, &["rss_slope_kb_per_min", "resumes"]);
    assert!(figures["faults"].as_object().is_some_and(|faults| !faults.is_empty()));
}

#[tokio::test]
async fn flood() {
    let figures = figures("flood --sockets 4 --versus rooms.journal=false --rounds 1").await;
    delivered_all(&figures);
    measured(
        &figures,
        &[
            "acked_per_s",
            "versus_acked_per_s",
            "acked_ratio",
            "versus_cpu_us_per_message",
        ],
    );
}

#[tokio::test]
async fn a_server_that_runs_already_can_be_measured() {
    let data = tempfile::tempdir().unwrap();
    let server = std::path::Path::new(env!("CARGO_BIN_EXE_heliograph-bench")).with_file_name("heliograph");
    let people = Command::new(&server)
        .args(["demo", "--json", "--people-only", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    let file = data.path().join("people.json");
    std::fs::write(&file, people.stdout).unwrap();
    let mut command = Command::new(&server);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path());
    let process = Process::start(command).unwrap();
    let line = process.line("listening on ", SOON).await.unwrap();
    let url = line.split("listening on ").nth(1).unwrap().trim();
    let arguments = format!("relay --rooms 1 --rate 20 --url {url} --people {}", file.display());
    let figures = figures(&arguments).await;
    delivered_all(&figures);
    assert_eq!(
        figures["cpu_us_per_message"],
        Value::Null,
        "nobody said which process it is"
    );
}

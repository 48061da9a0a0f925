//! What keeps it from working is told in a line with the remedy, at the start and by `doctor`.

use crate::{SOON, heliograph, printed, refused, run};
use heliograph_testkit::{Port, Process};
use std::net::TcpListener;

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = refused(&run(folder.path(), &["serve", "--listen", &address]));
    assert!(
        told.contains(&format!("{address} can't be listened to (Address already in use)")),
        "{told}"
    );
    assert!(told.contains("--listen 127.0.0.1:0"), "{told}");
}

#[tokio::test]
async fn one_process_serves_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let first = Process::start(heliograph(folder.path(), &args)).unwrap();
    first.line("listening on ", SOON).await.unwrap();
    let told = refused(&run(folder.path(), &args));
    assert!(
        told.contains("another heliograph already serves the data folder"),
        "{told}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_used_is_told_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    for command in ["serve", "demo", "migrate"] {
        let told = refused(&run(folder.path(), &[command, "--data", "file/data"]));
        assert!(
            told.contains("the data folder file/data can't be used (Not a directory)"),
            "{told}"
        );
        assert!(told.contains("choose another one with --data"), "{told}");
    }
}

#[test]
fn a_database_that_is_none_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("heliograph.sqlite3"), "a text").unwrap();
    let told = refused(&run(folder.path(), &["migrate", "--data", "."]));
    assert!(
        told.contains("heliograph.sqlite3 is not a database; move it away"),
        "{told}"
    );
}

#[test]
fn a_database_that_is_away_is_told_at_once_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let port = Port::free().unwrap();
    let url = format!("postgres://heliograph@127.0.0.1:{}/heliograph", port.number());
    for command in ["serve", "demo", "migrate"] {
        let mut command = heliograph(folder.path(), &[command]);
        command.env("HELIOGRAPH_DATABASE__URL", &url);
        command.env("HELIOGRAPH_HTTP__LISTEN", "127.0.0.1:0");
        let told = refused(&command.output().unwrap());
        // A pool would try until its time is out, and tell that.
        assert!(
            told.contains("is away: ") && told.contains("Connection refused"),
            "{told}"
        );
        assert!(
            told.contains("see that it runs, and that its address is right"),
            "{told}"
        );
    }
}

#[test]
fn a_broken_configuration_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heliograph.toml");
    for (text, told) in [
        (
            "[http]\nlisen = \"127.0.0.1:1\"\n",
            "unknown key http.lisen in heliograph.toml; did you mean http.listen?",
        ),
        (
            "[http]\nlisten = 1\n",
            "http.listen: found a number, expected a text (in heliograph.toml)",
        ),
        ("[http\n", "heliograph.toml, line 1: "),
        (
            "[signaling.timers]\nserver_ping_ms = 0\n",
            "signaling.timers.server_ping_ms: found 0, expected at least 1 (in heliograph.toml)",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        for args in [["serve"].as_slice(), &["config", "check"]] {
            let line = refused(&run(folder.path(), args));
            assert!(line.contains(told), "{line}");
        }
    }
    std::fs::write(&file, "[http]\nlisten = \"127.0.0.1:1\"\n").unwrap();
    let mut command = heliograph(folder.path(), &["config", "print"]);
    command.env("HELIOGRAPH_LOG__LEVEL", "debug");
    let text = printed(&command.output().unwrap());
    assert!(text.contains("listen = \"127.0.0.1:1\"  # heliograph.toml"), "{text}");
    assert!(
        text.contains("level = \"debug\"  # the environment variable HELIOGRAPH_LOG__LEVEL"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "# HELIOGRAPH_SECRET is not set: the secret comes from the file, else from `secret` in the data folder\n"
        ),
        "{text}"
    );
    assert_eq!(
        printed(&run(folder.path(), &["config", "check"])),
        "the configuration is fine\n"
    );
    assert!(!folder.path().join("data").exists(), "it only looks");
    let mut command = heliograph(folder.path(), &["config", "check"]);
    let told = refused(&command.env("HELIOGRAPH_SECRET", "short").output().unwrap());
    assert_eq!(
        told,
        "heliograph: the environment variable HELIOGRAPH_SECRET is not usable: the server secret has 5 bytes; at least \
         32 are needed; make one by: openssl rand -hex 32\n"
    );
}

#[test]
fn the_doctor_tells_level_finding_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(folder.path(), &["doctor", "--json", "--listen", &address]);
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let find = |what: &str| findings.iter().find(|finding| finding["what"] == what).unwrap();
    assert_eq!(find("configuration")["level"], "ok");
    assert_eq!(find("clock")["level"], "ok");
    assert_eq!(find("port")["level"], "warn");
    assert!(find("port")["remedy"].as_str().unwrap().contains("--listen"));
    assert_eq!(find("data folder")["level"], "ok");
    assert!(!folder.path().join("data").exists(), "it only looks");
    assert!(
        findings
            .iter()
            .any(|finding| finding["seen"].as_str().unwrap().contains(", used")),
        "the zones that are used"
    );

    std::fs::write(folder.path().join("file"), "").unwrap();
    let output = run(folder.path(), &["doctor", "--data", "file/data"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.lines().any(|line| line.starts_with("fail  data folder")), "{text}");

    let output = run(folder.path(), &["doctor", "--config", "absent.toml"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
    assert!(
        text.starts_with("fail  configuration  the configuration file absent.toml can't be read"),
        "{text}"
    );
}

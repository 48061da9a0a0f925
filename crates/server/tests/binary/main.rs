//! The program itself: what it prints, how it ends, and what it refuses.

mod refusals;
mod secrets;

use heliograph_testkit::{Process, Signal};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// The program with nothing of this machine's configuration, in an empty folder.
fn heliograph(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heliograph"));
    command.args(args).current_dir(folder).env_clear();
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    heliograph(folder, args).output().unwrap()
}

/// Fails with one line, and no backtrace.
fn refused(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.starts_with("heliograph: "), "{told}");
    assert!(output.stdout.is_empty());
    told
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn it_serves_the_demo_until_a_signal_and_finds_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0", "--demo"];
    let mut lines = Vec::new();
    for signal in [Signal::INT, Signal::TERM] {
        let mut process = Process::start(heliograph(folder.path(), &args)).unwrap();
        let first = process.line("listening on ", SOON).await.unwrap();
        process.line("stop        Ctrl-C", SOON).await.unwrap();
        let address = first.split("http://").nth(1).unwrap().parse().unwrap();
        process.answers(address, "/readyz", 200, SOON).await.unwrap();
        process.signal(signal).unwrap();
        let ended = process.ended(Duration::from_secs(5)).await.unwrap();
        assert!(ended.success(), "{}", process.output());

        let plain = process.output();
        let plain = plain
            .lines()
            .filter(|line| !line.starts_with('{'))
            .map(|line| line.replace(&address.to_string(), "HERE"));
        lines.push(plain.collect::<Vec<_>>());
    }
    let starts = [
        "listening on",
        "physician   Dr Amara Okafor",
        "scheduler   Noor Haddad",
        "scheduler   Urs Keller",
    ];
    for (line, start) in lines[0].iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    let visits = |lines: &[String]| {
        lines
            .iter()
            .filter(|line| line.contains("/v/#"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(visits(&lines[0]).len(), 4);
    assert_eq!(
        visits(&lines[0]),
        visits(&lines[1]),
        "the second start finds the visits and their links"
    );
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_it_from_ending() {
    use tokio::io::AsyncWriteExt;
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(heliograph(folder.path(), &["serve", "--listen", "127.0.0.1:0"])).unwrap();
    let first = process.line("listening on http://", SOON).await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(first.split("http://").nth(1).unwrap())
        .await
        .unwrap();
    let half =
        "POST /api/v1/links/peek HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    stream.write_all(half.as_bytes()).await.unwrap();
    process.signal(Signal::TERM).unwrap();
    assert!(process.ended(Duration::from_secs(5)).await.unwrap().success());
}

#[test]
fn the_demo_is_harmless_when_repeated_and_tells_its_doors_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let doors = || -> serde_json::Value {
        serde_json::from_str(&printed(&run(folder.path(), &["demo", "--data", "here", "--json"]))).unwrap()
    };
    let (first, second) = (doors(), doors());
    assert_eq!(first["visits"], second["visits"]);
    assert_eq!(
        first["data"],
        folder.path().canonicalize().unwrap().join("here").to_str().unwrap()
    );
    assert_eq!(first["base_url"], "http://127.0.0.1:8080");
    assert_eq!(first["staff"][0]["roles"], serde_json::json!(["physician"]));
    let patient = &first["visits"][0]["participants"][1];
    assert_eq!(
        (patient["role"].as_str(), patient["zone"].as_str()),
        (Some("patient"), Some("Asia/Riyadh"))
    );
    assert!(
        patient["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:8080/v/#")
    );
    assert!(
        first["visits"][0]["participants"][0].get("url").is_none(),
        "the host signs in"
    );
}

#[tokio::test]
async fn the_demos_links_lead_to_where_the_folder_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let process = Process::start(heliograph(folder.path(), &args)).unwrap();
    let first = process.line("listening on ", SOON).await.unwrap();
    process.line("stop        Ctrl-C", SOON).await.unwrap();
    let address = first.split("listening on ").nth(1).unwrap();
    let doors =
        || -> serde_json::Value { serde_json::from_str(&printed(&run(folder.path(), &["demo", "--json"]))).unwrap() };
    let told = doors();
    assert_eq!(told["base_url"], address);
    let door = told["staff"][0]["url"].as_str().unwrap();
    assert!(door.starts_with(&format!("{address}/desk/#")), "{door}");
    drop(process);
    // Killed, it leaves its address behind, where nobody answers any more.
    assert_eq!(doors()["base_url"], "http://127.0.0.1:8080");
}

#[test]
fn the_description_is_printed_as_the_repository_has_it() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        printed(&run(folder.path(), &["openapi"])),
        heliograph_http::openapi_json()
    );
}

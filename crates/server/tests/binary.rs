//! The program itself: what it prints, how it ends, and what it refuses.

use heliograph_testkit::{Port, Process, Signal};
use std::net::TcpListener;
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
fn secrets_are_never_printed() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let folder = tempfile::tempdir().unwrap();
    for args in [
        ["config", "print"].as_slice(),
        &["config", "check"],
        &["doctor"],
        &["doctor", "--json"],
        &["demo", "--json"],
    ] {
        let mut command = heliograph(folder.path(), args);
        command.env("HELIOGRAPH_SECRET", SECRET);
        let output = command.output().unwrap();
        let all = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!all.contains(SECRET) && !all.is_empty(), "{all}");
    }
    assert!(!folder.path().join("data/secret").exists(), "the environment has one");
}

#[test]
fn a_secret_that_others_may_read_is_refused_with_the_remedy() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    printed(&run(folder.path(), &["demo"]));
    let secret = folder.path().canonicalize().unwrap().join("data/secret");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = refused(&run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]));
    assert!(told.contains(&format!("chmod 600 {}", secret.display())), "{told}");
}

/// Names of files and folders below, with modes that let others in.
fn open_to_others(folder: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().mode() & 0o777;
        if mode & 0o077 != 0 {
            found.push(format!("{} {mode:o}", path.display()));
        }
        if path.is_dir() {
            found.extend(open_to_others(&path));
        }
    }
    found
}

#[tokio::test]
async fn what_it_makes_in_a_folder_of_others_is_its_own_and_the_folder_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().canonicalize().unwrap().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    for command in ["migrate", "demo"] {
        printed(&run(folder.path(), &[command]));
        assert_eq!(open_to_others(&data), [] as [&str; 0], "{command}");
    }
    let doctor = printed(&run(folder.path(), &["doctor"]));
    let shown = data.display();
    let warning = format!("warn  data folder    others can open {shown} (mode 755); run: chmod 700 {shown}");
    assert!(doctor.lines().any(|line| line == warning), "{doctor}");

    let process = Process::start(heliograph(folder.path(), &["serve", "--listen", "127.0.0.1:0"])).unwrap();
    process.line("listening on ", SOON).await.unwrap();
    process
        .line(
            &format!("others can open {shown} (mode 755); run: chmod 700 {shown}"),
            SOON,
        )
        .await
        .unwrap();
    assert_eq!(open_to_others(&data), [] as [&str; 0], "while it serves, WAL and all");
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

#[test]
fn the_description_is_printed_as_the_repository_has_it() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        printed(&run(folder.path(), &["openapi"])),
        heliograph_http::openapi_json()
    );
}

#[tokio::test]
async fn no_name_token_or_cookie_reaches_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = heliograph(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--demo"]);
    command.env("HELIOGRAPH_LOG__LEVEL", "debug");
    let mut process = Process::start(command).unwrap();
    process.line("stop        Ctrl-C", SOON).await.unwrap();
    let printed = process.output();
    let address = printed.split("http://").nth(1).unwrap().lines().next().unwrap();
    let token = |kind: &str| printed.split(kind).nth(1).unwrap().lines().next().unwrap().to_owned();
    let (staff, link) = (token("/desk/#"), token("/v/#"));

    let signed_in = ask(
        address,
        "POST /api/v1/session",
        "",
        &format!("{{\"token\":\"{staff}\"}}"),
    )
    .await;
    let session = cookie(&signed_in);
    let redeemed = ask(
        address,
        "POST /api/v1/links/redeem",
        "",
        &format!("{{\"token\":\"{link}\"}}"),
    )
    .await;
    let device = cookie(&redeemed);
    assert!(redeemed.contains("Maryam Al-Harbi"), "{redeemed}");
    ask(address, "GET /api/v1/visits", &session, "").await;
    ask(address, &format!("GET /v/?{link}"), "", "").await;
    ask(address, &format!("GET /v/{link}"), "", "").await;
    ask(address, "POST /api/v1/visits", &session, "{\"start\": \"Maryam\"}").await;
    ask(
        address,
        "POST /api/v1/links/peek",
        "",
        &format!("{{\"token\":\"{link}x\"}}"),
    )
    .await;
    let visit = redeemed
        .split("\"visit\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let seat = ask(address, &format!("POST /api/v1/visits/{visit}/seat"), &device, "{}").await;
    let ticket = seat.split("\"ticket\":\"").nth(1).unwrap().split('"').next().unwrap();
    process.signal(Signal::TERM).unwrap();
    process.ended(SOON).await.unwrap();

    let all = process.output();
    let log: Vec<&str> = all.lines().filter(|line| line.starts_with('{')).collect();
    assert!(log.len() > 8, "{all}");
    let value = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    let secrets = [
        &staff,
        &link,
        &value(&session),
        &value(&device),
        ticket,
        "Maryam",
        "Harbi",
        "Okafor",
        "Riyadh",
    ];
    for line in log {
        for secret in secrets {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

/// One request over a connection of its own; the whole answer as text.
async fn ask(address: &str, request: &str, cookie: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let text = format!(
        "{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncookie: {cookie}\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn cookie(answer: &str) -> String {
    let line = answer
        .split("set-cookie: ")
        .nth(1)
        .unwrap_or_else(|| panic!("{answer}"));
    line.split(';').next().unwrap().to_owned()
}

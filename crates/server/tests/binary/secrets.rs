//! What belongs to nobody else: secrets, files, and what must not reach the log.

use crate::{SOON, heliograph, printed, refused, run};
use heliograph_testkit::{Process, Signal};
use std::path::Path;

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

use super::*;
use crate::config::unknown::names;

fn with(toml: &str, variables: &[(&str, &str)]) -> anyhow::Result<Config> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("heliograph.toml");
    std::fs::write(&file, toml)?;
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    load(&Sources {
        file: Some(file),
        variables,
        options: Vec::new(),
    })
    .map(|loaded| loaded.config)
}

fn refused(toml: &str, variables: &[(&str, &str)]) -> String {
    with(toml, variables).unwrap_err().to_string()
}

#[test]
fn later_layers_win() {
    let toml = "[http]\nlisten = \"127.0.0.1:1\"\n[signaling.timers]\nping_ms = 100\n";
    let config = with(toml, &[("HELIOGRAPH_HTTP__LISTEN", "127.0.0.1:2"), ("HOME", "/root")]).unwrap();
    assert_eq!(config.http.listen.0.port(), 2);
    assert_eq!(
        (config.signaling.timers.ping_ms, config.signaling.timers.dead_ms),
        (100, 3_000)
    );
    assert_eq!(with("", &[]).unwrap(), Config::default());
    let origins = "[\"https://a.example\", \"https://b.example\"]";
    let config = with("", &[("HELIOGRAPH_HTTP__ALLOWED_ORIGINS", origins)]).unwrap();
    assert_eq!(config.http.allowed_origins.len(), 2);
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_the_nearest_one() {
    let told = refused("[http]\nlisen = \"127.0.0.1:1\"\n", &[]);
    assert!(told.starts_with("unknown key http.lisen in /"), "{told}");
    assert!(told.ends_with("heliograph.toml; did you mean http.listen?"), "{told}");
    let told = refused("listen = \"127.0.0.1:1\"\n", &[]);
    assert!(
        told.contains("unknown key listen") && told.ends_with("did you mean http.listen?"),
        "{told}"
    );
    let told = refused("", &[("HELIOGRAPH_SIGNALING__TIMERS__PINGMS", "1")]);
    assert_eq!(
        told,
        "unknown key signaling.timers.pingms in the environment variable HELIOGRAPH_SIGNALING__TIMERS__PINGMS; did \
         you mean HELIOGRAPH_SIGNALING__TIMERS__PING_MS?"
    );
    let told = refused("[htpp]\nlisten = \"127.0.0.1:1\"\n", &[]);
    assert!(
        told.starts_with("unknown section htpp in /") && told.ends_with("did you mean http?"),
        "{told}"
    );
    let told = refused("", &[("HELIOGRAPH_HTPP__LISTEN", "127.0.0.1:1")]);
    assert_eq!(
        told,
        "unknown key htpp.listen in the environment variable HELIOGRAPH_HTPP__LISTEN; did you mean \
         HELIOGRAPH_HTTP__LISTEN?"
    );
    let told = refused("[signaling.timer]\nping_ms = 1\n", &[]);
    assert!(told.ends_with("did you mean signaling.timers?"), "{told}");
    assert_eq!(refused("a = 1\nb = 2\n", &[]).lines().count(), 2);
}

#[test]
fn every_unknown_key_gets_a_hint() {
    let sections = "the sections are data, database, development, http";
    for (toml, hint) in [
        ("lissten = \"127.0.0.1:1\"\n", "did you mean http.listen?"),
        ("[http]\nport = 8080\n", "http has http.allowed_origins, http.listen"),
        ("[server]\nport = 8080\n", sections),
        ("[quux]\nfrob = 1\n", sections),
        ("dataa = \"x\"\n", "did you mean data.dir?"),
    ] {
        let told = refused(toml, &[]);
        assert!(told.contains(&format!("; {hint}")), "{told}");
    }
    for (variable, hint) in [
        ("HELIOGRAPH_DATAA", "did you mean HELIOGRAPH_DATA__DIR?"),
        ("HELIOGRAPH_SECRETT", "did you mean HELIOGRAPH_SECRET?"),
        ("HELIOGRAPH_CONFG", "did you mean HELIOGRAPH_CONFIG?"),
        ("HELIOGRAPH_LISTEN", "did you mean HELIOGRAPH_HTTP__LISTEN?"),
        ("HELIOGRAPH_HTTP__PORT", "http has HELIOGRAPH_HTTP__ALLOWED_ORIGINS"),
    ] {
        let told = refused("", &[(variable, "s3cret")]);
        assert!(told.contains(&format!("{variable}; {hint}")), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}

#[test]
fn all_wrong_values_are_told_and_not_the_first_only() {
    let toml = "[http]\nlisten = 8080\nallowed_origins = [\"x\"]\n[ice]\nlifetime_s = 0\n[[ice.servers]]\nurls = 1\n";
    let told = refused(toml, &[("HELIOGRAPH_LOG__FORMAT", "xml")]);
    let keys: Vec<_> = told.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(keys.len(), 5, "{told}");
    for key in [
        "http.listen",
        "http.allowed_origins",
        "ice.servers",
        "log.format",
        "ice.lifetime_s",
    ] {
        assert!(keys.iter().any(|told| told.starts_with(key)), "{key} is not in {told}");
    }
}

#[test]
fn a_wrong_value_is_told_with_key_kind_expectation_and_place() {
    let told = refused("[http]\nlisten = 8080\n", &[]);
    assert!(
        told.starts_with("http.listen: found a number, expected a text (in /"),
        "{told}"
    );
    let told = refused("[http]\nlisten = \"8080\"\n", &[]);
    assert!(
        told.starts_with("http.listen: found a text, expected an address and a port, such as"),
        "{told}"
    );
    let told = refused("", &[("HELIOGRAPH_SIGNALING__TIMERS__PING_MS", "soon")]);
    assert_eq!(
        told,
        "signaling.timers.ping_ms: found a text, expected a whole number of 0 or more (in the environment variable \
         HELIOGRAPH_SIGNALING__TIMERS__PING_MS)"
    );
    let told = refused("[log]\nformat = \"xml\"\n", &[]);
    assert!(
        told.starts_with("log.format: found another word, expected one of auto, text, json"),
        "{told}"
    );
}

#[test]
fn an_unknown_key_in_a_list_is_told_without_what_it_holds() {
    let toml = "[[ice.servers]]\nurls = [\"stun:a.example\"]\n[[ice.servers]]\nurls = [\"turn:b.example\"]\n\
        username = \"u\"\ncredentail = \"s3cret\"\n";
    let told = refused(toml, &[]);
    assert!(told.starts_with("unknown key ice.servers[1].credentail in /"), "{told}");
    assert!(told.ends_with("did you mean ice.servers[1].credential?"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
    let servers = r#"[{urls = ["turn:b.example"], pasword = "s3cret"}]"#;
    let told = refused("", &[("HELIOGRAPH_ICE__SERVERS", servers)]);
    assert!(
        told.starts_with("unknown key ice.servers[0].pasword in the environment variable HELIOGRAPH_ICE__SERVERS"),
        "{told}"
    );
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn numbers_by_which_nobody_could_work_are_told_with_key_value_and_place() {
    let told = refused("[signaling.timers]\nbeat_ms = 0\n", &[]);
    assert!(
        told.starts_with("signaling.timers.beat_ms: found 0, expected at least 1 (in /"),
        "{told}"
    );
    let told = refused("", &[("HELIOGRAPH_SIGNALING__TIMERS__LEASE_MS", "5000")]);
    assert!(
        told.starts_with(
            "signaling.timers.beat_ms: found 5000, expected less than lease_ms (5000) (in the environment"
        ),
        "{told}"
    );
    let told = refused("", &[("HELIOGRAPH_SIGNALING__LIMITS__FRAME_BYTES", "10")]);
    assert_eq!(told.lines().count(), 3, "{told}");
    assert_eq!(
        told.lines().next().unwrap(),
        "signaling.limits.frame_bytes: found 10, expected at least 4096 (in the environment variable \
         HELIOGRAPH_SIGNALING__LIMITS__FRAME_BYTES)"
    );
    let told = refused("", &[("HELIOGRAPH_ICE__LIFETIME_S", "0")]);
    assert!(
        told.starts_with("ice.lifetime_s: found 0, expected at least 1 (in the environment"),
        "{told}"
    );
    let told = refused("[rooms]\nkeep_hours = 0\n", &[]);
    assert!(
        told.starts_with("rooms.keep_hours: found 0, expected at least 1"),
        "{told}"
    );
}

#[test]
fn a_section_is_asked_for_in_the_words_of_people() {
    for (toml, key) in [
        ("secret = \"s3cret\"\n", "secret"),
        ("http = 8080\n", "http"),
        ("[ice]\nservers = [\"stun:a\"]\n", "ice.servers"),
    ] {
        let told = refused(toml, &[]);
        assert!(told.starts_with(key), "{told}");
        assert!(told.contains("expected a section with keys of its own (in /"), "{told}");
        assert!(!told.contains("s3cret") && !told.contains("struct"), "{told}");
    }
    let told = refused("[rooms]\njournal = 1\n", &[]);
    assert!(
        told.starts_with("rooms.journal: found a number, expected true or false"),
        "{told}"
    );
}

#[test]
fn a_value_that_may_be_a_secret_is_never_repeated() {
    let told = refused("[database]\nurl = \"mysql://helio:s3cret@db\"\n", &[]);
    assert!(
        told.contains("database.url: found a text, expected sqlite:") && !told.contains("s3cret"),
        "{told}"
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let told = refused("[http]\nlisten = \n", &[]);
    assert!(told.contains("heliograph.toml, line 2: "), "{told}");
}

#[test]
fn a_named_file_must_exist() {
    let file = Some(PathBuf::from("/nonexistent/heliograph.toml"));
    let error = load(&Sources {
        file,
        ..Sources::default()
    })
    .err()
    .unwrap();
    assert!(
        format!("{error:#}").contains("/nonexistent/heliograph.toml can't be read"),
        "{error:#}"
    );
}

#[test]
fn the_documentation_has_every_key() {
    let page = include_str!("../../../../../docs/OPERATIONS.md");
    let known = serde_json::to_value(Config::default()).unwrap();
    let documented = |name: &String| page.contains(&format!("| `{name}` |")) || name.starts_with("signaling.");
    let missing: Vec<_> = names(&known)
        .keys
        .into_iter()
        .filter(|name| !documented(name))
        .collect();
    assert!(missing.is_empty(), "docs/OPERATIONS.md lacks {missing:?}");
}

#[test]
fn variables_that_are_no_keys_are_left_alone() {
    assert!(with("", &[("HELIOGRAPH_SECRET", "x"), ("HELIOGRAPH_CONFIG", "y")]).is_ok());
}

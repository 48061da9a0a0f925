//! The bundled database is complete and right; folders are read, ranked and refused.

use heliograph_domain::{
    UnixSeconds,
    zone::{Resolved, SourceKind, Tzdb, TzdbError, UtcText, WallTime, Zone},
};
use std::{collections::BTreeSet, fs, path::Path};

fn at(text: &str) -> UnixSeconds {
    text.parse::<UtcText>().unwrap().0
}

fn resolve(tzdb: &Tzdb, zone: &str, wall: &str) -> Resolved {
    tzdb.resolve(&zone.parse::<Zone>().unwrap(), wall.parse::<WallTime>().unwrap())
}

/// A folder with a file for every zone that `keep` keeps, all with the rules of a fixed offset of three hours.
fn folder(keep: impl Fn(&str) -> bool, version_file: Option<(&str, &str)>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in Zone::all().filter(|name| keep(name)) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, fixed_three_hours()).unwrap();
    }
    if let Some((file, text)) = version_file {
        fs::write(dir.path().join(file), text).unwrap();
    }
    dir
}

/// A compiled zone without transitions (RFC 9636 section 3): an empty version 1 block, a version 2 block with one local
/// time type, and the footer that says the same.
fn fixed_three_hours() -> Vec<u8> {
    let header = |counts: [u32; 6]| {
        let counts = counts.into_iter().flat_map(u32::to_be_bytes);
        b"TZif2"
            .iter()
            .copied()
            .chain([0; 15])
            .chain(counts)
            .collect::<Vec<u8>>()
    };
    let block = header([0, 0, 0, 0, 1, 4]);
    let types = [&10_800_i32.to_be_bytes()[..], &[0, 0], b"+03\0"].concat();
    [&block[..], &types, &block, &types, b"\n<+03>-3\n"].concat()
}

#[test]
fn the_bundled_database_is_2026f_and_knows_every_zone() {
    let tzdb = Tzdb::bundled();
    assert_eq!(tzdb.version(), "2026f");
    for name in Zone::all() {
        tzdb.local(&name.parse().unwrap(), UnixSeconds(0));
    }
    assert!(Zone::all().count() > 590);
    assert!(Zone::all().is_sorted());
}

/// 2026f: Havana does not set its clocks back on 1 November 2026 any more.
#[test]
fn the_bundled_database_has_the_last_change_of_2026f() {
    let nine = resolve(&Tzdb::bundled(), "America/Havana", "2026-11-02T09:00");
    assert_eq!(nine, Resolved::Unique(at("2026-11-02T13:00:00Z")));
}

#[test]
fn an_old_name_has_the_clocks_of_its_canonical_name() {
    let tzdb = Tzdb::bundled();
    let quarters = || (0..120).map(|quarter| UnixSeconds(quarter * 91 * 86_400 / 2 + at("2015-01-01T00:00:00Z").0));
    for name in Zone::all() {
        let zone: Zone = name.parse().unwrap();
        let canonical: Zone = zone.canonical().parse().unwrap();
        assert_eq!(canonical.canonical(), canonical.name());
        for at in quarters() {
            assert_eq!(
                tzdb.local(&zone, at),
                tzdb.local(&canonical, at),
                "{zone} and {canonical}"
            );
        }
    }
}

/// An independent reader of an older release finds the same but for the zones whose law has changed since.
#[test]
fn chrono_tz_differs_only_where_the_law_has_changed_since_its_release() {
    assert_eq!(Tzdb::cross_check_version(), "2025b");
    let differing = Tzdb::bundled().cross_check(at("2026-11-24T00:00:00Z"), at("2028-11-24T00:00:00Z"));
    let names: BTreeSet<_> = differing
        .iter()
        .map(|difference| difference.zone.name().to_owned())
        .collect();
    assert_eq!(names.len(), differing.len());
    assert_eq!(names.len(), 15);
}

#[test]
fn a_folder_is_read_and_tells_its_release() {
    let dir = folder(|_| true, None);
    for (file, text, version) in [
        ("PATCHED", "2031c\n", "unknown"),
        ("version", "2031c\n", "2031c"),
        ("+VERSION", "2031d\n", "2031d"),
        ("tzdata.zi", "# version 2031e\nR A 1916\n", "2031e"),
    ] {
        fs::write(dir.path().join(file), text).unwrap();
        assert_eq!(Tzdb::from_dir(dir.path()).unwrap().version(), version);
    }
    let shown = Tzdb::from_dir(dir.path())
        .unwrap()
        .local(&"Europe/Zurich".parse().unwrap(), at("2027-07-01T00:00:00Z"));
    assert_eq!(shown.label(), "Thu 2027-07-01T03:00+0300");
}

#[test]
fn an_old_name_that_a_folder_lacks_has_the_rules_of_todays() {
    let dir = folder(|name| name != "Asia/Calcutta" && name != "US/Pacific", None);
    let tzdb = Tzdb::from_dir(dir.path()).unwrap();
    assert_eq!(
        resolve(&tzdb, "Asia/Calcutta", "2027-07-01T03:00"),
        Resolved::Unique(at("2027-07-01T00:00:00Z"))
    );
}

#[test]
fn a_folder_that_cannot_be_used_is_refused_with_the_reason() {
    let incomplete = folder(|name| name != "Asia/Kolkata", None);
    let error = Tzdb::from_dir(incomplete.path()).unwrap_err();
    assert!(
        matches!(
            error,
            TzdbError::Incomplete {
                count: 1,
                example: "Asia/Kolkata",
                ..
            }
        ),
        "{error}"
    );

    let broken = folder(|_| true, None);
    fs::write(broken.path().join("Asia/Tokyo"), "not a zone").unwrap();
    let error = Tzdb::from_dir(broken.path()).unwrap_err();
    assert!(
        matches!(&error, TzdbError::Broken { path, .. } if path.ends_with("Asia/Tokyo")),
        "{error}"
    );

    let error = Tzdb::from_dir(Path::new("/nonexistent/zoneinfo")).unwrap_err();
    assert!(matches!(error, TzdbError::Unreadable { .. }), "{error}");
    assert!(
        error.to_string().starts_with("cannot read /nonexistent/zoneinfo: "),
        "{error}"
    );
}

#[test]
fn the_newest_database_is_taken() {
    use SourceKind::{Bundled, Operator, System};
    let (operator_dir, system_dir) = (folder(|_| true, None), folder(|_| true, None));
    let release = |dir: &Path, version: Option<&str>| fs::write(dir.join("version"), version.unwrap_or("?")).unwrap();
    for (operator, system, taken) in [
        (Some("2099a"), Some("2031c"), Operator),
        (Some("2099a"), Some("2099b"), System),
        (Some("2099z"), Some("2099za"), System),
        (Some("2026f"), Some("2026f"), Operator),
        (Some("2001a"), Some("2026f"), Bundled),
        (None, None, Bundled),
    ] {
        release(operator_dir.path(), operator);
        release(system_dir.path(), system);
        let (tzdb, sources) = Tzdb::newest_of(Some(operator_dir.path()), system_dir.path()).unwrap();
        let versions: Vec<_> = sources.iter().map(|source| source.version.as_deref()).collect();
        assert_eq!(versions, [operator, Some("2026f"), system]);
        let chosen: Vec<_> = sources
            .iter()
            .filter(|source| source.taken)
            .map(|source| source.kind)
            .collect();
        assert_eq!(chosen, [taken], "{operator:?} {system:?}");
        assert!(versions.contains(&Some(tzdb.version())));
        for source in sources {
            assert_eq!(source.problem.is_some(), source.version.is_none(), "{source:?}");
        }
    }
}

#[test]
fn a_system_without_a_usable_database_is_passed_over() {
    let (tzdb, sources) = Tzdb::newest_of(None, Path::new("/nonexistent")).unwrap();
    assert_eq!(tzdb.version(), "2026f");
    assert_eq!(
        sources.iter().map(|source| source.kind).collect::<Vec<_>>(),
        [SourceKind::Bundled, SourceKind::System]
    );
    assert!(
        sources[1]
            .problem
            .as_ref()
            .is_some_and(|problem| problem.contains("/nonexistent"))
    );
}

#[test]
fn an_operators_folder_that_cannot_be_used_is_an_error() {
    assert!(Tzdb::newest(Some(Path::new("/nonexistent"))).is_err());
    assert!(Tzdb::newest(None).is_ok());
}

#[test]
fn two_databases_are_compared() {
    let dir = folder(|_| true, Some(("version", "2031c")));
    let (ours, theirs) = (Tzdb::bundled(), Tzdb::from_dir(dir.path()).unwrap());
    let (from, until) = (at("2027-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"));
    assert_eq!(ours.differences(&ours, from, until), []);
    let differing = ours.differences(&theirs, from, until);
    assert!(differing.iter().all(|difference| difference.theirs_s == 10_800));
    let zone = |name: &str| differing.iter().find(|difference| difference.zone.name() == name);
    assert_eq!(zone("Asia/Riyadh"), None);
    // Athens is three hours ahead in summer only.
    assert_eq!(zone("Europe/Athens").map(|difference| difference.at), Some(from));
    assert_eq!(zone("Europe/Zurich").map(|difference| difference.ours_s), Some(3600));
}

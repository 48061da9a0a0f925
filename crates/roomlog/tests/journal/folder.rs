//! Who may use the folder, and how it was left.

use crate::{entries, file_of, open, records, room, second};
use heliograph_roomlog::{Boot, Fsync, Journal, JournalError, RoomKey};
use std::{fs, io::stdin, os::unix::fs::PermissionsExt, path::Path};

fn boot(folder: &Path) -> Boot {
    Journal::open(folder, Fsync::Never).unwrap().1
}

#[test]
fn a_journal_serves_one_process_and_is_unclean_after_that_was_killed() {
    if let Some(folder) = second::folder() {
        let journal = open(&folder);
        journal.append(&room(1), &entries(1..=3)).unwrap();
        println!("held by {}", std::process::id());
        stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("rooms");
    let name = "folder::a_journal_serves_one_process_and_is_unclean_after_that_was_killed";
    let mut command = second::command(None, name, &folder);
    command.stdin(std::process::Stdio::piped());
    let mut other = second::Running::start(command);
    let number = other.next("held by ");
    let error = Journal::open(&folder, Fsync::Never).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "the rooms in {} are kept by another process (process {number}): stop it, or give this one another data folder",
            folder.display()
        )
    );
    other.kill("");
    let (journal, boot) = Journal::open(&folder, Fsync::Never).unwrap();
    assert_eq!(
        boot,
        Boot {
            clean: false,
            rooms: vec![room(1)]
        }
    );
    assert_eq!(records(&journal, &room(1)), entries(1..=3));
}

#[test]
fn a_journal_is_not_opened_twice_in_one_process_either() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let error = Journal::open(folder.path(), Fsync::Never).err().unwrap();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
    drop(journal);
    open(folder.path());
}

#[test]
fn a_journal_that_was_closed_boots_clean_once() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("rooms");
    assert!(boot(&folder).clean, "a new folder has nothing to lose");
    assert!(!boot(&folder).clean, "it was not closed");
    for fsync in [
        Fsync::Never,
        Fsync::Always,
        Fsync::Every(std::time::Duration::from_secs(1)),
    ] {
        let (journal, _) = Journal::open(&folder, fsync).unwrap();
        journal.append(&room(1), &entries(1..=1)).unwrap();
        journal.close().unwrap();
        journal.close().unwrap();
        drop(journal);
        assert!(boot(&folder).clean, "{fsync:?}");
        assert!(!boot(&folder).clean, "{fsync:?}: the boot before was not closed");
    }
}

#[test]
fn a_closed_journal_writes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=1)).unwrap();
    journal.close().unwrap();
    for error in [
        journal.append(&room(1), &entries(2..=2)),
        journal.append(&room(2), &entries(1..=1)),
        journal.replace(&room(1), &[]),
        journal.remove(&room(1)),
    ] {
        assert!(matches!(error, Err(JournalError::Closed { .. })), "{error:?}");
    }
    journal.release(&room(1)).unwrap();
    drop(journal);
    assert_eq!(records(&open(folder.path()), &room(1)), entries(1..=1));
}

/// What was lost can be lost once only, and no later success may hide it.
#[test]
fn a_journal_that_could_not_bring_everything_to_the_disk_is_not_left_clean() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for number in 0..300 {
        journal.append(&room(number), &entries(1..=1)).unwrap();
    }
    // The first ones are closed by now: to bring them to the disk, they must be opened.
    fs::remove_file(file_of(folder.path(), &room(0))).unwrap();
    let error = journal.sync().unwrap_err();
    assert!(matches!(error, JournalError::Disk { .. }), "{error}");
    journal.remove(&room(0)).unwrap();
    journal.close().unwrap();
    drop(journal);
    assert!(!boot(folder.path()).clean);
}

#[test]
fn a_journal_is_for_its_user_only() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("rooms");
    let journal = open(&folder);
    journal.append(&room(1), &entries(1..=1)).unwrap();
    journal.append(&room(2), &entries(1..=1)).unwrap();
    journal.replace(&room(2), &entries(1..=1)).unwrap();
    journal.close().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let institution = folder.join("cedar-street");
    assert_eq!((mode(&folder), mode(&institution)), (0o700, 0o700));
    let files = [&folder, &institution].map(|folder| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
    let files: Vec<_> = files.into_iter().flatten().filter(|path| path.is_file()).collect();
    assert_eq!(files.len(), 4, "two rooms, the lock, the mark of an orderly end");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_journal_lists_rooms_and_nothing_else_that_lies_there() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut far = room(3);
    far.institution = "harbour-road".parse().unwrap();
    let named_like_files = ["journal", "lock", "clean"].map(|name| RoomKey {
        institution: name.parse().unwrap(),
        ..room(7)
    });
    for room in [&[far.clone(), room(2), room(1)], &named_like_files[..]].concat() {
        journal.append(&room, &entries(1..=1)).unwrap();
    }
    journal.close().unwrap();
    drop(journal);
    fs::write(folder.path().join("cedar-street/notes.txt"), "").unwrap();
    fs::write(folder.path().join("cedar-street/notes.journal"), "").unwrap();
    fs::write(folder.path().join("notes"), "").unwrap();
    fs::create_dir(folder.path().join("Lost+Found")).unwrap();
    let [journal, lock, clean] = named_like_files;
    assert_eq!(
        boot(folder.path()),
        Boot {
            clean: true,
            rooms: vec![room(1), room(2), clean, far, journal, lock]
        }
    );
    assert!(folder.path().join("cedar-street/notes.journal").exists());
}

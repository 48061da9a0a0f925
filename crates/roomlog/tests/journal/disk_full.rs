//! No space: nothing of what did not fit stays, and it goes on when there is space again.

use crate::{entries, entry, file_of, length, next_of, open, records, room, second, snapshot};
use heliograph_roomlog::{Fsync, Journal, JournalError};
use heliograph_testkit::SmallDisk;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
    process::Command,
};

fn assert_full(result: Result<(), JournalError>, path: &Path) {
    let text = result.unwrap_err().to_string();
    let expected = format!(
        "no space for {}: make room on its disk, or raise the quota; nothing of it was written",
        path.display()
    );
    assert_eq!(text, expected);
}

fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [4096, 1] {
        let error = loop {
            if let Err(error) = file.write(&vec![0; size]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
}

#[test]
fn a_journal_on_a_full_disk_keeps_what_it_had_and_goes_on_when_there_is_space() {
    let Some(folder) = second::folder() else {
        let disk = SmallDisk::new(128 * 1024).unwrap();
        let name = "disk_full::a_journal_on_a_full_disk_keeps_what_it_had_and_goes_on_when_there_is_space";
        let through = disk.sh("exec \"$@\"", &[]);
        second::succeed(second::command(Some(through), name, disk.path()), "it went on");
        return;
    };
    for fsync in [Fsync::Never, Fsync::Always] {
        let rooms = folder.join(format!("rooms-{fsync:?}"));
        let (journal, _) = Journal::open(&rooms, fsync).unwrap();
        let file = file_of(&rooms, &room(1));
        journal.append(&room(1), &entries(1..=3)).unwrap();
        let before = length(&file);
        let filler = folder.join("filler");
        fill(&filler);

        // A part of it fits into the page that the file has already.
        let batch = [entry(4, 40), entry(5, 20_000)];
        assert_full(journal.append(&room(1), &batch), &file);
        assert_eq!(length(&file), before);
        assert_full(journal.replace(&room(1), &[snapshot(3)]), &next_of(&rooms, &room(1)));
        assert!(!next_of(&rooms, &room(1)).exists());
        assert_full(journal.append(&room(2), &entries(1..=1)), &file_of(&rooms, &room(2)));
        assert_eq!(records(&journal, &room(1)), entries(1..=3));

        fs::remove_file(&filler).unwrap();
        journal.append(&room(1), &batch).unwrap();
        assert_eq!(records(&journal, &room(1)), [&entries(1..=3), &batch[..]].concat());
        journal.append(&room(2), &entries(1..=1)).unwrap();
        assert_eq!(records(&journal, &room(2)), entries(1..=1));
        journal.replace(&room(1), &[snapshot(5)]).unwrap();
        assert_eq!(records(&journal, &room(1)), [snapshot(5)]);
        journal.close().unwrap();
    }
    println!("it went on");
}

/// Like a quota: the kernel writes the part that fits, and refuses the rest.
#[test]
fn a_journal_that_reaches_a_limit_of_its_process_cuts_back_too() {
    let Some(folder) = second::folder() else {
        let data = tempfile::tempdir().unwrap();
        let name = "disk_full::a_journal_that_reaches_a_limit_of_its_process_cuts_back_too";
        let mut through = Command::new("sh");
        through.args(["-c", "trap '' XFSZ && ulimit -S -f 16 && exec \"$@\"", "sh"]);
        second::succeed(second::command(Some(through), name, data.path()), "it went on");
        return;
    };
    let journal = open(&folder);
    let file = file_of(&folder, &room(1));
    let mut kept = Vec::new();
    let refused = loop {
        let before = kept.len() as u64;
        let batch = [entry(before + 1, 1500), entry(before + 2, 1500)];
        match journal.append(&room(1), &batch) {
            Ok(()) => kept.extend(batch),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, JournalError::Full { .. }), "{refused}");
    assert!(!kept.is_empty());
    assert_eq!(records(&journal, &room(1)), kept);
    let small = entry(kept.len() as u64 + 1, 40);
    journal.append(&room(1), std::slice::from_ref(&small)).unwrap();
    kept.push(small);
    assert_eq!(records(&journal, &room(1)), kept);

    let limit = getrlimit(Resource::Fsize);
    setrlimit(
        Resource::Fsize,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )
    .unwrap();
    let large = entry(kept.len() as u64 + 1, 100_000);
    journal.append(&room(1), std::slice::from_ref(&large)).unwrap();
    kept.push(large);
    assert_eq!(records(&journal, &room(1)), kept);
    assert_eq!(length(&file), fs::read(&file).unwrap().len() as u64);
    println!("it went on");
}

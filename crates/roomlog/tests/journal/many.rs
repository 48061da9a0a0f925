//! Many rooms, many threads, and rooms whose time is over.

use crate::{entries, entry, file_of, open, records, room, snapshot};
use heliograph_domain::UnixMillis;
use heliograph_roomlog::{Journal, JournalError};
use std::{collections::BTreeSet, fs, path::Path, thread};

const ROOMS: u32 = 2000;

fn open_files(folder: &Path) -> usize {
    let own = fs::read_dir("/proc/self/fd").unwrap();
    let targets = own.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    targets
        .filter(|target| target.starts_with(folder.join("cedar-street")))
        .count()
}

#[test]
fn a_journal_of_thousands_of_rooms_keeps_few_files_open() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for seq in 1..=3 {
        for number in 0..ROOMS {
            journal.append(&room(number), &[entry(seq, 40)]).unwrap();
        }
        assert!(open_files(folder.path()) <= 256);
    }
    for number in 0..ROOMS {
        assert_eq!(journal.load(&room(number)).unwrap().unwrap().records, entries(1..=3));
    }
    assert!((200..=256).contains(&open_files(folder.path())));
    for number in 0..ROOMS {
        journal.release(&room(number)).unwrap();
    }
    assert_eq!(open_files(folder.path()), 0);
}

/// Every thread writes to its own rooms, while all of them release, replace and sync everybody's.
#[test]
fn a_journal_loses_nothing_between_threads() {
    const THREADS: u32 = 6;
    const EACH: u32 = 60;
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let work = |journal: &Journal, own: u32| {
        for seq in 1..=20 {
            for number in (0..EACH).map(|n| n * THREADS + own) {
                journal.append(&room(number), &[entry(seq, 40)]).unwrap();
                let other = room((number * 7 + own + u32::try_from(seq).unwrap()) % (THREADS * EACH));
                match number % 5 {
                    0 => journal.release(&other).unwrap(),
                    1 => drop(journal.load(&other).unwrap()),
                    2 => journal.append(&other, &[]).unwrap(),
                    _ => {}
                }
            }
            if seq % 10 == 0 {
                journal.sync().unwrap();
            }
        }
    };
    thread::scope(|threads| {
        for own in 0..THREADS {
            let journal = &journal;
            threads.spawn(move || work(journal, own));
        }
    });
    assert!(open_files(folder.path()) <= 256 + THREADS as usize);
    for number in 0..THREADS * EACH {
        assert_eq!(records(&journal, &room(number)), entries(1..=20), "room {number}");
    }
}

#[test]
fn a_journal_tells_which_rooms_are_old() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=3)).unwrap();
    journal.append(&room(2), &entries(1..=4)).unwrap();
    journal.append(&room(3), &entries(1..=9)).unwrap();
    journal.replace(&room(3), &[snapshot(3)]).unwrap();
    journal.append(&room(4), &entries(1..=1)).unwrap();
    journal.append(&room(5), &[]).unwrap();
    journal.append(&room(6), &entries(1..=1)).unwrap();
    let other_format = file_of(folder.path(), &room(4));
    let mut bytes = fs::read(&other_format).unwrap();
    bytes[8] = 2;
    fs::write(&other_format, bytes).unwrap();
    journal.remove(&room(6)).unwrap();
    journal.remove(&room(6)).unwrap();

    let old = journal.old(UnixMillis(3001)).unwrap();
    assert_eq!(
        old.rooms,
        [room(1), room(3)],
        "room 5 has no records, and was made just now"
    );
    assert!(matches!(old.unread.as_slice(), [JournalError::Version { .. }]));
    let old = journal.old(UnixMillis(i64::MAX)).unwrap();
    assert_eq!(old.rooms, [room(1), room(2), room(3), room(5)]);

    for room in &old.rooms {
        journal.remove(room).unwrap();
    }
    assert_eq!(journal.load(&room(1)).unwrap(), None);
    journal.append(&room(1), &entries(1..=1)).unwrap();
    assert_eq!(records(&journal, &room(1)), entries(1..=1), "a room can begin anew");
    drop(journal);
    let (_, boot) = Journal::open(folder.path(), heliograph_roomlog::Fsync::Never).unwrap();
    let left: BTreeSet<_> = boot.rooms.into_iter().collect();
    assert_eq!(left, BTreeSet::from([room(1), room(4)]));
}

//! What is not whole and sound is cut off, and nothing else.

use crate::{entries, entry, file_of, length, open, put, records, room, snapshot};
use heliograph_roomlog::{JournalError, Record, Tail};
use std::fs;

/// A file of four records, and where each ends.
fn sample() -> (Vec<u8>, Vec<Record>, Vec<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let file = file_of(folder.path(), &room(1));
    let all = vec![snapshot(4), entry(5, 40), entry(6, 0), entry(7, 90)];
    let ends = all.iter().map(|record| {
        journal.append(&room(1), std::slice::from_ref(record)).unwrap();
        usize::try_from(length(&file)).unwrap()
    });
    let ends = ends.collect();
    (fs::read(&file).unwrap(), all, ends)
}

#[test]
fn a_journal_cut_at_any_byte_gives_its_whole_records_and_takes_more() {
    let (bytes, all, ends) = sample();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=1)).unwrap();
    let file = file_of(folder.path(), &room(1));
    for at in 0..=bytes.len() {
        journal.release(&room(1)).unwrap();
        put(&file, &bytes[..at]);
        let whole = ends.iter().filter(|end| **end <= at).count();
        let sound = whole
            .checked_sub(1)
            .map_or(if at < 12 { 0 } else { 12 }, |last| ends[last]);
        let loaded = journal.load(&room(1)).unwrap().unwrap();
        assert_eq!(loaded.records, all[..whole], "cut at {at}");
        assert_eq!(loaded.cut, (at - sound) as u64, "cut at {at}");
        assert_eq!(length(&file), sound as u64, "cut at {at}");
        journal.append(&room(1), &entries(8..=9)).unwrap();
        let expected = [&all[..whole], &entries(8..=9)].concat();
        assert_eq!(records(&journal, &room(1)), expected, "cut at {at}");
    }
}

#[test]
fn a_journal_that_was_not_read_is_cut_before_the_first_append() {
    let (bytes, all, _) = sample();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let file = file_of(folder.path(), &room(1));
    fs::create_dir(file.parent().unwrap()).unwrap();
    put(&file, &bytes[..bytes.len() - 1]);
    journal.append(&room(1), &entries(7..=7)).unwrap();
    assert_eq!(records(&journal, &room(1)), [&all[..3], &entries(7..=7)].concat());
}

#[test]
fn every_flipped_bit_of_a_journal_is_noticed() {
    let (bytes, all, ends) = sample();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=1)).unwrap();
    let file = file_of(folder.path(), &room(1));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            journal.release(&room(1)).unwrap();
            put(&file, &flipped);
            match journal.load(&room(1)) {
                Ok(loaded) => {
                    let loaded = loaded.unwrap();
                    let before = ends.iter().filter(|end| **end <= at).count();
                    assert!(at >= 12 && loaded.cut > 0, "byte {at} bit {bit}");
                    assert_eq!(loaded.records, all[..before], "byte {at} bit {bit}");
                }
                Err(JournalError::Foreign { .. }) => {
                    assert!(at < 8 && fs::read(&file).unwrap() == flipped, "byte {at} bit {bit}");
                }
                Err(JournalError::Version { .. }) => {
                    assert!(
                        (8..12).contains(&at) && fs::read(&file).unwrap() == flipped,
                        "byte {at} bit {bit}"
                    );
                }
                Err(error) => panic!("byte {at} bit {bit}: {error}"),
            }
        }
    }
}

/// After a power cut a file can be as long as it was, with zeros where nothing had reached the disk.
#[test]
fn zeros_at_the_end_of_a_journal_are_cut_off() {
    let (bytes, all, _) = sample();
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=1)).unwrap();
    let file = file_of(folder.path(), &room(1));
    for (kept, whole) in [(bytes.len(), 4), (12, 0), (0, 0)] {
        for zeros in [1, 8, 11, 12, 13, 4096] {
            journal.release(&room(1)).unwrap();
            put(&file, &[&bytes[..kept], &vec![0; zeros]].concat());
            let loaded = journal.load(&room(1)).unwrap().unwrap();
            assert_eq!((loaded.cut, loaded.records.as_slice()), (zeros as u64, &all[..whole]));
            journal.append(&room(1), &entries(8..=8)).unwrap();
            assert_eq!(records(&journal, &room(1)), [&all[..whole], &entries(8..=8)].concat());
        }
    }
}

#[test]
fn a_journal_of_another_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=3)).unwrap();
    journal.release(&room(1)).unwrap();
    let file = file_of(folder.path(), &room(1));
    let mut bytes = fs::read(&file).unwrap();
    bytes[8] = 2;
    put(&file, &bytes);
    let attempts = [
        journal.load(&room(1)).map(|_| ()),
        journal.append(&room(1), &entries(4..=4)),
        journal.replace(&room(1), &[snapshot(3)]),
    ];
    for error in attempts {
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("has format 2, this release knows 1: run the release that wrote it"),
            "{text}"
        );
        assert!(text.contains(file.to_str().unwrap()), "{text}");
    }
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

/// A sound record that means nothing here is no torn one: to cut it off would lose what a newer release wrote.
#[test]
fn a_journal_with_a_sound_record_of_an_unknown_kind_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=3)).unwrap();
    journal.release(&room(1)).unwrap();
    let file = file_of(folder.path(), &room(1));
    let mut bytes = fs::read(&file).unwrap();
    let end = bytes.len();
    let length = 1_u32.to_le_bytes();
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&crc32fast::hash(&[length.as_slice(), &[9]].concat()).to_le_bytes());
    bytes.push(9);
    put(&file, &bytes);
    let error = journal.append(&room(1), &entries(4..=4)).unwrap_err();
    assert!(
        matches!(error, JournalError::Unreadable { offset, .. } if offset == end as u64),
        "{error}"
    );
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_journal_refuses_a_record_that_it_could_not_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=1)).unwrap();
    let both = [entry(2, 40), entry(3, 65 * 1024 * 1024)];
    let error = journal.append(&room(1), &both).unwrap_err();
    assert!(matches!(error, JournalError::TooLong { .. }), "{error}");
    assert_eq!(records(&journal, &room(1)), entries(1..=1));
}

#[test]
fn a_journal_with_a_snapshot_in_the_middle_is_the_log_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let all = [entries(1..=4), vec![snapshot(3)], entries(5..=6)].concat();
    journal.append(&room(1), &all).unwrap();
    let tail: Tail = journal.load(&room(1)).unwrap().unwrap().tail();
    assert_eq!(
        Vec::<Record>::from(&tail),
        [vec![snapshot(3)], entries(4..=6)].concat(),
        "as compaction would write it"
    );
    assert_eq!(journal.load(&room(2)).unwrap(), None);
}

//! Compaction and repair: the old file or the new one, never neither.

use crate::{entries, file_of, next_of, open, records, room, snapshot};
use std::fs;

#[test]
fn a_journal_that_was_replaced_has_the_new_records_and_takes_more() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=20)).unwrap();
    journal.replace(&room(1), &[snapshot(20)]).unwrap();
    journal.append(&room(1), &entries(21..=22)).unwrap();
    let expected = [vec![snapshot(20)], entries(21..=22)].concat();
    assert_eq!(records(&journal, &room(1)), expected);
    journal.replace(&room(2), &entries(1..=2)).unwrap();
    assert_eq!(records(&journal, &room(2)), entries(1..=2), "a room that had none");
    drop(journal);
    assert_eq!(records(&open(folder.path()), &room(1)), expected);
}

/// The states that a kill can leave: the next file at every length beside the old one, and nothing beside the new one.
#[test]
fn a_journal_whose_replacement_was_broken_off_is_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=3)).unwrap();
    journal.append(&room(2), &[snapshot(3)]).unwrap();
    drop(journal);
    let new = fs::read(file_of(folder.path(), &room(2))).unwrap();
    for at in (0..=new.len()).step_by(7).chain([new.len()]) {
        fs::write(next_of(folder.path(), &room(1)), &new[..at]).unwrap();
        let journal = open(folder.path());
        assert!(!next_of(folder.path(), &room(1)).exists());
        assert_eq!(records(&journal, &room(1)), entries(1..=3), "next file of {at} bytes");
    }
    fs::rename(file_of(folder.path(), &room(2)), file_of(folder.path(), &room(1))).unwrap();
    assert_eq!(records(&open(folder.path()), &room(1)), [snapshot(3)]);
}

#[test]
fn a_journal_is_replaced_in_spite_of_what_was_left_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.append(&room(1), &entries(1..=3)).unwrap();
    fs::write(
        next_of(folder.path(), &room(1)),
        "left over, and longer than what comes".repeat(40),
    )
    .unwrap();
    journal.replace(&room(1), &[snapshot(3)]).unwrap();
    assert_eq!(records(&journal, &room(1)), [snapshot(3)]);
}

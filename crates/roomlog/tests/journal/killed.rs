//! kill -9 at any moment.

use crate::{entries, entry, file_of, next_of, open, room, second, snapshot};
use heliograph_roomlog::Record;

const ROUNDS: u64 = 20;

fn seq(line: &str) -> u64 {
    line.parse().unwrap_or(0)
}

#[test]
fn a_journal_of_a_killed_process_has_everything_that_was_acknowledged() {
    if let Some(folder) = second::folder() {
        let journal = open(&folder);
        let loaded = journal.load(&room(1)).unwrap();
        let mut seq = loaded.map_or(0, |loaded| loaded.records.len() as u64);
        loop {
            let batch = [entry(seq + 1, 1200), entry(seq + 2, 30)];
            journal.append(&room(1), &batch).unwrap();
            seq += 2;
            println!("has {seq}.");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "killed::a_journal_of_a_killed_process_has_everything_that_was_acknowledged";
    for round in 0..ROUNDS {
        let mut other = second::Running::start(second::command(None, name, folder.path()));
        for _ in 0..=round * 7 {
            other.next("has ");
        }
        let last = other.kill("has ");
        // The last line may be torn too.
        let acknowledged = last.iter().filter_map(|line| line.strip_suffix('.')).map(seq).max();
        let loaded = open(folder.path()).load(&room(1)).unwrap().unwrap();
        let count = loaded.records.len() as u64;
        assert!(
            count >= acknowledged.unwrap_or(0),
            "round {round}: {count} of {acknowledged:?}"
        );
        for (record, seq) in loaded.records.iter().zip(1..) {
            let size = if seq % 2 == 1 { 1200 } else { 30 };
            // A batch may have been torn between its two records: who goes on then starts with the longer one.
            assert!(
                matches!(record, Record::Entry(entry) if entry.header.seq == seq),
                "round {round}"
            );
            assert!(
                *record == entry(seq, size) || *record == entry(seq, 1230 - size),
                "round {round}"
            );
        }
    }
}

#[test]
fn a_journal_of_a_process_killed_while_it_was_replaced_is_the_old_or_the_new_one() {
    if let Some(folder) = second::folder() {
        let journal = open(&folder);
        for generation in 1.. {
            let new = [vec![snapshot(generation)], entries(generation + 1..=generation + 9)].concat();
            journal.replace(&room(1), &new).unwrap();
            println!("has {generation}.");
        }
    }
    let name = "killed::a_journal_of_a_process_killed_while_it_was_replaced_is_the_old_or_the_new_one";
    let mut left = 0;
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let mut other = second::Running::start(second::command(None, name, folder.path()));
        let first = other.next("has ");
        for _ in 0..round % 5 {
            other.next("has ");
        }
        let last = other.kill("has ");
        left += u64::from(next_of(folder.path(), &room(1)).exists());
        let acknowledged = last.iter().filter_map(|line| line.strip_suffix('.')).map(seq).max();
        let acknowledged = acknowledged.unwrap_or_else(|| seq(first.trim_end_matches('.')));
        assert!(file_of(folder.path(), &room(1)).exists());
        let loaded = open(folder.path()).load(&room(1)).unwrap().unwrap();
        let Some(Record::Snapshot(first)) = loaded.records.first() else {
            panic!("round {round}: no snapshot")
        };
        let generation = first.mark.seq;
        let expected = [vec![snapshot(generation)], entries(generation + 1..=generation + 9)].concat();
        assert_eq!((loaded.cut, loaded.records), (0, expected), "round {round}");
        assert!(
            generation >= acknowledged,
            "round {round}: {generation} of {acknowledged}"
        );
    }
    println!("{left} of {ROUNDS} were killed between making the next file and renaming it");
}

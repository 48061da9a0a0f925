//! Journals in real files, on real disks, in processes that are really killed.

mod cut;
mod disk_full;
mod folder;
mod killed;
mod many;
mod replace;
mod second;

use bytes::Bytes;
use heliograph_domain::{
    ParticipantId, UnixMillis, VisitId,
    entry::{Audience, Chain, EntryHeader},
};
use heliograph_roomlog::{Clear, Fsync, Journal, LogEntry, Mark, Record, RoomKey, Snapshot};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

fn room(number: u32) -> RoomKey {
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    RoomKey {
        institution: "cedar-street".parse().unwrap(),
        visit: VisitId::from_bytes(bytes),
    }
}

/// The file of a room, as documented.
fn file_of(folder: &Path, room: &RoomKey) -> PathBuf {
    folder
        .join(room.institution.as_str())
        .join(format!("{}.journal", room.visit))
}

fn next_of(folder: &Path, room: &RoomKey) -> PathBuf {
    file_of(folder, room).with_added_extension("next")
}

/// An entry with data of this many bytes. Its instant is a second for each seq.
fn entry(seq: u64, size: usize) -> Record {
    let data = vec![u8::try_from(seq % 251).unwrap(); size];
    let seat = ParticipantId::from_bytes([9; 16]);
    let at = UnixMillis(i64::try_from(seq).unwrap() * 1000);
    let header = EntryHeader {
        seq,
        chain: Chain::START.after(Some(seat), "session-1", seq, Audience::All, "chat", at, &data),
        from: Some(seat),
        session: "session-1".to_owned(),
        cseq: seq,
        audience: Audience::Seat(seat),
        kind: "chat".to_owned(),
        at,
    };
    Record::Entry(Arc::new(LogEntry {
        header,
        data: Bytes::from(data),
    }))
}

fn entries(seqs: std::ops::RangeInclusive<u64>) -> Vec<Record> {
    seqs.map(|seq| entry(seq, 40)).collect()
}

fn snapshot(seq: u64) -> Record {
    let mut clear = Clear::default();
    let Record::Entry(last) = entry(seq, 40) else {
        unreachable!("it is an entry")
    };
    clear.apply(&last);
    Record::Snapshot(Arc::new(Snapshot {
        mark: Mark {
            seq,
            chain: last.header.chain,
        },
        at: last.header.at,
        clear,
        data: Bytes::from_static(b"a sealed fold"),
    }))
}

fn open(folder: &Path) -> Journal {
    Journal::open(folder, Fsync::Never).unwrap().0
}

/// What another process finds.
fn records(journal: &Journal, room: &RoomKey) -> Vec<Record> {
    journal.release(room).unwrap();
    let loaded = journal.load(room).unwrap().unwrap();
    assert_eq!(loaded.cut, 0);
    loaded.records
}

/// Makes this the file's content. Where it is cut to nothing first, some file systems wait for the disk.
fn put(file: &Path, content: &[u8]) {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(file)
        .unwrap();
    file.write_all(content).unwrap();
    file.set_len(content.len() as u64).unwrap();
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len()
}

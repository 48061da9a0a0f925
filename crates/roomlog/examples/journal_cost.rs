//! What an append costs: `cargo run --release -p heliograph-roomlog --example journal_cost [FOLDER]`.

use bytes::Bytes;
use heliograph_domain::{
    ParticipantId, UnixMillis, VisitId,
    entry::{Audience, Chain, EntryHeader},
};
use heliograph_roomlog::{Fsync, Journal, LogEntry, Record, RoomKey};
use std::{error::Error, path::PathBuf, sync::Arc};
use tokio::time::Instant;

#[expect(
    clippy::disallowed_methods,
    reason = "a program of the developer's: the folder is an argument"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let own = tempfile::tempdir()?;
    let folder = std::env::args()
        .nth(1)
        .map_or_else(|| own.path().to_owned(), PathBuf::from);
    for (name, fsync, rooms, appends) in [
        ("never, 1 room", Fsync::Never, 1, 200_000),
        ("never, 200 rooms", Fsync::Never, 200, 200_000),
        ("never, 2,000 rooms in turn", Fsync::Never, 2_000, 200_000),
        ("always, 1 room", Fsync::Always, 1, 1_000),
    ] {
        let folder = folder.join(format!("{rooms}-{fsync:?}"));
        let (journal, _) = Journal::open(&folder, fsync)?;
        let rooms: Vec<RoomKey> = (0..rooms).map(room).collect();
        for room in &rooms {
            journal.append(room, &[entry(1)])?;
        }
        let records: Vec<Record> = (0..1000).map(entry).collect();
        let begin = Instant::now();
        for ((record, room), _) in records.iter().cycle().zip(rooms.iter().cycle()).zip(0..appends) {
            journal.append(room, std::slice::from_ref(record))?;
        }
        let each = begin.elapsed().as_secs_f64() * 1e6 / f64::from(appends);
        println!("{name}: {each:.1} µs per append of 1.2 KB");
    }
    Ok(())
}

fn room(number: u32) -> RoomKey {
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    RoomKey {
        institution: "cedar-street".parse().expect("it is a name"),
        visit: VisitId::from_bytes(bytes),
    }
}

fn entry(seq: u64) -> Record {
    let header = EntryHeader {
        seq,
        chain: Chain::START,
        from: Some(ParticipantId::from_bytes([9; 16])),
        session: "0123456789abcdef".to_owned(),
        cseq: seq,
        audience: Audience::All,
        kind: "sdp".to_owned(),
        at: UnixMillis(0),
    };
    let data = Bytes::from(vec![7; 1200]);
    Record::Entry(Arc::new(LogEntry { header, data }))
}

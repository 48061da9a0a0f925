//! Rooms come back after their process, as far as they were acknowledged.

use crate::suite::{chat, claim, opened, room};
use crate::{Hands, LEASES};
use heliograph_domain::clock::Clock;
use heliograph_roomlog::{AppendAnswer, ClaimAnswer, Clear, Fsync, Journal, LogEntry, Mark, Memory, RoomLog, Snapshot};
use std::{path::Path, sync::Arc};

fn open(folder: &Path) -> Memory {
    let (journal, _) = Journal::open(folder, Fsync::Never).unwrap();
    Memory::journalled(Arc::new(Hands::default()) as Arc<dyn Clock>, LEASES, Arc::new(journal))
}

async fn begin(log: &Memory) {
    log.append(&room(1), Mark::START, opened()).await.unwrap();
    log.claim(&room(1), Mark::START, claim(1, "session-1", 1, "c1"))
        .await
        .unwrap();
    for cseq in 1..=3 {
        let taken = log
            .append(&room(1), Mark::START, chat(1, "c1", "session-1", cseq))
            .await;
        assert!(matches!(taken.unwrap(), AppendAnswer::Ok { .. }));
    }
}

#[tokio::test]
async fn a_room_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    begin(&log).await;
    let before = log.read_after(&room(1), Mark::START).await.unwrap();
    drop(log);

    let log = open(folder.path());
    assert_eq!(log.read_after(&room(1), Mark::START).await.unwrap(), before);
    let again = log.append(&room(1), Mark::START, chat(1, "c1", "session-1", 3)).await;
    assert_eq!(again.unwrap(), AppendAnswer::Dup { acked: 3 });
    let other = log.claim(&room(1), Mark::START, claim(1, "session-2", 1, "c2")).await;
    assert!(
        matches!(other.unwrap(), ClaimAnswer::Taken { .. }),
        "the seat is still the page's"
    );
}

#[tokio::test]
async fn a_trimmed_room_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    begin(&log).await;
    let entries = log.read_after(&room(1), Mark::START).await.unwrap().unwrap().entries;
    let mut clear = Clear::default();
    for entry in &entries[..4] {
        clear.apply(entry);
    }
    let snapshot = Snapshot {
        mark: entries[3].mark(),
        at: entries[3].header.at,
        clear,
        data: bytes::Bytes::from_static(b"fold"),
    };
    assert!(log.snapshot(&room(1), Arc::new(snapshot)).await.unwrap());
    let before = log.read_after(&room(1), Mark::START).await.unwrap();
    drop(log);

    let log = open(folder.path());
    assert_eq!(log.read_after(&room(1), Mark::START).await.unwrap(), before);
    let next = log
        .append(&room(1), entries[4].mark(), chat(1, "c1", "session-1", 4))
        .await;
    assert!(matches!(next.unwrap(), AppendAnswer::Ok { seq: 6, .. }));
}

#[tokio::test]
async fn what_was_forgotten_does_not_come_back_and_asking_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    begin(&log).await;
    log.forget(&room(1)).await.unwrap();
    assert_eq!(
        log.read_after(&room(2), Mark::START).await.unwrap().unwrap().entries,
        []
    );
    drop(log);
    let (_, boot) = Journal::open(folder.path(), Fsync::Never).unwrap();
    assert_eq!(boot.rooms, []);
}

async fn entries(log: &Memory) -> Vec<Arc<LogEntry>> {
    log.read_after(&room(1), Mark::START).await.unwrap().unwrap().entries
}

#[tokio::test]
async fn what_a_log_is_rewound_by_is_gone_for_nodes_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    begin(&log).await;
    let before = entries(&log).await;
    log.rewind(&room(1), 2).unwrap();
    let node = before.last().unwrap().mark();
    let next = log.append(&room(1), node, chat(1, "c1", "session-1", 4)).await;
    assert_eq!(next.unwrap(), AppendAnswer::Rewound);
    assert_eq!(entries(&log).await, before[..3]);
    drop(log);

    let log = open(folder.path());
    assert_eq!(entries(&log).await, before[..3]);
    log.rewind(&room(1), 200).unwrap();
    assert_eq!(entries(&log).await, before[..1]);
}

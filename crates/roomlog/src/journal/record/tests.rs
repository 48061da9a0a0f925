use super::*;
use crate::{Clear, SeatRow};
use heliograph_domain::entry::Chain;
use proptest::prelude::*;

fn seat() -> impl Strategy<Value = ParticipantId> {
    any::<[u8; 16]>().prop_map(ParticipantId::from_bytes)
}

fn mark() -> impl Strategy<Value = Mark> {
    (any::<u64>(), "[0-9a-f]{16}").prop_map(|(seq, chain)| Mark {
        seq,
        chain: chain.parse().unwrap(),
    })
}

fn bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

fn entry() -> impl Strategy<Value = Record> {
    let audience = prop_oneof![
        Just(Audience::All),
        Just(Audience::Staff),
        Just(Audience::Own),
        seat().prop_map(Audience::Seat),
    ];
    let header = (
        mark(),
        proptest::option::of(seat()),
        ".{0,30}",
        any::<u64>(),
        audience,
        ".{0,12}",
        any::<i64>(),
    )
        .prop_map(|(mark, from, session, cseq, audience, kind, at)| EntryHeader {
            seq: mark.seq,
            chain: mark.chain,
            from,
            session,
            cseq,
            audience,
            kind,
            at: UnixMillis(at),
        });
    (header, bytes()).prop_map(|(header, data)| Record::Entry(Arc::new(LogEntry { header, data })))
}

fn clear() -> impl Strategy<Value = Clear> {
    let row = (".{0,12}", any::<u64>(), ".{0,12}", any::<u64>(), ".{0,12}").prop_map(
        |(session, attempt, connection, claim_seq, older)| {
            Box::new(SeatRow {
                session,
                attempt,
                connection,
                claim_seq,
                before: vec![(older, attempt)],
            })
        },
    );
    let seen = proptest::collection::btree_map(".{0,40}", any::<u64>(), 0..4);
    let seats = proptest::collection::btree_map(seat(), row, 0..3);
    let tickets = proptest::collection::btree_map(".{0,20}", (".{0,9}", any::<i64>().prop_map(UnixMillis)), 0..3);
    (seen, seats, tickets).prop_map(|(seen, seats, tickets)| Clear {
        seen: seen.into_iter().collect(),
        seats: seats.into_iter().collect(),
        tickets: tickets.into_iter().collect(),
    })
}

fn snapshot() -> impl Strategy<Value = Record> {
    (mark(), any::<i64>(), clear(), bytes()).prop_map(|(mark, at, clear, data)| {
        Record::Snapshot(Arc::new(Snapshot {
            mark,
            at: UnixMillis(at),
            clear,
            data,
        }))
    })
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    proptest::collection::vec(prop_oneof![3 => entry(), 1 => snapshot()], 0..6)
}

fn file_of(records: &[Record]) -> Vec<u8> {
    let mut file = header().to_vec();
    for record in records {
        write(&mut file, record).unwrap();
    }
    file
}

fn read_all(file: &[u8]) -> Result<Vec<Record>, Unreadable> {
    payloads(file).map(|payload| read(file, payload)).collect()
}

proptest! {
    #[test]
    fn what_was_written_is_read(records in records()) {
        prop_assert_eq!(read_all(&file_of(&records)), Ok(records));
    }

    #[test]
    fn any_bytes_after_whole_records_end_them(records in records(), rest in bytes()) {
        let mut file = file_of(&records);
        file.extend_from_slice(&rest);
        prop_assert_eq!(read_all(&file), Ok(records));
    }

    #[test]
    fn any_bytes_at_all_are_read_without_harm(file in bytes(), payload in bytes()) {
        let _ = read_all(&file);
        let mut sealed = vec![0; FRAME];
        sealed.extend_from_slice(&payload);
        let _ = read(&sealed, FRAME..sealed.len());
    }
}

/// By hand, so that the format can't change unnoticed.
#[test]
fn an_entry_is_these_bytes() {
    let seat = ParticipantId::from_bytes([7; 16]);
    let header = EntryHeader {
        seq: 3,
        chain: Chain::START,
        from: Some(seat),
        session: "s1".to_owned(),
        cseq: 2,
        audience: Audience::Staff,
        kind: "knock".to_owned(),
        at: UnixMillis(258),
    };
    let data = Bytes::from_static(b"sealed");
    let record = Record::Entry(Arc::new(LogEntry { header, data }));
    let mut expected = b"HGROOM\r\n\x01\x00\x00\x00".to_vec();
    let payload = [
        b"\x02\x03\0\0\0\0\0\0\0".as_slice(),
        b"0000000000000000",
        b"\x02\x01\0\0\0\0\0\0",
        b"\x02\0\0\0\0\0\0\0",
        b"\x01",
        &[7; 16],
        b"\x01",
        b"\x02\0s1",
        b"\x05\0knock",
        b"sealed",
    ]
    .concat();
    let length = u8::try_from(payload.len()).unwrap();
    let sum = crc32fast::hash(&[&[length, 0, 0, 0], payload.as_slice()].concat());
    expected.extend_from_slice(&[length, 0, 0, 0]);
    expected.extend_from_slice(&sum.to_le_bytes());
    expected.extend_from_slice(&payload);
    assert_eq!(file_of(&[record]), expected);
}

#[test]
fn zeros_after_the_last_record_are_no_records() {
    let mut file = header().to_vec();
    file.extend_from_slice(&[0; 4096]);
    assert_eq!(payloads(&file).count(), 0);
}

#[test]
fn a_sound_record_of_an_unknown_kind_is_told_from_a_torn_one() {
    let mut file = header().to_vec();
    let length = 1_u32.to_le_bytes();
    file.extend_from_slice(&length);
    file.extend_from_slice(&checksum(&length, b"\x09").to_le_bytes());
    file.push(9);
    assert_eq!(read_all(&file), Err(Unreadable { offset: HEADER }));
}

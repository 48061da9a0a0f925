//! What stands in a file, byte for byte.

#[cfg(test)]
mod tests;

use crate::{LogEntry, Mark, Snapshot, Tail};
use bytes::Bytes;
use heliograph_domain::{
    ParticipantId, UnixMillis,
    entry::{Audience, EntryHeader},
};
use std::{ops::Range, sync::Arc};

/// The first eight bytes of every file.
pub(super) const MAGIC: [u8; 8] = *b"HGROOM\r\n";
/// The format that this release writes, and the only one that it reads.
pub(super) const VERSION: u32 = 1;
/// Magic and version.
pub(super) const HEADER: usize = 12;
/// Length and checksum before a payload.
const FRAME: usize = 8;
/// No payload is longer: a frame is 64 KiB at most, and a log is trimmed at 2 MiB.
pub(super) const LONGEST: usize = 64 * 1024 * 1024;

/// A thing that a log is rebuilt from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The log starts again here.
    Snapshot(Arc<Snapshot>),
    /// The next entry.
    Entry(Arc<LogEntry>),
}

impl Record {
    /// The log's instant there.
    pub fn at(&self) -> UnixMillis {
        match self {
            Record::Snapshot(snapshot) => snapshot.at,
            Record::Entry(entry) => entry.header.at,
        }
    }
}

impl From<&Tail> for Vec<Record> {
    fn from(tail: &Tail) -> Vec<Record> {
        let base = tail.base.iter().cloned().map(Record::Snapshot);
        base.chain(tail.entries.iter().cloned().map(Record::Entry)).collect()
    }
}

/// A record that the format can't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// A sound payload, by its checksum, that says nothing to this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Where its record begins.
    pub offset: usize,
}

/// The header of a file.
pub(super) fn header() -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    bytes[MAGIC.len()..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// Adds one record.
pub(super) fn write(file: &mut Vec<u8>, record: &Record) -> Result<(), TooLong> {
    let start = file.len();
    file.extend_from_slice(&[0; FRAME]);
    match record {
        Record::Snapshot(snapshot) => write_snapshot(file, snapshot)?,
        Record::Entry(entry) => write_entry(file, entry)?,
    }
    let payload = start + FRAME..file.len();
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|_| payload.len() <= LONGEST)
        .ok_or(TooLong)?
        .to_le_bytes();
    let sum = checksum(&length, &file[payload]).to_le_bytes();
    file[start..start + 4].copy_from_slice(&length);
    file[start + 4..start + FRAME].copy_from_slice(&sum);
    Ok(())
}

/// The payloads of the whole and sound records from `HEADER` on, up to the first that is not.
pub(super) fn payloads(file: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut offset = HEADER;
    std::iter::from_fn(move || {
        let frame = file.get(offset..offset + FRAME)?;
        let (length, sum) = frame.split_at(4);
        let size = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
        // After a power cut a file may end in zeros; they are no records.
        if size == 0 || size > LONGEST {
            return None;
        }
        let payload = offset + FRAME..offset + FRAME + size;
        let sound = checksum(length, file.get(payload.clone())?) == u32::from_le_bytes(sum.try_into().ok()?);
        offset = payload.end;
        sound.then_some(payload)
    })
    .fuse()
}

/// Reads what [`payloads`] found.
pub(super) fn read(file: &[u8], payload: Range<usize>) -> Result<Record, Unreadable> {
    let offset = payload.start - FRAME;
    let mut rest = Reader(&file[payload]);
    let record = match rest.byte() {
        Some(SNAPSHOT) => rest.snapshot().map(Record::Snapshot),
        Some(ENTRY) => rest.entry().map(Record::Entry),
        Some(_) | None => None,
    };
    record.ok_or(Unreadable { offset })
}

/// The length is in it too: a wrong length is found although some other bytes happen to fit.
fn checksum(length: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(payload);
    hasher.finalize()
}

const SNAPSHOT: u8 = 1;
const ENTRY: u8 = 2;

const TO_ALL: u8 = 0;
const TO_STAFF: u8 = 1;
const TO_OWN: u8 = 2;
const TO_SEAT: u8 = 3;

fn write_snapshot(file: &mut Vec<u8>, snapshot: &Snapshot) -> Result<(), TooLong> {
    let clear = serde_json::to_vec(&snapshot.clear).expect("texts and numbers are always JSON");
    file.push(SNAPSHOT);
    write_mark(file, snapshot.mark);
    file.extend_from_slice(&snapshot.at.0.to_le_bytes());
    file.extend_from_slice(&u32::try_from(clear.len()).map_err(|_| TooLong)?.to_le_bytes());
    file.extend_from_slice(&clear);
    file.extend_from_slice(&snapshot.data);
    Ok(())
}

fn write_entry(file: &mut Vec<u8>, entry: &LogEntry) -> Result<(), TooLong> {
    let EntryHeader {
        seq,
        chain,
        from,
        session,
        cseq,
        audience,
        kind,
        at,
    } = &entry.header;
    file.push(ENTRY);
    write_mark(
        file,
        Mark {
            seq: *seq,
            chain: *chain,
        },
    );
    file.extend_from_slice(&at.0.to_le_bytes());
    file.extend_from_slice(&cseq.to_le_bytes());
    write_seat(file, *from);
    match audience {
        Audience::All => file.push(TO_ALL),
        Audience::Staff => file.push(TO_STAFF),
        Audience::Own => file.push(TO_OWN),
        Audience::Seat(seat) => {
            file.push(TO_SEAT);
            file.extend_from_slice(seat.as_bytes());
        }
    }
    for text in [session, kind] {
        file.extend_from_slice(&u16::try_from(text.len()).map_err(|_| TooLong)?.to_le_bytes());
        file.extend_from_slice(text.as_bytes());
    }
    file.extend_from_slice(&entry.data);
    Ok(())
}

fn write_mark(file: &mut Vec<u8>, mark: Mark) {
    file.extend_from_slice(&mark.seq.to_le_bytes());
    file.extend_from_slice(mark.chain.to_string().as_bytes());
}

fn write_seat(file: &mut Vec<u8>, seat: Option<ParticipantId>) {
    match seat {
        None => file.push(0),
        Some(seat) => {
            file.push(1);
            file.extend_from_slice(seat.as_bytes());
        }
    }
}

/// What is left of a payload. Data is copied out of it: a slice would keep the whole file in memory.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn snapshot(mut self) -> Option<Arc<Snapshot>> {
        let mark = self.mark()?;
        let at = self.instant()?;
        let length = usize::try_from(u32::from_le_bytes(self.take()?)).ok()?;
        let (clear, data) = self.0.split_at_checked(length)?;
        Some(Arc::new(Snapshot {
            mark,
            at,
            clear: serde_json::from_slice(clear).ok()?,
            data: Bytes::copy_from_slice(data),
        }))
    }

    fn entry(mut self) -> Option<Arc<LogEntry>> {
        let Mark { seq, chain } = self.mark()?;
        let header = EntryHeader {
            seq,
            chain,
            at: self.instant()?,
            cseq: u64::from_le_bytes(self.take()?),
            from: match self.byte()? {
                0 => None,
                1 => Some(self.take().map(ParticipantId::from_bytes)?),
                _ => return None,
            },
            audience: self.audience()?,
            session: self.text()?,
            kind: self.text()?,
        };
        let data = Bytes::copy_from_slice(self.0);
        Some(Arc::new(LogEntry { header, data }))
    }

    fn mark(&mut self) -> Option<Mark> {
        let seq = u64::from_le_bytes(self.take()?);
        let chain = self.take::<16>()?;
        let chain = std::str::from_utf8(&chain).ok()?.parse().ok()?;
        Some(Mark { seq, chain })
    }

    fn instant(&mut self) -> Option<UnixMillis> {
        self.take().map(i64::from_le_bytes).map(UnixMillis)
    }

    fn audience(&mut self) -> Option<Audience> {
        match self.byte()? {
            TO_ALL => Some(Audience::All),
            TO_STAFF => Some(Audience::Staff),
            TO_OWN => Some(Audience::Own),
            TO_SEAT => self.take().map(ParticipantId::from_bytes).map(Audience::Seat),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(u16::from_le_bytes(self.take()?));
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(str::to_owned)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}

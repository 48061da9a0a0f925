//! A message that is counted: its number and the time at which it was due stand at the start of its text.

use clap::ValueEnum;
use heliograph_domain::{ParticipantId, Pii};
use heliograph_protocol::{Chat, ClientMessage, Sdp, SdpKind, To};
use std::{sync::Arc, time::Duration};

/// A frame's bytes that are not the text.
const ENVELOPE: usize = 130;

/// What kind of message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A session description, which the room passes on and forgets.
    Sdp,
    /// A line of chat, which the room also keeps among its last ones.
    Chat,
}

/// A number and when it was due, since the ledger began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub number: u64,
    pub due: Duration,
}

impl Stamp {
    fn text(self, rest: &str) -> String {
        format!("{}.{} {rest}", self.number, self.due.as_nanos())
    }

    pub fn read(text: &str) -> Option<Stamp> {
        let (number, due) = text.split(' ').next()?.split_once('.')?;
        Some(Stamp {
            number: number.parse().ok()?,
            due: Duration::from_nanos(due.parse().ok()?),
        })
    }
}

/// How messages look: kind and size.
#[derive(Debug, Clone)]
pub struct Form {
    kind: Kind,
    rest: Arc<str>,
}

impl Form {
    /// Messages whose frames have about `bytes`.
    pub fn new(kind: Kind, bytes: usize) -> Form {
        let line = "a=candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx\r\n";
        let rest: String = line.chars().cycle().take(bytes.saturating_sub(ENVELOPE)).collect();
        Form {
            kind,
            rest: rest.into(),
        }
    }

    pub fn message(&self, stamp: Stamp, to: ParticipantId, generation: u64) -> ClientMessage {
        let text = stamp.text(&self.rest);
        match self.kind {
            Kind::Sdp => ClientMessage::Sdp(Sdp {
                to,
                pc: "av".to_owned(),
                generation,
                kind: SdpKind::Offer,
                sdp: text,
            }),
            Kind::Chat => ClientMessage::Chat(Chat {
                id: stamp.number.to_string(),
                text: Pii::new(text),
                to: To::Seat(to),
                canned: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_protocol::{ClientFrame, Limits};

    const STAMP: Stamp = Stamp {
        number: 7,
        due: Duration::from_nanos(1_234_567),
    };

    fn seat() -> ParticipantId {
        "00000000-0000-7101-8101-010101010101".parse().unwrap()
    }

    #[test]
    fn a_stamp_is_read_back_and_nothing_else_is_one() {
        assert_eq!(Stamp::read(&STAMP.text("a=b c")), Some(STAMP));
        assert_eq!(Stamp::read("hello 1.2"), None);
        assert_eq!(Stamp::read(""), None);
    }

    #[test]
    fn a_frame_has_about_the_bytes_that_were_asked_for_and_keeps_the_limits() {
        for (kind, bytes) in [(Kind::Sdp, 1_200), (Kind::Chat, 1_200), (Kind::Sdp, 16_000)] {
            let message = Form::new(kind, bytes).message(STAMP, seat(), 1);
            assert_eq!(message.check(&Limits::default()), Ok(()));
            let frame = ClientFrame {
                c: Some(70),
                session: None,
                message,
            };
            let length = frame.to_text().len();
            assert!((bytes - 100..bytes + bytes / 10).contains(&length), "{kind:?} {length}");
        }
    }
}

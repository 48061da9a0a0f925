use crate::{ClientMessage, ErrorCode, ServerMessage};
use heliograph_domain::{ParticipantId, SessionId, UnixMillis, entry::Chain};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

/// A frame from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFrame {
    /// The number of a durable message.
    pub c: Option<u64>,
    /// The older session that numbered it, where it is not the sender's own.
    pub session: Option<SessionId>,
    /// The message.
    pub message: ClientMessage,
}

/// A frame that can't be taken. Where `c` could be read, its place in the log is kept by a `void` entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code:?}: {detail}")]
pub struct BadFrame {
    /// Why.
    pub code: ErrorCode,
    /// What exactly, in English; it repeats no value of the frame.
    pub detail: String,
    /// The number, where it could be read.
    pub c: Option<u64>,
    /// The older session, where it could be read.
    pub session: Option<SessionId>,
}

impl ClientFrame {
    /// Reads a text frame.
    pub fn parse(text: &str) -> Result<ClientFrame, BadFrame> {
        let bad = |code, detail: &str| BadFrame {
            code,
            detail: detail.to_owned(),
            c: None,
            session: None,
        };
        let mut fields = match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(fields) => fields,
            Err(e) => {
                return Err(bad(
                    ErrorCode::BadJson,
                    &format!("not a JSON object, column {}", e.column()),
                ));
            }
        };
        let c = match fields.remove("c") {
            None => None,
            Some(value) => match value.as_u64().filter(|c| (1..1 << 53).contains(c)) {
                Some(c) => Some(c),
                None => return Err(bad(ErrorCode::BadMessage, "c must be an integer from 1 to 2^53 - 1")),
            },
        };
        let kind = match fields.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            Some(_) | None => {
                return Err(BadFrame {
                    c,
                    ..bad(ErrorCode::UnknownType, "type is missing or no text")
                });
            }
        };
        // In `hello` the field is the message's own.
        let session = match if kind == "hello" {
            None
        } else {
            fields.remove("session")
        } {
            None => None,
            Some(value) => match value.as_str().map(str::parse) {
                Some(Ok(session)) => Some(session),
                Some(Err(_)) | None => {
                    return Err(BadFrame {
                        c,
                        ..bad(ErrorCode::BadMessage, "session must be a session id")
                    });
                }
            },
        };
        let at = |code, detail: &str| BadFrame {
            c,
            session: session.clone(),
            ..bad(code, detail)
        };
        if !ClientMessage::KINDS.contains(&kind.as_str()) {
            return Err(at(ErrorCode::UnknownType, "no message has this type"));
        }
        let message = serde_json::from_value::<ClientMessage>(Value::Object(fields)).map_err(|e| {
            at(
                ErrorCode::BadMessage,
                &format!("{kind}: {}", without_values(&e.to_string())),
            )
        })?;
        match (message.durable(), c) {
            (true, None) => Err(at(ErrorCode::BadMessage, &format!("{kind} needs a number c"))),
            (false, Some(_)) => Err(BadFrame {
                c: None,
                ..at(ErrorCode::BadMessage, &format!("{kind} takes no number c"))
            }),
            (true, Some(_)) | (false, None) => Ok(ClientFrame { c, session, message }),
        }
    }

    /// Writes the frame as text.
    pub fn to_text(&self) -> String {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(&self.message) else {
            unreachable!("every message is an object")
        };
        if let Some(c) = self.c {
            fields.insert("c".to_owned(), c.into());
        }
        if let Some(session) = &self.session {
            fields.insert("session".to_owned(), session.as_str().into());
        }
        Value::Object(fields).to_string()
    }
}

/// Serde's messages quote what they met; a log or an answer must not repeat a person's words.
fn without_values(message: &str) -> String {
    if message.starts_with("unknown field") || message.starts_with("missing field") {
        return message.chars().take(200).collect();
    }
    match message.rsplit_once("expected ") {
        Some((_, expected)) => format!("a value of the wrong form, expected {expected}"),
        None => "a value of the wrong form".to_owned(),
    }
}

/// What every frame of the server may carry beside its message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Header {
    /// Room seq of the entry that it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s: Option<u64>,
    /// The seq of the frame before it that went to the same seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<u64>,
    /// Chain at `s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// The seat that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ParticipantId>,
    /// The session that numbered its cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The number of its cause in that session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c: Option<u64>,
    /// When the log took its cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UnixMillis>,
}

/// A frame of the server, as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerFrame {
    /// Where it stands.
    #[serde(flatten)]
    pub header: Header,
    /// What it says; `None` for a type or form that this client does not know: it still counts for `last`.
    #[serde(flatten)]
    pub message: Option<ServerMessage>,
}

impl ServerFrame {
    /// Reads a text frame, leniently.
    pub fn parse(text: &str) -> Result<ServerFrame, serde_json::Error> {
        let value: Value = serde_json::from_str(text)?;
        let header = Header::deserialize(&value)?;
        Ok(ServerFrame {
            header,
            message: ServerMessage::deserialize(value).ok(),
        })
    }
}

/// A frame that is written once for many readers; only `p` differs.
#[derive(Debug, Clone)]
pub struct SharedFrame {
    text: String,
}

impl SharedFrame {
    /// Writes header (without `p`) and message.
    pub fn new(header: Header, message: &ServerMessage) -> SharedFrame {
        #[derive(Serialize)]
        struct Both<'a> {
            #[serde(flatten)]
            message: &'a ServerMessage,
            #[serde(flatten)]
            header: Header,
        }
        let both = Both {
            message,
            header: Header { p: None, ..header },
        };
        SharedFrame { text: written(&both) }
    }

    /// A frame of a kind that this release does not know: its reader learns its place and skips it.
    pub fn unknown(header: Header, kind: &str) -> SharedFrame {
        #[derive(Serialize)]
        struct Both<'a> {
            r#type: &'a str,
            #[serde(flatten)]
            header: Header,
        }
        let both = Both {
            r#type: kind,
            header: Header { p: None, ..header },
        };
        SharedFrame { text: written(&both) }
    }

    /// The frame without `p`.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The frame for a reader whose frame before was `p`.
    pub fn for_reader(&self, p: u64) -> String {
        let open = self.text.strip_suffix('}').expect("a frame is a JSON object");
        let mut text = String::with_capacity(self.text.len() + r#","p":}"#.len() + 20);
        for part in [open, r#","p":"#, &p.to_string(), "}"] {
            text.push_str(part);
        }
        text
    }
}

/// Most frames fit into the first piece of memory.
fn written(frame: &impl Serialize) -> String {
    let mut text = Vec::with_capacity(2048);
    serde_json::to_writer(&mut text, frame).expect("keys are texts and numbers are finite");
    text.shrink_to_fit();
    String::from_utf8(text).expect("JSON is text")
}

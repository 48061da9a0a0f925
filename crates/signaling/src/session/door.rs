//! The first frame of a socket: who is there, and where they may go.

use super::{Joined, Place};
use crate::{
    Incoming, Rooms, SeatRights,
    desk::DeskSeat,
    host::{Ask, Join},
    queue::Queue,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{Stream, StreamExt};
use heliograph_access::{Keys, desk_ticket, resume, ticket};
use heliograph_domain::{ParticipantId, SessionId, TenantId, VisitId, entry::Ticket};
use heliograph_protocol::{ClientFrame, ClientMessage, CloseCode, ErrorCode, Hello, ServerMessage, Target};
use heliograph_roomlog::RoomKey;
use std::time::Duration;
use tokio::time::timeout;

/// Why a socket does not get in.
pub(super) struct NotIn {
    pub code: ErrorCode,
    pub close: CloseCode,
    retry_after_ms: Option<u64>,
    pub detail: &'static str,
    /// Nothing of it was ever ours.
    foreign: bool,
}

impl NotIn {
    fn new(code: ErrorCode, close: CloseCode, detail: &'static str) -> NotIn {
        NotIn {
            code,
            close,
            retry_after_ms: None,
            detail,
            foreign: false,
        }
    }

    /// What was never good.
    fn foreign(code: ErrorCode, detail: &'static str) -> NotIn {
        NotIn {
            foreign: true,
            ..NotIn::new(code, CloseCode::Auth, detail)
        }
    }

    /// Who shows too much that is not ours waits before the next. What was good once is no guess.
    pub fn or_too_many(self, wrong: impl FnOnce() -> Option<Duration>) -> NotIn {
        if !self.foreign {
            return self;
        }
        match wrong() {
            None => self,
            Some(wait) => NotIn {
                retry_after_ms: u64::try_from(wait.as_millis()).ok(),
                ..NotIn::new(
                    ErrorCode::RateLimited,
                    CloseCode::Rate,
                    "too much from this address was not ours",
                )
            },
        }
    }

    pub fn message(&self) -> ServerMessage {
        ServerMessage::Error {
            code: self.code,
            for_c: None,
            holder: None,
            retry_after_ms: self.retry_after_ms,
            detail: Some(self.detail.to_owned()),
        }
    }
}

/// Reads `hello` and lets its sender in. `Err(None)`: the socket is gone.
pub(super) async fn hello<I>(
    rooms: &Rooms,
    incoming: &mut I,
    queue: &Queue,
    request_id: &str,
) -> Result<Place, Option<NotIn>>
where
    I: Stream<Item = Incoming> + Send + Unpin,
{
    let shared = rooms.shared();
    let wait = Duration::from_millis(shared.settings.timers.hello_ms);
    let first = tokio::select! {
        biased;
        // The visits that run are told first; whoever has said nothing yet comes back.
        () = shared.shutdown.cancelled() => {
            return Err(Some(NotIn::new(ErrorCode::StoreUnavailable, CloseCode::Drained, "the service is being restarted")));
        }
        first = timeout(wait, incoming.next()) => first,
    };
    let text = match first {
        Ok(Some(Incoming::Text(text))) => text,
        Ok(Some(Incoming::Closed) | None) => return Err(None),
        Ok(Some(Incoming::TooLarge)) => {
            return Err(Some(NotIn::new(
                ErrorCode::TooLarge,
                CloseCode::Auth,
                "the frame is above the limit",
            )));
        }
        Ok(Some(Incoming::Pong | Incoming::Other)) => {
            return Err(Some(NotIn::new(
                ErrorCode::BadMessage,
                CloseCode::Auth,
                "the first frame must be hello",
            )));
        }
        Err(_) => {
            return Err(Some(NotIn::new(
                ErrorCode::BadState,
                CloseCode::Heartbeat,
                "no hello came in time",
            )));
        }
    };
    admit(rooms, &text, queue, request_id).await.map_err(Some)
}

async fn admit(rooms: &Rooms, text: &str, queue: &Queue, request_id: &str) -> Result<Place, NotIn> {
    let hello = parse_hello(text, rooms.shared())?;
    match hello.target() {
        Ok(Target::Seat(visit, seat)) => take_seat(rooms, hello, visit, seat, queue, request_id).await,
        Ok(Target::Desk) => open_desk(rooms, &hello, queue, request_id).await,
        Err(detail) => Err(NotIn::new(ErrorCode::BadMessage, CloseCode::Auth, detail)),
    }
}

async fn take_seat(
    rooms: &Rooms,
    hello: Box<Hello>,
    visit: VisitId,
    seat: ParticipantId,
    queue: &Queue,
    request_id: &str,
) -> Result<Place, NotIn> {
    let shared = rooms.shared();
    let Shown {
        institution,
        generation,
        ticket,
    } = who(rooms, &hello, visit, seat)?;
    let first = ticket.is_some();
    let rights = match shared.ports.rights.seat(&institution, visit, seat).await {
        Ok(Some(rights)) if rights.generation == generation => Some(in_time(rooms, rights)?),
        Ok(Some(_)) => {
            return Err(NotIn::new(
                ErrorCode::TooLate,
                CloseCode::Expired,
                "the link was replaced by a newer one",
            ));
        }
        Ok(None) => {
            return Err(NotIn::new(
                ErrorCode::TooLate,
                CloseCode::Expired,
                "there is no such seat any more",
            ));
        }
        // A resume stands on what the room knows; a first claim can't.
        Err(away) if first => {
            tracing::warn!(request_id, "rights can't be read: {away}");
            return Err(store_away());
        }
        Err(_) => None,
    };
    let key = RoomKey { institution, visit };
    let connection = random_name(rooms);
    let inbox = rooms.inbox(&key);
    let join = Join {
        seat,
        hello,
        generation,
        rights,
        ticket,
        connection: connection.clone(),
        queue: queue.clone(),
    };
    if inbox.send(Box::new(Ask::Join(join))).await.is_err() {
        return Err(NotIn::new(
            ErrorCode::StoreUnavailable,
            CloseCode::Reclaim,
            "the room is being closed",
        ));
    }
    tracing::debug!(request_id, %visit, %seat, "a socket joined");
    Ok(Place::Seat(Joined {
        seat,
        connection,
        inbox,
    }))
}

/// The desk's socket shows a ticket that a session asked for, each time anew.
async fn open_desk(rooms: &Rooms, hello: &Hello, queue: &Queue, request_id: &str) -> Result<Place, NotIn> {
    let ports = &rooms.shared().ports;
    let text = hello.ticket.as_deref();
    let text = text.ok_or_else(|| unauthorized("a desk's hello needs a ticket"))?;
    let ticket = desk_ticket::verify(&ports.keys, text, ports.clock.now()).map_err(no_ticket)?;
    let rights = ports.desk.rights(&ticket.institution, ticket.person, &ticket.session);
    let rights = match rights.await {
        Ok(Some(rights)) => rights,
        Ok(None) => {
            return Err(NotIn::new(
                ErrorCode::Unauthorized,
                CloseCode::Auth,
                "the session is over",
            ));
        }
        Err(away) => {
            tracing::warn!(request_id, "a desk's rights can't be read: {away}");
            return Err(store_away());
        }
    };
    if !rooms.shared().desks.use_ticket(&ticket, ports.clock.now()) {
        let used = "the ticket was used before, or is of another life of the service";
        return Err(NotIn::new(ErrorCode::Unauthorized, CloseCode::Auth, used));
    }
    match DeskSeat::open(rooms, &ticket, rights, queue).await {
        Ok(desk) => {
            tracing::debug!(request_id, person = %ticket.person, "a desk was opened");
            Ok(Place::Desk(desk))
        }
        Err(away) => {
            tracing::warn!(request_id, "a desk's visits can't be read: {away}");
            Err(store_away())
        }
    }
}

fn parse_hello(text: &str, shared: &crate::rooms::Shared) -> Result<Box<Hello>, NotIn> {
    match ClientFrame::parse(text) {
        Ok(ClientFrame {
            message: ClientMessage::Hello(hello),
            ..
        }) => {
            let message = ClientMessage::Hello(hello);
            match (message.check(&shared.settings.limits), message) {
                (Ok(()), ClientMessage::Hello(hello)) => Ok(hello),
                (Ok(()) | Err(_), _) => Err(NotIn::new(
                    ErrorCode::BadMessage,
                    CloseCode::Auth,
                    "hello is not as it must be",
                )),
            }
        }
        Ok(_) => Err(NotIn::new(
            ErrorCode::BadMessage,
            CloseCode::Auth,
            "the first frame must be hello",
        )),
        Err(bad) => {
            tracing::info!(code = ?bad.code, "a hello could not be read: {}", bad.detail);
            Err(NotIn::foreign(bad.code, "hello could not be read"))
        }
    }
}

/// What a `hello` for a seat shows.
struct Shown {
    institution: TenantId,
    /// Of the link that its holder came by.
    generation: u32,
    /// `None`: a resume secret.
    ticket: Option<Ticket>,
}

/// Who is there, by ticket or by resume secret.
fn who(rooms: &Rooms, hello: &Hello, visit: VisitId, seat: ParticipantId) -> Result<Shown, NotIn> {
    let ports = &rooms.shared().ports;
    if let Some(text) = &hello.ticket {
        let ticket = ticket::verify(&ports.keys, text, ports.clock.now()).map_err(no_ticket)?;
        if ticket.visit != visit || ticket.seat != seat {
            return Err(unauthorized("the ticket is for another seat"));
        }
        return Ok(Shown {
            institution: ticket.institution,
            generation: ticket.generation,
            ticket: Some(Ticket {
                jti: ticket.jti,
                expires: ticket.expires,
            }),
        });
    }
    let secret = hello.secret.as_deref();
    let secret = secret.ok_or_else(|| unauthorized("hello has neither ticket nor secret"))?;
    let shown = read_secret(secret, |institution, generation, mac| {
        resume::verify_resume(&ports.keys, institution, visit, seat, generation, &hello.session, mac)
    });
    shown.ok_or_else(|| unauthorized("the secret is not ours"))
}

/// A secret is `<institution>.<generation>.<mac>`, since a hello names neither of the first two.
pub(crate) fn secret(keys: &Keys, room: &RoomKey, seat: ParticipantId, generation: u32, session: &SessionId) -> String {
    let mac = resume::resume_secret(keys, &room.institution, room.visit, seat, generation, session);
    format!("{}.{generation}.{mac}", room.institution)
}

fn read_secret(secret: &str, genuine: impl Fn(&TenantId, u32, &str) -> bool) -> Option<Shown> {
    let mut parts = secret.splitn(3, '.');
    let institution = parts.next()?.parse().ok()?;
    let generation = parts.next()?.parse().ok()?;
    genuine(&institution, generation, parts.next()?).then_some(Shown {
        institution,
        generation,
        ticket: None,
    })
}

fn unauthorized(detail: &'static str) -> NotIn {
    NotIn::foreign(ErrorCode::Unauthorized, detail)
}

fn no_ticket(error: ticket::TicketError) -> NotIn {
    match error {
        ticket::TicketError::Expired => NotIn::new(
            ErrorCode::TokenExpired,
            CloseCode::Auth,
            "the ticket is too old: fetch another",
        ),
        ticket::TicketError::Malformed | ticket::TicketError::Forged => unauthorized("the ticket is not ours"),
    }
}

fn store_away() -> NotIn {
    NotIn::new(
        ErrorCode::StoreUnavailable,
        CloseCode::Reclaim,
        "the store can't be reached",
    )
}

fn in_time(rooms: &Rooms, rights: SeatRights) -> Result<SeatRights, NotIn> {
    let now = rooms.shared().ports.clock.now();
    if now < rights.opens {
        let mut early = NotIn::new(
            ErrorCode::TooEarly,
            CloseCode::Expired,
            "the waiting room is not open yet",
        );
        early.retry_after_ms = u64::try_from(rights.opens.0 - now.0).ok();
        return Err(early);
    }
    Ok(rights)
}

fn random_name(rooms: &Rooms) -> String {
    let mut bytes = [0; 12];
    rooms.shared().ports.entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

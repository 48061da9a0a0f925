//! One socket: hello, then frames to the room and frames from its queue.

use crate::{
    Gone, Incoming, Outgoing, Rooms, SeatRights,
    host::{Ask, Command, Frame, Join},
    queue::{self, Drained, Queue},
    rate::Rate,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{Sink, SinkExt, Stream, StreamExt};
use heliograph_access::{resume, ticket};
use heliograph_domain::{ParticipantId, TenantId, VisitId};
use heliograph_protocol::{ClientFrame, ClientMessage, CloseCode, ErrorCode, Header, Hello, ServerMessage, Target};
use heliograph_roomlog::RoomKey;
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

/// Why a socket does not get in.
struct NotIn {
    code: ErrorCode,
    close: CloseCode,
    retry_after_ms: Option<u64>,
    detail: &'static str,
}

impl NotIn {
    fn new(code: ErrorCode, close: CloseCode, detail: &'static str) -> NotIn {
        NotIn {
            code,
            close,
            retry_after_ms: None,
            detail,
        }
    }

    fn message(&self) -> ServerMessage {
        ServerMessage::Error {
            code: self.code,
            for_c: None,
            holder: None,
            retry_after_ms: self.retry_after_ms,
            detail: Some(self.detail.to_owned()),
        }
    }
}

pub(crate) async fn run<I, O>(rooms: &Rooms, mut incoming: I, mut outgoing: O, request_id: &str)
where
    I: Stream<Item = Incoming> + Send + Unpin,
    O: Sink<Outgoing, Error = Gone> + Send + Unpin,
{
    let (queue, drained) = queue::queue();
    let joined = match Box::pin(hello(rooms, &mut incoming, &queue, request_id)).await {
        Ok(joined) => joined,
        Err(Some(why)) => {
            tracing::info!(request_id, code = ?why.code, "a socket did not get in: {}", why.detail);
            queue.tell(Header::default(), &why.message());
            queue.close(why.close);
            None
        }
        Err(None) => return,
    };
    if let Some(joined) = &joined {
        tracing::debug!(request_id, visit = %joined.key.visit, seat = %joined.seat, "a socket joined");
    }
    talk(rooms, incoming, &mut outgoing, &queue, drained, joined.as_ref()).await;
    if let Some(joined) = joined {
        let gone = Ask::Gone {
            seat: joined.seat,
            connection: joined.connection,
        };
        // A room that is gone has no connections to forget.
        drop(joined.inbox.send(Box::new(gone)).await);
    }
}

struct Joined {
    key: RoomKey,
    seat: ParticipantId,
    connection: String,
    inbox: mpsc::Sender<Command>,
}

async fn hello<I>(
    rooms: &Rooms,
    incoming: &mut I,
    queue: &Queue,
    request_id: &str,
) -> Result<Option<Joined>, Option<NotIn>>
where
    I: Stream<Item = Incoming> + Send + Unpin,
{
    let shared = rooms.shared();
    let wait = Duration::from_millis(shared.settings.timers.hello_ms);
    let text = match timeout(wait, incoming.next()).await {
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
                ErrorCode::Unauthorized,
                CloseCode::Heartbeat,
                "no hello came in time",
            )));
        }
    };
    let hello = parse_hello(&text, shared)?;
    let (visit, seat) = match hello.target() {
        Ok(Target::Seat(visit, seat)) => (visit, seat),
        Ok(Target::Desk) => {
            return Err(Some(NotIn::new(
                ErrorCode::Forbidden,
                CloseCode::Auth,
                "the desk has no socket on this node",
            )));
        }
        Err(detail) => return Err(Some(NotIn::new(ErrorCode::BadMessage, CloseCode::Auth, detail))),
    };
    let (institution, ticket) = who(rooms, &hello, visit, seat)?;
    let first = ticket.is_some();
    let rights = match shared.ports.rights.seat(&institution, visit, seat).await {
        Ok(Some(rights)) => Some(in_time(rooms, rights)?),
        Ok(None) => {
            return Err(Some(NotIn::new(
                ErrorCode::TooLate,
                CloseCode::Expired,
                "there is no such seat any more",
            )));
        }
        // A resume stands on what the room knows; a first claim can't.
        Err(away) if first => {
            tracing::warn!(request_id, "rights can't be read: {away}");
            return Err(Some(NotIn::new(
                ErrorCode::StoreUnavailable,
                CloseCode::Reclaim,
                "the store can't be reached",
            )));
        }
        Err(_) => None,
    };
    let key = RoomKey { institution, visit };
    let connection = random_name(rooms);
    let inbox = rooms.inbox(&key);
    let join = Join {
        seat,
        hello,
        rights,
        ticket,
        connection: connection.clone(),
        queue: queue.clone(),
    };
    if inbox.send(Box::new(Ask::Join(join))).await.is_err() {
        return Err(Some(NotIn::new(
            ErrorCode::StoreUnavailable,
            CloseCode::Reclaim,
            "the room is being closed",
        )));
    }
    Ok(Some(Joined {
        key,
        seat,
        connection,
        inbox,
    }))
}

fn parse_hello(text: &str, shared: &crate::rooms::Shared) -> Result<Box<Hello>, Option<NotIn>> {
    match ClientFrame::parse(text) {
        Ok(ClientFrame {
            message: ClientMessage::Hello(hello),
            ..
        }) => {
            let message = ClientMessage::Hello(hello);
            match (message.check(&shared.settings.limits), message) {
                (Ok(()), ClientMessage::Hello(hello)) => Ok(hello),
                (Ok(()) | Err(_), _) => Err(Some(NotIn::new(
                    ErrorCode::BadMessage,
                    CloseCode::Auth,
                    "hello is not as it must be",
                ))),
            }
        }
        Ok(_) => Err(Some(NotIn::new(
            ErrorCode::BadMessage,
            CloseCode::Auth,
            "the first frame must be hello",
        ))),
        Err(bad) => {
            tracing::info!(code = ?bad.code, "a hello could not be read: {}", bad.detail);
            Err(Some(NotIn::new(bad.code, CloseCode::Auth, "hello could not be read")))
        }
    }
}

/// Who is there, by ticket or by resume secret. A secret is `<institution>.<mac>`, since a hello names no institution.
fn who(
    rooms: &Rooms,
    hello: &Hello,
    visit: VisitId,
    seat: ParticipantId,
) -> Result<(TenantId, Option<heliograph_domain::entry::Ticket>), Option<NotIn>> {
    let ports = &rooms.shared().ports;
    let unauthorized = |detail| Some(NotIn::new(ErrorCode::Unauthorized, CloseCode::Auth, detail));
    if let Some(text) = &hello.ticket {
        return match ticket::verify(&ports.keys, text, ports.clock.now()) {
            Ok(ticket) if ticket.visit == visit && ticket.seat == seat => {
                let single = heliograph_domain::entry::Ticket {
                    jti: ticket.jti,
                    expires: ticket.expires,
                };
                Ok((ticket.institution, Some(single)))
            }
            Ok(_) => Err(unauthorized("the ticket is for another seat")),
            Err(ticket::TicketError::Expired) => Err(Some(NotIn::new(
                ErrorCode::TokenExpired,
                CloseCode::Auth,
                "the ticket is too old: fetch another",
            ))),
            Err(ticket::TicketError::Malformed | ticket::TicketError::Forged) => {
                Err(unauthorized("the ticket is not ours"))
            }
        };
    }
    let secret = hello
        .secret
        .as_deref()
        .ok_or_else(|| unauthorized("hello has neither ticket nor secret"))?;
    let (institution, mac) = secret
        .split_once('.')
        .ok_or_else(|| unauthorized("the secret is not ours"))?;
    let institution: TenantId = institution
        .parse()
        .map_err(|_| unauthorized("the secret is not ours"))?;
    if resume::verify_resume(&ports.keys, &institution, visit, seat, &hello.session, mac) {
        Ok((institution, None))
    } else {
        Err(unauthorized("the secret is not ours"))
    }
}

fn in_time(rooms: &Rooms, rights: SeatRights) -> Result<SeatRights, Option<NotIn>> {
    let now = rooms.shared().ports.clock.now();
    if now < rights.opens {
        let mut early = NotIn::new(
            ErrorCode::TooEarly,
            CloseCode::Expired,
            "the waiting room is not open yet",
        );
        early.retry_after_ms = u64::try_from(rights.opens.0 - now.0).ok();
        return Err(Some(early));
    }
    Ok(rights)
}

fn random_name(rooms: &Rooms) -> String {
    let mut bytes = [0; 12];
    rooms.shared().ports.entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads and writes until the socket closes. Writing goes first: who does not read is not read.
async fn talk<I, O>(
    rooms: &Rooms,
    mut incoming: I,
    outgoing: &mut O,
    queue: &Queue,
    mut drained: Drained,
    joined: Option<&Joined>,
) where
    I: Stream<Item = Incoming> + Send + Unpin,
    O: Sink<Outgoing, Error = Gone> + Send + Unpin,
{
    let shared = rooms.shared();
    let timers = &shared.settings.timers;
    let stall = Duration::from_millis(timers.write_stall_ms);
    let dead = Duration::from_millis(timers.server_dead_ms);
    let mut ping = tokio::time::interval(Duration::from_millis(timers.server_ping_ms));
    let mut rate = Rate::new(&shared.settings.limits, shared.ports.clock.now());
    let mut heard = Instant::now();
    let mut read_again = Instant::now();
    loop {
        let next = tokio::select! {
            biased;
            next = drained.next() => next,
            _ = ping.tick() => {
                if heard.elapsed() > dead { Outgoing::Close(CloseCode::Heartbeat) } else { Outgoing::Ping }
            }
            frame = async { tokio::time::sleep_until(read_again).await; incoming.next().await }, if joined.is_some() => {
                heard = Instant::now();
                let Some(joined) = joined else { return };
                match frame {
                    Some(Incoming::Text(text)) => {
                        read_again = heard + Duration::from_millis(rate.take(shared.ports.clock.now()));
                        if !Box::pin(take(rooms, joined, queue, &text)).await { return }
                    }
                    Some(Incoming::Pong) => {}
                    Some(Incoming::TooLarge) => refuse(queue, ErrorCode::TooLarge, "the frame is above the limit"),
                    Some(Incoming::Other) => refuse(queue, ErrorCode::BadJson, "only text frames are read"),
                    Some(Incoming::Closed) | None => return,
                }
                continue;
            }
        };
        let close = matches!(next, Outgoing::Close(_));
        match timeout(stall, outgoing.send(next)).await {
            Ok(Ok(())) if !close => {}
            Ok(Ok(()) | Err(Gone)) => return,
            Err(_) => {
                // Not even the close frame may get through; dropping the socket ends it all the same.
                drop(
                    timeout(
                        Duration::from_millis(50),
                        outgoing.send(Outgoing::Close(CloseCode::Slow)),
                    )
                    .await,
                );
                return;
            }
        }
    }
}

fn refuse(queue: &Queue, code: ErrorCode, detail: &str) {
    let detail = Some(detail.to_owned());
    let error = ServerMessage::Error {
        code,
        for_c: None,
        holder: None,
        retry_after_ms: None,
        detail,
    };
    queue.tell(Header::default(), &error);
}

/// One text frame. `false` when the room is gone.
async fn take(rooms: &Rooms, joined: &Joined, queue: &Queue, text: &str) -> bool {
    let shared = rooms.shared();
    let checked = ClientFrame::parse(text).and_then(|frame| match frame.message.check(&shared.settings.limits) {
        Ok(()) => Ok(frame),
        Err((code, detail)) => Err(heliograph_protocol::BadFrame {
            code,
            detail,
            c: frame.c,
            session: frame.session,
        }),
    });
    let (session, c, message) = match checked {
        Ok(ClientFrame {
            message: ClientMessage::Ping {},
            ..
        }) => {
            queue.tell(
                Header::default(),
                &ServerMessage::Pong {
                    server_time_ms: shared.ports.clock.now(),
                },
            );
            return true;
        }
        Ok(ClientFrame {
            message: ClientMessage::Hello(_),
            ..
        }) => {
            refuse(queue, ErrorCode::BadState, "hello was said already");
            return true;
        }
        Ok(ClientFrame { c, session, message }) => (session, c, Ok(message)),
        Err(bad) => {
            if bad.c.is_none() {
                refuse(queue, bad.code, &bad.detail);
                return true;
            }
            (bad.session, bad.c, Err(bad.code))
        }
    };
    let frame = Frame {
        seat: joined.seat,
        connection: joined.connection.clone(),
        session,
        c,
        message,
    };
    joined.inbox.send(Box::new(Ask::Frame(frame))).await.is_ok()
}

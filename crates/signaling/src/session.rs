//! One socket: hello, then frames to the room and frames from its queue.

mod door;

use crate::{
    Gone, Incoming, Outgoing, Rooms, Simulate,
    desk::DeskSeat,
    host::{Ask, Command, Frame},
    queue::{self, Drained, Queue},
    rate::Rate,
    rooms::Counted,
};
pub(crate) use door::secret;
use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt, future::BoxFuture};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{ClientFrame, ClientMessage, CloseCode, ErrorCode, Fault, Header, ServerMessage};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

/// Messages that the log has already and a page may say again at no cost: what it keeps, and what may be under way. Whoever
/// repeats more holds up the room.
const FREE_REPEATS: u32 = 332;

/// Where a socket is after its `hello`.
enum Place {
    Seat(Joined),
    Desk(DeskSeat),
}

struct Joined {
    seat: ParticipantId,
    connection: String,
    inbox: mpsc::Sender<Command>,
}

impl Place {
    /// When the service itself closes the socket. A seat's room does that.
    fn over(&self) -> Option<BoxFuture<'static, CloseCode>> {
        match self {
            Place::Seat(_) => None,
            Place::Desk(desk) => Some(desk.over()),
        }
    }
}

pub(crate) async fn run<I, O, W>(
    rooms: Rooms,
    mut incoming: I,
    mut outgoing: O,
    request_id: String,
    wrong: W,
    _count: Counted,
) where
    I: Stream<Item = Incoming> + Send + Unpin,
    O: Sink<Outgoing, Error = Gone> + Send + Unpin,
    W: FnOnce() -> Option<Duration> + Send,
{
    let (queue, drained) = queue::queue();
    let place = match Box::pin(door::hello(&rooms, &mut incoming, &queue, &request_id)).await {
        Ok(place) => Some(place),
        Err(Some(why)) => {
            let why = why.or_too_many(wrong);
            tracing::info!(request_id, code = ?why.code, "a socket did not get in: {}", why.detail);
            queue.tell(Header::default(), &why.message());
            queue.close(why.close);
            None
        }
        Err(None) => return,
    };
    drop(request_id);
    let end = talk(&rooms, &mut incoming, &mut outgoing, &queue, drained, place.as_ref()).await;
    if let Some(Place::Seat(joined)) = place {
        let gone = Ask::Gone {
            seat: joined.seat,
            connection: joined.connection,
        };
        // A room that is gone has no connections to forget.
        drop(joined.inbox.send(Box::new(gone)).await);
    }
    if let End::Closed = end {
        Box::pin(hear_out(incoming)).await;
    }
}

/// How a socket's talk ends.
enum End {
    /// This side closed it in order.
    Closed,
    /// The other side closed it, the line failed, or nothing gets through.
    Gone,
}

/// Reads and writes until the socket closes. Writing goes first: who does not read is not read.
async fn talk<I, O>(
    rooms: &Rooms,
    incoming: &mut I,
    outgoing: &mut O,
    queue: &Queue,
    mut drained: Drained,
    place: Option<&Place>,
) -> End
where
    I: Stream<Item = Incoming> + Send + Unpin,
    O: Sink<Outgoing, Error = Gone> + Send + Unpin,
{
    let shared = rooms.shared();
    let timers = &shared.settings.timers;
    let stall = Duration::from_millis(timers.write_stall_ms);
    let dead = Duration::from_millis(timers.server_dead_ms);
    let quiet = Duration::from_millis(timers.server_ping_ms);
    let mut look = tokio::time::interval(quiet);
    let mut rate = Rate::new(&shared.settings.limits, shared.ports.clock.now());
    let mut free_repeats = FREE_REPEATS;
    let mut heard = Instant::now();
    let mut read_again = Instant::now();
    let mut unreadable = false;
    let mut over = place.and_then(Place::over);
    let mut in_room = matches!(place, Some(Place::Seat(_)));
    loop {
        let next = tokio::select! {
            biased;
            next = drained.next() => next,
            _ = look.tick() => match heard.elapsed() {
                silent if silent > dead => Outgoing::Close(CloseCode::Heartbeat),
                silent if silent >= quiet => Outgoing::Ping,
                _ => continue,
            },
            () = room_gone(place), if in_room => {
                // Its task ended without a word to this socket: the page comes back, and the room is opened anew.
                in_room = false;
                refuse(queue, ErrorCode::Internal, "the room failed");
                queue.close(CloseCode::Reclaim);
                continue;
            }
            code = async { over.as_mut().expect("looked at before").await }, if over.is_some() => {
                over = None;
                queue.close(code);
                continue;
            }
            frame = next_after(read_again, incoming), if place.is_some() && !unreadable => {
                heard = Instant::now();
                let Some(place) = place else { return End::Gone };
                match frame {
                    Some(Incoming::Text(text)) => {
                        let repeated = queue.repeated().min(free_repeats);
                        free_repeats -= repeated;
                        rate.give_back(repeated);
                        read_again = heard + Duration::from_millis(rate.take(shared.ports.clock.now()));
                        if !Box::pin(take(rooms, place, queue, &text)).await { return End::Gone }
                    }
                    Some(Incoming::Pong) => {}
                    Some(Incoming::TooLarge) => {
                        // The socket can't be read on: where the next frame begins is lost.
                        refuse(queue, ErrorCode::TooLarge, "the frame is above the limit");
                        queue.close(CloseCode::Rate);
                        unreadable = true;
                    }
                    Some(Incoming::Other) => refuse(queue, ErrorCode::BadJson, "only text frames are read"),
                    Some(Incoming::Closed) | None => return End::Gone,
                }
                continue;
            }
        };
        let close = matches!(next, Outgoing::Close(_));
        match write(outgoing, next, stall).await {
            Some(Ok(())) if !close => {}
            Some(Ok(())) => return End::Closed,
            Some(Err(Gone)) => return End::Gone,
            None => {
                // Not even the close frame may get through; dropping the socket ends it all the same.
                let last = Outgoing::Close(CloseCode::Slow);
                write(outgoing, last, Duration::from_millis(50)).await;
                return End::Gone;
            }
        }
    }
}

/// Writes a frame; `None` if it does not get through in time. Most get through at once, and only others need a timer.
async fn write<O>(outgoing: &mut O, frame: Outgoing, stall: Duration) -> Option<Result<(), Gone>>
where
    O: Sink<Outgoing, Error = Gone> + Send + Unpin,
{
    let mut sent = outgoing.send(frame);
    match (&mut sent).now_or_never() {
        Some(done) => Some(done),
        None => Box::pin(timeout(stall, sent)).await.ok(),
    }
}

/// The next frame, not before an instant.
async fn next_after<I: Stream<Item = Incoming> + Unpin>(instant: Instant, incoming: &mut I) -> Option<Incoming> {
    // A timer that is over already would wake another thread.
    if instant > Instant::now() {
        Box::pin(tokio::time::sleep_until(instant)).await;
    }
    incoming.next().await
}

/// Reads on after a close, until the other side closes too: a socket dropped with unread bytes is reset, and a reset takes the close
/// code with it before the page has read it.
async fn hear_out(mut incoming: impl Stream<Item = Incoming> + Send + Unpin) {
    let closed = async {
        while let Some(frame) = incoming.next().await {
            if let Incoming::Closed = frame {
                break;
            }
        }
    };
    // Whoever does not answer is not waited for.
    drop(timeout(Duration::from_secs(1), closed).await);
}

async fn room_gone(place: Option<&Place>) {
    match place {
        Some(Place::Seat(joined)) => joined.inbox.closed().await,
        Some(Place::Desk(_)) | None => std::future::pending().await,
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

/// Does what a page asks of a development service. `true`: its room sees to it, after what the page said before.
fn simulated(port: Option<&dyn Simulate>, what: Fault, place: &Place, queue: &Queue) -> bool {
    let Some(port) = port else {
        refuse(queue, ErrorCode::Forbidden, "this is no development service");
        return false;
    };
    match (place, what) {
        (Place::Seat(_), Fault::Kill | Fault::Rewind) => return true,
        (Place::Desk(_), Fault::Kill) => port.kill(),
        (Place::Desk(_), Fault::Rewind) => refuse(queue, ErrorCode::BadState, "a desk has no room's log"),
    }
    false
}

/// One text frame. `false` when the room is gone.
async fn take(rooms: &Rooms, place: &Place, queue: &Queue, text: &str) -> bool {
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
        Ok(ClientFrame {
            message: ClientMessage::Simulate { what },
            ..
        }) if !simulated(shared.ports.simulate.as_deref(), what, place, queue) => return true,
        Ok(ClientFrame { c, session, message }) => (session, c, Ok(message)),
        Err(bad) => {
            if bad.c.is_none() {
                refuse(queue, bad.code, &bad.detail);
                return true;
            }
            (bad.session, bad.c, Err(bad.code))
        }
    };
    let joined = match place {
        Place::Seat(joined) => joined,
        Place::Desk(_) => {
            refuse(
                queue,
                ErrorCode::Forbidden,
                "the desk's socket takes no messages but ping",
            );
            return true;
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

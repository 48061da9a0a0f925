//! A page that keeps its seat by itself.

use crate::{
    Api, ApiError, Page,
    page::{Action, Event, TicketAnswer, Why},
};
use futures::{SinkExt, StreamExt};
use heliograph_domain::VisitId;
use heliograph_protocol::{ClientMessage, ErrorCode, Header, SUBPROTOCOL, ServerMessage};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    connect_async_with_config,
    tungstenite::{Message, client::IntoClientRequest},
};

/// Frames that may wait on their way into or out of a socket.
const WAITING: usize = 1_024;

/// Something that acted, once: see [`Action::Act`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Where it stands.
    pub header: Header,
    /// What it says.
    pub message: ServerMessage,
}

/// A page with real sockets that comes back by itself, as the browser's does. A clone is another handle of it; the last
/// one that is dropped ends it without a goodbye.
#[derive(Debug, Clone)]
pub struct Keeper {
    shared: Arc<Shared>,
    _task: Arc<Task>,
}

#[derive(Debug)]
struct Shared {
    page: Mutex<Page>,
    began: Instant,
    said: Notify,
    changed: watch::Sender<()>,
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Keeper {
    /// Starts a page. Tickets are asked of `api`; sockets are opened at its address. What acts comes out of the receiver,
    /// whose queue has no bound: a test reads it in the end.
    pub fn start(api: Api, page: Page) -> (Keeper, mpsc::UnboundedReceiver<Act>) {
        let (acts, received) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            page: Mutex::new(page),
            began: Instant::now(),
            said: Notify::new(),
            changed: watch::Sender::default(),
        });
        shared.on(Event::Start);
        let task = Arc::new(Task(tokio::spawn(run(Arc::clone(&shared), api, acts))));
        (Keeper { shared, _task: task }, received)
    }

    /// Numbers a message and sends it, now or when the line is back: see [`Page::say`].
    pub fn say(&self, message: ClientMessage) -> Result<Option<u64>, (ErrorCode, String)> {
        let said = self.shared.page().say(self.shared.now(), message);
        self.shared.said.notify_one();
        said
    }

    /// Something of the page as it is now.
    pub fn look<T>(&self, at: impl FnOnce(&Page) -> T) -> T {
        at(&self.shared.page())
    }

    /// Waits until the page is as `wanted`; false when `within` passed before.
    pub async fn until(&self, within: Duration, wanted: impl Fn(&Page) -> bool) -> bool {
        let mut changed = self.shared.changed.subscribe();
        let wait = async {
            while !self.look(&wanted) {
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        timeout(within, wait).await.is_ok()
    }

    /// The network came back, or the page is looked at again.
    pub fn wake(&self) {
        self.event(Event::Wake);
    }

    /// The person said to move the visit here.
    pub fn move_here(&self) {
        self.event(Event::MoveHere);
    }

    /// Goes on purpose: `bye`, and then no more once the log has all that was said.
    pub fn leave(&self) {
        if self.say(ClientMessage::Bye {}).is_ok() {
            self.event(Event::Leave);
        }
    }

    fn event(&self, event: Event<'_>) {
        self.shared.on(event);
        self.shared.said.notify_one();
    }
}

impl Shared {
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn on(&self, event: Event<'_>) {
        self.page().on(self.now(), event);
        self.changed.send_replace(());
    }
}

/// What a task of ours brings back.
enum Heard {
    Ticket(TicketAnswer),
    Opened,
    Text(String),
    Closed(Option<u16>),
}

/// The socket, or the ticket before it.
struct Line {
    outgoing: mpsc::Sender<String>,
    _task: Task,
}

async fn run(shared: Arc<Shared>, api: Api, acts: mpsc::UnboundedSender<Act>) {
    let (events, mut heard) = mpsc::channel(WAITING);
    let visit = shared.page().visit();
    let mut line = None;
    loop {
        loop {
            let Some(action) = shared.page().action() else { break };
            match action {
                Action::FetchTicket { life } => line = Some(fetch(&api, visit, life, events.clone())),
                Action::Connect { life } => line = Some(connect(&api, life, events.clone())),
                Action::Send { text, .. } => {
                    // A line that takes nothing more is found dead by the page itself.
                    let _ = line.as_ref().map(|line: &Line| line.outgoing.try_send(text));
                }
                Action::Drop { .. } => line = None,
                Action::Act { header, message } => {
                    let _ = acts.send(Act {
                        header,
                        message: *message,
                    });
                }
                Action::Link(_) => {}
            }
        }
        let deadline = shared.page().deadline();
        let at = shared.began + Duration::from_millis(deadline.unwrap_or(0));
        tokio::select! {
            biased;
            Some((life, heard)) = heard.recv() => shared.on(match &heard {
                Heard::Ticket(answer) => Event::Ticket { life, answer: answer.clone() },
                Heard::Opened => Event::Opened { life },
                Heard::Text(text) => Event::Text { life, text },
                Heard::Closed(code) => Event::Closed { life, code: *code },
            }),
            () = shared.said.notified() => {}
            () = sleep_until(at), if deadline.is_some() => shared.on(Event::Time),
        }
    }
}

type Events = mpsc::Sender<(u64, Heard)>;

fn fetch(api: &Api, visit: VisitId, life: u64, events: Events) -> Line {
    let (outgoing, _) = mpsc::channel(1);
    let api = api.clone();
    let task = tokio::spawn(async move {
        let answer = ticket_of(api.seat(&visit.to_string()).await);
        let _ = events.send((life, Heard::Ticket(answer))).await;
    });
    Line {
        outgoing,
        _task: Task(task),
    }
}

fn ticket_of(seat: Result<serde_json::Value, ApiError>) -> TicketAnswer {
    match seat {
        Ok(seat) => match seat["ticket"].as_str() {
            Some(ticket) => TicketAnswer::Ticket(ticket.to_owned()),
            None => TicketAnswer::Later,
        },
        Err(ApiError::Line(_)) => TicketAnswer::Later,
        Err(ApiError::Unexpected { status, .. }) if status.is_server_error() || status == 429 => TicketAnswer::Later,
        Err(ApiError::Unexpected { body, .. }) => TicketAnswer::Refused(match body["code"].as_str() {
            Some("visit_cancelled") => Why::Cancelled,
            Some("too_late") => Why::Expired,
            Some(_) | None => Why::Auth,
        }),
    }
}

fn connect(api: &Api, life: u64, events: Events) -> Line {
    let (outgoing, texts) = mpsc::channel(WAITING);
    let address = format!("{}/ws", api.base().replacen("http", "ws", 1));
    let task = tokio::spawn(async move {
        let code = talk(&address, life, texts, &events).await;
        let _ = events.send((life, Heard::Closed(code))).await;
    });
    Line {
        outgoing,
        _task: Task(task),
    }
}

/// One socket from its opening to its close; the close code, if one came.
async fn talk(address: &str, life: u64, mut texts: mpsc::Receiver<String>, events: &Events) -> Option<u16> {
    let mut request = address.into_client_request().ok()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", SUBPROTOCOL.parse().ok()?);
    let (socket, _) = connect_async_with_config(request, None, true).await.ok()?;
    events.send((life, Heard::Opened)).await.ok()?;
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            text = texts.recv() => sink.send(Message::text(text?)).await.ok()?,
            message = stream.next() => match message?.ok()? {
                Message::Text(text) => events.send((life, Heard::Text(text.as_str().to_owned()))).await.ok()?,
                Message::Close(frame) => return frame.map(|frame| frame.code.into()),
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
            },
        }
    }
}

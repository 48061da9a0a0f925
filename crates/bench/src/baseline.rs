//! What the figures are compared with: a bare relay on the service's web framework, with its sockets tuned as the service
//! tunes them. It passes each text frame on to the others of the room and does nothing else: no numbers, no log, no
//! acknowledgement, no pings.

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::{
        Path, State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
    serve::ListenerExt,
};
use futures::{SinkExt, StreamExt};
use heliograph_testkit::Process;
use std::{
    collections::HashMap,
    env,
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc};

/// As in `heliograph_http::ws`.
const READ_BUFFER: usize = 4_096;
const WRITE_BUFFER: usize = 1_024 * 1_024;
/// Frames that may wait for a socket; one more is dropped, and counted as lost by who measures.
const WAITING: usize = 1_024;
const START: Duration = Duration::from_secs(10);

type Room = Arc<Mutex<Vec<mpsc::Sender<Utf8Bytes>>>>;
type Rooms = Arc<Mutex<HashMap<String, Room>>>;

/// Serves until the process ends.
pub async fn serve(listen: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let router = Router::new()
        .route("/room/{name}", get(open))
        .with_state(Rooms::default());
    axum::serve(listener.tap_io(|socket| drop(socket.set_nodelay(true))), router).await?;
    Ok(())
}

async fn open(State(rooms): State<Rooms>, Path(name): Path<String>, upgrade: WebSocketUpgrade) -> Response {
    let room = Arc::clone(locked(&rooms).entry(name).or_default());
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .on_upgrade(move |socket| relay(socket, room))
}

async fn relay(socket: WebSocket, room: Room) {
    let (mut sink, mut stream) = socket.split();
    let (sender, mut frames) = mpsc::channel(WAITING);
    locked(&room).push(sender.clone());
    loop {
        tokio::select! {
            frame = stream.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    for other in locked(&room).iter().filter(|other| !other.same_channel(&sender)) {
                        let _ = other.try_send(text.clone());
                    }
                }
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            },
            Some(text) = frames.recv() => if sink.send(Message::Text(text)).await.is_err() { break },
        }
    }
    locked(&room).retain(|other| !other.same_channel(&sender));
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A baseline in a process of its own.
pub struct Baseline {
    pub process: Process,
    pub address: SocketAddr,
}

impl Baseline {
    pub async fn start() -> Result<Baseline> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["baseline", "--listen", "127.0.0.1:0"]);
        let process = Process::start(command)?;
        let line = process.line("listening on ", START).await?;
        let address = line.split("listening on ").nth(1).context("address")?.trim().parse()?;
        Ok(Baseline { process, address })
    }
}

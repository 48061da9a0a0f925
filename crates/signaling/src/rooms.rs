//! The rooms that this node hosts: one task each.

use crate::{
    Gone, Incoming, Outgoing, Ports, RoomBrief, Settings,
    desk::Desks,
    host::{self, Ask, Command, Host},
    session,
};
use futures::{Sink, Stream};
use heliograph_domain::{TenantId, VisitId};
use heliograph_room::Notice;
use heliograph_roomlog::{Away, Mark, RoomKey};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Commands that may wait for a room; a socket is not read while its room is behind.
const INBOX: usize = 64;

/// The rooms that this node hosts, and their sockets.
#[derive(Clone)]
pub struct Rooms {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub ports: Ports,
    pub settings: Settings,
    pub shutdown: CancellationToken,
    tasks: TaskTracker,
    hosted: Mutex<HashMap<RoomKey, Hosted>>,
    sockets: AtomicUsize,
    pub desks: Desks,
}

#[derive(Clone)]
struct Hosted {
    inbox: mpsc::Sender<Command>,
    brief: Arc<Mutex<RoomBrief>>,
}

impl Rooms {
    /// No rooms yet. Tasks are tracked by `tasks` and end when `shutdown` is cancelled.
    pub fn new(ports: Ports, settings: Settings, shutdown: CancellationToken, tasks: TaskTracker) -> Rooms {
        let (hosted, sockets) = (Mutex::default(), AtomicUsize::new(0));
        let desks = Desks::new(ports.clock.now());
        Rooms {
            shared: Arc::new(Shared {
                ports,
                settings,
                shutdown,
                tasks,
                hosted,
                sockets,
                desks,
            }),
        }
    }

    /// Serves one socket until it closes. The task is tracked even if the caller is not. `wrong` is called for a `hello` that
    /// shows nothing of ours, and says how long its sender must wait, if there were too many of them.
    pub fn serve<I, O, W>(
        &self,
        incoming: I,
        outgoing: O,
        request_id: String,
        wrong: W,
    ) -> impl Future<Output = ()> + Send + use<I, O, W>
    where
        I: Stream<Item = Incoming> + Send + Unpin + 'static,
        O: Sink<Outgoing, Error = Gone> + Send + Unpin + 'static,
        W: FnOnce() -> Option<Duration> + Send + 'static,
    {
        let count = Counted::new(Arc::clone(&self.shared));
        let session = session::run(self.clone(), incoming, outgoing, request_id, wrong, count);
        self.shared.tasks.track_future(session)
    }

    /// A hosted room in a few words; `None` if this node does not host it.
    pub fn brief(&self, institution: &TenantId, visit: VisitId) -> Option<RoomBrief> {
        let key = RoomKey {
            institution: institution.clone(),
            visit,
        };
        let hosted = self.shared.hosted.lock().unwrap_or_else(PoisonError::into_inner);
        let room = hosted.get(&key)?;
        let brief = room.brief.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(brief)
    }

    /// Open sockets.
    pub fn sockets(&self) -> usize {
        self.shared.sockets.load(Ordering::Relaxed)
    }

    /// Hosted rooms.
    pub fn hosted(&self) -> usize {
        self.shared.hosted.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Tells a room what changed in its booking, under the name of the outbox row; a room without a log has nobody to tell.
    /// Asking again changes nothing.
    pub async fn tell(&self, key: &RoomKey, name: &str, notice: Notice) -> Result<(), Away> {
        let log = self.shared.ports.log.read_after(key, Mark::START).await?;
        if log.and_then(|log| log.head()).is_none() {
            return Ok(());
        }
        let (done, told) = oneshot::channel();
        let ask = Box::new(Ask::Notice(name.to_owned(), notice, done));
        let closed = |()| Away("the room is being closed".to_owned());
        self.inbox(key).send(ask).await.map_err(|_| closed(()))?;
        told.await.map_err(|_| closed(()))?
    }

    /// Hosts a room whose log is there from before, so that its leases and deadlines go on.
    pub async fn wake(&self, key: &RoomKey) {
        // A room that closes at this moment needs no waking.
        drop(self.inbox(key).send(Box::new(Ask::Wake)).await);
    }

    /// The fold of a room that this node hosts, byte for byte: nodes that are level have equal ones.
    #[doc(hidden)]
    pub async fn fold(&self, key: &RoomKey) -> Option<Vec<u8>> {
        let inbox = {
            let hosted = self.shared.hosted.lock().unwrap_or_else(PoisonError::into_inner);
            hosted.get(key)?.inbox.clone()
        };
        let (told, fold) = oneshot::channel();
        inbox.send(Box::new(Ask::Fold(told))).await.ok()?;
        fold.await.ok()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The inbox of a room; its task is started if nobody hosts it here.
    pub(crate) fn inbox(&self, key: &RoomKey) -> mpsc::Sender<Command> {
        let mut hosted = self.shared.hosted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = hosted.get(key).filter(|room| !room.inbox.is_closed()) {
            return room.inbox.clone();
        }
        let (inbox, commands) = mpsc::channel(INBOX);
        let brief = Arc::new(Mutex::new(RoomBrief::of(&heliograph_room::Room::new())));
        let host = Box::new(Host::new(Arc::clone(&self.shared), key.clone(), Arc::clone(&brief)));
        let rooms = self.clone();
        let ended = (key.clone(), inbox.clone());
        self.shared.tasks.spawn(async move {
            host::run(host, commands).await;
            rooms.retire(&ended.0, &ended.1);
        });
        hosted.insert(
            key.clone(),
            Hosted {
                inbox: inbox.clone(),
                brief,
            },
        );
        inbox
    }

    fn retire(&self, key: &RoomKey, inbox: &mpsc::Sender<Command>) {
        let mut hosted = self.shared.hosted.lock().unwrap_or_else(PoisonError::into_inner);
        if hosted.get(key).is_some_and(|room| room.inbox.same_channel(inbox)) {
            hosted.remove(key);
        }
    }
}

/// Counts an open socket for as long as it lives.
pub(crate) struct Counted(Arc<Shared>);

impl Counted {
    fn new(shared: Arc<Shared>) -> Counted {
        shared.sockets.fetch_add(1, Ordering::Relaxed);
        Counted(shared)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

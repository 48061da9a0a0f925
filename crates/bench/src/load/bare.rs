//! Somebody at the baseline: the same frames over the same kind of socket, and no rules at all.

use super::{
    ledger::{Ledger, Stream},
    message::{Form, Stamp},
    person::{Command, Seated},
    socket::{Door, Socket},
};
use heliograph_domain::ParticipantId;
use heliograph_protocol::ClientFrame;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// All that a person is made of.
pub struct Plan {
    pub door: Door,
    pub peer: ParticipantId,
    pub form: Form,
    pub ledger: Arc<Ledger>,
    pub incoming: Arc<Stream>,
}

/// The part of a frame that has the stamp.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    sdp: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    text: Option<std::borrow::Cow<'a, str>>,
}

/// A person's task. It ends when the handle of its commands is dropped, or the line.
pub fn start(plan: Plan) -> (mpsc::UnboundedSender<Command>, watch::Receiver<Seated>) {
    let (commands, told) = mpsc::unbounded_channel();
    let (seated, seen) = watch::channel(Seated::default());
    tokio::spawn(live(plan, told, seated));
    (commands, seen)
}

async fn live(plan: Plan, mut commands: mpsc::UnboundedReceiver<Command>, seated: watch::Sender<Seated>) {
    let Ok(mut socket) = Socket::open(&plan.door).await else {
        return;
    };
    seated.send_replace(Seated {
        times: 1,
        at: plan.ledger.now(),
        resumed: None,
        local: Some(socket.local),
        met: true,
    });
    loop {
        tokio::select! {
            biased;
            text = socket.next() => match text {
                Ok(text) => came(&plan, &text),
                Err(_) => return,
            },
            command = commands.recv() => match command {
                Some(Command::Say(stamp)) => {
                    let message = plan.form.message(stamp, plan.peer, 1);
                    let frame = ClientFrame { c: Some(stamp.number), session: None, message };
                    if socket.send(frame.to_text()).await.is_err() { return }
                }
                Some(Command::Flood(_) | Command::Freeze | Command::Thaw) => {}
                None => return,
            },
        }
    }
}

fn came(plan: &Plan, text: &str) {
    let Ok(Body { sdp, text }) = serde_json::from_str(text) else {
        return;
    };
    if let Some(stamp) = sdp.or(text).as_deref().and_then(Stamp::read) {
        plan.ledger.came(&plan.incoming, stamp);
    }
}

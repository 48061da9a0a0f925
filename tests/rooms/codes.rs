//! Every error and every close code, as a socket meets it. A new one needs its case here.

use crate::pace::{Stuck, let_go};
use heliograph_client::Page;
use heliograph_domain::UnixMillis;
use heliograph_protocol::{
    ClientFrame, ClientMessage, CloseCode, Decision, DeviceCheck, ErrorCode, Limits, Sdp, SdpKind, ServerMessage,
};
use heliograph_signaling::{Incoming, Settings};
use heliograph_tests::stage::{START, Socket, Stage, carer, host, id, patient};
use std::{sync::atomic::Ordering, time::Duration};

/// A room with its physician and a patient who waits.
struct Scene {
    stage: Stage,
    host: (Page, Socket),
    patient: (Page, Socket),
}

impl Scene {
    async fn new() -> Scene {
        Scene::on(Stage::new(Settings::default())).await
    }

    async fn on(stage: Stage) -> Scene {
        let host = stage.comes(host()).await;
        let patient = stage.comes(patient()).await;
        Scene { stage, host, patient }
    }

    fn host_says(&mut self, message: ClientMessage) {
        self.host.1.say(self.host.0.write(message));
    }

    fn patient_says(&mut self, message: ClientMessage) {
        self.patient.1.say(self.patient.0.write(message));
    }

    /// What the physician hears of a message that can't be.
    async fn refused(mut self, message: ClientMessage) -> ErrorCode {
        self.host_says(message);
        self.host.1.error().await
    }

    async fn refused_to_patient(mut self, message: ClientMessage) -> ErrorCode {
        self.patient_says(message);
        self.patient.1.error().await
    }

    async fn admitted(mut self) -> Scene {
        self.host_says(ClientMessage::Admit(about_patient()));
        self.host.1.acknowledged(&mut self.host.0).await;
        self
    }

    async fn ended(mut self) -> Scene {
        self.host_says(ClientMessage::End {});
        let ended = |message: &ServerMessage| matches!(message, ServerMessage::Ended { .. });
        self.host.1.until(&mut self.host.0, ended).await;
        self
    }
}

fn about_patient() -> Decision {
    Decision {
        participant: patient(),
        message: None,
    }
}

fn offer(generation: u64) -> ClientMessage {
    ClientMessage::Sdp(Sdp {
        to: patient(),
        pc: "av".to_owned(),
        generation,
        kind: SdpKind::Offer,
        sdp: "v=0\r\n".to_owned(),
    })
}

/// A first claim with a ticket from so long ago, and how the socket is closed.
async fn claim(stage: &Stage, ticket_age_ms: i64) -> (Vec<ErrorCode>, Option<CloseCode>) {
    let mut page = stage.page(patient());
    let ticket = stage.ticket_of(patient(), stage.now().plus(-ticket_age_ms));
    let mut socket = stage.open();
    socket.say(page.hello(Some(ticket), None));
    socket.closed().await
}

/// Says a text on a socket that is in its room.
async fn said(text: &str) -> ErrorCode {
    let mut scene = Scene::new().await;
    scene.patient.1.say(text.to_owned());
    scene.patient.1.error().await
}

async fn meet(error: ErrorCode) -> ErrorCode {
    let only = |(errors, close): (Vec<ErrorCode>, Option<CloseCode>)| {
        assert!(close.is_some(), "{errors:?}");
        errors[0]
    };
    match error {
        ErrorCode::BadJson => said("{").await,
        ErrorCode::BadMessage => said(r#"{"type":"lock","c":1}"#).await,
        ErrorCode::UnknownType => said(r#"{"type":"dance","c":1}"#).await,
        ErrorCode::TooLarge => {
            let mut scene = Scene::new().await;
            scene.patient.1.send(Incoming::TooLarge);
            only(scene.patient.1.closed().await)
        }
        ErrorCode::RateLimited => {
            let stage = Stage::new(Settings::default());
            let mut socket = stage.open_from(|| Some(Duration::from_mins(1)));
            socket.say(stage.page(patient()).hello(Some("nothing of ours".to_owned()), None));
            only(socket.closed().await)
        }
        ErrorCode::Unauthorized => {
            let stage = Stage::new(Settings::default());
            let mut socket = stage.open();
            socket.say(stage.page(patient()).hello(Some(stage.ticket(host())), None));
            only(socket.closed().await)
        }
        ErrorCode::TokenExpired => only(claim(&Stage::new(Settings::default()), 60_000).await),
        ErrorCode::Forbidden => Scene::new().await.refused_to_patient(ClientMessage::End {}).await,
        ErrorCode::NotAdmitted => {
            let media = ClientMessage::Media(heliograph_protocol::Media::default());
            Scene::new().await.refused_to_patient(media).await
        }
        ErrorCode::NoSuchPeer => {
            let decision = Decision {
                participant: id(9),
                message: None,
            };
            Scene::new().await.refused(ClientMessage::Admit(decision)).await
        }
        ErrorCode::SeatTaken => {
            let scene = Scene::new().await;
            only(claim(&scene.stage, 0).await)
        }
        ErrorCode::Stale => Scene::new().await.admitted().await.refused(offer(0)).await,
        ErrorCode::RoomFull => {
            let stage = Stage::with_limits(Limits {
                admitted: 1,
                ..Limits::default()
            });
            Scene::on(stage)
                .await
                .refused(ClientMessage::Admit(about_patient()))
                .await
        }
        ErrorCode::RoomLocked => {
            let mut scene = Scene::new().await;
            scene.host_says(ClientMessage::Lock { locked: true });
            scene.refused(ClientMessage::Admit(about_patient())).await
        }
        ErrorCode::RoomEnded => {
            let scene = Scene::new().await.ended().await;
            only(claim(&scene.stage, 0).await)
        }
        ErrorCode::TooEarly => {
            let stage = Stage::new(Settings::default());
            stage.booking.time.lock().unwrap().start = START.plus(3_600_000);
            only(claim(&stage, 0).await)
        }
        ErrorCode::TooLate => {
            let stage = Stage::new(Settings::default());
            *stage.booking.time.lock().unwrap() = UnixMillis(0)..START;
            only(claim(&stage, 0).await)
        }
        ErrorCode::BadState => Scene::new().await.refused(ClientMessage::UndoEnd {}).await,
        ErrorCode::Gap => {
            let mut scene = Scene::new().await;
            let frame = ClientFrame {
                c: Some(5),
                session: None,
                message: ClientMessage::Nop {},
            };
            scene.patient.1.say(frame.to_text());
            scene.patient.1.error().await
        }
        ErrorCode::StoreUnavailable => {
            let stage = Stage::new(Settings::default());
            stage.booking.away.store(true, Ordering::Relaxed);
            only(claim(&stage, 0).await)
        }
        ErrorCode::Internal => {
            let mut scene = Scene::new().await;
            scene.stage.booking.fails_at_end.store(true, Ordering::Relaxed);
            scene.host_says(ClientMessage::End {});
            let code = scene.patient.1.error().await;
            // The next page finds a room.
            let mut again = scene.stage.page(host());
            let holder = Some(scene.host.0.session().to_string());
            scene.stage.join(&mut again, holder).await;
            code
        }
    }
}

async fn closes(close: CloseCode) -> Option<CloseCode> {
    let mut scene = Scene::new().await;
    match close {
        CloseCode::Reclaim => {
            scene.stage.booking.fails_at_end.store(true, Ordering::Relaxed);
            scene.host_says(ClientMessage::End {});
        }
        CloseCode::Slow => return let_go(&scene.stage, carer(), Stuck::new(0)).await.1,
        // Nothing is said, and no ping is answered.
        CloseCode::Heartbeat => {}
        CloseCode::Rate => scene.patient.1.send(Incoming::TooLarge),
        CloseCode::Drained => scene.stage.shutdown.cancel(),
        CloseCode::Auth => return claim(&scene.stage, 60_000).await.1,
        CloseCode::Expired => {
            scene.stage.booking.time.lock().unwrap().start = START.plus(3_600_000);
            return claim(&scene.stage, 0).await.1;
        }
        CloseCode::Removed => {
            scene = scene.admitted().await;
            scene.host_says(ClientMessage::Remove(about_patient()));
        }
        CloseCode::Denied => {
            scene.patient_says(ClientMessage::Knock {
                device: DeviceCheck::default(),
            });
            scene.patient.1.acknowledged(&mut scene.patient.0).await;
            scene.host_says(ClientMessage::Deny(about_patient()));
        }
        CloseCode::Ended => scene = scene.ended().await,
        CloseCode::Superseded => {
            let holder = Some(scene.patient.0.session().to_string());
            let mut page = scene.stage.page(patient());
            scene.stage.join(&mut page, holder).await;
        }
    }
    scene.patient.1.closed().await.1
}

#[tokio::test(start_paused = true)]
async fn every_error_is_met_at_a_socket() {
    for error in ErrorCode::ALL {
        assert_eq!(meet(error).await, error);
    }
}

#[tokio::test(start_paused = true)]
async fn every_close_code_is_met_at_a_socket() {
    for close in CloseCode::ALL {
        assert_eq!(closes(close).await, Some(close));
    }
}

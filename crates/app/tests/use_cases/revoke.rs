use crate::clinic::{AL_HARBI, Clinic, HADDAD, KELLER, OKAFOR, RUIZ, START, device, keys, no_cookies, visit};
use heliograph_access::ticket;
use heliograph_app::booking::Link;
use heliograph_app::cancel::{CancelVisit, cancel};
use heliograph_app::links::{self, DeviceCookies};
use heliograph_app::outbox::{self, RoomNotice};
use heliograph_app::revoke::{RevokeError, revoke};
use heliograph_app::seat::{self, SeatCaller};
use heliograph_app::{Coded, progress, rights};
use heliograph_domain::visit::Progress;
use heliograph_domain::{ParticipantId, Pii, VisitId};

async fn by(clinic: &Clinic, number: u8, id: VisitId, participant: ParticipantId) -> Result<Link, RevokeError> {
    revoke(&clinic.app, &clinic.caller(number).await, id, participant).await
}

async fn ticket_of(clinic: &Clinic, devices: &DeviceCookies, id: VisitId) -> Result<ticket::Ticket, &'static str> {
    let caller = SeatCaller { staff: None, devices };
    let seat = seat::ticket(&clinic.app, caller, id, None).await;
    let seat = seat.map_err(|error| error.code())?;
    Ok(ticket::verify(&keys(), &seat.ticket, clinic_now(clinic)).unwrap())
}

fn clinic_now(clinic: &Clinic) -> heliograph_domain::UnixMillis {
    use heliograph_domain::clock::Clock;
    clinic.clock.now()
}

#[tokio::test]
async fn a_revoked_link_and_its_device_are_worth_nothing_and_the_new_one_holds() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let (id, old) = (booked.visit.id, &booked.links[0]);
    let devices = device(&clinic, &old.token).await;
    assert_eq!(ticket_of(&clinic, &devices, id).await.unwrap().generation, 0);
    clinic.heard.take();

    let new = by(&clinic, HADDAD, id, old.participant).await.unwrap();
    assert_eq!(clinic.heard.take(), [format!("cedar-street {id}")]);
    assert_ne!(new.token, old.token);
    assert_eq!(ticket_of(&clinic, &devices, id).await, Err("unauthorized"));
    let refused = progress::report(&clinic.app, &devices, id, None, Progress::Opened).await;
    assert_eq!(refused.unwrap_err().code(), "unauthorized");
    let refused = links::peek(&clinic.app, &old.token, &devices).await.unwrap_err();
    assert_eq!(refused.code(), "link_unknown");

    let devices = device(&clinic, &new.token).await;
    assert_eq!(ticket_of(&clinic, &devices, id).await.unwrap().generation, 1);
    let rights = rights::seat(&clinic.app, &clinic.cedar, id, new.participant).await;
    assert_eq!(rights.unwrap().unwrap().generation, 1);
    let due = outbox::due(&clinic.app, 9).await.unwrap();
    let told = RoomNotice::Revoked {
        participant: new.participant,
    };
    assert_eq!((due.len(), due[0].notice.as_ref().unwrap()), (1, &told));
    let audit = clinic.store.audit_of(&clinic.cedar, id).await.unwrap();
    let revoked = audit.iter().find(|row| row.action == "link_revoked").unwrap();
    assert_eq!(
        revoked.subject.as_deref(),
        Some(&*format!("participant:{}", new.participant))
    );

    // Each time is told to the room.
    by(&clinic, OKAFOR, id, old.participant).await.unwrap();
    assert_eq!(outbox::due(&clinic.app, 9).await.unwrap().len(), 2);
    assert!(links::peek(&clinic.app, &new.token, &no_cookies()).await.is_err());
}

#[tokio::test]
async fn what_may_not_be_revoked_stays() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (AL_HARBI, "patient"), (RUIZ, "interpreter")];
    let booked = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap();
    let (id, patient) = (booked.visit.id, booked.links[0].participant);
    let host = booked.visit.participants[0].participant;
    for (number, visit, participant, code) in [
        (RUIZ, id, patient, "forbidden"),
        (KELLER, id, patient, "not_found"),
        (HADDAD, VisitId::from_bytes([7; 16]), patient, "not_found"),
        (HADDAD, id, host, "not_found"),
        (HADDAD, id, ParticipantId::from_bytes([7; 16]), "not_found"),
    ] {
        let refused = by(&clinic, number, visit, participant).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
    clinic.clock.set(START.plus(1_800 + 3_600));
    assert_eq!(by(&clinic, HADDAD, id, patient).await.unwrap_err().code(), "too_late");
    clinic.clock.set(START.plus(-60));
    let caller = clinic.caller(HADDAD).await;
    let request = CancelVisit {
        reason: Pii::new("ill".to_owned()),
        version: 0,
    };
    cancel(&clinic.app, &caller, id, &request).await.unwrap();
    let refused = by(&clinic, HADDAD, id, patient).await.unwrap_err();
    assert_eq!(refused.code(), "visit_cancelled");
}

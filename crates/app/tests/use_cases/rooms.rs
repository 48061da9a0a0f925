use crate::clinic::{AL_HARBI, Clinic, HADDAD, KELLER, NOW, OKAFOR, RUIZ, START, device, keys, no_cookies, visit};
use heliograph_access::ticket::{self, TicketError};
use heliograph_app::links::DeviceCookies;
use heliograph_app::rights::{self, Opening};
use heliograph_app::seat::{self, SeatCaller, SeatError, SeatTicket};
use heliograph_app::{Caller, Coded, record};
use heliograph_domain::visit::{Fact, FactKind};
use heliograph_domain::{ParticipantId, Role, UnixMillis, VisitId};

async fn ticket(
    clinic: &Clinic,
    staff: Option<&Caller>,
    devices: &DeviceCookies,
    visit: VisitId,
    participant: Option<ParticipantId>,
) -> Result<SeatTicket, SeatError> {
    seat::ticket(&clinic.app, SeatCaller { staff, devices }, visit, participant).await
}

#[tokio::test]
async fn a_device_gets_a_ticket_for_its_own_seat() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let (visit, own) = (booked.visit.id, booked.links[0].participant);
    let devices = device(&clinic, &booked.links[0].token).await;
    for named in [None, Some(own)] {
        let seat = ticket(&clinic, None, &devices, visit, named).await.unwrap();
        assert_eq!((seat.visit, seat.seat, seat.role), (visit, own, Role::Patient));
        assert_eq!(seat.expires_ms, NOW.millis().plus(30_000));
        let read = ticket::verify(&keys(), &seat.ticket, NOW.millis()).unwrap();
        assert_eq!(
            (read.institution, read.visit, read.seat),
            (clinic.cedar.clone(), visit, own)
        );
        let late = ticket::verify(&keys(), &seat.ticket, seat.expires_ms);
        assert_eq!(late, Err(TicketError::Expired));
        assert!(!format!("{seat:?}").contains(&seat.ticket));
    }
    let physician = booked.visit.participants[0].participant;
    let error = ticket(&clinic, None, &devices, visit, Some(physician))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "unauthorized");
    let error = ticket(&clinic, None, &no_cookies(), visit, None).await.unwrap_err();
    assert_eq!(error.code(), "unauthorized");
}

#[tokio::test]
async fn staff_sit_in_their_own_name_and_only_where_they_take_part() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let (visit, patient) = (booked.visit.id, booked.links[0].participant);
    let okafor = clinic.caller(OKAFOR).await;
    let seat = ticket(&clinic, Some(&okafor), &no_cookies(), visit, None)
        .await
        .unwrap();
    assert_eq!(
        (seat.seat, seat.role),
        (booked.visit.participants[0].participant, Role::Host)
    );
    let error = ticket(&clinic, Some(&okafor), &no_cookies(), visit, Some(patient))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "not_found");
    for number in [HADDAD, RUIZ, KELLER] {
        let caller = clinic.caller(number).await;
        let error = ticket(&clinic, Some(&caller), &no_cookies(), visit, None)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "not_found", "{number}");
    }
}

#[tokio::test]
async fn one_browser_may_hold_the_desk_and_a_link_page() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let (visit, patient) = (booked.visit.id, booked.links[0].participant);
    let okafor = clinic.caller(OKAFOR).await;
    let devices = device(&clinic, &booked.links[0].token).await;
    let desk = ticket(&clinic, Some(&okafor), &devices, visit, None).await.unwrap();
    assert_eq!(desk.role, Role::Host);
    let page = ticket(&clinic, Some(&okafor), &devices, visit, Some(patient))
        .await
        .unwrap();
    assert_eq!(page.seat, patient);
}

#[tokio::test]
async fn a_visit_that_is_over_gives_no_ticket() {
    let clinic = Clinic::open().await;
    let booked = clinic.booked().await;
    let okafor = clinic.caller(OKAFOR).await;
    clinic
        .clock
        .set(booked.visit.end_s.plus(heliograph_app::links::OVERRUN_S));
    let error = ticket(&clinic, Some(&okafor), &no_cookies(), booked.visit.id, None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "too_late");
}

#[tokio::test]
async fn rights_say_who_may_sit_from_when_to_when() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (AL_HARBI, "patient"), (RUIZ, "interpreter")];
    let booked = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap();
    let mut opens = Vec::new();
    for one in &booked.visit.participants {
        let rights = rights::seat(&clinic.app, &clinic.cedar, booked.visit.id, one.participant)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (rights.role, &rights.name, &rights.language),
            (one.role, &one.name, &one.language)
        );
        assert_eq!(rights.until, booked.visit.end_s.plus(3_600).millis());
        opens.push(rights.opens);
        let elsewhere = rights::seat(&clinic.app, &clinic.harbour, booked.visit.id, one.participant)
            .await
            .unwrap();
        assert_eq!(elsewhere, None);
    }
    let waiting = START.plus(-1_800).millis();
    assert_eq!(opens, [UnixMillis(0), waiting, waiting]);
    let nobody = ParticipantId::from_parts(UnixMillis(1), &[9; 10]);
    assert_eq!(
        rights::seat(&clinic.app, &clinic.cedar, booked.visit.id, nobody)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_room_opens_as_its_facts_left_it() {
    let clinic = Clinic::open().await;
    let people = [(OKAFOR, "host"), (AL_HARBI, "patient"), (RUIZ, "interpreter")];
    let booked = clinic.book(&visit("2026-12-01T08:00", &people)).await.unwrap();
    let id = booked.visit.id;
    let [patient, interpreter] = [booked.links[0].participant, booked.links[1].participant];
    let host = booked.visit.participants[0].participant;
    let open = || async { rights::opening(&clinic.app, &clinic.cedar, id).await.unwrap() };
    let blank = Opening {
        admitted: vec![],
        held: vec![],
        removed: vec![],
        ended: false,
        ended_at: None,
        start: START.millis(),
        end: START.plus(1_800).millis(),
    };
    assert_eq!(open().await, Some(blank.clone()));
    let removed = Opening {
        admitted: vec![patient],
        removed: vec![interpreter],
        ..blank.clone()
    };

    let steps = [
        (
            FactKind::Admit,
            Some(patient),
            Opening {
                admitted: vec![patient],
                ..blank.clone()
            },
        ),
        (
            FactKind::Hold,
            Some(patient),
            Opening {
                held: vec![patient],
                ..blank.clone()
            },
        ),
        (FactKind::Deny, Some(patient), blank.clone()),
        (
            FactKind::Admit,
            Some(patient),
            Opening {
                admitted: vec![patient],
                ..blank.clone()
            },
        ),
        (
            FactKind::Remove,
            Some(interpreter),
            Opening {
                admitted: vec![patient],
                removed: vec![interpreter],
                ..blank.clone()
            },
        ),
        (FactKind::Admit, Some(interpreter), removed.clone()),
        (FactKind::Hold, Some(interpreter), removed.clone()),
        (FactKind::Deny, Some(interpreter), removed.clone()),
        (
            FactKind::End,
            None,
            Opening {
                admitted: vec![patient],
                removed: vec![interpreter],
                ended: true,
                ended_at: Some(START.millis().plus(9)),
                ..blank.clone()
            },
        ),
        (
            FactKind::EndUndone,
            None,
            Opening {
                admitted: vec![patient],
                removed: vec![interpreter],
                ..blank.clone()
            },
        ),
    ];
    for (number, (kind, participant, after)) in steps.into_iter().enumerate() {
        let number = u32::try_from(number).unwrap() + 1;
        let at = START.millis().plus(i64::from(number));
        let fact = Fact {
            session: "session-1".to_owned(),
            cseq: number.into(),
            kind,
            participant,
            at,
        };
        assert!(
            record::decision(&clinic.app, &clinic.cedar, id, host, &fact)
                .await
                .unwrap()
        );
        for again in [&clinic.cedar, &clinic.harbour] {
            assert!(!record::decision(&clinic.app, again, id, host, &fact).await.unwrap());
        }
        assert_eq!(open().await, Some(after), "{kind}");
    }
    let audit = clinic.store.audit_of(&clinic.cedar, id).await.unwrap();
    assert_eq!(audit.len(), 1 + 10);
    assert_eq!(audit[1].actor, format!("participant:{host}"));
    assert_eq!(audit[1].subject, Some(format!("participant:{patient}")));
    assert_eq!(rights::opening(&clinic.app, &clinic.harbour, id).await.unwrap(), None);
}

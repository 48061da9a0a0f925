//! What both engines must do with visits after they were booked.

use crate::clinic::{Clinic, Draft, HOUR, NOW, START, span};
use crate::records::binding;
use heliograph_domain::UnixMillis;
use heliograph_domain::visit::{Fact, FactKind, Progress, Reported, Visit, VisitStatus};
use heliograph_store::{AuditRow, Cancellation, OutboxRow, ROOM, Revocation};

fn audit(draft: &Draft, action: &str) -> AuditRow {
    AuditRow {
        at: NOW.millis(),
        actor: "test".to_owned(),
        action: action.to_owned(),
        visit: Some(draft.visit.id),
        subject: None,
    }
}

fn row(sequence: i64, recipient: &str) -> OutboxRow {
    OutboxRow {
        kind: ROOM.to_owned(),
        sequence,
        recipient: recipient.to_owned(),
        due: NOW,
        payload: "{}".to_owned(),
    }
}

async fn cancel(clinic: &Clinic, draft: &Draft, version: i64) -> bool {
    let what = Cancellation {
        visit: draft.visit.id,
        version,
        reason: "the physician is ill",
        outbox: &[row(1, "cancelled")],
        audit: &audit(draft, "visit_cancelled"),
    };
    clinic.store.cancel_visit(&clinic.cedar, &what).await.unwrap()
}

fn generations(visit: &Visit) -> Vec<u32> {
    visit.participants.iter().map(|one| one.link_generation).collect()
}

async fn revoke(clinic: &Clinic, draft: &Draft, generation: u32) -> bool {
    let what = Revocation {
        visit: draft.visit.id,
        participant: draft.visit.participants[1].id,
        generation,
        outbox: &[row(0, &format!("revoked-{generation}"))],
        audit: &audit(draft, "link_revoked"),
    };
    clinic.store.revoke_link(&clinic.cedar, &what).await.unwrap()
}

pub async fn a_cancelled_visit_gives_its_time_back_and_leaves_its_rows(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    let other = clinic.book(3, START.plus(2 * HOUR), 2).await;
    let seat = draft.visit.participants[1].id;
    let device = binding(seat, 0, "hash");
    assert!(clinic.store.bind_device(&clinic.cedar, &device).await.unwrap());
    assert!(cancel(clinic, &draft, 0).await);
    let visit = clinic
        .store
        .visit(&clinic.cedar, draft.visit.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (visit.status, visit.sequence, visit.version),
        (VisitStatus::Cancelled, 1, 1)
    );
    assert_eq!(generations(&visit), [1, 1], "all its links are void");
    let device = clinic.store.device(&clinic.cedar, seat).await.unwrap();
    assert_eq!(
        device.unwrap().generation,
        0,
        "a device that redeemed one has an older link"
    );
    let other = clinic.store.visit(&clinic.cedar, other.visit.id).await.unwrap();
    assert_eq!(generations(&other.unwrap()), [0, 0]);
    let reason =
        "SELECT COUNT(*) FROM visit WHERE institution = 'cedar-street' AND cancel_reason = 'the physician is ill'";
    assert_eq!(clinic.count(reason).await, 1);
    let kinds: Vec<_> = clinic.store.outbox_of(&clinic.cedar, draft.visit.id).await.unwrap();
    assert_eq!(
        kinds.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(),
        ["invitation", "room"]
    );
    let audit = clinic.store.audit_of(&clinic.cedar, draft.visit.id).await.unwrap();
    assert_eq!(audit.last().unwrap().action, "visit_cancelled");
    // The same people, at the same time.
    clinic.book(2, START, 2).await;
}

pub async fn only_the_version_that_was_seen_is_cancelled(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    assert!(!cancel(clinic, &draft, 1).await);
    assert!(revoke(clinic, &draft, 0).await);
    assert!(!cancel(clinic, &draft, 0).await);
    let rooms = clinic.store.due_for_rooms(NOW, 9).await.unwrap();
    assert_eq!(rooms.len(), 1, "a refused change leaves no row: {rooms:?}");
    assert!(cancel(clinic, &draft, 1).await);
    assert!(!cancel(clinic, &draft, 2).await, "it is called off already");
    let visit = clinic.store.visit(&clinic.cedar, draft.visit.id).await.unwrap();
    assert_eq!(
        generations(&visit.unwrap()),
        [1, 2],
        "what was refused made no link void"
    );
}

pub async fn a_link_is_revoked_once_for_each_generation(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    assert!(revoke(clinic, &draft, 0).await);
    assert!(!revoke(clinic, &draft, 0).await);
    assert!(revoke(clinic, &draft, 1).await);
    let visit = clinic
        .store
        .visit(&clinic.cedar, draft.visit.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((generations(&visit), visit.sequence, visit.version), (vec![0, 2], 0, 2));
}

pub async fn a_page_only_goes_forward(clinic: &Clinic) {
    let seat = clinic.book(1, START, 2).await.visit.participants[1].id;
    let (store, cedar) = (&clinic.store, &clinic.cedar);
    let report = |progress, at| Reported {
        progress,
        at: UnixMillis(at),
    };
    for (progress, at, further) in [
        (Progress::Opened, 1, true),
        (Progress::Opened, 2, false),
        (Progress::CheckedIn, 3, true),
        (Progress::Testing, 4, false),
    ] {
        assert_eq!(
            store.report(cedar, seat, report(progress, at)).await.unwrap(),
            further,
            "{progress}"
        );
    }
    let visit = store.visit_of(cedar, seat).await.unwrap().unwrap();
    let reported: Vec<_> = visit.participants.iter().map(|one| one.reported).collect();
    assert_eq!(reported, [None, Some(report(Progress::CheckedIn, 3))]);
}

pub async fn rows_for_rooms_wait_until_they_are_done(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    assert!(revoke(clinic, &draft, 0).await && revoke(clinic, &draft, 1).await);
    let (store, cedar) = (&clinic.store, &clinic.cedar);
    assert_eq!(store.due_for_rooms(NOW.plus(-1), 9).await.unwrap(), []);
    assert_eq!(store.due_for_rooms(NOW, 1).await.unwrap().len(), 1);
    let due = store.due_for_rooms(NOW, 9).await.unwrap();
    assert_eq!(due.len(), 2);
    assert_eq!(
        (&due[0].institution, due[0].visit, due[0].attempts),
        (cedar, draft.visit.id, 0)
    );

    store.outbox_put_off(cedar, &due[0].id, NOW.plus(3)).await.unwrap();
    assert_eq!(store.due_for_rooms(NOW.plus(2), 9).await.unwrap().len(), 1);
    let again = store.due_for_rooms(NOW.plus(3), 9).await.unwrap();
    assert_eq!((again.len(), again[0].attempts), (2, 1));
    store.outbox_done(&clinic.harbour, &due[0].id, NOW).await.unwrap();
    assert_eq!(store.due_for_rooms(NOW.plus(3), 9).await.unwrap().len(), 2);
    for row in &due {
        store.outbox_done(cedar, &row.id, NOW).await.unwrap();
    }
    assert_eq!(store.due_for_rooms(NOW.plus(9), 9).await.unwrap(), []);
}

pub async fn ends_are_read_by_visit_and_in_order(clinic: &Clinic) {
    let (first, second) = (
        clinic.book(1, START, 2).await,
        clinic.book(2, START.plus(HOUR), 2).await,
    );
    let (store, cedar) = (&clinic.store, &clinic.cedar);
    for (cseq, draft, kind, at) in [
        (1, &first, FactKind::Admit, 1),
        (2, &first, FactKind::End, 2),
        (3, &first, FactKind::EndUndone, 3),
        (4, &second, FactKind::End, 4),
    ] {
        let fact = Fact {
            session: "session-1".to_owned(),
            cseq,
            kind,
            participant: None,
            at: UnixMillis(at),
        };
        let audit = audit(draft, kind.as_str());
        assert!(store.put_fact(cedar, draft.visit.id, &fact, &audit).await.unwrap());
    }
    let ends = store.ends_between(cedar, span(START, 2 * HOUR)).await.unwrap();
    let kinds = |draft: &Draft| ends[&draft.visit.id].iter().map(|fact| fact.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&first), [FactKind::End, FactKind::EndUndone]);
    assert_eq!(kinds(&second), [FactKind::End]);
    let first_hour = store.ends_between(cedar, span(START, HOUR)).await.unwrap();
    assert_eq!(first_hour.keys().copied().collect::<Vec<_>>(), [first.visit.id]);
    let theirs = store.ends_between(&clinic.harbour, span(START, 2 * HOUR)).await;
    assert!(theirs.unwrap().is_empty());
}

pub async fn other_institutions_change_nothing(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    let (store, harbour) = (&clinic.store, &clinic.harbour);
    let seat = draft.visit.participants[1].id;
    let cancellation = Cancellation {
        visit: draft.visit.id,
        version: 0,
        reason: "not ours",
        outbox: &[],
        audit: &audit(&draft, "visit_cancelled"),
    };
    assert!(!store.cancel_visit(harbour, &cancellation).await.unwrap());
    let revocation = Revocation {
        visit: draft.visit.id,
        participant: seat,
        generation: 0,
        outbox: &[],
        audit: &audit(&draft, "link_revoked"),
    };
    assert!(!store.revoke_link(harbour, &revocation).await.unwrap());
    let report = Reported {
        progress: Progress::Opened,
        at: NOW.millis(),
    };
    assert!(!store.report(harbour, seat, report).await.unwrap());
    let visit = store.visit(&clinic.cedar, draft.visit.id).await.unwrap().unwrap();
    assert_eq!(visit.version, 0);
    assert_eq!(visit.participants[1].reported, None);
}

//! What both engines must do with devices, sessions, facts, rows and strangers.

use crate::clinic::{Clinic, HOUR, NOW, START, person, service, span};
use heliograph_domain::visit::{Fact, FactKind};
use heliograph_domain::{ParticipantId, UnixMillis, UnixSeconds, VisitId};
use heliograph_store::{AuditRow, Binding, BoundDevice, Engine, StaffSession};

pub async fn other_institutions_see_nothing(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    let (store, other, visit) = (&clinic.store, &clinic.harbour, draft.visit.id);
    let seat = draft.visit.participants[1].id;
    let session = session(NOW.plus(HOUR));
    store
        .begin_session(&clinic.cedar, &session, &audit("signed_in", None))
        .await
        .unwrap();
    store
        .bind_device(&clinic.cedar, &binding(seat, 0, "hash"))
        .await
        .unwrap();
    store
        .put_fact(
            &clinic.cedar,
            visit,
            &fact(1, FactKind::Admit, 1),
            &audit("admit", Some(visit)),
        )
        .await
        .unwrap();

    assert_eq!(store.visit(other, visit).await.unwrap(), None);
    assert_eq!(store.visit_of(other, seat).await.unwrap(), None);
    assert!(store.visits_between(other, span(START, HOUR)).await.unwrap().is_empty());
    assert_eq!(store.person(other, person(1)).await.unwrap(), None);
    assert!(store.outbox_of(other, visit).await.unwrap().is_empty());
    assert!(store.audit_of(other, visit).await.unwrap().is_empty());
    assert_eq!(store.device(other, seat).await.unwrap(), None);
    assert_eq!(store.session(other, &session.hash, NOW).await.unwrap(), None);
    assert_eq!(
        store
            .end_session(other, &session.hash, &audit("signed_out", None))
            .await
            .unwrap(),
        None
    );
    assert!(store.facts(other, visit).await.unwrap().is_empty());
    let fact = fact(2, FactKind::End, 2);
    assert!(
        !store
            .put_fact(other, visit, &fact, &audit("end", Some(visit)))
            .await
            .unwrap()
    );
    assert!(store.bind_device(other, &binding(seat, 5, "theirs")).await.is_err());
    assert!(
        store
            .session(&clinic.cedar, &session.hash, NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.facts(&clinic.cedar, visit).await.unwrap().len(), 1);
}

pub async fn the_first_device_is_bound_and_a_newer_link_starts_anew(clinic: &Clinic) {
    let seat = clinic.book(1, START, 2).await.visit.participants[1].id;
    let (store, cedar) = (&clinic.store, &clinic.cedar);
    assert_eq!(store.device(cedar, seat).await.unwrap(), None);
    let race: Vec<_> = (0..8)
        .map(|number| {
            let (store, cedar) = (store.clone(), cedar.clone());
            let binding = binding(seat, 0, &format!("hash-{number}"));
            tokio::spawn(async move {
                store
                    .bind_device(&cedar, &binding)
                    .await
                    .unwrap()
                    .then_some(binding.device)
            })
        })
        .collect();
    let mut bound = Vec::new();
    for task in race {
        bound.extend(task.await.unwrap());
    }
    assert_eq!(bound.len(), 1);
    assert_eq!(store.device(cedar, seat).await.unwrap(), bound.pop());
    assert!(!store.bind_device(cedar, &binding(seat, 0, "late")).await.unwrap());
    assert!(store.bind_device(cedar, &binding(seat, 1, "newer")).await.unwrap());
    let newer = BoundDevice {
        generation: 1,
        hash: "newer".to_owned(),
    };
    assert_eq!(store.device(cedar, seat).await.unwrap(), Some(newer));
}

pub async fn a_session_lasts_until_it_expires_or_is_ended(clinic: &Clinic) {
    let (store, cedar) = (&clinic.store, &clinic.cedar);
    let session = session(NOW.plus(HOUR));
    store
        .begin_session(cedar, &session, &audit("signed_in", None))
        .await
        .unwrap();
    assert_eq!(
        store.session(cedar, &session.hash, NOW.plus(HOUR - 1)).await.unwrap(),
        Some(session.clone())
    );
    assert_eq!(store.session(cedar, &session.hash, NOW.plus(HOUR)).await.unwrap(), None);
    assert_eq!(store.session(cedar, "another", NOW).await.unwrap(), None);
    store.touch_session(cedar, &session.hash, NOW.plus(60)).await.unwrap();
    assert_eq!(
        store
            .session(cedar, &session.hash, NOW)
            .await
            .unwrap()
            .unwrap()
            .last_seen,
        NOW.plus(60)
    );
    assert_eq!(
        store
            .end_session(cedar, &session.hash, &audit("signed_out", None))
            .await
            .unwrap(),
        Some(())
    );
    assert_eq!(
        store
            .end_session(cedar, &session.hash, &audit("signed_out", None))
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.session(cedar, &session.hash, NOW).await.unwrap(), None);
}

pub async fn a_fact_counts_once_and_keeps_the_order_of_the_log(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    let (store, cedar, visit) = (&clinic.store, &clinic.cedar, draft.visit.id);
    let facts = [
        fact(1, FactKind::Admit, 5),
        fact(2, FactKind::Hold, 5),
        fact(3, FactKind::End, 4),
    ];
    for (round, new) in [(0, true), (1, false)] {
        for fact in &facts {
            let row = audit(fact.kind.as_str(), Some(visit));
            assert_eq!(
                store.put_fact(cedar, visit, fact, &row).await.unwrap(),
                new,
                "round {round}"
            );
        }
    }
    let [admit, hold, end] = facts;
    assert_eq!(store.facts(cedar, visit).await.unwrap(), [end, admit, hold]);
    let actions = store.audit_of(cedar, visit).await.unwrap();
    assert_eq!(
        actions.iter().map(|row| row.action.as_str()).collect::<Vec<_>>(),
        ["visit_booked", "admit", "hold", "end"]
    );
    let nowhere = VisitId::from_parts(UnixMillis(3), &[3; 10]);
    let row = audit("admit", Some(nowhere));
    assert!(
        !store
            .put_fact(cedar, nowhere, &fact(9, FactKind::Admit, 1), &row)
            .await
            .unwrap()
    );
}

pub async fn what_is_there_stays_when_it_is_put_again(clinic: &Clinic) {
    let before = clinic.store.person(&clinic.cedar, person(1)).await.unwrap();
    let resources = clinic.count("SELECT COUNT(*) FROM resource").await;
    clinic.put(&clinic.cedar, 1, None).await;
    clinic.store.put_service(&clinic.cedar, &service(), NOW).await.unwrap();
    assert_eq!(clinic.store.person(&clinic.cedar, person(1)).await.unwrap(), before);
    assert_eq!(clinic.count("SELECT COUNT(*) FROM resource").await, resources);
    assert_eq!(clinic.store.services(&clinic.cedar).await.unwrap(), [service()]);
    let institution = clinic.store.institution(&clinic.cedar).await.unwrap().unwrap();
    assert_eq!(institution.help_phone.as_deref(), Some("+1 323 555 0142"));
    assert_eq!(
        clinic.store.institution(&"elsewhere".parse().unwrap()).await.unwrap(),
        None
    );
}

pub async fn the_audit_cannot_be_changed(clinic: &Clinic) {
    clinic.book(1, START, 2).await;
    for statement in [
        "UPDATE audit SET actor = 'nobody' WHERE institution = 'cedar-street'",
        "DELETE FROM audit WHERE institution = 'cedar-street'",
        "UPDATE claim SET start_s = start_s + 300",
    ] {
        assert!(clinic.run(statement).await.is_err(), "{statement}");
    }
}

pub async fn a_broken_row_names_its_place(clinic: &Clinic) {
    let draft = clinic.book(1, START, 2).await;
    clinic
        .run("UPDATE visit SET status = 'perhaps' WHERE institution = 'cedar-street'")
        .await
        .unwrap();
    let broken = clinic
        .store
        .visit(&clinic.cedar, draft.visit.id)
        .await
        .unwrap_err()
        .to_string();
    for part in ["table visit", "column status", &draft.visit.id.to_string(), "perhaps"] {
        assert!(broken.contains(part), "{broken}");
    }
}

pub async fn the_database_answers_and_has_its_schema(clinic: &Clinic) {
    let clock = clinic.store.health().await.unwrap();
    assert_eq!(clock.is_some(), clinic.store.engine() == Engine::Postgres);
    assert_eq!(clinic.store.pending_migrations().await.unwrap(), 0);
}

fn audit(action: &str, visit: Option<VisitId>) -> AuditRow {
    AuditRow {
        at: NOW.millis(),
        actor: "test".to_owned(),
        action: action.to_owned(),
        visit,
        subject: None,
    }
}

pub fn binding(participant: ParticipantId, generation: u32, hash: &str) -> Binding {
    let device = BoundDevice {
        generation,
        hash: hash.to_owned(),
    };
    Binding {
        participant,
        device,
        now: NOW,
        audit: audit("link_redeemed", None),
    }
}

fn session(expires: UnixSeconds) -> StaffSession {
    StaffSession {
        hash: "session-hash".to_owned(),
        person: person(1),
        last_seen: NOW,
        expires,
    }
}

fn fact(cseq: u64, kind: FactKind, at: i64) -> Fact {
    Fact {
        session: "session-1".to_owned(),
        cseq,
        kind,
        participant: None,
        at: UnixMillis(at),
    }
}

//! What the store must know, it knows before the sender hears that it is taken.

use heliograph_domain::visit::FactKind;
use heliograph_protocol::{ClientMessage, Decision, ServerMessage};
use heliograph_tests::stage::{Stage, host, patient};
use std::{sync::atomic::Ordering, time::Duration};

#[tokio::test(start_paused = true)]
async fn a_decision_is_acknowledged_when_the_store_has_it_and_acts_at_once() {
    let stage = Stage::patient_with_lines();
    let (mut hosts, mut host_line) = stage.comes(host()).await;
    let (mut page, mut line) = stage.comes(patient()).await;
    stage.booking.away.store(true, Ordering::Relaxed);
    let decision = Decision {
        participant: patient(),
        message: None,
    };
    host_line.say(hosts.write(ClientMessage::Admit(decision)));
    let admitted = |message: &ServerMessage| matches!(message, ServerMessage::Admitted { .. });
    line.until(&mut page, admitted).await;
    host_line.say(hosts.write(ClientMessage::Nop {}));
    host_line.listen(&mut hosts, Duration::from_secs(12)).await;
    assert_eq!(hosts.open(), 2, "what came after a decision waits with it");

    stage.booking.away.store(false, Ordering::Relaxed);
    for again in hosts.unacknowledged() {
        host_line.say(again);
    }
    host_line.acknowledged(&mut hosts).await;
    assert_eq!(
        *stage.booking.recorded.lock().unwrap(),
        [FactKind::Join, FactKind::Join, FactKind::Admit]
    );
}

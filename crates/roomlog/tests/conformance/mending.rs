//! What a log must do when a node repairs it, and what a node makes of what it finds.

use crate::Backend;
use crate::suite::{chat, claim, kinds, opened, room, seat};
use futures::StreamExt;
use heliograph_roomlog::{
    AppendAnswer, Clear, Draft, LogEntry, Mark, Snapshot, Tail,
    repair::{Holding, Plan, plan},
};
use std::sync::Arc;

pub async fn a_log_is_replaced_only_if_it_did_not_change(on: &Backend) {
    on.begin().await;
    let early = on.entries().await;
    let mut reader = on.log.subscribe(&room(1)).await.unwrap();
    on.append(chat(1, "c1", "session-1", 1)).await;
    let whole = on.entries().await;
    let mend = async |expected: Mark, entries: &[Arc<LogEntry>]| {
        let entries = entries.to_vec();
        on.log.mend(&room(1), expected, None, entries).await.unwrap()
    };
    assert!(!mend(early[1].mark(), &early).await, "somebody appended meanwhile");
    assert_eq!(on.entries().await, whole);
    assert!(mend(whole[2].mark(), &early).await);
    assert_eq!(on.entries().await, early);
    assert_eq!(reader.next().await.map(|entry| entry.header.seq), Some(3));
    assert!(reader.next().await.is_none(), "a reader must look again");

    // Numbers, seats and used tickets are those of what is in the log now.
    assert!(matches!(
        on.append(chat(1, "c1", "session-1", 1)).await,
        AppendAnswer::Ok { seq: 3, .. }
    ));
    let lost = whole[2].mark();
    let other = Mark {
        seq: 3,
        chain: early[0].header.chain,
    };
    let asked = on.log.append(&room(1), other, chat(1, "c1", "session-1", 2)).await;
    assert_eq!(asked.unwrap(), AppendAnswer::Rewound);
    assert!(
        on.log.read_after(&room(1), lost).await.unwrap().is_some(),
        "the same entry, so the same place"
    );
}

pub async fn a_node_may_append_for_a_page_when_it_repairs(on: &Backend) {
    on.begin().await;
    on.claim(claim(1, "session-1", 2, "c2")).await;
    let own_right = Draft {
        connection: None,
        ..chat(1, "c1", "session-1", 1)
    };
    assert!(matches!(on.append(own_right.clone()).await, AppendAnswer::Ok { .. }));
    assert_eq!(on.append(own_right).await, AppendAnswer::Dup { acked: 1 });
}

/// A history: its first entry, then chat of one session each.
fn history(sessions: &[&str]) -> Vec<Arc<LogEntry>> {
    let first = LogEntry::after(Mark::START, heliograph_domain::UnixMillis(1), opened());
    let mut entries = vec![Arc::new(first)];
    for session in sessions {
        let last = entries.last().map_or(Mark::START, |entry| entry.mark());
        let before = entries.iter().filter(|entry| entry.header.session == *session).count();
        let draft = chat(1, "c1", session, before as u64 + 1);
        entries.push(Arc::new(LogEntry::after(last, heliograph_domain::UnixMillis(1), draft)));
    }
    entries
}

fn log(entries: Vec<Arc<LogEntry>>) -> Tail {
    Tail { base: None, entries }
}

fn planned(mine: &[Arc<LogEntry>], there: &Tail) -> Plan {
    plan(Holding { base: None, ring: mine }, there)
}

#[test]
fn a_node_makes_the_right_plan() {
    let ours = history(&["a", "b", "b"]);
    assert_eq!(planned(&ours, &log(history(&["a", "b", "b", "c"]))), Plan::InStep);
    assert_eq!(planned(&ours, &log(history(&["a"]))), Plan::Extend, "it lost its tail");
    assert_eq!(planned(&ours, &log(Vec::new())), Plan::Extend, "it lost everything");
    assert_eq!(planned(&[], &log(Vec::new())), Plan::InStep);

    let other_way = history(&["b", "b", "a"]);
    assert_eq!(
        planned(&ours, &log(other_way)),
        Plan::Reload,
        "all that the node holds is in it"
    );

    let went_on = history(&["a", "c", "b"]);
    let Plan::Rebase(moved) = planned(&ours, &log(went_on)) else {
        panic!()
    };
    assert_eq!(
        moved.iter().map(|e| &*e.header.session).collect::<Vec<_>>(),
        ["c"],
        "b is held already"
    );
}

#[test]
fn a_node_yields_to_a_log_that_was_trimmed_on_another_way() {
    let ours = history(&["a", "b", "b"]);
    let there = history(&["a", "c"]);
    let mut clear = Clear::default();
    for entry in &there {
        clear.apply(entry);
    }
    let base = Snapshot {
        mark: there[2].mark(),
        at: heliograph_domain::UnixMillis(1),
        clear,
        data: bytes::Bytes::new(),
    };
    let trimmed = Tail {
        base: Some(Arc::new(base)),
        entries: Vec::new(),
    };
    let Plan::Yield(rest) = planned(&ours, &trimmed) else {
        panic!()
    };
    assert_eq!(kinds(&rest), ["chat", "chat"]);
    assert_eq!(rest[0].header.session, "b");
    assert_eq!(rest[0].header.from, Some(seat(1)));
}

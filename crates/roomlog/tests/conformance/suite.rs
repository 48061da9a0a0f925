//! What every log must do.

use crate::Backend;
use bytes::Bytes;
use futures::StreamExt;
use heliograph_domain::{
    ParticipantId, UnixMillis, VisitId,
    entry::{Audience, Chain, ClaimRow, OutboxSpan, Ticket},
};
use heliograph_roomlog::{
    AppendAnswer, Beat, BeatAnswer, ClaimAnswer, ClaimRequest, Clear, Draft, LogEntry, Mark, RoomKey, SeatBeat,
    Snapshot, Tail,
};
use std::sync::Arc;

pub fn room(n: u8) -> RoomKey {
    RoomKey {
        institution: "cedar-street".parse().unwrap(),
        visit: VisitId::from_parts(UnixMillis(1), &[n; 10]),
    }
}

pub fn seat(n: u8) -> ParticipantId {
    ParticipantId::from_parts(UnixMillis(1), &[n; 10])
}

pub fn opened() -> Draft {
    Draft {
        from: None,
        connection: None,
        session: "open".to_owned(),
        cseq: 1,
        audience: Audience::All,
        kind: "opened".to_owned(),
        data: Bytes::from_static(b"opened"),
    }
}

pub fn chat(n: u8, connection: &str, session: &str, cseq: u64) -> Draft {
    Draft {
        from: Some(seat(n)),
        connection: Some(connection.to_owned()),
        session: session.to_owned(),
        cseq,
        audience: Audience::All,
        kind: "chat".to_owned(),
        data: Bytes::from(format!("{session} {cseq}")),
    }
}

pub fn claim(n: u8, session: &str, attempt: u64, connection: &str) -> ClaimRequest {
    let outbox = vec![OutboxSpan {
        session: session.to_owned(),
        first_c: 1,
        next_c: 1,
    }];
    let row = ClaimRow {
        session: session.to_owned(),
        attempt,
        connection: connection.to_owned(),
        outbox,
        ticket: None,
    };
    ClaimRequest {
        seat: seat(n),
        row,
        takeover: None,
        sealed: Bytes::from_static(b"sealed"),
    }
}

impl Backend {
    pub async fn append(&self, draft: Draft) -> AppendAnswer {
        self.log.append(&room(1), Mark::START, draft).await.unwrap()
    }

    pub async fn claim(&self, claim: ClaimRequest) -> ClaimAnswer {
        self.log.claim(&room(1), Mark::START, claim).await.unwrap()
    }

    async fn read_after(&self, mark: Mark) -> Option<Tail> {
        self.log.read_after(&room(1), mark).await.unwrap()
    }

    pub async fn entries(&self) -> Vec<Arc<LogEntry>> {
        self.read_after(Mark::START).await.unwrap().entries
    }

    async fn beat(&self, seats: &[(u8, &str, u64)], deadline: Option<i64>) -> BeatAnswer {
        let seats = seats.iter().map(|(n, session, attempt)| SeatBeat {
            seat: seat(*n),
            session: (*session).to_owned(),
            attempt: *attempt,
            acked: None,
        });
        let beat = Beat {
            mark: Mark::START,
            seats: seats.collect(),
            deadline: deadline.map(UnixMillis),
        };
        self.log.beat(&room(1), beat).await.unwrap()
    }

    /// A log with its first entry and one page: seat 1, `session-1`, connection `c1`.
    pub async fn begin(&self) {
        assert!(matches!(self.append(opened()).await, AppendAnswer::Ok { seq: 1, .. }));
        assert_eq!(
            self.claim(claim(1, "session-1", 1, "c1")).await,
            ClaimAnswer::Granted { seq: 2 }
        );
    }
}

pub fn kinds(entries: &[Arc<LogEntry>]) -> Vec<&str> {
    entries.iter().map(|entry| entry.header.kind.as_str()).collect()
}

pub async fn entries_are_numbered_and_chained(on: &Backend) {
    on.begin().await;
    for cseq in 1..=3 {
        let AppendAnswer::Ok { seq, chain, at } = on.append(chat(1, "c1", "session-1", cseq)).await else {
            panic!()
        };
        assert_eq!((seq, at), (cseq + 2, UnixMillis(1_000)));
        assert_eq!(on.entries().await.last().unwrap().header.chain, chain);
    }
    let mut chain = Chain::START;
    for (i, entry) in on.entries().await.iter().enumerate() {
        let LogEntry { header: h, data } = &**entry;
        chain = chain.after(h.from, &h.session, h.cseq, h.audience, &h.kind, h.at, data);
        assert_eq!((h.seq, h.chain), (i as u64 + 1, chain));
    }
}

pub async fn a_number_is_taken_once_and_none_is_skipped(on: &Backend) {
    on.begin().await;
    let gap = |acked| AppendAnswer::Gap {
        session: "session-1".to_owned(),
        acked,
    };
    assert_eq!(on.append(chat(1, "c1", "session-1", 2)).await, gap(0));
    assert!(matches!(
        on.append(chat(1, "c1", "session-1", 1)).await,
        AppendAnswer::Ok { .. }
    ));
    assert_eq!(
        on.append(chat(1, "c1", "session-1", 1)).await,
        AppendAnswer::Dup { acked: 1 }
    );
    assert_eq!(on.append(chat(1, "c1", "session-1", 3)).await, gap(1));
    assert_eq!(on.entries().await.len(), 3);
}

pub async fn two_nodes_that_open_a_log_at_once_get_one_first_entry(on: &Backend) {
    assert!(matches!(on.append(opened()).await, AppendAnswer::Ok { seq: 1, .. }));
    let second = Draft {
        data: Bytes::from_static(b"another nonce"),
        ..opened()
    };
    assert_eq!(on.append(second).await, AppendAnswer::Dup { acked: 1 });
    assert_eq!(on.entries().await[0].data, "opened");
}

pub async fn only_the_connection_that_has_the_seat_may_append(on: &Backend) {
    assert_eq!(on.claim(claim(1, "session-1", 1, "c1")).await, ClaimAnswer::Empty);
    on.begin().await;
    assert_eq!(on.append(chat(2, "c1", "session-1", 1)).await, AppendAnswer::Unclaimed);
    assert_eq!(on.append(chat(1, "c0", "session-1", 1)).await, AppendAnswer::Unclaimed);
    on.claim(claim(1, "session-1", 2, "c2")).await;
    assert_eq!(
        on.append(chat(1, "c1", "session-1", 1)).await,
        AppendAnswer::Unclaimed,
        "the older socket"
    );
    assert!(matches!(
        on.append(chat(1, "c2", "session-1", 1)).await,
        AppendAnswer::Ok { .. }
    ));
}

pub async fn a_claim_is_idempotent_and_an_older_attempt_is_stale(on: &Backend) {
    on.begin().await;
    assert_eq!(
        on.claim(claim(1, "session-1", 1, "c1")).await,
        ClaimAnswer::Granted { seq: 2 },
        "the answer was lost"
    );
    assert_eq!(on.claim(claim(1, "session-1", 1, "c9")).await, ClaimAnswer::Stale);
    assert_eq!(
        on.claim(claim(1, "session-1", 3, "c3")).await,
        ClaimAnswer::Granted { seq: 3 }
    );
    assert_eq!(
        on.claim(claim(1, "session-1", 2, "c2")).await,
        ClaimAnswer::Stale,
        "slow, and overtaken"
    );
    let entries = on.entries().await;
    assert_eq!(kinds(&entries), ["opened", "claim", "claim"]);
    let (row, sealed) = ClaimRow::split(&entries[2].data).unwrap();
    assert_eq!(
        (row.attempt, row.connection.as_str(), sealed),
        (3, "c3", &b"sealed"[..])
    );
    assert_eq!(
        (entries[2].header.session.as_str(), entries[2].header.cseq),
        ("k:session-1", 3)
    );
}

pub async fn another_page_needs_the_persons_word_to_take_a_seat(on: &Backend) {
    on.begin().await;
    let taken = ClaimAnswer::Taken {
        holder: "session-1".to_owned(),
    };
    let other = || claim(1, "session-2", 1, "c2");
    assert_eq!(on.claim(other()).await, taken);
    let wrong = ClaimRequest {
        takeover: Some("session-0".to_owned()),
        ..other()
    };
    assert_eq!(
        on.claim(wrong).await,
        taken,
        "the holder whom the person was shown has it no longer"
    );
    let right = ClaimRequest {
        takeover: Some("session-1".to_owned()),
        ..other()
    };
    assert_eq!(on.claim(right).await, ClaimAnswer::Granted { seq: 3 });
    let back = claim(1, "session-1", 2, "c1b");
    assert_eq!(
        on.claim(back).await,
        ClaimAnswer::Taken {
            holder: "session-2".to_owned()
        }
    );
}

pub async fn a_reloaded_page_takes_its_own_seat_and_sends_its_leftovers_first(on: &Backend) {
    on.begin().await;
    on.append(chat(1, "c1", "session-1", 1)).await;
    let mut reloaded = claim(1, "session-2", 1, "c2");
    reloaded.row.outbox.insert(
        0,
        OutboxSpan {
            session: "session-1".to_owned(),
            first_c: 1,
            next_c: 3,
        },
    );
    assert_eq!(on.claim(reloaded).await, ClaimAnswer::Granted { seq: 4 });
    let gap = AppendAnswer::Gap {
        session: "session-1".to_owned(),
        acked: 1,
    };
    assert_eq!(
        on.append(chat(1, "c2", "session-2", 1)).await,
        gap,
        "a leftover comes first"
    );
    assert!(matches!(
        on.append(chat(1, "c2", "session-1", 2)).await,
        AppendAnswer::Ok { .. }
    ));
    assert!(matches!(
        on.append(chat(1, "c2", "session-2", 1)).await,
        AppendAnswer::Ok { .. }
    ));

    // What the page no longer holds can't come any more, so nothing waits for it.
    let mut third = claim(1, "session-3", 1, "c3");
    third.row.outbox.insert(
        0,
        OutboxSpan {
            session: "session-2".to_owned(),
            first_c: 5,
            next_c: 6,
        },
    );
    on.claim(third).await;
    assert!(matches!(
        on.append(chat(1, "c3", "session-2", 5)).await,
        AppendAnswer::Ok { .. }
    ));
}

pub async fn a_ticket_is_used_once_and_a_refused_claim_uses_none(on: &Backend) {
    on.begin().await;
    let with_ticket = |mut claim: ClaimRequest| {
        claim.row.ticket = Some(Ticket {
            jti: "jti".to_owned(),
            expires: UnixMillis(31_000),
        });
        claim
    };
    let refused = with_ticket(claim(1, "session-2", 1, "c2"));
    assert!(matches!(on.claim(refused).await, ClaimAnswer::Taken { .. }));
    let first = || with_ticket(claim(2, "session-3", 1, "c3"));
    assert!(matches!(on.claim(first()).await, ClaimAnswer::Granted { .. }));
    assert!(
        matches!(on.claim(first()).await, ClaimAnswer::Granted { .. }),
        "the same connection may ask again"
    );
    let replayed = with_ticket(claim(2, "session-3", 2, "c4"));
    assert_eq!(on.claim(replayed).await, ClaimAnswer::TicketUsed);
}

pub async fn leases_run_out_in_two_steps(on: &Backend) {
    on.begin().await;
    on.beat(&[(1, "session-1", 1)], None).await;
    let mut lapsed = Vec::new();
    for ms in (5_000..=70_000).step_by(5_000) {
        on.set(ms);
        lapsed.push(on.beat(&[], None).await.head);
    }
    let entries = on.entries().await;
    assert_eq!(kinds(&entries), ["opened", "claim", "presence", "presence"]);
    let told: Vec<_> = entries[2..]
        .iter()
        .map(|e| (e.header.session.as_str(), e.header.cseq, e.header.at.0))
        .collect();
    assert_eq!(
        told,
        [
            ("p:session-1:1:reconnecting", 1, 20_000),
            ("p:session-1:1:left", 1, 65_000)
        ]
    );
    assert!(
        entries[2..]
            .iter()
            .all(|e| e.data.is_empty() && e.header.from == Some(seat(1)))
    );
    assert_eq!(
        on.beat(&[(1, "session-1", 1)], None).await.lapsed,
        [seat(1)],
        "its page must claim again"
    );
    assert!(
        matches!(
            on.claim(claim(1, "session-2", 1, "c2")).await,
            ClaimAnswer::Granted { .. }
        ),
        "the seat is free"
    );
}

pub async fn an_outage_makes_nobody_leave(on: &Backend) {
    on.begin().await;
    on.beat(&[(1, "session-1", 1)], None).await;
    on.set(600_000);
    on.beat(&[], None).await;
    assert_eq!(
        on.entries().await.len(),
        2,
        "the sweep is late: every lease is armed again"
    );
    on.set(605_000);
    assert_eq!(on.beat(&[(1, "session-1", 1)], None).await.lapsed, []);
}

pub async fn a_deadline_becomes_one_entry(on: &Backend) {
    on.begin().await;
    on.beat(&[], Some(2_000)).await;
    assert_eq!(on.entries().await.len(), 2);
    on.set(2_000);
    on.beat(&[], Some(2_000)).await;
    on.beat(&[], Some(2_000)).await;
    let entries = on.entries().await;
    assert_eq!(kinds(&entries), ["opened", "claim", "due"]);
    assert_eq!(
        (entries[2].header.session.as_str(), entries[2].header.cseq),
        ("d:2000", 1)
    );
}

pub async fn whoever_says_bye_frees_the_seat(on: &Backend) {
    on.begin().await;
    on.append(Draft {
        kind: "bye".to_owned(),
        ..chat(1, "c1", "session-1", 1)
    })
    .await;
    assert_eq!(on.append(chat(1, "c1", "session-1", 2)).await, AppendAnswer::Unclaimed);
    assert!(matches!(
        on.claim(claim(1, "session-2", 1, "c2")).await,
        ClaimAnswer::Granted { .. }
    ));
}

pub async fn a_node_that_shows_a_page_out_frees_its_seat(on: &Backend) {
    on.begin().await;
    let left = |session: &str| Draft {
        kind: "presence".to_owned(),
        data: Bytes::new(),
        ..chat(1, "c1", session, 1)
    };
    on.append(left("p:session-0:1:left")).await;
    assert!(
        matches!(on.append(chat(1, "c1", "session-1", 1)).await, AppendAnswer::Ok { .. }),
        "another page's"
    );
    assert!(matches!(
        on.append(left("p:session-1:1:left")).await,
        AppendAnswer::Ok { .. }
    ));
    assert_eq!(on.append(chat(1, "c1", "session-1", 2)).await, AppendAnswer::Unclaimed);
    assert!(matches!(
        on.claim(claim(1, "session-2", 1, "c2")).await,
        ClaimAnswer::Granted { .. }
    ));
}

pub async fn a_snapshot_trims_the_log_and_nothing_else_changes(on: &Backend) {
    on.begin().await;
    for cseq in 1..=4 {
        on.append(chat(1, "c1", "session-1", cseq)).await;
    }
    let entries = on.entries().await;
    let at = |i: usize| entries[i].mark();
    let snapshot = |mark: Mark| {
        let mut clear = Clear::default();
        let folded = entries.iter().filter(|entry| entry.header.seq <= mark.seq);
        for entry in folded {
            clear.apply(entry);
        }
        Arc::new(Snapshot {
            mark,
            at: UnixMillis(1_000),
            clear,
            data: Bytes::from_static(b"fold"),
        })
    };
    let foreign = Mark {
        chain: Chain::START,
        ..at(3)
    };
    assert!(!on.log.snapshot(&room(1), snapshot(foreign)).await.unwrap());
    assert!(on.log.snapshot(&room(1), snapshot(at(3))).await.unwrap());
    assert!(!on.log.snapshot(&room(1), snapshot(at(2))).await.unwrap(), "not newer");

    let tail = on.read_after(Mark::START).await.unwrap();
    assert_eq!(tail.base, Some(snapshot(at(3))));
    assert_eq!(tail.entries, entries[4..]);
    let tail = on.read_after(at(4)).await.unwrap();
    assert_eq!((tail.base, &tail.entries[..]), (None, &entries[5..]));
    assert_eq!(
        on.append(chat(1, "c1", "session-1", 4)).await,
        AppendAnswer::Dup { acked: 4 }
    );
    assert!(matches!(
        on.append(chat(1, "c1", "session-1", 5)).await,
        AppendAnswer::Ok { seq: 7, .. }
    ));
}

pub async fn a_foreign_mark_is_told(on: &Backend) {
    on.begin().await;
    let entries = on.entries().await;
    let head = Mark {
        seq: 2,
        chain: entries[1].header.chain,
    };
    let ask = async |mark, cseq| {
        on.log
            .append(&room(1), mark, chat(1, "c1", "session-1", cseq))
            .await
            .unwrap()
    };
    assert_eq!(
        ask(
            Mark {
                seq: 3,
                chain: head.chain
            },
            1
        )
        .await,
        AppendAnswer::Rewound,
        "ahead of the log"
    );
    assert_eq!(
        ask(
            Mark {
                seq: 2,
                chain: entries[0].header.chain
            },
            1
        )
        .await,
        AppendAnswer::Rewound,
        "another history"
    );
    assert!(matches!(ask(head, 1).await, AppendAnswer::Ok { .. }));
    assert!(
        matches!(ask(head, 2).await, AppendAnswer::Ok { .. }),
        "a node that is behind, not elsewhere"
    );
    let beat = Beat {
        mark: Mark {
            seq: 9,
            chain: head.chain,
        },
        seats: vec![],
        deadline: None,
    };
    assert!(on.log.beat(&room(1), beat).await.unwrap().rewound);
    let mark = Mark {
        seq: 9,
        chain: head.chain,
    };
    assert_eq!(
        on.log
            .claim(&room(1), mark, claim(2, "session-2", 1, "c2"))
            .await
            .unwrap(),
        ClaimAnswer::Rewound
    );
}

pub async fn subscribers_get_every_entry_in_order(on: &Backend) {
    let mut early = on.log.subscribe(&room(1)).await.unwrap();
    on.begin().await;
    let mut late = on.log.subscribe(&room(1)).await.unwrap();
    on.append(chat(1, "c1", "session-1", 1)).await;
    for entry in on.entries().await {
        assert_eq!(early.next().await.unwrap(), entry);
    }
    assert_eq!(late.next().await.unwrap().header.seq, 3);
}

pub async fn rooms_do_not_mix(on: &Backend) {
    on.begin().await;
    let elsewhere = RoomKey {
        institution: "harbour-road".parse().unwrap(),
        ..room(1)
    };
    for other in [room(2), elsewhere] {
        assert_eq!(
            on.log.read_after(&other, Mark::START).await.unwrap().unwrap().entries,
            []
        );
        assert_eq!(
            on.log
                .claim(&other, Mark::START, claim(1, "session-1", 1, "c1"))
                .await
                .unwrap(),
            ClaimAnswer::Empty
        );
    }
}

pub async fn a_forgotten_room_leaves_nothing(on: &Backend) {
    on.begin().await;
    on.log.forget(&room(1)).await.unwrap();
    assert_eq!(on.entries().await, []);
}

pub async fn the_clock_never_runs_back_in_a_log(on: &Backend) {
    on.begin().await;
    on.set(500);
    let AppendAnswer::Ok { at, .. } = on.append(chat(1, "c1", "session-1", 1)).await else {
        panic!()
    };
    assert_eq!(at, UnixMillis(1_000));
}

mod again;

use super::*;
use heliograph_domain::{ParticipantId, Pii, UnixMillis, VisitId};
use heliograph_protocol::{Chat, ClientFrame, Hello, To};
use serde_json::{Value, json};

const OWN: &str = "session-of-the-page";
const CHAIN: &str = "0123456789abcdef";

/// A page and what it asked for, with a clock that the test moves.
struct World {
    page: Page,
    now: u64,
    sent: Vec<(u64, ClientFrame)>,
    /// The number of the newest socket.
    life: u64,
    dropped: Vec<u64>,
    acts: Vec<(Header, ServerMessage)>,
    tickets: u32,
}

impl World {
    fn new() -> World {
        Self::of(Page::new(
            VisitId::from_parts(UnixMillis(1), &[1; 10]),
            ParticipantId::from_parts(UnixMillis(1), &[2; 10]),
            OWN.parse().unwrap(),
        ))
    }

    fn of(page: Page) -> World {
        World {
            page,
            now: 1_000,
            sent: Vec::new(),
            life: 0,
            dropped: Vec::new(),
            acts: Vec::new(),
            tickets: 0,
        }
    }

    /// A page that has its seat and knows the room at 10.
    fn joined() -> World {
        let mut world = World::new();
        world.on(Event::Start);
        world.open();
        world.welcome("new", &json!({}));
        world.snapshot(10, &json!({}));
        world
    }

    fn on(&mut self, event: Event<'_>) {
        self.page.on(self.now, event);
        while let Some(action) = self.page.action() {
            match action {
                Action::FetchTicket { life } => {
                    self.tickets += 1;
                    let answer = TicketAnswer::Ticket(format!("ticket-{}", self.tickets));
                    self.page.on(self.now, Event::Ticket { life, answer });
                }
                Action::Connect { life } => self.life = life,
                Action::Send { life, text } => self.sent.push((life, ClientFrame::parse(&text).unwrap())),
                Action::Drop { life } => self.dropped.push(life),
                Action::Act { header, message } => self.acts.push((header, *message)),
                Action::Link(_) => {}
            }
        }
    }

    /// Opens the newest socket.
    fn open(&mut self) {
        self.on(Event::Opened { life: self.life });
    }

    fn say(&mut self, frame: &Value) {
        let (life, text) = (self.life, frame.to_string());
        self.on(Event::Text { life, text: &text });
    }

    fn welcome(&mut self, resumed: &str, acked: &Value) {
        self.welcome_with(resumed, acked, &json!({}), &json!({}));
    }

    fn welcome_with(&mut self, resumed: &str, acked: &Value, timers: &Value, limits: &Value) {
        self.say(&json!({
            "type": "welcome", "s": 10, "chain": CHAIN, "session": OWN, "secret": "secret", "acked": acked,
            "resumed": resumed, "server_time_ms": 0, "timers": timers, "limits": limits
        }));
    }

    fn snapshot(&mut self, s: u64, marks: &Value) {
        let room = json!({
            "state": "waiting", "role": "patient", "phase": {"is": "open"}, "locked": false, "extended_min": 0,
            "members": [], "waiting": [], "chat": []
        });
        self.say(&json!({"type": "snapshot", "s": s, "chain": CHAIN, "marks": marks, "room": room}));
    }

    fn locked(&mut self, s: u64, p: u64, c: u64, locked: bool) {
        self.say(&json!({
            "type": "locked", "s": s, "p": p, "chain": CHAIN, "session": "session-of-the-host", "c": c, "locked": locked
        }));
    }

    fn ack(&mut self, c: u64, back: bool) {
        self.say(&json!({"type": "ack", "session": OWN, "c": c, "back": back}));
    }

    fn close(&mut self, code: u16) {
        let (life, code) = (self.life, Some(code));
        self.on(Event::Closed { life, code });
    }

    /// Lets time pass; what falls due happens at its time.
    fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while let Some(at) = self.page.deadline().filter(|at| *at <= until) {
            self.now = at;
            self.on(Event::Time);
        }
        self.now = until;
    }

    fn chat(&mut self, id: &str) -> Result<Option<u64>, (ErrorCode, String)> {
        let said = self.page.say(self.now, chat(id));
        self.on(Event::Time);
        said
    }

    /// The numbers of what went out on all sockets, but for what has none.
    fn numbers(&self) -> Vec<u64> {
        self.sent.iter().filter_map(|(_, frame)| frame.c).collect()
    }

    fn count(&self, kind: &str) -> usize {
        self.sent
            .iter()
            .filter(|(_, frame)| frame.message.kind() == kind)
            .count()
    }

    fn hello(&self) -> &Hello {
        let hello = |(_, frame): &'_ (u64, ClientFrame)| matches!(frame.message, ClientMessage::Hello(_));
        match self
            .sent
            .iter()
            .rfind(|sent| hello(sent))
            .map(|(_, frame)| &frame.message)
        {
            Some(ClientMessage::Hello(hello)) => hello,
            other => panic!("no hello: {other:?}"),
        }
    }

    fn lost(&self) -> bool {
        matches!(self.page.link(), Link::Lost { .. })
    }
}

fn chat(id: &str) -> ClientMessage {
    ClientMessage::Chat(Chat {
        id: id.to_owned(),
        text: Pii::new(id.to_owned()),
        to: To::All,
        canned: None,
    })
}

#[test]
fn a_first_hello_carries_a_ticket_and_a_resume_the_secret_and_the_place() {
    let mut world = World::new();
    world.on(Event::Start);
    world.open();
    let first = world.hello().clone();
    assert_eq!(
        (first.attempt, first.ticket.as_deref(), first.last, first.marks),
        (1, Some("ticket-1"), None, None)
    );
    assert_eq!(first.outbox.len(), 1);
    world.welcome("new", &json!({}));
    world.snapshot(4, &json!({"aBcDeFgH": 3}));
    world.close(4001);
    world.pass(0);
    world.open();
    let second = world.hello();
    assert_eq!(
        (second.attempt, second.secret.as_deref(), second.ticket.as_deref()),
        (2, Some("secret"), None)
    );
    assert_eq!(second.last.map(|last| last.s), Some(4));
    assert_eq!(second.marks.as_ref().unwrap()["aBcDeFgH"], 3);
    assert_eq!(world.tickets, 1);
}

#[test]
fn a_ticket_that_is_refused_stops_and_one_that_does_not_come_is_asked_for_again() {
    let mut page = World::new().page;
    page.on(0, Event::Start);
    let life = 1;
    assert_eq!(page.action(), Some(Action::Link(Link::Connecting)));
    assert_eq!(page.action(), Some(Action::FetchTicket { life }));
    let mut refused = page.clone();
    let answer = TicketAnswer::Refused(Why::Cancelled);
    refused.on(0, Event::Ticket { life, answer });
    assert_eq!(refused.link(), &Link::Stopped(Why::Cancelled));
    page.on(
        0,
        Event::Ticket {
            life,
            answer: TicketAnswer::Later,
        },
    );
    page.on(0, Event::Time);
    let asked: Vec<_> = std::iter::from_fn(|| page.action()).collect();
    assert_eq!(asked.last(), Some(&Action::FetchTicket { life: 2 }));
}

#[test]
fn close_codes_below_4100_bring_the_page_back_and_the_others_stop_it() {
    for code in [4000, 4001, 4002, 4008, 4009, 1006, 1001] {
        let mut world = World::joined();
        world.close(code);
        assert!(world.lost(), "{code}");
        world.pass(0);
        world.open();
        world.welcome("full", &json!({}));
        assert_eq!(world.page.link(), &Link::Joined, "{code}");
    }
    for (code, why) in [
        (4100, Why::Auth),
        (4101, Why::Expired),
        (4102, Why::Removed),
        (4103, Why::Denied),
        (4104, Why::Ended),
        (4109, Why::Superseded),
        (4150, Why::Unknown),
    ] {
        let mut world = World::joined();
        let life = world.life;
        world.close(code);
        world.pass(600_000);
        assert_eq!((world.page.link(), world.life), (&Link::Stopped(why), life), "{code}");
    }
    for code in heliograph_protocol::CloseCode::ALL {
        assert_eq!(why_stopped(code.number()).is_none(), code.reconnect());
    }
}

#[test]
fn the_wait_is_0_then_250_times_2_to_the_n_give_or_take_a_half_and_at_most_5_s() {
    let timers = Timers::default();
    assert_eq!(reconnect_delay(0, 1_000, &timers), 0);
    assert_eq!(
        (reconnect_delay(1, 0, &timers), reconnect_delay(1, 1_000, &timers)),
        (125, 375)
    );
    assert_eq!(reconnect_delay(3, 500, &timers), 1_000);
    assert!((0..100).all(|n| reconnect_delay(n, 1_000, &timers) <= 5_000));
    let spread: std::collections::BTreeSet<u64> = (0..50)
        .map(|i| reconnect_delay(1, chance(&format!("session-{i}").parse().unwrap(), 1), &timers))
        .collect();
    assert!(spread.len() > 40, "pages do not come back in step: {spread:?}");
}

#[test]
fn a_line_that_fails_after_each_welcome_is_not_tried_without_a_pause() {
    let mut world = World::joined();
    world.close(4000);
    world.pass(0);
    world.open();
    world.welcome("full", &json!({}));
    let life = world.life;
    world.close(4000);
    world.pass(124);
    assert_eq!(world.life, life);
    world.pass(251);
    assert_eq!(world.life, life + 1);
    world.open();
    world.welcome("full", &json!({}));
    // The server is well again for longer than the longest wait: the next loss counts as the first.
    for _ in 0..3 {
        world.pass(2_000);
        world.say(&json!({"type": "pong", "server_time_ms": 0}));
    }
    let life = world.life;
    world.close(4000);
    world.pass(0);
    assert_eq!(world.life, life + 1);
}

#[test]
fn a_page_that_is_looked_at_again_does_not_wait() {
    let mut world = World::joined();
    for _ in 0..6 {
        world.close(1006);
        world.pass(5_000);
    }
    world.close(1006);
    let life = world.life;
    world.on(Event::Wake);
    assert_eq!(world.life, life + 1);
    let mut world = World::joined();
    world.on(Event::Wake);
    assert_eq!(world.count("ping"), 1, "it asks at once");
}

#[test]
fn a_socket_on_which_no_welcome_comes_is_given_up() {
    let mut world = World::new();
    world.on(Event::Start);
    world.open();
    world.pass(2 * Timers::default().hello_ms);
    assert_eq!(world.dropped, [1]);
    assert_eq!(world.tickets, 2, "a ticket is used once");
}

#[test]
fn a_socket_that_was_replaced_is_not_heard() {
    let mut world = World::joined();
    let old = world.life;
    world.close(1006);
    world.pass(0);
    world.open();
    world.welcome("full", &json!({}));
    let frame = json!({"type": "locked", "s": 11, "p": 10, "chain": CHAIN, "locked": true}).to_string();
    world.on(Event::Text {
        life: old,
        text: &frame,
    });
    world.on(Event::Closed {
        life: old,
        code: Some(4104),
    });
    assert_eq!(world.page.link(), &Link::Joined);
    assert!(world.acts.is_empty() && !world.page.room().unwrap().locked);
}

#[test]
fn a_silent_line_is_dead_dead_ms_after_a_ping() {
    let mut world = World::joined();
    world.pass(4_000);
    assert_eq!(world.count("ping"), 1);
    world.say(&json!({"type": "pong", "server_time_ms": 1}));
    world.pass(4_000);
    assert_eq!(world.count("ping"), 2);
    world.pass(2_999);
    assert_eq!(world.page.link(), &Link::Joined);
    world.pass(1);
    assert!(world.lost());
}

#[test]
fn timers_and_limits_are_those_of_the_welcome() {
    let mut world = World::new();
    world.on(Event::Start);
    world.open();
    world.welcome_with(
        "new",
        &json!({}),
        &json!({"ping_ms": 200, "dead_ms": 150}),
        &json!({"in_flight": 2}),
    );
    for id in ["a", "b", "c", "d"] {
        world.chat(id).unwrap();
    }
    assert_eq!(world.numbers(), [1, 2]);
    world.ack(1, false);
    assert_eq!(world.numbers(), [1, 2, 3]);
    world.pass(350);
    assert!(world.lost());
}

#[test]
fn messages_wait_for_the_welcome_and_go_out_again_until_they_are_acknowledged() {
    let mut world = World::new();
    world.on(Event::Start);
    world.chat("a").unwrap();
    world.open();
    assert!(world.numbers().is_empty());
    world.welcome("new", &json!({}));
    world.chat("b").unwrap();
    world.pass(1_000);
    assert_eq!(world.numbers(), [1, 2, 1, 2]);
    world.ack(1, false);
    world.pass(1_000);
    assert_eq!(world.numbers(), [1, 2, 1, 2, 2]);
    world.ack(2, false);
    world.pass(1_500);
    assert_eq!(world.numbers().len(), 5);
}

#[test]
fn what_was_under_way_goes_out_again_with_the_welcome_and_does_not_wait() {
    let mut world = World::joined();
    for id in ["a", "b", "c"] {
        world.chat(id).unwrap();
    }
    world.ack(1, false);
    world.close(1006);
    world.pass(0);
    world.open();
    world.welcome("full", &json!({OWN: 1}));
    assert_eq!(world.numbers(), [1, 2, 3, 2, 3]);
}

#[test]
fn what_the_log_lost_goes_out_again() {
    let mut world = World::joined();
    for id in ["a", "b", "c"] {
        world.chat(id).unwrap();
    }
    world.ack(3, false);
    world.ack(1, false);
    assert_eq!(world.numbers(), [1, 2, 3]);
    world.ack(1, true);
    assert_eq!(world.numbers(), [1, 2, 3, 2, 3]);
    world.ack(3, false);
    world.close(4000);
    world.pass(0);
    world.open();
    world.welcome("full", &json!({OWN: 2}));
    assert_eq!(world.numbers(), [1, 2, 3, 2, 3, 3]);
    world.ack(3, false);
    world.say(&json!({"type": "resync", "s": 9, "chain": CHAIN, "why": "mended", "acked": {OWN: 0}}));
    assert_eq!(world.numbers()[6..], [1, 2, 3]);
}

#[test]
fn an_older_life_is_sent_under_its_own_session_and_number_before_the_new_one() {
    let mut world = World::joined();
    for id in ["a", "b", "c"] {
        world.chat(id).unwrap();
    }
    world.ack(1, false);
    let mut world = World::of(world.page.reload("session-of-the-next".parse().unwrap()));
    world.on(Event::Start);
    world.chat("d").unwrap();
    world.open();
    let hello = world.hello();
    assert_eq!(
        (hello.attempt, hello.ticket.as_deref(), hello.last),
        (1, Some("ticket-1"), None)
    );
    assert_eq!(hello.outbox.len(), 2);
    world.welcome("new", &json!({OWN: 2}));
    let sent: Vec<_> = world.sent[1..]
        .iter()
        .map(|(_, frame)| (frame.session.as_ref().map(SessionId::as_str), frame.c))
        .collect();
    assert_eq!(sent, [(Some(OWN), Some(3)), (None, Some(1))]);
}

#[test]
fn refused_and_withdrawn_messages_leave_a_nop_and_are_told_once() {
    let mut world = World::joined();
    for id in ["a", "b", "c"] {
        world.chat(id).unwrap();
    }
    let refused = |s: u64, p: u64| {
        json!({
            "type": "refused", "s": s, "p": p, "chain": CHAIN, "session": OWN, "c": 1, "for_c": 1, "code": "not_admitted"
        })
    };
    world.say(&refused(11, 10));
    world.say(&json!({"type": "resync", "s": 9, "chain": CHAIN, "why": "mended", "acked": {}}));
    world.say(&refused(3, 2));
    assert_eq!(world.acts.len(), 1);
    world.say(&json!({"type": "error", "code": "store_unavailable", "for_c": 2}));
    assert!(world.page.withdraw(3) && !world.page.withdraw(3));
    world.sent.clear();
    world.pass(1_000);
    let kinds: Vec<_> = world
        .sent
        .iter()
        .filter(|(_, f)| f.c.is_some())
        .map(|(_, f)| f.message.kind())
        .collect();
    assert_eq!(kinds, ["nop", "chat", "nop"]);
}

#[test]
fn a_refusal_is_judged_by_the_outbox_and_not_by_the_marks() {
    let mut world = World::joined();
    for id in ["a", "b"] {
        world.chat(id).unwrap();
    }
    // What the page itself caused, later than what is refused now in a repaired log.
    world.say(&json!({"type": "ending", "s": 11, "p": 10, "chain": CHAIN, "session": OWN, "c": 2, "until_ms": 5}));
    world.say(&json!({
        "type": "refused", "s": 12, "p": 11, "chain": CHAIN, "session": OWN, "c": 1, "for_c": 1, "code": "stale"
    }));
    let kinds: Vec<_> = world.acts.iter().map(|(header, _)| header.c).collect();
    assert_eq!(kinds, [Some(2), Some(1)]);
}

#[test]
fn what_the_log_has_can_not_be_withdrawn() {
    let mut world = World::joined();
    for id in ["a", "b"] {
        world.chat(id).unwrap();
    }
    world.ack(1, false);
    assert!(!world.page.withdraw(1) && world.page.withdraw(2));
}

#[test]
fn a_page_that_is_told_to_be_new_begins_again_from_the_snapshot() {
    let mut world = World::joined();
    world.close(1006);
    world.pass(0);
    world.open();
    world.welcome("new", &json!({}));
    world.say(&json!({
        "type": "refused", "s": 4, "p": 3, "chain": CHAIN, "session": "session-before", "c": 1, "for_c": 1, "code": "stale"
    }));
    world.snapshot(5, &json!({}));
    assert_eq!((world.acts.len(), world.page.last().map(|last| last.s)), (1, Some(5)));
}

#[test]
fn what_is_above_a_limit_gets_no_number() {
    let mut world = World::new();
    world.on(Event::Start);
    world.open();
    world.welcome_with("new", &json!({}), &json!({}), &json!({"chat_chars": 3}));
    assert_eq!(world.chat("long").unwrap_err().0, ErrorCode::TooLarge);
    assert_eq!(world.chat("a"), Ok(Some(1)));
}

#[test]
fn a_frame_that_is_missing_brings_the_page_back_to_its_place() {
    let mut world = World::joined();
    world.locked(14, 12, 1, true);
    assert!(world.lost() && !world.page.room().unwrap().locked);
    world.pass(0);
    world.open();
    assert_eq!(world.hello().last.map(|last| last.s), Some(10));
    world.welcome("full", &json!({}));
    world.locked(12, 10, 1, true);
    world.locked(14, 12, 2, false);
    assert!(!world.page.room().unwrap().locked);
    assert_eq!((world.acts.len(), world.page.link()), (2, &Link::Joined));
}

#[test]
fn a_snapshot_replaces_the_room_and_what_is_replayed_before_it_only_acts() {
    let mut world = World::joined();
    world.locked(11, 10, 5, true);
    world.say(&json!({"type": "resync", "s": 20, "chain": CHAIN, "why": "mended", "acked": {}}));
    // Kept frames come from the log's start, wherever the page was.
    world.locked(4, 3, 5, true);
    world.locked(7, 4, 6, true);
    world.snapshot(20, &json!({"session-of-the-host": 9}));
    assert!(!world.page.room().unwrap().locked);
    world.locked(21, 20, 7, true);
    let acted: Vec<_> = world.acts.iter().map(|(header, _)| header.c.unwrap()).collect();
    assert_eq!(acted, [5, 6, 7]);
    assert!(world.page.room().unwrap().locked);
}

#[test]
fn frames_of_an_unknown_type_are_skipped_but_counted() {
    let mut world = World::joined();
    world.say(&json!({"type": "novelty", "s": 11, "p": 10, "chain": CHAIN}));
    let life = world.life;
    world.on(Event::Text { life, text: "{" });
    world.locked(12, 11, 1, true);
    assert_eq!((world.page.skipped(), world.page.link()), (2, &Link::Joined));
    assert!(world.page.room().unwrap().locked);
}

#[test]
fn the_server_learns_the_place_at_most_once_in_a_while() {
    let mut world = World::joined();
    for s in 11..20 {
        world.locked(s, s - 1, s, true);
    }
    assert_eq!(world.count("ack"), 0);
    world.pass(1_000);
    let acks: Vec<_> = world.sent.iter().filter(|(_, f)| f.message.kind() == "ack").collect();
    assert!(
        matches!(
            acks[..],
            [(
                _,
                ClientFrame {
                    message: ClientMessage::Ack { s: 19, .. },
                    ..
                }
            )]
        ),
        "{acks:?}"
    );
    world.pass(2_000);
    assert_eq!(world.count("ack"), 1);
}

#[test]
fn the_person_is_asked_before_a_seat_is_taken_over() {
    let mut world = World::new();
    world.on(Event::Start);
    world.open();
    world.say(&json!({"type": "error", "code": "seat_taken", "holder": "session-of-another"}));
    let holder = "session-of-another".to_owned();
    assert_eq!(world.page.link(), &Link::Taken { holder });
    world.close(4109);
    world.pass(60_000);
    assert_eq!(world.life, 1);
    world.on(Event::MoveHere);
    world.open();
    assert_eq!(world.hello().takeover.as_deref(), Some("session-of-another"));
    world.welcome("new", &json!({}));
    world.close(4000);
    world.pass(0);
    world.open();
    assert_eq!(world.hello().takeover, None, "said once");
}

#[test]
fn errors_before_the_welcome_stop_or_wait_as_they_say() {
    for (code, why) in [
        ("unauthorized", Why::Auth),
        ("forbidden", Why::Auth),
        ("too_late", Why::Expired),
        ("room_ended", Why::Ended),
    ] {
        let mut world = World::new();
        world.on(Event::Start);
        world.open();
        world.say(&json!({"type": "error", "code": code}));
        assert_eq!(world.page.link(), &Link::Stopped(why));
    }
    let mut world = World::new();
    world.on(Event::Start);
    world.open();
    world.say(&json!({"type": "error", "code": "too_early", "retry_after_ms": 30_000}));
    world.pass(29_999);
    assert_eq!(world.life, 1);
    world.pass(1);
    assert_eq!(world.life, 2);
}

#[test]
fn a_drain_moves_the_page_within_the_window_or_waits_where_there_is_no_other_node() {
    let mut world = World::joined();
    world.say(&json!({"type": "drain", "within_ms": 10_000, "restart": false}));
    for _ in 0..10 {
        world.pass(1_000);
        world.say(&json!({"type": "pong", "server_time_ms": 0}));
    }
    assert_eq!(world.life, 2);
    let mut world = World::joined();
    world.say(&json!({"type": "drain", "within_ms": 3_000, "restart": true}));
    world.pass(3_500);
    assert_eq!((world.life, world.page.link()), (1, &Link::Joined));
}

#[test]
fn who_leaves_waits_for_the_last_words_but_not_for_ever() {
    let bye = |world: &mut World| {
        world.page.say(world.now, ClientMessage::Bye {}).unwrap();
        world.on(Event::Leave);
    };
    let mut world = World::joined();
    bye(&mut world);
    assert_eq!((world.count("bye"), world.page.link()), (1, &Link::Joined));
    world.ack(1, false);
    assert_eq!(world.page.link(), &Link::Stopped(Why::Left));
    let mut world = World::joined();
    bye(&mut world);
    world.pass(1_000);
    assert_eq!(world.page.link(), &Link::Stopped(Why::Left));
}

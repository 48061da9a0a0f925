//! Two rooms, somebody in one of them who sends bad frames, and everybody else.

use crate::{
    call::{decision, snapshot},
    dates,
    service::{Booked, SOON, Service},
    sides::{Side, Talk},
};
use anyhow::{Context, Result, bail, ensure};
use heliograph_client::{Api, Ended, Visitor};
use heliograph_domain::ParticipantId;
use heliograph_protocol::{BadFrame, ClientFrame, ClientMessage, CloseCode, ErrorCode, Limits, ServerMessage, To};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// The bad frames are many; the rate is not what is tried here.
const SETTINGS: [(&str, &str); 3] = [
    ("SIGNALING__LIMITS__MESSAGES_PER_S", "20000"),
    ("SIGNALING__LIMITS__BURST", "50000"),
    ("SIGNALING__TIMERS__HELLO_MS", "2000"),
];
const PACE: Duration = Duration::from_millis(50);

/// A physician and an interpreter who talk in the room of the bad frames, and two others in another room.
pub struct Clinic {
    pub service: Service,
    pub booked: Booked,
    pub device: Api,
    pub host: Side,
    pub interpreter: Side,
    other_host: Side,
    other_staff: Side,
    talks: [Talk; 2],
}

impl Clinic {
    pub async fn open() -> Result<Clinic> {
        let service = Service::with(&SETTINGS).await?;
        let desk = service.physician().await?;
        let guests = [("Maryam Al-Harbi", "patient"), ("Sofía Ruiz", "interpreter")];
        let booked = service.book(&desk, &guests).await?;
        let device = booked.device(&service, "patient").await?;
        let (host_seat, interpreter_seat) = (booked.seat("host")?, booked.seat("interpreter")?);
        let host = Side::open(
            "the physician",
            &service,
            &desk,
            booked.page("host")?,
            To::Seat(interpreter_seat),
        )
        .await?;
        let hers = booked.device(&service, "interpreter").await?;
        let interpreter = Side::open(
            "the interpreter",
            &service,
            &hers,
            booked.page("interpreter")?,
            To::Seat(host_seat),
        )
        .await?;
        host.joined().await?;
        interpreter.joined().await?;
        host.say(ClientMessage::Admit(decision(interpreter_seat)))?;
        interpreter
            .hears(1, |m| matches!(m, ServerMessage::Admitted { .. }).then_some(()))
            .await?;

        // Staff may come at any time before their visit.
        let scheduler = service.staff("Noor Haddad").await?;
        let participants = json!([
            {"person": service.person("Dr Amara Okafor")?, "role": "host"},
            {"person": service.person("Noor Haddad")?, "role": "staff"},
        ]);
        let start = json!({"wall": format!("{}T09:00", dates::ahead()?), "zone": "UTC"});
        let visit = json!({"start": start, "duration_min": 30, "participants": participants});
        let other = Booked(desk.book("another-room", &visit).await?);
        let other_host = Side::open("the other physician", &service, &desk, other.page("host")?, To::All).await?;
        let other_staff = Side::open("the scheduler", &service, &scheduler, other.page("staff")?, To::All).await?;
        other_host.joined().await?;
        other_staff.joined().await?;
        let talks = [
            Talk::begin([&host, &interpreter], PACE),
            Talk::begin([&other_host, &other_staff], PACE),
        ];
        Ok(Clinic {
            service,
            booked,
            device,
            host,
            interpreter,
            other_host,
            other_staff,
            talks,
        })
    }

    /// A patient's page, in the waiting room.
    pub async fn bad_page(&self) -> Result<Bad> {
        let mut visitor = self.booked.visit(&self.device, "patient").await?;
        visitor.until(SOON, snapshot).await?;
        Ok(Bad::new(visitor))
    }

    /// A new one, which takes the seat from another.
    pub async fn bad_page_after(&self, other: &Bad) -> Result<Bad> {
        let (page, ticket) = (self.booked.page("patient")?, self.booked.ticket(&self.device).await?);
        let mut visitor = Visitor::connect(&self.service.base, page, Some(ticket), Some(other.session())).await?;
        visitor.until(SOON, snapshot).await?;
        Ok(Bad::new(visitor))
    }

    /// The same, let in.
    pub async fn bad_member(&self) -> Result<Bad> {
        let mut bad = self.bad_page().await?;
        let admit = ClientMessage::Admit(decision(self.patient()?));
        self.host.say(admit)?;
        let admitted = |_: &_, m: &ServerMessage| matches!(m, ServerMessage::Admitted { .. }).then_some(());
        bad.visitor.until(SOON, admitted).await?;
        Ok(bad)
    }

    pub fn patient(&self) -> Result<ParticipantId> {
        self.booked.seat("patient")
    }

    /// A socket whose first frame is this, and how it ends.
    pub async fn first_frame(&self, text: &str) -> Result<(Option<ErrorCode>, Option<CloseCode>)> {
        let page = self.booked.page("patient")?;
        let mut visitor = Visitor::connect_saying(&self.service.base, page, text.to_owned()).await?;
        let mut code = None;
        loop {
            let next = visitor.until(SOON, |_, m| match m {
                ServerMessage::Error { code, .. } => Some(*code),
                _ => None,
            });
            match next.await {
                Ok(told) => code = Some(told),
                Err(Ended::Closed(close)) => return Ok((code, close)),
                Err(Ended::Line(_)) => return Ok((code, None)),
                Err(other) => bail!("{other} after {text}"),
            }
        }
    }

    /// A `hello` that would be let in.
    pub async fn hello(&self) -> Result<Value> {
        let ticket = self.booked.ticket(&self.device).await?;
        Ok(serde_json::from_str(
            &self.booked.page("patient")?.hello(Some(ticket), None),
        )?)
    }

    pub async fn foreign_origin(&self) -> Result<()> {
        let upgrade = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("origin", "https://elsewhere.example"),
        ];
        let answer = self.device.ask(Method::GET, "/ws", &upgrade, None).await?;
        ensure!(
            answer.status == 403 && answer.body["code"] == "foreign_origin",
            "{}",
            answer.body
        );
        Ok(())
    }

    /// Everybody else has had an undisturbed talk, on the socket that they came with.
    pub async fn nobody_noticed(self) -> Result<String> {
        let [here, there] = self.talks;
        let told = [
            here.compare([&self.host, &self.interpreter]).await?,
            there.compare([&self.other_host, &self.other_staff]).await?,
        ];
        for side in [&self.host, &self.interpreter, &self.other_host, &self.other_staff] {
            let joins = side.joins();
            ensure!(joins == 1, "{} had to come {joins} times", side.name);
            let odd =
                side.heard(|m| matches!(m, ServerMessage::Refused { .. } | ServerMessage::Error { .. }).then_some(()));
            ensure!(odd.is_empty(), "{} was told of an error", side.name);
        }
        Ok(told.join("; "))
    }
}

/// What came back for a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Error(ErrorCode),
    Refused(u64, ErrorCode),
    /// A number that was acknowledged; `true`: the server wants what comes after it.
    Acked(u64, bool),
}

/// A page that sends what it likes.
pub struct Bad {
    pub visitor: Visitor,
    /// The last number that was used.
    pub c: u64,
}

impl Bad {
    pub fn new(visitor: Visitor) -> Bad {
        Bad { visitor, c: 0 }
    }

    pub fn session(&self) -> String {
        self.visitor.page.session().to_string()
    }

    /// Sends a frame, then a good one, and gives what was answered until that one is acknowledged. `uses` the next number.
    pub async fn send(&mut self, text: &str, uses: bool) -> Result<Vec<Answer>> {
        self.visitor.send_raw(text).await?;
        self.c += u64::from(uses);
        self.answers()
            .await
            .with_context(|| text.chars().take(300).collect::<String>())
    }

    pub async fn answers(&mut self) -> Result<Vec<Answer>> {
        self.c += 1;
        let last = self.c;
        self.visitor
            .send_raw(&json!({"type": "nop", "c": last}).to_string())
            .await?;
        let mut answers = Vec::new();
        let own = self.session();
        loop {
            let answer = self.visitor.until(SOON, |header, m| match m {
                ServerMessage::Error { code, .. } => Some(Answer::Error(*code)),
                ServerMessage::Refused { for_c, code } => Some(Answer::Refused(*for_c, *code)),
                ServerMessage::Ack { back } if header.session.as_deref() == Some(own.as_str()) => {
                    Some(Answer::Acked(header.c?, *back))
                }
                _ => None,
            });
            match answer.await? {
                Answer::Acked(c, _) if c >= last => return Ok(answers),
                answer => answers.push(answer),
            }
        }
    }

    /// Sends a frame that must be refused, and checks that it is as the protocol's own judgement says.
    pub async fn refused(&mut self, text: &str) -> Result<ErrorCode> {
        let Err(bad) = judge(text) else {
            bail!("this is a good frame: {text}")
        };
        let c = bad.c;
        let answers = self.send(text, c.is_some()).await?;
        let expected = match c {
            Some(c) => Answer::Refused(c, bad.code),
            None => Answer::Error(bad.code),
        };
        let told: Vec<_> = answers
            .iter()
            .filter(|answer| !matches!(answer, Answer::Acked(_, false)))
            .collect();
        ensure!(told == [&expected], "{told:?} instead of {expected:?} for {text}");
        Ok(bad.code)
    }
}

/// What the protocol says of a frame.
pub fn judge(text: &str) -> Result<(), BadFrame> {
    let frame = ClientFrame::parse(text)?;
    frame
        .message
        .check(&Limits::default())
        .map_err(|(code, detail)| BadFrame {
            code,
            detail,
            c: frame.c,
            session: frame.session,
        })
}

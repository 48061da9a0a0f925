//! The WebSocket over a real connection.

use crate::doors::{Answer, Clinic, PUBLIC, get, post};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub async fn open(address: SocketAddr, headers: &[(&'static str, &'static str)]) -> Result<Socket, Error> {
    let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let (socket, response) = connect_async(request).await?;
    let asked = headers.iter().any(|(name, _)| *name == "sec-websocket-protocol");
    let chosen = response
        .headers()
        .get("sec-websocket-protocol")
        .map(|value| value.to_str().unwrap());
    assert_eq!(chosen, asked.then_some("heliograph.v1"));
    Ok(socket)
}

fn status(refused: Result<Socket, Error>) -> u16 {
    match refused {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

/// Long enough for a busy machine; a test that waits this long has failed.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), what).await;
    waited.expect("nothing came that was waited for")
}

/// The next frame of a type.
pub async fn next(socket: &mut Socket, kind: &str) -> Value {
    soon(async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] == kind {
                        return frame;
                    }
                }
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("{kind} was expected, not {other:?}"),
            }
        }
    })
    .await
}

pub async fn close_code(socket: &mut Socket) -> Option<u16> {
    soon(async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    })
    .await
}

/// The `hello` of the first patient.
pub async fn hello(clinic: &Clinic) -> Value {
    let token = json!({"token": clinic.demo.patients[0].token});
    let device = clinic.send(post("/api/v1/links/redeem").json(&token)).await;
    hello_on(clinic, &device).await
}

/// The same on a device that has redeemed the link already.
async fn hello_on(clinic: &Clinic, device: &Answer) -> Value {
    let path = format!("/api/v1/visits/{}/seat", device.json()["visit"].as_str().unwrap());
    let seat = clinic
        .send(post(&path).cookie(&device.cookie()).json(&json!({})))
        .await
        .json();
    json!({
        "type": "hello", "visit": seat["visit"], "seat": seat["seat"], "ticket": seat["ticket"], "attempt": 1,
        "session": "pageOfPatient001", "outbox": [{"session": "pageOfPatient001", "first_c": 1, "next_c": 1}],
        "capabilities": {"trickle": true, "rollback": true}, "zone": "Asia/Riyadh", "locale": "ar"
    })
}

#[tokio::test]
async fn a_ticket_opens_the_room_and_the_list_shows_who_waits() {
    let clinic = Clinic::open().await;
    let address = clinic.listen().await;
    let mut socket = open(
        address,
        &[("origin", PUBLIC), ("sec-websocket-protocol", "heliograph.v1")],
    )
    .await
    .unwrap();
    let hello = hello(&clinic).await;
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let welcome = next(&mut socket, "welcome").await;
    assert_eq!(welcome["limits"]["frame_bytes"], 65_536);
    next(&mut socket, "snapshot").await;
    let knock = json!({
        "type": "knock", "c": 1,
        "device": {"camera": "ok", "microphone": "ok", "speaker": "ok"}
    });
    socket.send(Message::text(knock.to_string())).await.unwrap();
    next(&mut socket, "ack").await;

    let cookie = clinic.physician().await;
    let list = clinic.send(get("/api/v1/visits").cookie(&cookie)).await.json();
    let room = &list["visits"][0]["room"];
    assert_eq!((room["phase"].as_str(), &room["present"]), (Some("open"), &json!([])));
    assert_eq!(
        (&room["waiting"][0]["participant"], &room["waiting"][0]["knocked"]),
        (&hello["seat"], &json!(true))
    );
    let figures = clinic.send(get("/metrics")).await;
    assert_eq!(figures.status, 200);
}

/// Who took a seat in the room by a ticket, as the audit has it.
async fn joins(clinic: &Clinic, hello: &Value) -> Vec<String> {
    let (institution, visit) = ("cedar-street".parse().unwrap(), hello["visit"].as_str().unwrap());
    let rows = clinic.service.store.audit_of(&institution, visit.parse().unwrap());
    let rows = rows.await.unwrap().into_iter();
    rows.filter(|row| row.action == "join").map(|row| row.actor).collect()
}

#[tokio::test]
async fn each_ticket_that_takes_a_seat_is_in_the_audit_once_and_a_resume_is_not() {
    let clinic = Clinic::open().await;
    let address = clinic.listen().await;
    let token = json!({"token": clinic.demo.patients[0].token});
    let device = clinic.send(post("/api/v1/links/redeem").json(&token)).await;
    let first = hello_on(&clinic, &device).await;
    let patient = format!("participant:{}", first["seat"].as_str().unwrap());
    let come = async |hello: &Value, answer: &str| {
        let mut socket = open(address, &[]).await.unwrap();
        socket.send(Message::text(hello.to_string())).await.unwrap();
        (next(&mut socket, answer).await, socket)
    };
    let (welcome, _socket) = come(&first, "welcome").await;
    assert_eq!(joins(&clinic, &first).await, [&*patient]);

    let mut resume = first.clone();
    (resume["attempt"], resume["secret"]) = (json!(2), welcome["secret"].clone());
    resume.as_object_mut().unwrap().remove("ticket");
    let (_, _socket) = come(&resume, "welcome").await;
    assert_eq!(joins(&clinic, &first).await, [&*patient], "the same page");

    // Another page of hers, which first asks and then takes the seat.
    let mut other = hello_on(&clinic, &device).await;
    other["session"] = json!("pageOfPatient002");
    other["outbox"] = json!([{"session": "pageOfPatient002", "first_c": 1, "next_c": 1}]);
    let (refused, _socket) = come(&other, "error").await;
    assert_eq!(refused["code"], "seat_taken");
    assert_eq!(joins(&clinic, &first).await, [&*patient]);
    other["takeover"] = first["session"].clone();
    let (_, _socket) = come(&other, "welcome").await;
    assert_eq!(joins(&clinic, &first).await, [&*patient, &*patient]);
}

#[tokio::test]
async fn pages_of_other_sites_and_other_protocols_are_refused() {
    let clinic = Clinic::open().await;
    let address = clinic.listen().await;
    assert_eq!(status(open(address, &[("origin", "https://evil.example")]).await), 403);
    assert_eq!(status(open(address, &[("sec-websocket-protocol", "chat")]).await), 400);
    assert!(open(address, &[]).await.is_ok(), "a program that is no browser");
}

#[tokio::test]
async fn a_frame_above_the_limit_closes_the_socket() {
    let clinic = Clinic::open().await;
    let mut socket = open(clinic.listen().await, &[]).await.unwrap();
    let long = "x".repeat(64 * 1024 + 1);
    socket.send(Message::text(long)).await.unwrap();
    // What was sent and not read may have the system cut the connection before the close frame is seen.
    assert!(matches!(close_code(&mut socket).await, Some(4000..=4199) | None));
}

#[tokio::test]
async fn a_service_that_stops_sends_its_sockets_elsewhere() {
    let clinic = Clinic::open().await;
    let mut socket = open(clinic.listen().await, &[]).await.unwrap();
    socket
        .send(Message::text(hello(&clinic).await.to_string()))
        .await
        .unwrap();
    next(&mut socket, "welcome").await;
    clinic.stop.cancel();
    assert_eq!(close_code(&mut socket).await, Some(4009));
}

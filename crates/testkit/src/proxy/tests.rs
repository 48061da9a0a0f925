use std::io::{self, ErrorKind};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::*;

const SOON: Duration = Duration::from_secs(10);
const NOTHING_COMES: Duration = Duration::from_millis(100);

/// A proxy, the listener behind it, and a connection through it as both ends see it.
async fn connected() -> (Proxy, TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::to(listener.local_addr().unwrap()).await.unwrap();
    let (client, server) = another(&proxy, &listener).await;
    (proxy, listener, client, server)
}

async fn another(proxy: &Proxy, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(proxy.address()).await.unwrap();
    let (server, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
    (client, server)
}

async fn receive(stream: &mut TcpStream, within: Duration) -> Option<io::Result<String>> {
    let mut buffer = [0; 64];
    let read = timeout(within, stream.read(&mut buffer)).await.ok()?;
    Some(read.map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned()))
}

async fn text(stream: &mut TcpStream) -> String {
    receive(stream, SOON).await.expect("something comes").unwrap()
}

async fn is_reset(stream: &mut TcpStream) -> bool {
    let read = receive(stream, SOON).await.expect("something comes");
    read.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    receive(stream, NOTHING_COMES).await.is_none()
}

#[tokio::test]
async fn bytes_pass_both_ways_and_so_does_the_end() {
    let (_proxy, _listener, mut client, mut server) = connected().await;
    client.write_all(b"hello").await.unwrap();
    assert_eq!(text(&mut server).await, "hello");
    server.write_all(b"good day").await.unwrap();
    assert_eq!(text(&mut client).await, "good day");
    client.shutdown().await.unwrap();
    assert_eq!(text(&mut server).await, "");
    server.write_all(b"last words").await.unwrap();
    assert_eq!(text(&mut client).await, "last words");
}

#[tokio::test]
async fn a_connection_is_open_until_both_sides_have_ended_it() {
    let (proxy, _listener, client, server) = connected().await;
    drop(client);
    assert_eq!(proxy.open(), [1]);
    drop(server);
    let ended = async {
        while !proxy.open().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, ended).await.unwrap();
}

#[tokio::test]
async fn a_reset_of_one_side_resets_the_other() {
    let (_proxy, _listener, client, mut server) = connected().await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert!(is_reset(&mut server).await);
}

#[tokio::test]
async fn a_cut_resets_what_is_open_and_what_is_new_until_it_heals() {
    let (proxy, listener, mut client, mut server) = connected().await;
    proxy.cut();
    assert!(is_reset(&mut client).await && is_reset(&mut server).await);
    let mut early = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(is_reset(&mut early).await);
    proxy.heal();
    let (mut client, mut server) = another(&proxy, &listener).await;
    client.write_all(b"again").await.unwrap();
    assert_eq!(text(&mut server).await, "again");
}

#[tokio::test]
async fn a_line_that_ends_closes_both_sides_in_order() {
    let (proxy, listener, mut client, mut server) = connected().await;
    client.write_all(b"taken before").await.unwrap();
    assert_eq!(text(&mut server).await, "taken before");
    proxy.end();
    assert_eq!(
        (text(&mut client).await, text(&mut server).await),
        (String::new(), String::new())
    );
    let mut early = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(text(&mut early).await, "");
    proxy.heal();
    let (mut client, mut server) = another(&proxy, &listener).await;
    server.write_all(b"again").await.unwrap();
    assert_eq!(text(&mut client).await, "again");
}

#[tokio::test]
async fn a_cut_that_heals_at_once_still_cuts() {
    let (proxy, _listener, mut client, _server) = connected().await;
    proxy.cut();
    proxy.heal();
    assert!(is_reset(&mut client).await);
}

#[tokio::test]
async fn a_dead_line_tells_nobody_and_delivers_when_it_heals() {
    let (proxy, _listener, mut client, mut server) = connected().await;
    proxy.hold(Way::Both);
    client.write_all(b"anyone there?").await.unwrap();
    server.write_all(b"hello?").await.unwrap();
    assert!(is_silent(&mut server).await && is_silent(&mut client).await);
    proxy.heal();
    assert_eq!(text(&mut server).await, "anyone there?");
    assert_eq!(text(&mut client).await, "hello?");
}

#[tokio::test]
async fn one_way_can_be_held_alone() {
    let (proxy, _listener, mut client, mut server) = connected().await;
    proxy.hold(Way::ToServer);
    client.write_all(b"late").await.unwrap();
    server.write_all(b"found").await.unwrap();
    assert_eq!(text(&mut client).await, "found");
    assert!(is_silent(&mut server).await);
    proxy.hold(Way::ToClient);
    assert_eq!(text(&mut server).await, "late");
}

#[tokio::test]
async fn new_connections_wait_while_the_line_is_dead() {
    let (proxy, listener, ..) = connected().await;
    proxy.hold(Way::Both);
    let _client = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(timeout(NOTHING_COMES, listener.accept()).await.is_err());
    proxy.heal();
    timeout(SOON, listener.accept()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_black_hole_keeps_what_it_took_and_a_stream_with_a_hole_stays_silent() {
    let (proxy, listener, mut client, mut server) = connected().await;
    proxy.swallow(Way::Both);
    client.write_all(b"anyone there?").await.unwrap();
    server.write_all(b"hello?").await.unwrap();
    assert!(is_silent(&mut server).await && is_silent(&mut client).await);
    let mut stranded = TcpStream::connect(proxy.address()).await.unwrap();
    stranded.write_all(b"let me in").await.unwrap();
    assert!(
        timeout(NOTHING_COMES, listener.accept()).await.is_err(),
        "the server hears of nobody"
    );

    proxy.heal();
    client.write_all(b"and now?").await.unwrap();
    server.write_all(b"and now?").await.unwrap();
    assert!(is_silent(&mut server).await && is_silent(&mut client).await);
    assert!(is_silent(&mut stranded).await);
    let (mut client, mut server) = another(&proxy, &listener).await;
    client.write_all(b"again").await.unwrap();
    assert_eq!(text(&mut server).await, "again");
}

#[tokio::test]
async fn a_black_hole_can_take_one_way_alone() {
    for way in [Way::ToServer, Way::ToClient] {
        let (proxy, _listener, mut client, mut server) = connected().await;
        proxy.swallow(way);
        let (lost, found) = match way {
            Way::ToServer => (&mut client, &mut server),
            Way::ToClient | Way::Both => (&mut server, &mut client),
        };
        lost.write_all(b"lost").await.unwrap();
        found.write_all(b"found").await.unwrap();
        assert_eq!(text(lost).await, "found");
        assert!(is_silent(found).await);
    }
}

#[tokio::test]
async fn a_black_hole_hides_that_a_side_is_gone() {
    for resets in [false, true] {
        let (proxy, _listener, mut client, mut server) = connected().await;
        proxy.swallow(Way::ToServer);
        client.write_all(b"lost").await.unwrap();
        assert!(is_silent(&mut server).await);
        if resets {
            client.set_zero_linger().unwrap();
        }
        drop(client);
        assert!(is_silent(&mut server).await);
        for _ in 0..3 {
            server.write_all(b"still there?").await.unwrap();
            assert!(is_silent(&mut server).await);
        }
        assert_eq!(proxy.open(), [1]);
    }
}

#[tokio::test]
async fn a_black_hole_can_be_cut() {
    let (proxy, _listener, mut client, mut server) = connected().await;
    proxy.swallow(Way::Both);
    let mut stranded = TcpStream::connect(proxy.address()).await.unwrap();
    client.write_all(b"lost").await.unwrap();
    assert!(is_silent(&mut server).await && is_silent(&mut stranded).await);
    proxy.cut();
    assert!(is_reset(&mut client).await && is_reset(&mut server).await && is_reset(&mut stranded).await);
}

#[tokio::test]
async fn a_slow_line_delivers_all_in_order_and_late() {
    let late = Duration::from_millis(150);
    let (proxy, _listener, mut client, mut server) = connected().await;
    proxy.delay(Way::ToServer, late);
    let began = Instant::now();
    client.write_all(b"one ").await.unwrap();
    client.write_all(b"two ").await.unwrap();
    server.write_all(b"at once").await.unwrap();
    assert_eq!(text(&mut client).await, "at once");
    assert!(began.elapsed() < late, "{:?}", began.elapsed());
    assert!(is_silent(&mut server).await);
    // Nothing overtakes what is under way.
    proxy.heal();
    client.write_all(b"three").await.unwrap();
    client.shutdown().await.unwrap();
    let mut all = String::new();
    timeout(SOON, server.read_to_string(&mut all)).await.unwrap().unwrap();
    assert_eq!(all, "one two three");
    assert!(began.elapsed() >= late, "{:?}", began.elapsed());
}

#[tokio::test]
async fn each_connection_has_a_line_of_its_own() {
    let (proxy, listener, mut first, mut first_server) = connected().await;
    let (mut second, mut second_server) = another(&proxy, &listener).await;
    assert_eq!((proxy.open(), proxy.accepted()), (vec![1, 2], 2));
    assert!(proxy.set_one(1, Line::Resets));
    assert!(is_reset(&mut first).await && is_reset(&mut first_server).await);
    second.write_all(b"untouched").await.unwrap();
    assert_eq!(text(&mut second_server).await, "untouched");
    assert!(!proxy.set_one(1, Line::Passes) && !proxy.set_one(3, Line::Resets));
    assert!(proxy.set_one(2, Line::Holds(Way::Both)));
    second.write_all(b"held").await.unwrap();
    assert!(is_silent(&mut second_server).await);
    let (mut third, mut third_server) = another(&proxy, &listener).await;
    third.write_all(b"new ones pass").await.unwrap();
    assert_eq!(text(&mut third_server).await, "new ones pass");
    proxy.heal();
    assert_eq!(text(&mut second_server).await, "held");
}

//! Takes connections (HTTP/1.1 and the WebSockets that come of it), and lets those go that say nothing.

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::Layer;

/// When the system has no more sockets to give.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop`, then until the requests under way are answered. A connection whose next request does not begin and
/// end its head within `head` is closed.
pub(crate) async fn serve(listener: TcpListener, router: Router, head: Duration, stop: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head);
    let under_way = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                // Small frames must not wait for each other.
                drop(socket.set_nodelay(true));
                let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router.clone()));
                let connection = builder.serve_connection_with_upgrades(TokioIo::new(socket), service);
                let connection = under_way.watch(connection.into_owned());
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!("a connection ended early: {error}");
                    }
                });
            }
            // Who came and went before it was its turn.
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionReset | ConnectionRefused) => {}
            Err(error) => {
                tracing::error!("a connection can't be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    under_way.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::io;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    const SHORT: Duration = Duration::from_millis(60);
    const LONG: Duration = Duration::from_mins(10);
    const SOON: Duration = Duration::from_secs(20);

    async fn server(head: Duration, stop: &CancellationToken) -> io::Result<(TcpStream, tokio::task::JoinHandle<()>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().route(
            "/",
            get(|peer: ConnectInfo<std::net::SocketAddr>| async move { format!("hello {}", peer.ip()) }),
        );
        let task = tokio::spawn(serve(listener, router, head, stop.clone()));
        Ok((TcpStream::connect(address).await?, task))
    }

    /// All that comes until the other side closes.
    async fn rest(mut socket: TcpStream) -> io::Result<String> {
        let mut text = String::new();
        socket.read_to_string(&mut text).await?;
        Ok(text)
    }

    #[tokio::test]
    async fn who_does_not_end_what_it_began_is_let_go() -> io::Result<()> {
        let stop = CancellationToken::new();
        let (mut slow, _task) = server(SHORT, &stop).await?;
        slow.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n").await?;
        let told = rest(slow).await?;
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 408"), "{told}");
        Ok(())
    }

    #[tokio::test]
    async fn who_asks_is_answered_and_let_go_when_it_says_no_more() -> io::Result<()> {
        let stop = CancellationToken::new();
        let (mut one, _task) = server(SHORT, &stop).await?;
        one.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await?;
        let told = rest(one).await?;
        assert!(
            told.starts_with("HTTP/1.1 200") && told.ends_with("hello 127.0.0.1"),
            "{told}"
        );
        Ok(())
    }

    #[tokio::test]
    async fn a_server_that_stops_lets_go_of_who_says_nothing() -> io::Result<()> {
        let stop = CancellationToken::new();
        let (mut idle, task) = server(LONG, &stop).await?;
        idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await?;
        let mut answer = [0; 12];
        idle.read_exact(&mut answer).await?;
        assert_eq!(&answer, b"HTTP/1.1 200");
        stop.cancel();
        timeout(SOON, task).await??;
        timeout(SOON, rest(idle)).await??;
        Ok(())
    }
}

//! Connections: accepted, served, and ended in good order.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{service_fn, Service};
use hyper::Request;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::app::App;
use crate::connections::{Connection, Connections};
use crate::routes::router;

/// What hyper keeps of each connection: with hundreds of uploads at once it counts.
const BUFFER: usize = 32 * 1024;
/// The longest that open connections hold up the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// The most lines in a header block.
const HEADERS: usize = 1000;
/// What a client is told for whom there is no room.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Connection: close\r\nRetry-After: 2\r\nContent-Type: application/json\r\nContent-Length: 45\r\n\r\n\
    {\"message\":\"the receiver is full: try later\"}";

/// Serves until `end`.
pub async fn serve(app: App, listener: TcpListener, end: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(app.config.header_timeout)
        .max_buf_size(BUFFER)
        .max_headers(HEADERS)
        // A client may shut down its sending side and still wait for the answer.
        .half_close(true);
    let router = router(app.clone());
    let graceful = GracefulShutdown::new();
    let connections = Connections::new(app.config.max_connections.get());
    let mut end = std::pin::pin!(end);
    loop {
        let stream = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut end => break,
        };
        match connections.admit() {
            Some(connection) => serve_connection(&http, &router, &graceful, stream, connection),
            None => refuse(stream),
        }
    }
    drop(listener);
    tracing::info!("shutting down");
    app.active.shut_down().await;
    let _ = timeout(FAREWELL, graceful.shutdown()).await;
    app.store.close().await;
}

fn serve_connection(
    http: &http1::Builder,
    router: &Router,
    graceful: &GracefulShutdown,
    stream: TcpStream,
    connection: Connection,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY: {error}");
    }
    let router = TowerToHyperService::new(router.clone());
    let connection = Arc::new(connection);
    let known = connection.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (busy, answer) = (known.busy(), router.call(request));
        async { Ok::<_, Infallible>(busy.until_sent(answer.await?)) }
    });
    let served = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        tokio::select! {
            ended = served => if let Err(error) = ended {
                tracing::debug!("connection: {error}");
            },
            () = connection.ended() => tracing::debug!("connection: gave way to a newer one"),
        }
    });
}

fn refuse(mut stream: TcpStream) {
    tokio::spawn(async move {
        let told = async {
            stream.write_all(FULL).await?;
            stream.shutdown().await?;
            // What the client says meanwhile has to be read, or it does not see the answer.
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
        };
        let _ = timeout(Duration::from_secs(1), told).await;
    });
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                // Most likely out of file descriptors: some connection has to end first.
                tracing::warn!("accept: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

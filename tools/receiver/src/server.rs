//! The server: accepts connections, serves them, and ends them at the shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{service_fn, Service};
use hyper::Request;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::accounts::base;
use crate::accounts::peer::Peer;
use crate::app::App;
use crate::config::Config;
use crate::connections::{Connection, Connections};
use crate::interim::{Interim, Stream};
use crate::ops::metrics::Metrics;
use crate::ops::tls::Tls;
use crate::routes::router;

/// The size of hyper's buffer for each connection. Small, since there may be hundreds of uploads at once.
const BUFFER: usize = 48 * 1024;
/// The longest time that open connections delay the shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// The largest number of header lines that hyper parses. The router refuses fewer, with a better message.
const MAX_HEADERS: usize = 1000;
/// The response to a client when there are too many connections.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Connection: close\r\nRetry-After: 2\r\nContent-Type: application/json\r\nContent-Length: 45\r\n\r\n\
    {\"message\":\"the receiver is full: try later\"}";

/// Serves until `end` is ready.
pub async fn serve(
    app: App,
    listener: Arc<TcpListener>,
    tls: Option<Arc<Tls>>,
    end: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(app.config.header_timeout)
        .max_buf_size(BUFFER)
        .max_headers(MAX_HEADERS)
        // A client may shut down its sending side and still wait for the response.
        .half_close(true);
    let router = router(app.clone());
    let handshake_timeout = app.config.header_timeout;
    let graceful = GracefulShutdown::new();
    let connections = Connections::new(
        app.config.max_connections.get(),
        app.config.body_idle_timeout,
    );
    let mut end = std::pin::pin!(end);
    loop {
        let (stream, address) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut end => break,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY: {error}");
        }
        let (http, router) = (http.clone(), router.clone());
        let config = app.config.clone();
        let peer = Peer::of_connection(address.ip(), tls.is_some());
        let Some(connection) = connections.admit() else {
            // With TLS a response would need a handshake first.
            if tls.is_none() {
                refuse(stream);
            }
            continue;
        };
        let (watcher, tls) = (graceful.watcher(), tls.clone());
        let count = Count::new(&app.metrics);
        let connection = Arc::new(connection);
        let shared = connection.clone();
        let served = async move {
            let Some(tls) = tls else {
                return serve_connection(&http, router, config, watcher, stream, (peer, shared))
                    .await;
            };
            match timeout(handshake_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    serve_connection(&http, router, config, watcher, stream, (peer, shared)).await
                }
                Ok(Err(error)) => tracing::debug!("TLS handshake: {error}"),
                Err(_) => tracing::debug!("TLS handshake: none in time"),
            }
        };
        tokio::spawn(async move {
            let _count = count;
            tokio::select! {
                () = served => {}
                () = connection.must_close() => tracing::debug!("connection: closed for a newer one"),
            }
        });
    }
    drop(listener);
    tracing::info!("shutting down");
    app.uploads.claims.shut_down().await;
    let _ = timeout(SHUTDOWN_GRACE, graceful.shutdown()).await;
    if let Some(leases) = &app.uploads.leases {
        leases.end().await;
    }
    app.accounts.close().await;
    app.uploads.store.close().await;
}

async fn serve_connection(
    http: &http1::Builder,
    router: Router,
    config: Arc<Config>,
    watcher: Watcher,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    (peer, connection): (Peer, Arc<Connection>),
) {
    let router = TowerToHyperService::new(router);
    let interim = Interim::default();
    let stream = Stream::new(stream, interim.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        base::enter(&mut request, peer.address, &config);
        let peer = Peer::new(peer, request.headers(), &config.trusted_proxy);
        let active = connection.begin_request(peer.address);
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(active.client());
        request.extensions_mut().insert(interim.clone());
        let (response, interim) = (router.call(request), interim.clone());
        async move {
            let response = response.await?;
            // What has not gone out before the response must not go out after it.
            interim.clear();
            Ok::<_, Infallible>(active.until_sent(response))
        }
    });
    let served = http.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(served).await {
        tracing::debug!("connection: {error}");
    }
}

/// Counts a connection until it is dropped.
struct Count(Arc<Metrics>);

impl Count {
    fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.connections.inc();
        Self(metrics.clone())
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

/// Answers that the receiver is full.
fn refuse(mut stream: TcpStream) {
    tokio::spawn(async move {
        let answer = async {
            stream.write_all(FULL).await?;
            stream.shutdown().await?;
            // What the client sends has to be read, or it could not read the response.
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
        };
        let _ = timeout(Duration::from_secs(1), answer).await;
    });
}

/// Accepts a connection.
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                // Most likely out of file descriptors: some connection has to end first.
                tracing::warn!("accept: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

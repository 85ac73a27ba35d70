//! Connections: accepted, served, and ended in good order.

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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::accounts::peer::Peer;
use crate::app::App;
use crate::config::Config;
use crate::ops::metrics::Metrics;
use crate::ops::tls::Tls;
use crate::routes::router;

/// What hyper keeps of each connection: with hundreds of uploads at once it counts.
const BUFFER: usize = 64 * 1024;
/// The longest that open connections hold up the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves until `end`.
pub async fn serve(
    app: App,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    end: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(app.config.header_timeout)
        .max_buf_size(BUFFER)
        // A client may shut down its sending side and still wait for the answer.
        .half_close(true);
    let router = router(app.clone());
    let handshake_timeout = app.config.header_timeout;
    let graceful = GracefulShutdown::new();
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
        let peer = Peer {
            address: address.ip(),
            secure: tls.is_some(),
        };
        let (watcher, tls) = (graceful.watcher(), tls.clone());
        let count = Count::new(&app.metrics);
        tokio::spawn(async move {
            let _count = count;
            let Some(tls) = tls else {
                return serve_connection(&http, router, config, watcher, stream, peer).await;
            };
            match timeout(handshake_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    serve_connection(&http, router, config, watcher, stream, peer).await
                }
                Ok(Err(error)) => tracing::debug!("TLS handshake: {error}"),
                Err(_) => tracing::debug!("TLS handshake: none in time"),
            }
        });
    }
    drop(listener);
    tracing::info!("shutting down");
    app.active.shut_down().await;
    let _ = timeout(FAREWELL, graceful.shutdown()).await;
    app.accounts.close().await;
    app.store.close().await;
}

async fn serve_connection(
    http: &http1::Builder,
    router: Router,
    config: Arc<Config>,
    watcher: Watcher,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: Peer,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let peer = Peer::new(connection, request.headers(), &config.trusted_proxy);
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let connection = http.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("connection: {error}");
    }
}

/// Counts a connection as long as it lives.
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

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
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

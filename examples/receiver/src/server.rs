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
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::accounts::peer::Peer;
use crate::app::App;
use crate::config::Config;
use crate::routes::router;

/// What hyper keeps of each connection: with hundreds of uploads at once it counts.
const BUFFER: usize = 64 * 1024;
/// The longest that open connections hold up the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves until `end`.
pub async fn serve(app: App, listener: TcpListener, end: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(app.config.header_timeout)
        .max_buf_size(BUFFER)
        // A client may shut down its sending side and still wait for the answer.
        .half_close(true);
    let router = router(app.clone());
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let (stream, address) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut end => break,
        };
        let peer = Peer {
            address: address.ip(),
            secure: false,
        };
        serve_connection(&http, &router, &app.config, &graceful, stream, peer);
    }
    drop(listener);
    tracing::info!("shutting down");
    app.active.shut_down().await;
    let _ = timeout(FAREWELL, graceful.shutdown()).await;
    app.accounts.close().await;
    app.store.close().await;
}

fn serve_connection(
    http: &http1::Builder,
    router: &Router,
    config: &Arc<Config>,
    graceful: &GracefulShutdown,
    stream: TcpStream,
    connection: Peer,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY: {error}");
    }
    let (config, router) = (config.clone(), TowerToHyperService::new(router.clone()));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let peer = Peer::new(connection, request.headers(), &config.trusted_proxy);
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("connection: {error}");
        }
    });
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

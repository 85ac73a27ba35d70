//! The server: accepts connections, serves them, and ends them at the shutdown.

use std::convert::Infallible;
use std::pin::pin;
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
use tokio::time::{sleep, timeout};

use crate::accounts::base;
use crate::accounts::peer::Peer;
use crate::app::App;
use crate::config::Config;
use crate::connections::{Connection, Connections};
use crate::interim::{Interim, Stream};
use crate::listen::{self, Sockets};
use crate::ops::metrics::Metrics;
use crate::ops::signals::Signals;
use crate::ops::supervisor;
use crate::ops::tls::Tls;
use crate::routes::router;

/// The size of hyper's buffer for each connection. Small, since there may be hundreds of uploads at once.
const BUFFER: usize = 48 * 1024;
/// The longest time that connections delay the end to which no response is being sent.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// The largest number of header lines that hyper parses. The router refuses fewer, with a better message.
const MAX_HEADERS: usize = 1000;
/// The response to a client when there are too many connections.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Connection: close\r\nRetry-After: 2\r\nContent-Type: application/json\r\nContent-Length: 45\r\n\r\n\
    {\"message\":\"the receiver is full: try later\"}";

/// Serves until a signal comes, and then ends. Returns whether it could end in order: a second signal does not wait for that.
pub async fn serve(
    app: App,
    sockets: Arc<Sockets>,
    tls: Option<Arc<Tls>>,
    signals: &mut Signals,
) -> bool {
    let graceful = GracefulShutdown::new();
    let connections = Connections::new(
        app.config.max_connections.get(),
        app.config.body_idle_timeout,
    );
    tokio::select! {
        () = accept(&app, &sockets, tls.as_ref(), &graceful, &connections) => {}
        () = signals.next() => {}
    }
    drop(sockets);
    supervisor::tell_stopping();
    tracing::info!("shutting down");
    tokio::select! {
        () = end(&app, graceful, &connections) => true,
        () = signals.next() => false,
    }
}

/// Accepts connections for ever.
async fn accept(
    app: &App,
    sockets: &Sockets,
    tls: Option<&Arc<Tls>>,
    graceful: &GracefulShutdown,
    connections: &Arc<Connections>,
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
    loop {
        let (stream, address) = sockets.accept().await;
        // What comes by a unix socket does not leave the machine.
        let tls = tls.filter(|_| matches!(stream, listen::Stream::Tcp(_)));
        let peer = Peer::of_connection(address, tls.is_some());
        let Some(connection) = connections.admit() else {
            // With TLS a response would need a handshake first.
            match stream {
                _ if tls.is_some() => {}
                listen::Stream::Tcp(stream) => refuse(stream),
                #[cfg(unix)]
                listen::Stream::Unix(stream) => refuse(stream),
            }
            continue;
        };
        let connection = Arc::new(connection);
        let serving = Serving {
            http: http.clone(),
            router: router.clone(),
            config: app.config.clone(),
            watcher: graceful.watcher(),
            peer,
            connection: connection.clone(),
        };
        let (tls, count) = (tls.cloned(), Count::new(&app.metrics));
        let served = async move {
            let stream = match (stream, tls) {
                (listen::Stream::Tcp(stream), Some(tls)) => (tls, stream),
                (listen::Stream::Tcp(stream), None) => return serving.serve(stream).await,
                #[cfg(unix)]
                (listen::Stream::Unix(stream), _) => return serving.serve(stream).await,
            };
            let (tls, stream) = stream;
            match timeout(handshake_timeout, tls.accept(stream)).await {
                Ok(Ok(stream)) => serving.serve(stream).await,
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
}

/// Ends uploads, and waits for responses: for those that are being sent, such as downloads, as long as the settings say.
async fn end(app: &App, graceful: GracefulShutdown, connections: &Connections) {
    app.uploads.claims.shut_down().await;
    let responses = async {
        let mut all = pin!(graceful.shutdown());
        if timeout(SHUTDOWN_GRACE, &mut all).await.is_ok() {
            return;
        }
        let none = async {
            while connections.are_sending() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            () = all => {}
            () = none => {}
        }
    };
    if timeout(app.config.end_timeout, responses).await.is_err() {
        tracing::warn!(
            "responses that were still being sent are cut off; --end-timeout says how long they may take"
        );
    }
    if let Some(leases) = &app.uploads.leases {
        leases.end().await;
    }
    app.accounts.close().await;
    app.uploads.store.close().await;
}

/// A connection that is served.
struct Serving {
    http: http1::Builder,
    router: Router,
    config: Arc<Config>,
    watcher: Watcher,
    peer: Peer,
    connection: Arc<Connection>,
}

impl Serving {
    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self {
            http,
            router,
            config,
            watcher,
            peer,
            connection,
        } = self;
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
fn refuse(mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
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

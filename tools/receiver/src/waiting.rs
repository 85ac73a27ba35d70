//! A receiver whose database or object store cannot be reached at the start: it answers each request with 503, until both are
//! there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{header, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::serve::Listener;
use axum::{middleware, Router};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::http::reply::Reply;
use crate::linger::linger;
use crate::ops::tls::Tls;
use crate::server::accept;

/// How long a client may take for TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Answers until it is dropped.
pub async fn serve(what: &'static str, listener: Arc<TcpListener>, tls: Option<Arc<Tls>>) {
    let health = (
        StatusCode::SERVICE_UNAVAILABLE,
        format!("failing: {what}; the log says more\n"),
    );
    let router = Router::new()
        .route("/healthz", get(|| async { health }))
        .fallback(move || async move { Reply::away(what) })
        .layer(middleware::map_request(linger))
        .layer(middleware::map_response(close));
    let waiting = Waiting {
        listener,
        tls,
        handshakes: JoinSet::new(),
    };
    // It accepts for ever.
    let _ = axum::serve(waiting, router).await;
}

/// Ends the connection: a later request on it would come here, too.
async fn close(mut response: Response) -> Response {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A listener that another one takes the place of later.
struct Waiting {
    listener: Arc<TcpListener>,
    tls: Option<Arc<Tls>>,
    handshakes: JoinSet<Option<(Box<dyn Stream>, SocketAddr)>>,
}

impl Listener for Waiting {
    type Io = Box<dyn Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            tokio::select! {
                (stream, address) = accept(&self.listener) => {
                    self.handshakes.spawn(open(stream, address, self.tls.clone()));
                }
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = done {
                        return connection;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn open(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
) -> BoxFuture<'static, Option<(Box<dyn Stream>, SocketAddr)>> {
    Box::pin(async move {
        let Some(tls) = tls else {
            return Some((Box::new(stream) as Box<dyn Stream>, address));
        };
        let stream = timeout(HANDSHAKE, tls.accept(stream)).await.ok()?.ok()?;
        Some((Box::new(stream) as Box<dyn Stream>, address))
    })
}

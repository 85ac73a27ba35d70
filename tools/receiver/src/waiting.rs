//! A receiver whose database or object store cannot be reached at the start: it answers each request with 503, until both are
//! there.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{header, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::serve::Listener;
use axum::{middleware, Router};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::http::reply::Reply;
use crate::linger::linger;
use crate::listen::{self, Sockets};
use crate::ops::tls::Tls;

/// How long a client may take for TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Answers until it is dropped.
pub async fn serve(what: &'static str, sockets: Arc<Sockets>, tls: Option<Arc<Tls>>) {
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
        sockets,
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
    sockets: Arc<Sockets>,
    tls: Option<Arc<Tls>>,
    handshakes: JoinSet<Option<Box<dyn Stream>>>,
}

impl Listener for Waiting {
    type Io = Box<dyn Stream>;
    type Addr = ();

    async fn accept(&mut self) -> (Self::Io, ()) {
        loop {
            tokio::select! {
                (stream, _) = self.sockets.accept() => {
                    self.handshakes.spawn(open(stream, self.tls.clone()));
                }
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(stream)) = done {
                        return (stream, ());
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn open(
    stream: listen::Stream,
    tls: Option<Arc<Tls>>,
) -> BoxFuture<'static, Option<Box<dyn Stream>>> {
    Box::pin(async move {
        Some(match (stream, tls) {
            (listen::Stream::Tcp(stream), Some(tls)) => {
                Box::new(timeout(HANDSHAKE, tls.accept(stream)).await.ok()?.ok()?)
            }
            (listen::Stream::Tcp(stream), None) => Box::new(stream) as Box<dyn Stream>,
            #[cfg(unix)]
            (listen::Stream::Unix(stream), _) => Box::new(stream),
        })
    })
}

//! Responses that come before the request's end. After one, the rest of the request is read for a while: a client could
//! not read the response if the socket was closed with unread bytes.

use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::timeout;

use crate::accounts::forwarded::is_by_proxy;

/// How long the rest of a request is read.
const LINGER: Duration = Duration::from_secs(2);
/// How many bytes of it are read.
const LINGER_BYTES: usize = 4 * 1024 * 1024;
/// The same for a request that comes through a proxy: Apache httpd reads no response before it has passed on the whole
/// request. A newer connection replaces one that only reads.
const PROXY_LINGER: Duration = Duration::from_secs(60);
const PROXY_LINGER_BYTES: usize = 64 * 1024 * 1024;

/// Makes a request read the rest of its body when the handler drops it.
pub async fn linger(request: Request) -> Request {
    let bound = match is_by_proxy(request.headers()) {
        true => (PROXY_LINGER, PROXY_LINGER_BYTES),
        false => (LINGER, LINGER_BYTES),
    };
    request.map(|body| {
        let body = Some(body);
        Body::new(Lingering { body, bound })
    })
}

/// A body that is read to its end when it is dropped.
struct Lingering {
    /// The body, until its end.
    body: Option<Body>,
    /// How long, and how many bytes of, the rest is read.
    bound: (Duration, usize),
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.as_ref();
        body.map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            tokio::spawn(read_rest(body, self.bound));
        }
    }
}

async fn read_rest(body: Body, (time, most): (Duration, usize)) {
    let mut body = body.into_data_stream();
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(chunk)) = body.next().await {
            bytes += chunk.len();
            if bytes > most {
                // Reads no more. The client has the rest of the time to read the response.
                std::future::pending().await
            }
        }
    };
    let _ = timeout(time, read).await;
}

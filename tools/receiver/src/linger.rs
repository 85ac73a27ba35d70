//! Early answers stay readable: what a client still sends is read for a while after it has its
//! answer, since an answer is lost when its socket is closed with bytes unread.

use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::timeout;

/// How long a connection stays open for a client that is still sending when it has its answer.
const LINGER: Duration = Duration::from_secs(2);
/// How much of what such a client sends is read.
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// Has the request's body read on when nobody wants it any more.
pub async fn linger(request: Request) -> Request {
    request.map(|body| Body::new(Lingering { body: Some(body) }))
}

struct Lingering {
    /// Until its end.
    body: Option<Body>,
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
            tokio::spawn(read_on(body));
        }
    }
}

async fn read_on(body: Body) {
    let mut body = body.into_data_stream();
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(chunk)) = body.next().await {
            bytes += chunk.len();
            if bytes > LINGER_BYTES {
                // The client stands still now, and has the rest of the time to see its answer.
                std::future::pending().await
            }
        }
    };
    let _ = timeout(LINGER, read).await;
}

//! A multipart form, read part by part as it arrives, within limits.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::header::CONTENT_DISPOSITION;
use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::Stream;
use multer::{Field, Multipart};
use tokio::time::{timeout, Instant};

use crate::config::Config;
use crate::http::body::broken_form;
use crate::http::fields::{too_long, MAX_FIELDS, MAX_VALUE};
use crate::http::parameters::parameter;
use crate::http::reply::{excerpt, Reply};
use crate::storage::claims::Slot;

/// The largest number of bytes, beside one chunk, that may arrive without becoming a part or its content.
const MAX_UNPARSED: usize = 64 * 1024;

/// Reads the boundary of a form's Content-Type.
pub fn boundary(kind: &str) -> Result<String, Reply> {
    let value = parameter(kind.as_bytes(), "boundary");
    let value = value.and_then(|value| value.filter(|it| !it.is_empty()).ok_or("no boundary"));
    value
        .map(|value| String::from_utf8_lossy(&value).into_owned())
        .map_err(|why| Reply::bad_request(format!("Content-Type '{}': {why}", excerpt(kind))))
}

/// A form that is being received.
pub struct Form<'b> {
    part: Option<Field<'b>>,
    multipart: Multipart<'b>,
    parts: usize,
    unparsed: Arc<AtomicUsize>,
    idle: Duration,
    rate: RateCheck,
    slot: Option<Arc<Slot>>,
}

impl<'b> Form<'b> {
    /// Reads a form from `body`. It fails when the client is silent or slow for too long.
    pub fn new(body: &'b mut BodyDataStream, boundary: String, config: &Config) -> Self {
        let unparsed = Arc::new(AtomicUsize::new(0));
        let rate = RateCheck {
            min_rate: config.min_rate,
            window: config.min_rate_window,
            bytes: Arc::default(),
            waited: Duration::ZERO,
        };
        let stream = BodyStream {
            body,
            unparsed: unparsed.clone(),
            bytes: rate.bytes.clone(),
            pause: false,
            end: None,
        };
        Self {
            part: None,
            multipart: Multipart::new(stream, boundary),
            parts: 0,
            unparsed,
            idle: config.body_idle_timeout,
            rate,
            slot: None,
        }
    }

    /// Makes the form fail when the claim of `slot` is taken away.
    pub fn set_slot(&mut self, slot: Arc<Slot>) {
        self.slot = Some(slot);
    }

    /// Goes to the next part and returns its name, as it stands between the quotes. The part before must have been read.
    pub async fn next_part(&mut self) -> Result<Option<String>, Reply> {
        self.part = None;
        self.rate.check()?;
        let start = Instant::now();
        let part = wait_for(self.idle, &self.slot, self.multipart.next_field()).await?;
        self.rate.waited += start.elapsed();
        self.unparsed.store(0, Ordering::Relaxed);
        let Some(part) = part else {
            return Ok(None);
        };
        self.parts += 1;
        // One more for the file.
        if self.parts > MAX_FIELDS + 1 {
            return Err(Reply::bad_request(format!(
                "the form has more than {MAX_FIELDS} fields"
            )));
        }
        let name = part_name(&part)?;
        self.part = Some(part);
        Ok(Some(name))
    }

    /// Reads the next bytes of the part.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Reply> {
        let Some(part) = &mut self.part else {
            return Ok(None);
        };
        self.rate.check()?;
        let start = Instant::now();
        let chunk = wait_for(self.idle, &self.slot, part.chunk()).await?;
        self.rate.waited += start.elapsed();
        self.unparsed.store(0, Ordering::Relaxed);
        Ok(chunk)
    }

    /// Reads the rest of the part as the value of the field `name`.
    pub async fn value(&mut self, name: &str) -> Result<String, Reply> {
        let mut value = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            value.extend_from_slice(&chunk);
            if value.len() > MAX_VALUE {
                return Err(too_long(name, MAX_VALUE));
            }
        }
        String::from_utf8(value)
            .map_err(|error| Reply::bad_field(name, &String::from_utf8_lossy(error.as_bytes())))
    }
}

/// Reads a part's name.
fn part_name(part: &Field<'_>) -> Result<String, Reply> {
    let header = part.headers().get(CONTENT_DISPOSITION);
    let header = header.map_or(&b""[..], |header| header.as_bytes());
    let name = parameter(header, "name").and_then(|name| name.ok_or("a part has no name"));
    let name = name.and_then(|name| String::from_utf8(name).map_err(|_| "a name is not UTF-8"));
    name.map_err(|why| {
        let header = String::from_utf8_lossy(header);
        Reply::bad_request(format!("Content-Disposition '{}': {why}", excerpt(&header)))
    })
}

/// A check that the client is not too slow, while the receiver waits for it.
struct RateCheck {
    /// The least number of bytes per second, on average over the window.
    min_rate: u64,
    window: Duration,
    /// How many bytes have arrived since the window began.
    bytes: Arc<AtomicU64>,
    waited: Duration,
}

impl RateCheck {
    fn check(&mut self) -> Result<(), Reply> {
        if self.waited < self.window {
            return Ok(());
        }
        let bytes = self.bytes.swap(0, Ordering::Relaxed);
        let waited = std::mem::take(&mut self.waited).as_secs_f64();
        if bytes as f64 >= self.min_rate as f64 * waited {
            return Ok(());
        }
        Err(Reply::refusal(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "{bytes} bytes in {waited:.1} s are too slow: the least is {} bytes in a second",
                self.min_rate
            ),
        ))
    }
}

/// Waits for what the client sends, as long as it may be silent.
async fn wait_for<T>(
    idle: Duration,
    slot: &Option<Arc<Slot>>,
    work: impl Future<Output = multer::Result<T>>,
) -> Result<T, Reply> {
    let work = timeout(idle, work);
    let result = match slot {
        Some(slot) => slot.wait_for_client(work).await?,
        None => work.await,
    };
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(multer::Error::StreamReadFailed(error))) => Err(broken_form(&*error)),
        Ok(Err(error)) => Err(broken_form(&error)),
        Err(_) => Err(idle_timeout(idle)),
    }
}

/// The refusal of a form of which nothing more arrives.
fn idle_timeout(idle: Duration) -> Reply {
    Reply::refusal(
        StatusCode::REQUEST_TIMEOUT,
        format!("the form got no further for {} s", idle.as_secs_f64()),
    )
}

/// The body as multer reads it: chunk by chunk, so that multer parses each one before it gets the next.
///
/// Without this, multer would read all that is there into its buffer before it parses any of it. The buffer would grow
/// without limit while multer searches for the end of a part's header. And when the body ends or breaks off, multer
/// would drop what it has not yet returned.
struct BodyStream<'b> {
    body: &'b mut BodyDataStream,
    /// How many bytes multer has taken since it last returned something. The form sets it to 0.
    unparsed: Arc<AtomicUsize>,
    /// How many bytes have arrived.
    bytes: Arc<AtomicU64>,
    /// Whether multer has taken a chunk that it has yet to parse.
    pause: bool,
    /// The end of the body, with its error, until multer has returned all that it has.
    end: Option<Option<axum::Error>>,
}

impl BodyStream<'_> {
    /// Returns to multer, which parses its buffer, and makes it ask again.
    fn ask_again(context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream for BodyStream<'_> {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            return Self::ask_again(context);
        }
        let unparsed = self.unparsed.load(Ordering::Relaxed);
        if let Some(end) = &mut self.end {
            if unparsed == 0 {
                self.unparsed.store(1, Ordering::Relaxed);
                return Self::ask_again(context);
            }
            return Poll::Ready(end.take().map(Err));
        }
        if unparsed > MAX_UNPARSED {
            let message = format!("more than {MAX_UNPARSED} bytes without a part");
            return Poll::Ready(Some(Err(axum::Error::new(message))));
        }
        match std::task::ready!(Pin::new(&mut *self.body).poll_next(context)) {
            Some(Ok(chunk)) => {
                self.unparsed.fetch_add(chunk.len(), Ordering::Relaxed);
                let bytes = chunk.len() as u64;
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
                self.pause = true;
                Poll::Ready(Some(Ok(chunk)))
            }
            end => {
                self.end = Some(end.and_then(Result::err));
                self.unparsed.store(1, Ordering::Relaxed);
                Self::ask_again(context)
            }
        }
    }
}

//! A multipart form, read part by part as it arrives, within bounds.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::Stream;
use multer::{Field, Multipart};
use tokio::time::{timeout, Instant};

use crate::config::Config;
use crate::http::answer::Answer;
use crate::http::fields::{too_long, MAX_FIELDS, MAX_VALUE};
use crate::storage::claims::Slot;

/// The most bytes, beside one chunk, that may come in without becoming a part or its content.
const MAX_HUNGER: usize = 64 * 1024;

/// A form on its way in.
pub struct Form<'b> {
    part: Option<Field<'b>>,
    multipart: Multipart<'b>,
    parts: usize,
    hunger: Arc<AtomicUsize>,
    idle: Duration,
    pace: Pace,
    slot: Option<Arc<Slot>>,
}

impl<'b> Form<'b> {
    /// A form that reads from `body` and gives up when that is silent or slow for too long.
    pub fn new(body: &'b mut BodyDataStream, boundary: String, config: &Config) -> Self {
        let hunger = Arc::new(AtomicUsize::new(0));
        let pace = Pace {
            floor: config.min_rate,
            window: config.min_rate_window,
            bytes: Arc::default(),
            waited: Duration::ZERO,
        };
        let feed = Feed {
            body,
            hunger: hunger.clone(),
            bytes: pace.bytes.clone(),
            pause: false,
            end: None,
        };
        Self {
            part: None,
            multipart: Multipart::new(feed, boundary),
            parts: 0,
            hunger,
            idle: config.body_idle_timeout,
            pace,
            slot: None,
        }
    }

    /// From now on waiting for the client ends also when `slot`'s claim is taken away.
    pub fn listen_through(&mut self, slot: Arc<Slot>) {
        self.slot = Some(slot);
    }

    /// Goes to the next part and returns its name; the one before must have been read.
    pub async fn next_part(&mut self) -> Result<Option<String>, Answer> {
        self.part = None;
        self.pace.check()?;
        let begun = Instant::now();
        let part = heard(self.idle, &self.slot, self.multipart.next_field()).await?;
        self.pace.waited += begun.elapsed();
        self.hunger.store(0, Ordering::Relaxed);
        let Some(part) = part else {
            return Ok(None);
        };
        self.parts += 1;
        // One more for the file.
        if self.parts > MAX_FIELDS + 1 {
            return Err(Answer::bad_request(format!(
                "the form has more than {MAX_FIELDS} fields"
            )));
        }
        let name = part.name().unwrap_or("").to_owned();
        self.part = Some(part);
        Ok(Some(name))
    }

    /// The next bytes of the part.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Answer> {
        let Some(part) = &mut self.part else {
            return Ok(None);
        };
        self.pace.check()?;
        let begun = Instant::now();
        let chunk = heard(self.idle, &self.slot, part.chunk()).await?;
        self.pace.waited += begun.elapsed();
        self.hunger.store(0, Ordering::Relaxed);
        Ok(chunk)
    }

    /// All of the part, as the value of the field `name`.
    pub async fn value(&mut self, name: &str) -> Result<String, Answer> {
        let mut value = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            value.extend_from_slice(&chunk);
            if value.len() > MAX_VALUE {
                return Err(too_long(name, MAX_VALUE));
            }
        }
        String::from_utf8(value)
            .map_err(|error| Answer::bad_field(name, &String::from_utf8_lossy(error.as_bytes())))
    }
}

/// How fast the client is while it is waited for.
struct Pace {
    /// The least bytes in a second, on average over the window.
    floor: u64,
    window: Duration,
    /// Since the window began.
    bytes: Arc<AtomicU64>,
    waited: Duration,
}

impl Pace {
    fn check(&mut self) -> Result<(), Answer> {
        if self.waited < self.window {
            return Ok(());
        }
        let bytes = self.bytes.swap(0, Ordering::Relaxed);
        let waited = std::mem::take(&mut self.waited).as_secs_f64();
        if bytes as f64 >= self.floor as f64 * waited {
            return Ok(());
        }
        Err(Answer::refusal(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "{bytes} bytes in {waited:.1} s are too slow: the least is {} bytes in a second",
                self.floor
            ),
        ))
    }
}

async fn heard<T>(
    idle: Duration,
    slot: &Option<Arc<Slot>>,
    work: impl Future<Output = multer::Result<T>>,
) -> Result<T, Answer> {
    let work = timeout(idle, work);
    let result = match slot {
        Some(slot) => slot.listen(work).await?,
        None => work.await,
    };
    match result {
        Ok(Ok(heard)) => Ok(heard),
        Ok(Err(multer::Error::StreamReadFailed(error))) => Err(broken(error)),
        Ok(Err(error)) => Err(broken(error)),
        Err(_) => Err(silent(idle)),
    }
}

/// The refusal of a form that ends early or makes no sense.
pub fn broken(error: impl Display) -> Answer {
    Answer::bad_request(format!("the form broke off: {error}"))
}

/// The refusal of a form that does not come.
fn silent(idle: Duration) -> Answer {
    Answer::refusal(
        StatusCode::REQUEST_TIMEOUT,
        format!("the form got no further for {} s", idle.as_secs_f64()),
    )
}

/// Hands the body to multer chunk by chunk.
///
/// Left alone, multer takes all that is there into its buffer before it looks at any of it, grows that
/// buffer without end while it searches for the end of a part's header, and, when the body
/// ends or breaks, drops what it has not yet passed on.
struct Feed<'b> {
    body: &'b mut BodyDataStream,
    /// Bytes that multer has taken since it last gave something; its reader sets it to 0.
    hunger: Arc<AtomicUsize>,
    /// Bytes that have come.
    bytes: Arc<AtomicU64>,
    /// Multer has taken a chunk and is to look at it.
    pause: bool,
    /// How the body ended, for when multer has given all it had.
    end: Option<Option<axum::Error>>,
}

impl Feed<'_> {
    /// Sends multer to its buffer, and has it come back.
    fn later(context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Stream for Feed<'_> {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            return Self::later(context);
        }
        let hunger = self.hunger.load(Ordering::Relaxed);
        if let Some(end) = &mut self.end {
            if hunger == 0 {
                self.hunger.store(1, Ordering::Relaxed);
                return Self::later(context);
            }
            return Poll::Ready(end.take().map(Err));
        }
        if hunger > MAX_HUNGER {
            let message = format!("more than {MAX_HUNGER} bytes without a part");
            return Poll::Ready(Some(Err(axum::Error::new(message))));
        }
        match std::task::ready!(Pin::new(&mut *self.body).poll_next(context)) {
            Some(Ok(chunk)) => {
                self.hunger.fetch_add(chunk.len(), Ordering::Relaxed);
                let bytes = chunk.len() as u64;
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
                self.pause = true;
                Poll::Ready(Some(Ok(chunk)))
            }
            end => {
                self.end = Some(end.and_then(Result::err));
                self.hunger.store(1, Ordering::Relaxed);
                Self::later(context)
            }
        }
    }
}

//! A multipart form, read part by part as it arrives, within limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{timeout_at, Instant};

use crate::config::Config;
use crate::http::body::broken_form;
use crate::http::fields::{too_long, MAX_FIELDS, MAX_VALUE};
use crate::http::parameters::parameter;
use crate::http::reply::{excerpt, Reply};
use crate::storage::claims::Slot;
use crate::wire::parser::{Content, Parser, Part};

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
    body: &'b mut BodyDataStream,
    parser: Parser,
    parts: usize,
    idle: Duration,
    rate: RateCheck,
    slot: Option<Arc<Slot>>,
}

impl<'b> Form<'b> {
    /// Reads a form from `body`. It fails when the client is silent or slow for too long.
    pub fn new(body: &'b mut BodyDataStream, boundary: &str, config: &Config) -> Self {
        Self {
            body,
            parser: Parser::new(boundary),
            parts: 0,
            idle: config.body_idle_timeout,
            rate: RateCheck {
                min_rate: config.min_rate,
                window: config.min_rate_window,
                bytes: 0,
                waited: Duration::ZERO,
            },
            slot: None,
        }
    }

    /// Makes the form fail when the claim of `slot` is taken away.
    pub fn set_slot(&mut self, slot: Arc<Slot>) {
        self.slot = Some(slot);
    }

    /// Goes to the next part and returns its name, as it stands between the quotes. The part before must have been read.
    pub async fn next_part(&mut self) -> Result<Option<String>, Reply> {
        let deadline = Instant::now() + self.idle;
        let disposition = loop {
            match self.parser.part().map_err(|error| broken_form(&error))? {
                Part::Begin(disposition) => break disposition,
                Part::None => return Ok(None),
                Part::More if self.parser.unparsed() > MAX_UNPARSED => {
                    return Err(Reply::bad_request(format!(
                        "the form was cut: more than {MAX_UNPARSED} bytes without a part"
                    )))
                }
                Part::More => self.read(deadline).await?,
            }
        };
        self.parts += 1;
        // One more for the file.
        if self.parts > MAX_FIELDS + 1 {
            return Err(Reply::bad_request(format!(
                "the form has more than {MAX_FIELDS} fields"
            )));
        }
        part_name(&disposition).map(Some)
    }

    /// Reads the next bytes of the part.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Reply> {
        let deadline = Instant::now() + self.idle;
        loop {
            match self.parser.content() {
                Content::Bytes(bytes) => return Ok(Some(bytes)),
                Content::End => return Ok(None),
                Content::More => self.read(deadline).await?,
            }
        }
    }

    /// Reads the next bytes of the body, which have to come before `deadline`.
    async fn read(&mut self, deadline: Instant) -> Result<(), Reply> {
        self.rate.check()?;
        let start = Instant::now();
        let work = timeout_at(deadline, self.body.next());
        let chunk = match &self.slot {
            Some(slot) => slot.wait_for_client(work).await?,
            None => work.await,
        };
        let chunk = chunk.map_err(|_| idle_timeout(self.idle))?;
        self.rate.waited += start.elapsed();
        match chunk {
            Some(Ok(chunk)) => {
                self.rate.bytes += chunk.len() as u64;
                self.parser.push(chunk);
                Ok(())
            }
            Some(Err(error)) => Err(broken_form(&error)),
            None => Err(Reply::bad_request(
                "the form was cut: it ends before its last boundary",
            )),
        }
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

/// Reads a part's name from its Content-Disposition.
fn part_name(header: &[u8]) -> Result<String, Reply> {
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
    bytes: u64,
    waited: Duration,
}

impl RateCheck {
    fn check(&mut self) -> Result<(), Reply> {
        if self.waited < self.window {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.bytes);
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

/// The refusal of a form of which nothing more arrives.
fn idle_timeout(idle: Duration) -> Reply {
    Reply::refusal(
        StatusCode::REQUEST_TIMEOUT,
        format!("the form got no further for {} s", idle.as_secs_f64()),
    )
}

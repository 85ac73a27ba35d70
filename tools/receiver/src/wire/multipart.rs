//! A multipart form, read part by part as it arrives, within limits.

use std::sync::Arc;

use axum::body::BodyDataStream;
use bytes::Bytes;
use tokio::time::Instant;

use crate::config::Config;
use crate::http::body::broken_form;
use crate::http::fields::{too_long, MAX_FIELDS, MAX_VALUE};
use crate::http::parameters::parameter;
use crate::http::reply::{excerpt, Reply};
use crate::storage::claims::Slot;
use crate::wire::incoming::Incoming;
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
    body: Incoming<'b>,
    parser: Parser,
    parts: usize,
}

impl<'b> Form<'b> {
    /// Reads a form from `body`. It fails when the client is silent or slow for too long.
    pub fn new(body: &'b mut BodyDataStream, boundary: &str, config: &Config) -> Self {
        Self {
            body: Incoming::new(body, "form", config),
            parser: Parser::new(boundary),
            parts: 0,
        }
    }

    /// Makes the form fail when the claim of `slot` is taken away.
    pub fn set_slot(&mut self, slot: Arc<Slot>) {
        self.body.set_slot(slot);
    }

    /// Goes to the next part and returns its name, as it stands between the quotes. The part before must have been read.
    pub async fn next_part(&mut self) -> Result<Option<String>, Reply> {
        let deadline = self.body.deadline();
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
        let deadline = self.body.deadline();
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
        match self.body.next(deadline).await? {
            Some(chunk) => {
                self.parser.push(chunk);
                Ok(())
            }
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

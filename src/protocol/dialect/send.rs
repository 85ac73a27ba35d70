//! The request that sends a chunk, or a whole file.

use std::io::Read;
use std::sync::atomic::Ordering::Relaxed;

use super::counted::Counted;
use super::finder::found;
use super::keys::Templates;
use super::noting::Texts;
use super::spec::Repeat;
use super::success::Success;
use super::template::{Place, Template, Values};
use super::trial::Purpose;
use super::Dialect;
use crate::error::Error;
use crate::http::secret::Secret;
use crate::http::{with_query, Body, Exchange, Needs, Request, Response};
use crate::protocol::bytes::CheckedBytes;
use crate::protocol::charset::Charset;
use crate::protocol::form::multipart::{escaped, FilePart, Multipart};
use crate::protocol::form::request::with_crlf;
use crate::protocol::Segment;

impl Dialect<'_> {
    /// Writes the fields of a chunk.
    pub(super) fn fields(&self, values: &Values<'_>) -> Vec<(String, String)> {
        let mut fields = fill(&self.spec.fields, values);
        if values.chunks > 1 {
            fields.extend(fill(&self.spec.chunk_fields, values));
        }
        let own = values.job.fields.iter().cloned();
        fields.extend(own);
        fields
    }

    fn headers(&self, values: &Values<'_>) -> Vec<(String, Secret)> {
        let only = match values.chunks {
            1 => None,
            _ => Some(&self.spec.chunk_headers),
        };
        let all = [&self.spec.headers].into_iter().chain(only).flatten();
        let header = |(name, template): &(String, Template)| {
            (
                name.to_ascii_lowercase(),
                Secret::new(template.fill_header(values)),
            )
        };
        all.map(header).collect()
    }

    /// Sends one chunk, or the whole file. Gives the response of a success, which [`ended`](Self::ended) has to follow.
    pub(super) fn post(
        &self,
        exchange: &dyn Exchange,
        values: &Values<'_>,
        segment: Segment<'_>,
    ) -> Result<Response, Error> {
        let job = values.job;
        let ends_file = segment.offset + segment.length == job.size;
        let fields = self.fields(values);
        let mut query = fill(&self.spec.query, values);
        let headers = self.headers(values);
        let (mut form, mut raw);
        let (body, length, content_type): (&mut dyn Read, u64, String);
        if self.spec.is_raw {
            // There is no other place for them.
            query.extend(fields.iter().cloned());
            raw = CheckedBytes::new(segment.bytes, segment.length);
            (body, length) = (&mut raw, segment.length);
            content_type = job.content_type.clone();
        } else {
            let pairs = fields.iter();
            let pairs: Vec<_> = pairs
                .map(|(name, value)| {
                    let name = escaped(&with_crlf(name)).into_owned();
                    (name.into(), with_crlf(value).into_owned())
                })
                .collect();
            let file = FilePart {
                field: &self.spec.file_field,
                file_name: &job.name,
                content_type: &job.content_type,
                length: segment.length,
                bytes: segment.bytes,
                style: self.style,
                charset: self.spec.charset,
            };
            form = Multipart::new(&pairs, file, |_| Vec::new())?;
            (length, content_type) = (form.length(), form.content_type());
            body = &mut form;
        }
        let mut body = Counted::new(body, length);
        let url = self.endpoint.uri().to_string();
        let (key, success) = match ends_file && self.spec.has_complete {
            true => ("complete", &self.spec.complete),
            false => ("success", &self.spec.success),
        };
        if self.spec.repeat == Repeat::Never {
            // One that was kept may be dead, and take bytes of the body before that shows.
            exchange.renew();
        }
        let texts = Texts {
            query: &query,
            fields: if self.spec.is_raw { &[] } else { &fields },
            file_field: (!self.spec.is_raw).then_some(&*self.spec.file_field),
        };
        let request = Request {
            method: self.spec.method,
            url: match query.is_empty() {
                true => url.clone(),
                false => with_query(&url, &urlencoded(&query, self.spec.charset)),
            },
            content_type: Some(content_type),
            headers,
            body: Some(Body::Stream {
                length,
                bytes: &mut body,
            }),
            needs: match self.spec.reads_body() {
                true => Needs::Beginning,
                false => success.needs(),
            },
        };
        let result = self.make(exchange, request, (Purpose::Send, values), (&url, texts));
        let result = result.and_then(|response| {
            // A last chunk that leaves bytes missing completes nothing.
            let checked = match ends_file && self.lacks_bytes(job.size, &response) {
                true => self.check_success("success", &self.spec.success, &response),
                false => self.check_success(key, success, &response),
            };
            self.note_places(&response);
            let why = || {
                format!(
                    "its status is {}, and it came before the whole request was sent ({})",
                    response.status,
                    body.words()
                )
            };
            let checked = checked.and_then(|()| match body.is_whole() {
                true => Ok(()),
                false => Err(Error::bad_response(why())),
            });
            checked.map_err(|error| self.explain(error, &response, segment.length))?;
            Ok(response)
        });
        result.or_else(|error| {
            self.ended(Err(match self.spec.repeat {
                Repeat::Never => may_be_stored(error, &body, success),
                _ => error,
            }))
        })
    }

    /// Adds to a refusal what is known of the cause: the server's own words, and the chunk's size.
    pub(super) fn explain(&self, mut error: Error, response: &Response, length: u64) -> Error {
        let message = found(&self.spec.message, response);
        if let Error::Refused(refusal) = &mut error {
            refusal.message = message.or(refusal.message.take());
            if response.status == 413 {
                refusal.hint = Some(match self.chunk_size {
                    Some(_) => {
                        format!("it takes no chunk of {length} bytes; set a smaller segment size")
                    }
                    None => format!("it takes no file of {length} bytes"),
                });
            }
        }
        error
    }

    /// Whether the server tells that it has not all bytes of the file.
    fn lacks_bytes(&self, size: u64, response: &Response) -> bool {
        let told = self.spec.told.as_ref().map(|told| told.read(response));
        matches!(told, Some(Ok(Some(bytes))) if bytes < size)
    }

    /// Gives the offset to go on from, after the server has accepted a chunk that ends at `end`: that which it
    /// tells, as far as a chunk begins there.
    ///
    /// # Errors
    /// [`Error::BadOffset`] if it tells more than was sent.
    pub(super) fn reached(&self, size: u64, end: u64, response: &Response) -> Result<u64, Error> {
        let Some(told) = &self.spec.told else {
            return Ok(end);
        };
        let told = told.read(response)?.unwrap_or(end);
        let sent = self.sent.load(Relaxed);
        if told > sent {
            let why = format!("{told} exceeds the {sent} bytes that were sent");
            return Err(Error::BadOffset { why });
        }
        let chunk = self.chunk().size;
        let last = self.count(size) - 1;
        Ok(match self.are_counted() {
            _ if told == end => end,
            // Only the answer to the last chunk says that the file is complete.
            _ if told == size => last * chunk,
            true => (told / chunk).min(last) * chunk,
            false => told,
        })
    }

    /// Whether requests have the numbers of chunks, so that no chunk begins amid another one.
    pub(super) fn are_counted(&self) -> bool {
        self.spec.uses(&[Place::Number, Place::Index])
    }
}

/// Writes the texts of a list.
pub(super) fn fill(templates: &Templates, values: &Values<'_>) -> Vec<(String, String)> {
    let texts = templates.iter();
    texts
        .map(|(name, template)| (name.clone(), template.fill(values)))
        .collect()
}

/// Writes fields as a query or a short form has them.
pub(super) fn urlencoded(fields: &[(String, String)], charset: Charset) -> String {
    form_urlencoded::Serializer::new(String::new())
        .encoding_override(Some(&|text| charset.encode(text)))
        .extend_pairs(fields)
        .finish()
}

/// Changes the error of a request that must not be made twice, if the server may have the file now.
fn may_be_stored(error: Error, body: &Counted<'_>, success: &Success) -> Error {
    // Of an empty body nothing is read: the request may have arrived, once there was a connection.
    let is_unconnected = matches!(
        error,
        Error::ResolveFailed { .. } | Error::ConnectFailed { .. } | Error::Tls { .. }
    );
    let has_begun = body.has_begun() || (body.is_empty() && !is_unconnected);
    let may_be = match &error {
        // By these statuses it has done nothing.
        Error::Refused(refusal) => {
            let is_none = matches!(refusal.status, 413 | 417 | 421 | 423 | 425 | 429);
            body.is_whole() && !is_none && error.is_passing()
        }
        // A redirect looks like the end of the session, where there is one.
        Error::SessionExpired { .. } => body.is_whole() && success.takes_redirects(),
        Error::BadResponse { .. } | Error::ResponseTooLong { .. } => has_begun,
        other => has_begun && other.is_passing(),
    };
    match may_be {
        true => Error::MayBeStored {
            cause: Box::new(error),
            sent: body.words(),
        },
        false => error,
    }
}

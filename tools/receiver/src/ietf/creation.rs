//! The request that makes an upload, with all of the file, some of it or nothing.

use axum::body::BodyDataStream;
use axum::http::{header, StatusCode, Version};
use resup_digests::Algorithm;

use crate::accounts::forwarded::is_by_proxy;
use crate::http::fields::Fields;
use crate::http::reply::Reply;
use crate::ietf::call::Call;
use crate::ietf::failure::inconsistent;
use crate::ietf::version::{self, number};
use crate::ietf::{digest, limits, name};
use crate::interim::Interim;
use crate::resource::append::{append, discard, settle, Append};
use crate::resource::creation;
use crate::resource::headers::body_length;
use crate::resource::location;
use crate::storage::record::{Record, State};
use crate::wire::incoming::Incoming;
use crate::wire::request_log::RequestLog;

impl Call<'_> {
    /// Answers a POST or PUT.
    pub async fn create(
        &self,
        body: &mut BodyDataStream,
        log: &mut RequestLog,
    ) -> Result<Reply, Reply> {
        log.action = "ietf-create";
        let (endpoint, headers) = (self.endpoint, &self.head.headers);
        let is_last = self.version.is_last(headers)?;
        let body_length = body_length(headers)?;
        let length = self.length(is_last, body_length)?;
        let mut fields = Fields::default();
        if let Some(name) = name::read(headers)? {
            fields.push("name".to_owned(), name)?;
        }
        for digest in digest::of_file(headers)? {
            fields.push(digest.algorithm().name().to_owned(), digest.hex())?;
        }
        let checks = digest::of_body(headers)?;
        let wanted = digest::wants_sha256(headers).then_some(Algorithm::Sha256);
        let mut record = creation::describe(endpoint, &self.owner, fields, length, wanted)?;
        let claim = creation::create(endpoint, &mut record).await?;
        log.id.clone_from(&record.id);
        let place = location(self.head, &record);
        let begun = record.clone();
        let is_announced = body_length != Some(0) && self.announce(&record, &place);
        let made = if body_length != Some(0) {
            let plan = Append {
                length: body_length,
                checks,
                is_last,
                ..Append::default()
            };
            let mut body = Incoming::new(body, "body", &endpoint.config);
            append(endpoint, (claim, record), &mut body, plan, log).await
        } else if record.awaits_finish() {
            settle(endpoint, claim, record, &[]).await
        } else {
            Ok(record)
        };
        let located = |reply: Reply| reply.with_header(header::LOCATION, place);
        match made {
            Ok(record) if record.state == State::Complete => Ok(located(self.finished(&record))),
            Ok(record) if is_last => {
                let discarded = discard(endpoint, &record).await;
                discarded.map_err(|failure| failure.reply)?;
                Err(self.ended_early(&record))
            }
            Ok(record) => {
                let reply = Reply::empty(StatusCode::CREATED);
                Ok(located(self.add_state(reply, &record)))
            }
            Err(failure) => {
                let reply = self.refusal(failure).await;
                if is_announced {
                    return Err(located(reply));
                }
                // The client does not know the URL, so nobody can go on.
                if endpoint
                    .uploads
                    .store
                    .find(&self.owner, &begun.id)
                    .await?
                    .is_some()
                {
                    let discarded = discard(endpoint, &begun).await;
                    discarded.map_err(|failure| failure.reply)?;
                }
                Err(reply)
            }
        }
    }

    /// Tells the client the URL before its body has come, so that it can go on when the connection breaks. Some proxies
    /// take such a response for the last one, so only what comes without one gets it. An nginx that tells nothing of
    /// itself says that it closes the connection.
    fn announce(&self, record: &Record, place: &str) -> bool {
        let head = self.head;
        let interim = head.extensions.get::<Interim>();
        let connection = head.headers.get(header::CONNECTION);
        let closes =
            connection.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        let fits = head.version == Version::HTTP_11 && !closes && !is_by_proxy(&head.headers);
        let Some(interim) = interim.filter(|_| fits) else {
            return false;
        };
        let mut lines =
            format!("HTTP/1.1 104 Upload Resumption Supported\r\nlocation: {place}\r\n");
        if let Some(number) = self.version.number {
            lines += &format!("{}: {number}\r\n", version::HEADER);
        }
        if let Some(limits) = limits::text(self.endpoint, self.version, Some(record)) {
            lines += &format!("{}: {limits}\r\n", limits::HEADER);
        }
        interim.send(&(lines + "\r\n"));
        true
    }

    /// Reads the file's length; `None` where it is not known yet.
    fn length(&self, is_last: bool, body_length: Option<u64>) -> Result<Option<u64>, Reply> {
        let told = number(&self.head.headers, "upload-length")?;
        match (told, body_length.filter(|_| is_last)) {
            (Some(told), Some(length)) if told != length => {
                Err(inconsistent(Reply::bad_request(format!(
                    "Upload-Length is {told}, but the request ends the file with {length} bytes"
                ))))
            }
            (told, length) => Ok(told.or(length)),
        }
    }

    /// Refuses a request that ends the file before its length.
    pub fn ended_early(&self, record: &Record) -> Reply {
        let message = format!(
            "the request ends the file with {} bytes, but Upload-Length is {}",
            record.offset, record.identity.size
        );
        let reply = inconsistent(Reply::bad_request(message));
        self.add_state(reply, record)
    }
}

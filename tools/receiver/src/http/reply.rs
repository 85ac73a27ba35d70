//! The JSON that requests are answered with, successful or not.

use std::fmt::Display;

use axum::body::Body;
use axum::http::{header, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use resup_digests::Algorithm;
use serde::Serialize;

use crate::connections::TooMany;
use crate::http::room::room;
use crate::storage::database;
use crate::storage::error::{ClaimError, StorageError, StoreError};
use crate::storage::ranges::Range;
use crate::storage::record::{Record, State};

/// What everybody may know of a database that cannot be reached.
pub const UNREACHABLE: &str = "the receiver's database cannot be reached";

/// What everybody may know of an object store that cannot be reached.
pub const STORE_UNREACHABLE: &str = "the receiver's object store cannot be reached";

/// A reply. docs/PROTOCOL.md says which members it has.
#[derive(Debug, Default)]
pub struct Reply {
    status: StatusCode,
    /// Whether the connection is closed, since the request's body was not read to its end.
    close: bool,
    /// Whether the response has no body.
    is_empty: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
    members: Box<Members>,
}

#[derive(Debug, Default, Serialize)]
struct Members {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix_blake3: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    small: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<RangeMember>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_segment: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discard: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(flatten)]
    problem: Option<Problem>,
}

/// What makes an error one of a type that is registered (RFC 9457).
#[derive(Debug, Serialize)]
pub struct Problem {
    /// The URI of the type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The type in words.
    pub title: &'static str,
    /// The offset that the upload has, in an error about offsets.
    #[serde(rename = "expected-offset", skip_serializing_if = "Option::is_none")]
    pub expected_offset: Option<u64>,
    /// The offset that the request has.
    #[serde(rename = "provided-offset", skip_serializing_if = "Option::is_none")]
    pub provided_offset: Option<u64>,
}

/// One of the ranges in a reply.
#[derive(Debug, Default, Serialize)]
struct RangeMember {
    from: u64,
    to: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
}

impl RangeMember {
    fn new(range: &Range) -> Self {
        let mut member = Self {
            from: range.from,
            to: range.to,
            ..Self::default()
        };
        let digest = match range.digest.algorithm() {
            Algorithm::Md5 => &mut member.md5,
            Algorithm::Sha256 => &mut member.sha256,
            Algorithm::Blake3 => &mut member.blake3,
        };
        *digest = Some(range.digest.hex());
        member
    }
}

impl Reply {
    /// Makes a reply that has no body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            is_empty: true,
            ..Self::default()
        }
    }

    /// Makes a refusal.
    pub fn refusal(status: StatusCode, message: impl Into<String>) -> Self {
        let mut reply = Self {
            status,
            close: true,
            ..Self::default()
        };
        reply.members.message = Some(message.into());
        reply
    }

    /// Refuses an id that no upload of this owner has. It does not say whether another owner has one.
    pub fn unknown(id: &str) -> Self {
        Self::refusal(
            StatusCode::NOT_FOUND,
            format!("no upload has the id '{}'", excerpt(id)),
        )
    }

    /// Refuses a request that cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::refusal(StatusCode::BAD_REQUEST, message)
    }

    /// Refuses the value of a field.
    pub fn bad_field(name: &str, value: &str) -> Self {
        Self::bad_request(format!(
            "field '{}' cannot be '{}'",
            excerpt(name),
            excerpt(value)
        ))
    }

    /// Refuses more than this receiver takes at once.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::refusal(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// Reports a failure inside the receiver. The details are for its log only.
    pub fn internal(error: impl Display) -> Self {
        tracing::error!("{error:#}");
        Self::refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the receiver failed; its log says why",
        )
    }

    /// Reports a full disk. The details are for the log only.
    pub fn storage_full(error: impl Display) -> Self {
        tracing::error!("{error:#}; {}", room());
        Self::refusal(
            StatusCode::INSUFFICIENT_STORAGE,
            "the receiver has no room left",
        )
    }

    /// Reports a database that cannot be reached now. The details are for the log only.
    pub fn unreachable(error: impl Display) -> Self {
        tracing::error!(
            "the database {} cannot be reached: {error:#}",
            database::name()
        );
        Self::away(UNREACHABLE)
    }

    /// Says that something cannot be reached now.
    pub fn away(what: &str) -> Self {
        let message = format!("{what} now: try again later");
        Self::refusal(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// Adds the state of the upload.
    pub fn with_record(mut self, record: &Record) -> Self {
        let complete = record.state == State::Complete;
        self.members.state = Some(record.state);
        self.members.offset = Some(record.offset);
        self.members.id = Some(record.id.clone());
        self.members.location = complete.then(|| record.location());
        self
    }

    /// Says that nothing is here of an upload.
    pub fn with_nothing(mut self) -> Self {
        self.members.state = Some(State::New);
        self.members.offset = Some(0);
        self
    }

    /// Adds that the receiver takes a discard.
    pub fn with_discard(mut self) -> Self {
        self.members.discard = Some(true);
        self
    }

    /// Puts the location below the path under which clients see the receiver.
    pub fn below(mut self, base: &str) -> Self {
        if let Some(location) = &mut self.members.location {
            location.insert_str(0, base);
        }
        self
    }

    /// Adds the digest of the durable bytes, if it is known.
    pub fn with_prefix(mut self, record: &Record, algorithm: Algorithm) -> Self {
        let member = match algorithm {
            Algorithm::Md5 => &mut self.members.prefix_md5,
            Algorithm::Sha256 => &mut self.members.prefix_sha256,
            Algorithm::Blake3 => &mut self.members.prefix_blake3,
        };
        *member = record.digests.hex(algorithm);
        self
    }

    /// Adds what only clients of version 1.1 get.
    pub fn with_agreement(mut self, digest: Algorithm, small: u64) -> Self {
        self.members.digest = Some(digest.name());
        self.members.small = Some(small);
        self
    }

    /// Adds how many parts may be sent at a time, and the ranges that have the agreed digest.
    pub fn with_parts(mut self, parts: usize, record: &Record, digest: Algorithm) -> Self {
        self.members.parts = Some(parts).filter(|parts| *parts >= 2);
        let ranges = record.ranges.iter();
        let ranges = ranges.filter(|range| range.digest.algorithm() == digest);
        self.members.ranges = ranges.map(RangeMember::new).collect();
        self
    }

    /// Adds the largest number of file bytes in one send.
    pub fn with_max_segment(mut self, max_segment: Option<u64>) -> Self {
        self.members.max_segment = max_segment;
        self
    }

    /// Adds the word by which programs recognise the error.
    pub fn with_error(mut self, error: &'static str) -> Self {
        self.members.error = Some(error);
        self
    }

    /// Adds a header.
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        let value = HeaderValue::try_from(value.into());
        let value = value.expect("the receiver's own text is visible ASCII");
        self.headers.push((name, value));
        self
    }

    /// Whether it has a header of this name.
    pub fn has_header(&self, name: &HeaderName) -> bool {
        self.headers.iter().any(|(known, _)| known == name)
    }

    /// Changes the status.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Makes it an error of a registered type.
    pub fn with_problem(mut self, problem: Problem) -> Self {
        self.members.problem = Some(problem);
        self
    }

    /// Closes the connection after the reply, since the rest of the request's body will not be read.
    pub fn and_close(mut self) -> Self {
        self.close = true;
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The text for a person; empty if there is none.
    pub fn message(&self) -> &str {
        self.members.message.as_deref().unwrap_or("")
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = json(&self.members);
        if self.is_empty {
            response.headers_mut().remove(header::CONTENT_TYPE);
            *response.body_mut() = Body::empty();
        }
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        if self.close {
            set(header::CONNECTION, "close");
        }
        if matches!(
            self.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        ) {
            set(header::RETRY_AFTER, "2");
        }
        if self.members.problem.is_some() {
            set(header::CONTENT_TYPE, "application/problem+json");
        }
        headers.extend(self.headers);
        response
    }
}

impl From<StoreError> for Reply {
    fn from(error: StoreError) -> Self {
        StorageError::from(error).into()
    }
}

impl From<StorageError> for Reply {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NameTaken(message) => Self::refusal(StatusCode::CONFLICT, message),
            StorageError::NameTooLong(message) => Self::bad_request(message),
            StorageError::Object(error) => {
                tracing::error!("{error}");
                Self::away(STORE_UNREACHABLE)
            }
            error @ (StorageError::Busy | StorageError::Store(StoreError::Lost)) => {
                Self::refusal(StatusCode::LOCKED, error.to_string())
            }
            error if error.is_full() => Self::storage_full(error),
            error if error.is_unreachable() || error.is_refusal() => Self::unreachable(error),
            error => Self::internal(format!("{error}; {}", room())),
        }
    }
}

impl From<ClaimError> for Reply {
    fn from(error: ClaimError) -> Self {
        let status = match error {
            ClaimError::Held | ClaimError::TakenOver => StatusCode::LOCKED,
            ClaimError::OwnerFull(_) | ClaimError::PartsFull(_) => StatusCode::TOO_MANY_REQUESTS,
            ClaimError::Full | ClaimError::ShutDown => StatusCode::SERVICE_UNAVAILABLE,
            ClaimError::Storage(error) => return error.into(),
        };
        Self::refusal(status, error.to_string())
    }
}

impl From<TooMany> for Reply {
    fn from(error: TooMany) -> Self {
        Self::refusal(StatusCode::TOO_MANY_REQUESTS, error.to_string())
    }
}

/// Makes a response with a value as JSON.
pub fn json(value: &impl Serialize) -> Response {
    let json = serde_json::to_vec(value).expect("text and numbers become JSON");
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, "application/json");
    set(header::CACHE_CONTROL, "no-store");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Returns the beginning of a client's text, for a message.
pub fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

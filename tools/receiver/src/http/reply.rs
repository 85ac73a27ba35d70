//! What the receiver answers: one JSON object for good news and bad.

use std::fmt::Display;

use axum::body::Body;
use axum::http::{header, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::storage::record::{Record, State};

/// An answer; the protocol says which members it has when.
#[derive(Debug, Default)]
pub struct Answer {
    status: StatusCode,
    /// The request's body was not read to its end.
    close: bool,
    header: Option<(HeaderName, HeaderValue)>,
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
    max_segment: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Answer {
    /// How the upload stands.
    pub fn of(record: &Record) -> Self {
        Self::default().standing(record)
    }

    /// A refusal.
    pub fn refusal(status: StatusCode, message: impl Into<String>) -> Self {
        let mut answer = Self {
            status,
            close: true,
            ..Self::default()
        };
        answer.members.message = Some(message.into());
        answer
    }

    /// No upload of this owner has the id; whether another's has it nobody is told.
    pub fn unknown(id: &str) -> Self {
        Self::refusal(
            StatusCode::NOT_FOUND,
            format!("no upload has the id '{}'", excerpt(id)),
        )
    }

    /// A request that cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::refusal(StatusCode::BAD_REQUEST, message)
    }

    /// A field whose value is not what it should be.
    pub fn bad_field(name: &str, value: &str) -> Self {
        Self::bad_request(format!(
            "field '{}' cannot be '{}'",
            excerpt(name),
            excerpt(value)
        ))
    }

    /// More than this receiver takes at once.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::refusal(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// A failure inside the receiver: the details are for its log only.
    pub fn internal(error: impl Display) -> Self {
        tracing::error!("{error:#}");
        Self::refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the receiver failed; its log says why",
        )
    }

    /// A full disk or a used-up quota.
    pub fn no_room(error: impl Display) -> Self {
        tracing::error!("{error:#}");
        Self::refusal(
            StatusCode::INSUFFICIENT_STORAGE,
            "the receiver has no room left",
        )
    }

    /// Adds how the upload stands.
    pub fn standing(mut self, record: &Record) -> Self {
        let complete = record.state == State::Complete;
        self.members.state = Some(record.state);
        self.members.offset = Some(record.held);
        self.members.id = Some(record.id.clone());
        self.members.location = complete.then(|| record.location());
        self
    }

    /// Adds the digest of what is held.
    pub fn with_prefix(mut self, record: &Record) -> Self {
        self.members.prefix_md5 = Some(record.digests.md5());
        self
    }

    /// Adds the most that one send may carry.
    pub fn with_max_segment(mut self, max_segment: Option<u64>) -> Self {
        self.members.max_segment = max_segment;
        self
    }

    /// Adds the word by which a program knows the error.
    pub fn with_error(mut self, error: &'static str) -> Self {
        self.members.error = Some(error);
        self
    }

    /// Adds one header of the answer's own.
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        let value = HeaderValue::try_from(value.into());
        self.header = Some((
            name,
            value.expect("the receiver's own text is visible ASCII"),
        ));
        self
    }

    /// Says that the rest of the request's body will not be read.
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The text for a person, where there is one.
    pub fn message(&self) -> &str {
        self.members.message.as_deref().unwrap_or("")
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = json(&self.members);
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
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        response
    }
}

/// A response with this value.
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

/// The beginning of a foreign text, fit for a message.
pub fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

//! Errors.

use axum::http::StatusCode;

use crate::http::reply::Reply;
use crate::resource::append::{Failure, Kind};
use crate::tus::headers::add_offset;
use crate::wire::endpoint::Endpoint;

/// Writes a failure as tus has it.
pub fn refusal(endpoint: &Endpoint, failure: Failure) -> Reply {
    let status = match failure.kind {
        Kind::Damaged | Kind::WrongFile => 460,
        Kind::TooLong => 413,
        Kind::NoName | Kind::Other => failure.reply.status().as_u16(),
    };
    let status = StatusCode::from_u16(status).expect("these have three digits");
    let reply = failure.reply.with_status(status);
    match failure.record {
        Some(record) => add_offset(reply, endpoint, &record),
        None => reply,
    }
}

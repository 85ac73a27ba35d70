//! The IETF's resumable uploads (draft-ietf-httpbis-resumable-upload).
//!
//! | file | what is in it |
//! | --- | --- |
//! | `call` | a request, and what all of its kinds use |
//! | `creation` | the request that makes an upload, with all of the file, some of it or nothing |
//! | `resource` | the requests to an upload |
//! | `failure` | errors, with the types that the draft registers |
//! | `limits` | the header Upload-Limit |
//! | `version` | the versions of the draft, and what differs between them |
//! | `digest` | the headers Repr-Digest and Content-Digest |
//! | `name` | the file's name |

mod call;
mod creation;
mod digest;
mod failure;
mod limits;
mod name;
mod resource;
mod version;

use axum::body::BodyDataStream;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};

use crate::http::reply::Reply;
use crate::resource::access::visitor;
use crate::resource::id;
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::RequestLog;
use call::Call;
use version::Version;

/// Whether a request makes an upload by this protocol.
pub fn is_request(head: &Parts) -> bool {
    head.headers.contains_key(version::COMPLETE) || head.headers.contains_key(version::HEADER)
}

/// Answers a request.
pub async fn answer(
    endpoint: &Endpoint,
    head: &Parts,
    body: &mut BodyDataStream,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    let version = Version::of(&head.headers)?;
    let answered = dispatch(endpoint, head, version, body, log).await;
    answered.map_err(|reply| match version.is_told(&reply) {
        true => reply,
        false => version.add_complete(reply, false),
    })
}

async fn dispatch(
    endpoint: &Endpoint,
    head: &Parts,
    version: &'static Version,
    body: &mut BodyDataStream,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    let owner = visitor(endpoint, head, log).await?.owner;
    let call = Call {
        endpoint,
        head,
        version,
        owner,
    };
    match (id(head), &head.method) {
        (None, &Method::POST | &Method::PUT) => call.create(body, log).await,
        (Some(id), &Method::HEAD | &Method::GET) => call.show(id, log).await,
        (Some(id), &Method::PATCH) => call.append(id, body, log).await,
        (Some(id), &Method::DELETE) => call.cancel(id, log).await,
        (_, method) => {
            let message = format!(
                "{method} is not for this path: POST or PUT to /upload makes an upload, which takes HEAD, PATCH and DELETE"
            );
            Err(Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, message))
        }
    }
}

/// Whether the connection has to end without this response: the receiver lost its way, or shuts down, in the middle of a
/// body. Apple's URLSession goes on after a lost connection, and gives up after such a status.
pub fn is_lost(head: &Parts, reply: &Reply, received: u64) -> bool {
    let brings_body = matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
    match reply.status() {
        StatusCode::INTERNAL_SERVER_ERROR => brings_body,
        StatusCode::SERVICE_UNAVAILABLE => brings_body && received > 0,
        _ => false,
    }
}

/// Adds what an OPTIONS asks for.
pub fn add_abilities(reply: Reply, endpoint: &Endpoint) -> Reply {
    limits::add(reply, endpoint, Version::newest(), None)
}

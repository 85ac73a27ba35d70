//! The protocol tus, version 1.0.0 (<https://tus.io/protocols/resumable-upload>): core, creation, creation-with-upload,
//! creation-defer-length, checksum, expiration, termination and concatenation.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `creation` | the request that makes an upload |
//! | `concat` | files in pieces, that go up at the same time |
//! | `resource` | the requests to an upload |
//! | `metadata` | the header Upload-Metadata |
//! | `checksum` | the header Upload-Checksum |
//! | `failure` | errors |
//! | [`headers`] | what responses say about an upload |

mod checksum;
mod concat;
mod creation;
mod failure;
pub mod headers;
mod metadata;
mod resource;

use axum::body::BodyDataStream;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode};

use crate::http::reply::{excerpt, Reply};
use crate::resource::access::visitor;
use crate::resource::headers::one;
use crate::resource::id;
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::RequestLog;
use headers::{RESUMABLE, VERSION};

const OVERRIDE: &str = "x-http-method-override";

/// Answers a request of tus.
pub async fn answer(
    endpoint: &Endpoint,
    head: &Parts,
    body: &mut BodyDataStream,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    let tagged = |reply: Reply| reply.with_header(RESUMABLE, VERSION);
    let answered = dispatch(endpoint, head, body, log).await;
    answered.map(tagged).map_err(tagged)
}

async fn dispatch(
    endpoint: &Endpoint,
    head: &Parts,
    body: &mut BodyDataStream,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    let version = one(&head.headers, RESUMABLE.as_str())?.unwrap_or("");
    if version != VERSION {
        let message = format!(
            "tus {} is not spoken here, {VERSION} is",
            excerpt(version).escape_debug()
        );
        let reply = Reply::refusal(StatusCode::PRECONDITION_FAILED, message);
        return Err(reply.with_header(HeaderName::from_static("tus-version"), VERSION));
    }
    let visitor = visitor(endpoint, head, log).await?;
    let method = method(head)?;
    let Some(id) = id(head) else {
        return match method {
            Method::POST => creation::create(endpoint, head, body, &visitor, log).await,
            method => Err(wrong_method(&method, "an upload is made by POST")),
        };
    };
    let resource = resource::Resource {
        endpoint,
        head,
        owner: &visitor.owner,
        id,
    };
    match method {
        Method::HEAD | Method::GET => resource.show(log).await,
        Method::PATCH => resource.append(body, log).await,
        Method::DELETE => resource.delete(log).await,
        method => Err(wrong_method(
            &method,
            "an upload takes HEAD, PATCH and DELETE",
        )),
    }
}

/// Reads the method. Where something on the way allows no PATCH, a POST names it.
fn method(head: &Parts) -> Result<Method, Reply> {
    let named = one(&head.headers, OVERRIDE)?.filter(|_| head.method == Method::POST);
    match named.map(|text| text.to_ascii_uppercase()).as_deref() {
        Some("PATCH") => Ok(Method::PATCH),
        Some("DELETE") => Ok(Method::DELETE),
        Some("HEAD") => Ok(Method::HEAD),
        _ => Ok(head.method.clone()),
    }
}

fn wrong_method(method: &Method, right: &str) -> Reply {
    Reply::refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not for this path: {right}"),
    )
}

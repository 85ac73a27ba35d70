//! The endpoint `/upload`, and `/`: the forms that programs and pages send.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`locate`](mod@locate) | the request that asks what the receiver has of a file |
//! | [`send`](mod@send) | the request that brings the next bytes |
//! | [`multipart`] | a multipart form, read part by part |
//! | [`parser`] | the grammar of a multipart body |
//! | [`endpoint`] | what both requests use |
//! | [`request_log`] | the log line of a request |

pub mod endpoint;
pub mod locate;
pub mod multipart;
pub mod parser;
pub mod request_log;
pub mod send;

use axum::body::BodyDataStream;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{header, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use crate::accounts::base::base;
use crate::accounts::csrf;
use crate::accounts::form_check::FormCheck;
use crate::http::body::read_form;
use crate::http::fields::Fields;
use crate::http::reply::{excerpt, Reply};
use endpoint::Endpoint;
use locate::locate;
use multipart::{boundary, Form};
use request_log::RequestLog;
use send::send;

/// Answers a locate or a send.
///
/// The work is done in a task of its own. It continues when the client has gone, and saves what has arrived.
pub async fn upload(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(async move {
        let (head, body) = request.into_parts();
        let mut body = body.into_data_stream();
        let mut log = RequestLog::new(head.method.clone());
        let (Ok(reply) | Err(reply)) = dispatch(&endpoint, &head, &mut body, &mut log).await;
        log.finish(&reply, &endpoint.metrics);
        let _ = sender.send(reply.below(base(&head)));
    });
    let reply = receiver.await;
    reply
        .unwrap_or_else(|_| Reply::internal("a request's task panicked"))
        .into_response()
}

async fn dispatch(
    endpoint: &Endpoint,
    head: &Parts,
    body: &mut BodyDataStream,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    let visitor = endpoint.accounts.visitor(head).await?;
    csrf::check_endpoint(&visitor, head)?;
    log.owner.clone_from(&visitor.owner);
    let signing = endpoint.accounts.signing.as_deref();
    let mut check = FormCheck::new(signing, &endpoint.uploads.store, &visitor, head);
    let idle = endpoint.config.body_idle_timeout;
    match head.method {
        Method::GET | Method::HEAD => {
            let query = head.uri.query().unwrap_or("");
            let fields = Fields::from_urlencoded(query.as_bytes())?;
            check.check_head(&fields).await?;
            locate(endpoint, check.owner(), &fields, log).await
        }
        _ => {
            let value = head.headers.get(header::CONTENT_TYPE);
            let kind = value.and_then(|value| value.to_str().ok()).unwrap_or("");
            let (essence, _) = kind.split_once(';').unwrap_or((kind, ""));
            match essence.trim().to_ascii_lowercase().as_str() {
                "application/x-www-form-urlencoded" => {
                    let text = read_form(body, idle).await?;
                    let fields = Fields::from_urlencoded(&text)?;
                    check.check_head(&fields).await?;
                    locate(endpoint, check.owner(), &fields, log).await
                }
                "multipart/form-data" => {
                    let form = Form::new(body, &boundary(kind)?, &endpoint.config);
                    send(endpoint, &mut check, form, log).await
                }
                _ => Err(Reply::refusal(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!("Content-Type '{}' is not that of a form", excerpt(kind)),
                )),
            }
        }
    }
}

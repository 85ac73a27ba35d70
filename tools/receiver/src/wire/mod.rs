//! The endpoint `/upload`, and `/`: the forms that programs and pages send.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`locate`](mod@locate) | the request that asks what the receiver has of a file |
//! | [`discard`](mod@discard) | the request that takes an upload back |
//! | [`send`](mod@send) | the request that brings the next bytes |
//! | [`send_fields`] | the fields of a send and of a store |
//! | [`part`] | a send that is under way together with others of the same upload |
//! | [`store`](mod@store) | the request that brings a small file as a whole |
//! | [`multipart`] | a multipart form, read part by part |
//! | [`parser`] | the grammar of a multipart body |
//! | [`agreement`] | the version that a client speaks, and the digest that both use |
//! | [`incoming`] | a body as it arrives |
//! | [`endpoint`] | what all requests use |
//! | [`request_log`] | the log line of a request |

pub mod agreement;
pub mod discard;
pub mod endpoint;
pub mod incoming;
pub mod locate;
pub mod multipart;
pub mod parser;
pub mod part;
pub mod request_log;
pub mod send;
pub mod send_fields;
pub mod store;

use axum::body::BodyDataStream;
use axum::http::request::Parts;
use axum::http::{header, Method, StatusCode};

use crate::accounts::csrf;
use crate::accounts::form_check::FormCheck;
use crate::http::body::read_form;
use crate::http::fields::Fields;
use crate::http::reply::{excerpt, Reply};
use discard::{discard, look};
use endpoint::Endpoint;
use locate::locate;
use multipart::{boundary, Form};
use request_log::RequestLog;
use send::send;
use send_fields::read_head;
use store::store;

/// Answers a locate, a send, a store or a discard.
pub async fn answer(
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
            locate_or_look(endpoint, check.owner(), &fields, log).await
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
                    match fields.text("action") {
                        Some("discard") => discard(endpoint, check.owner(), &fields, log).await,
                        _ => locate_or_look(endpoint, check.owner(), &fields, log).await,
                    }
                }
                "multipart/form-data" => {
                    log.action = "send";
                    let mut form = Form::new(body, &boundary(kind)?, &endpoint.config);
                    let fields = read_head(&mut form, &mut check).await?;
                    match fields.required("action")? {
                        "send" => send(endpoint, &check, form, &fields, log).await,
                        "store" => store(endpoint, &check, form, &fields, log).await,
                        other => Err(Reply::bad_field("action", other)),
                    }
                }
                _ => Err(Reply::refusal(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!("Content-Type '{}' is not that of a form", excerpt(kind)),
                )),
            }
        }
    }
}

async fn locate_or_look(
    endpoint: &Endpoint,
    owner: &str,
    fields: &Fields,
    log: &mut RequestLog,
) -> Result<Reply, Reply> {
    match (fields.text("action"), fields.text("discard")) {
        (Some("locate"), Some("1")) => look(endpoint, owner, fields, log).await,
        _ => locate(endpoint, owner, fields, log).await,
    }
}

//! The endpoint: forms by which programs and pages upload.

pub mod active;
pub mod answer;
pub mod fields;
pub mod form;
pub mod locate;
pub mod send;
pub mod visit;

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{header, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::accounts::gate::Gate;
use crate::accounts::{guard, visitor};
use crate::app::App;
use answer::{excerpt, Answer};
use fields::{Fields, MAX_FORM};
use form::{broken, silent, Form};
use locate::locate;
use send::send;
use visit::Visit;

/// How long a connection stays open for a client that is still sending when it has its answer.
const LINGER: Duration = Duration::from_secs(2);
/// How much of what such a client sends is read.
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// Answers a locate or a send.
///
/// Works in a task of its own: that goes on when the client is gone, to keep what came, and when
/// the answer is on its way, to read what is still coming. An answer is lost when its socket
/// is closed with bytes unread.
pub async fn upload(State(app): State<App>, request: Request) -> Response {
    let (reply, answer) = oneshot::channel();
    tokio::spawn(async move {
        let (head, body) = request.into_parts();
        let mut body = body.into_data_stream();
        let mut visit = Visit::new(head.method.clone());
        let (Ok(answer) | Err(answer)) = dispatch(&app, &head, &mut body, &mut visit).await;
        visit.end(&answer, &app.metrics);
        if reply.send(answer).is_ok() {
            linger(body).await;
        }
    });
    let answer = answer.await;
    answer
        .unwrap_or_else(|_| Answer::internal("a request's task panicked"))
        .into_response()
}

async fn dispatch(
    app: &App,
    head: &Parts,
    body: &mut BodyDataStream,
    visit: &mut Visit,
) -> Result<Answer, Answer> {
    let visitor = visitor(app, head).await?;
    guard(&visitor, head)?;
    let mut gate = Gate::new(app, &visitor, head);
    let idle = app.config.body_idle_timeout;
    match head.method {
        Method::GET => {
            let query = head.uri.query().unwrap_or("");
            let fields = Fields::from_urlencoded(query.as_bytes())?;
            gate.head(&fields).await?;
            locate(app, gate.owner(), &fields, visit).await
        }
        Method::POST => {
            let kind = head.headers.get(header::CONTENT_TYPE);
            let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
            let (essence, _) = kind.split_once(';').unwrap_or((kind, ""));
            match essence.trim().to_ascii_lowercase().as_str() {
                "application/x-www-form-urlencoded" => {
                    let text = whole(body, idle).await?;
                    let fields = Fields::from_urlencoded(&text)?;
                    gate.head(&fields).await?;
                    locate(app, gate.owner(), &fields, visit).await
                }
                "multipart/form-data" => {
                    let boundary = multer::parse_boundary(kind).map_err(|error| {
                        Answer::bad_request(format!("Content-Type '{}': {error}", excerpt(kind)))
                    })?;
                    send(app, &mut gate, Form::new(body, boundary, idle), visit).await
                }
                _ => Err(Answer::refusal(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!("Content-Type '{}' is not that of a form", excerpt(kind)),
                )),
            }
        }
        _ => Err(Answer::refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            "forms come by GET or by POST",
        )),
    }
}

/// A small body.
pub async fn whole(body: &mut BodyDataStream, idle: Duration) -> Result<Vec<u8>, Answer> {
    let mut text = Vec::new();
    loop {
        match timeout(idle, body.next()).await {
            Ok(None) => return Ok(text),
            Ok(Some(Ok(chunk))) => text.extend_from_slice(&chunk),
            Ok(Some(Err(error))) => return Err(broken(error)),
            Err(_) => return Err(silent(idle)),
        }
        if text.len() > MAX_FORM {
            return Err(Answer::too_large(format!(
                "the form has more than {MAX_FORM} bytes"
            )));
        }
    }
}

async fn linger(mut body: BodyDataStream) {
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(chunk)) = body.next().await {
            bytes += chunk.len();
            if bytes > LINGER_BYTES {
                // The client stands still now, and has the rest of the time to see its answer.
                std::future::pending().await
            }
        }
    };
    let _ = timeout(LINGER, read).await;
}

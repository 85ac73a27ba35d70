//! The endpoint: forms by which programs and pages upload.

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
use crate::http::answer::{excerpt, Answer};
use crate::http::fields::{Fields, MAX_FORM};
use form::{broken, Form};
use locate::locate;
use send::send;
use visit::Visit;

/// Answers a locate or a send.
///
/// Works in a task of its own: that goes on when the client is gone, to keep what came.
pub async fn upload(State(app): State<App>, request: Request) -> Response {
    let (reply, answer) = oneshot::channel();
    tokio::spawn(async move {
        let (head, body) = request.into_parts();
        let mut body = body.into_data_stream();
        let mut visit = Visit::new(head.method.clone());
        let (Ok(answer) | Err(answer)) = dispatch(&app, &head, &mut body, &mut visit).await;
        visit.end(&answer, &app.metrics);
        let _ = reply.send(answer);
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
    visit.owner.clone_from(&visitor.owner);
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
                    send(
                        app,
                        &mut gate,
                        Form::new(body, boundary, &app.config),
                        visit,
                    )
                    .await
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
pub async fn whole(body: &mut BodyDataStream, time: Duration) -> Result<Vec<u8>, Answer> {
    let read = async {
        let mut text = Vec::new();
        while let Some(chunk) = body.next().await {
            text.extend_from_slice(&chunk.map_err(broken)?);
            if text.len() > MAX_FORM {
                return Err(Answer::too_large(format!(
                    "the form has more than {MAX_FORM} bytes"
                )));
            }
        }
        Ok(text)
    };
    timeout(time, read).await.unwrap_or_else(|_| {
        let message = format!("the form has not come within {} s", time.as_secs_f64());
        Err(Answer::refusal(StatusCode::REQUEST_TIMEOUT, message))
    })
}

//! The choice between the protocols that are spoken at the address for uploads. Their headers tell them apart.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{header, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use crate::accounts::base::base;
use crate::accounts::peer::Peer;
use crate::connections::Client;
use crate::http::reply::Reply;
use crate::resource::id;
use crate::storage::events::Origin;
use crate::wire::endpoint::Endpoint;
use crate::wire::request_log::RequestLog;
use crate::{ietf, tus, wire};

/// A protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// Forms, as docs/PROTOCOL.md has them.
    Form,
    /// tus 1.0.
    Tus,
    /// The IETF's resumable uploads.
    Ietf,
}

impl Protocol {
    fn of(head: &Parts) -> Self {
        if head.headers.contains_key(tus::headers::RESUMABLE) {
            Self::Tus
        } else if id(head).is_some() || ietf::is_request(head) {
            Self::Ietf
        } else {
            Self::Form
        }
    }

    /// The word for it in events.
    fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Tus => "tus",
            Self::Ietf => "ietf",
        }
    }
}

/// Answers a request to `/upload`, or to an upload below it.
///
/// The work is done in a task of its own. It continues when the client has gone, and saves what has arrived.
pub async fn upload(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let client = request.extensions().get::<Client>().cloned();
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(async move {
        let (head, body) = request.into_parts();
        let mut body = body.into_data_stream();
        let mut log = RequestLog::new(&head);
        let protocol = Protocol::of(&head);
        let endpoint = endpoint.by(Origin {
            peer: Some(Peer::of(&head).address),
            protocol: Some(protocol.word()),
        });
        let answered = match protocol {
            Protocol::Form => Box::pin(wire::answer(&endpoint, &head, &mut body, &mut log)).await,
            Protocol::Tus => Box::pin(tus::answer(&endpoint, &head, &mut body, &mut log)).await,
            Protocol::Ietf => Box::pin(ietf::answer(&endpoint, &head, &mut body, &mut log)).await,
        };
        let (Ok(reply) | Err(reply)) = answered;
        log.finish(&reply, &endpoint.metrics);
        let is_lost = protocol == Protocol::Ietf && ietf::is_lost(&head, &reply, log.bytes);
        let _ = sender.send(Some(reply.below(base(&head))).filter(|_| !is_lost));
    });
    match receiver.await {
        Ok(Some(reply)) => reply.into_response(),
        Ok(None) => {
            client.iter().for_each(Client::close);
            // The connection ends without a response, and this with it.
            std::future::pending().await
        }
        Err(_) => Reply::internal("a request's task panicked").into_response(),
    }
}

/// Answers OPTIONS: what the receiver can do beside forms.
pub async fn options(State(endpoint): State<Endpoint>, head: Parts) -> Response {
    let allow = match id(&head) {
        Some(_) => "GET,HEAD,POST,PATCH,DELETE",
        None => "GET,HEAD,POST",
    };
    let reply = Reply::empty(StatusCode::NO_CONTENT).with_header(header::ALLOW, allow);
    let reply = tus::headers::add_abilities(reply, &endpoint);
    ietf::add_abilities(reply, &endpoint).into_response()
}

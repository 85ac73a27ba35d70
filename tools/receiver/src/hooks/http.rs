//! A call by HTTP: a POST on a connection of its own. No redirect is followed.

use std::pin::pin;
use std::sync::Arc;

use anyhow::bail;
use axum::body::{to_bytes, Body};
use hyper::client::conn::http1;
use hyper::header::{HeaderValue, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Position, Url};

use crate::hooks::message::{Message, LONGEST};

/// What connects to the server of a hook.
pub struct Client {
    /// For https.
    tls: Option<TlsConnector>,
}

impl Client {
    /// Prepares for the server of a URL. With https, its certificate has to be one that the system trusts.
    pub fn new(url: &Url) -> anyhow::Result<Self> {
        if url.scheme() != "https" {
            return Ok(Self { tls: None });
        }
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            bail!("this system has no certificates that a hook's server could be checked with: install ca-certificates");
        }
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: Some(Arc::new(config).into()),
        })
    }

    /// Posts a message. Returns the body of the answer, if its status says that the server has taken it.
    pub async fn post(
        &self,
        url: &Url,
        message: Message<'_>,
        time: u64,
        signature: Option<String>,
    ) -> Result<Vec<u8>, String> {
        let mut request = Request::post(&url[Position::BeforePath..Position::AfterQuery])
            .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
            .header(
                USER_AGENT,
                concat!("resup-receiver/", env!("CARGO_PKG_VERSION")),
            )
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-id", message.id)
            .header("webhook-timestamp", time);
        if let Some(signature) = signature {
            request = request.header("webhook-signature", signature);
        }
        let request = request.body(Body::from(message.body.to_owned()));
        let request = request.map_err(|error| error.to_string())?;
        let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or(80);
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
        let Some(tls) = &self.tls else {
            return exchange(stream, request).await;
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let stream = tls.connect(name, stream).await;
        exchange(stream.map_err(|error| format!("TLS: {error}"))?, request).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Body>,
) -> Result<Vec<u8>, String> {
    let lost = |error: hyper::Error| format!("the connection failed: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(lost)?;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            return Err(status(head.status));
        }
        let body = to_bytes(Body::new(body), LONGEST).await;
        let broken = |_| format!("its answer is broken, or has more than {LONGEST} bytes");
        Ok(body.map_err(broken)?.to_vec())
    };
    let (mut exchange, connection) = (pin!(exchange), pin!(connection));
    tokio::select! {
        done = &mut exchange => done,
        _ = connection => exchange.await,
    }
}

fn status(status: StatusCode) -> String {
    match status.is_redirection() {
        true => format!("it answers {status}, and no redirect is followed: give its own URL"),
        false => format!("it answers {status}"),
    }
}

//! Making the library's errors from those of ureq and the phase of the request.

use std::io;

use ureq::Timeout;

use super::state::Phase;
use super::tunnel::NoTunnel;
use crate::error::{rounded, Error};
use crate::http::tls_faults::{describe, RENEGOTIATION};
use crate::options::TimeLimits;

/// The advice for a proxy that does not speak SOCKS.
const MAY_BE_NO_SOCKS: &str = "; check that the proxy speaks SOCKS, or give it as http://";

/// The circumstances of a failed exchange.
pub(super) struct Circumstances<'a> {
    /// The server and the proxy, for messages.
    pub host: &'a str,
    pub phase: Phase,
    /// Whether the server asked for a new TLS handshake, which was declined.
    pub asked_for_handshake: bool,
    pub has_stalled: bool,
    pub limits: &'a TimeLimits,
    pub is_socks: bool,
}

impl Circumstances<'_> {
    /// Makes the library's error from one of ureq's.
    pub(super) fn explain(&self, error: ureq::Error) -> Error {
        let host = self.host.to_owned();
        if self.has_stalled {
            let what = format!(
                "the network accepted no data for {}",
                rounded(self.limits.stall)
            );
            return Error::TimedOut { host, what };
        }
        if self.asked_for_handshake {
            let why = RENEGOTIATION.to_owned();
            return Error::Tls { host, why };
        }
        match error {
            ureq::Error::Io(e) => self.explain_io(host, e),
            ureq::Error::HostNotFound => Error::ResolveFailed {
                host,
                why: "it has no address".to_owned(),
            },
            ureq::Error::Timeout(limit) => self.explain_timeout(host, limit),
            ureq::Error::Tls(why) => Error::Tls {
                host,
                why: why.to_owned(),
            },
            ureq::Error::ConnectProxyFailed(why) => Error::ConnectFailed { host, why },
            ureq::Error::ConnectionFailed => Error::ConnectFailed {
                host,
                why: error.to_string(),
            },
            ureq::Error::Protocol(_)
            | ureq::Error::LargeResponseHeader(..)
            | ureq::Error::BodyStalled => {
                Error::bad_response(format!("it is not valid HTTP: {error}"))
            }
            other => Error::ConnectionLost {
                host,
                why: other.to_string(),
            },
        }
    }

    fn explain_io(&self, host: String, error: io::Error) -> Error {
        // An error of our own body comes back unchanged.
        if let Some(own) = error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
            return own.clone();
        }
        if let Some(answer) = error.get_ref().and_then(|e| e.downcast_ref::<NoTunnel>()) {
            return no_tunnel(host, answer);
        }
        let tls = error.get_ref().and_then(|e| e.downcast_ref());
        let why = tls.map_or_else(|| error.to_string(), describe);
        if self.phase == Phase::Unresolved {
            return Error::ResolveFailed { host, why };
        }
        if self.phase.is_connected() {
            return match tls {
                // With TLS 1.3 a server checks the client certificate after the client's handshake.
                Some(tls) if refuses_certificate(tls) => Error::Tls { host, why },
                _ => Error::ConnectionLost { host, why },
            };
        }
        match error.kind() {
            _ if tls.is_some() => Error::Tls { host, why },
            // ureq's errors for a SOCKS proxy that refuses the user, and for a target that its
            // protocol cannot express, such as IPv6 with SOCKS4.
            io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput if self.is_socks => {
                Error::ProxyRefused { host, why }
            }
            _ if self.is_socks && why.contains("auth method") => {
                let why = "the proxy asks for a user and password".to_owned();
                Error::ProxyRefused { host, why }
            }
            // ureq's errors for a response that is not SOCKS, or for none.
            io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
                if self.is_socks =>
            {
                let why = format!("{why}{MAY_BE_NO_SOCKS}");
                Error::ConnectFailed { host, why }
            }
            _ => Error::ConnectFailed { host, why },
        }
    }

    fn explain_timeout(&self, host: String, limit: Timeout) -> Error {
        let what = match limit {
            Timeout::Resolve => format!("no address within {}", rounded(self.limits.connect)),
            Timeout::Connect => {
                let hint = if self.is_socks { MAY_BE_NO_SOCKS } else { "" };
                format!(
                    "no connection within {}{hint}",
                    rounded(self.limits.connect)
                )
            }
            Timeout::RecvResponse => {
                format!("no response within {}", rounded(self.limits.response))
            }
            Timeout::RecvBody => format!(
                "no end of the response within {}",
                rounded(self.limits.response)
            ),
            other => format!("the limit \"{other}\" passed"),
        };
        Error::TimedOut { host, what }
    }
}

/// Whether the server rejects this side's certificate, or the lack of one.
fn refuses_certificate(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;
    let rustls::Error::AlertReceived(alert) = error else {
        return false;
    };
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            // The alert for a bad signature; a damaged record has another one.
            | Alert::DecryptError
    )
}

/// Makes the error for an HTTP proxy that makes no tunnel.
fn no_tunnel(host: String, answer: &NoTunnel) -> Error {
    let NoTunnel { status, words, .. } = answer;
    match status {
        None => Error::ConnectFailed {
            host,
            why: format!("the proxy's answer cannot be used: {words}"),
        },
        Some(407) => proxy_login(host, &answer.schemes, words),
        Some(401 | 403 | 405) => Error::ProxyRefused {
            host,
            why: format!("the proxy makes no tunnel to that host and port ({words})"),
        },
        Some(_) => Error::ConnectFailed {
            host,
            why: format!("the proxy makes no tunnel now ({words})"),
        },
    }
}

/// Makes the error for a proxy that asks for a login, by one of `schemes`.
pub(super) fn proxy_login(host: String, schemes: &[String], words: &str) -> Error {
    let mut why = "the proxy asks for a user and password, or refuses them".to_owned();
    if !schemes.is_empty() && schemes.iter().all(|scheme| scheme != "Basic") {
        let schemes = schemes.join(" or ");
        why = format!("the proxy asks for a login by {schemes}, and only Basic is supported");
    }
    Error::ProxyRefused {
        host,
        why: format!("{why} ({words})"),
    }
}

//! Making the library's errors from those of ureq and the phase of the request.

use std::io;

use rustls::CertificateError;
use ureq::Timeout;

use super::state::{Phase, RequestState};
use super::tunnel::NoTunnel;
use super::via::Via;
use crate::error::{rounded, Error};
use crate::http::tls_faults::{describe, RENEGOTIATION};
use crate::options::TimeLimits;

/// The advice for a proxy that does not speak SOCKS.
const MAY_BE_NO_SOCKS: &str = "; check that the proxy speaks SOCKS, or give it as http://";
/// The advice for a proxy that does not speak HTTP.
const MAY_BE_NO_HTTP: &str = "; check that the proxy speaks HTTP, or give it as socks5h://";
/// The fault of a server that does not speak TLS.
const NO_TLS: &str = "what answers there does not speak TLS; is the port right, or should the URL \
                      begin with http://?";

/// The circumstances of a failed exchange.
pub(super) struct Circumstances<'a> {
    /// The server and the proxy, for messages.
    pub host: &'a str,
    pub via: &'a Via,
    pub request: &'a RequestState,
    pub has_stalled: bool,
    pub limits: &'a TimeLimits,
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
        match self.explain_cause(host, error) {
            Error::ConnectionLost { host, .. } | Error::TimedOut { host, .. }
                if self.request.asked_for_handshake && !self.request.response.has_begun =>
            {
                Error::Tls {
                    host,
                    why: RENEGOTIATION.to_owned(),
                    may_be_damage: false,
                }
            }
            error => error,
        }
    }

    fn explain_cause(&self, host: String, error: ureq::Error) -> Error {
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
                may_be_damage: false,
            },
            ureq::Error::ConnectProxyFailed(why) => Error::ConnectFailed { host, why },
            ureq::Error::ConnectionFailed => Error::ConnectFailed {
                host,
                why: error.to_string(),
            },
            ureq::Error::Protocol(_)
            | ureq::Error::LargeResponseHeader(..)
            | ureq::Error::BodyStalled => Error::bad_response(http_fault(&error)),
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
        let tls: Option<&rustls::Error> = error.get_ref().and_then(|e| e.downcast_ref());
        let certificate = tls.is_some_and(is_about_certificate);
        let why = tls.map_or_else(|| self.words(&error), describe);
        if self.request.phase() == Phase::Unresolved {
            return Error::ResolveFailed { host, why };
        }
        if self.request.phase().is_connected() {
            return match certificate {
                // With TLS 1.3 a server checks the client certificate after the client's handshake.
                true => Error::Tls {
                    host,
                    why,
                    may_be_damage: false,
                },
                false => Error::ConnectionLost { host, why },
            };
        }
        if let Some(tls) = tls {
            return tls_failure(host, tls);
        }
        let is_socks = self.via.is_socks();
        match error.kind() {
            // A SOCKS proxy refuses the user, or the request has no form in its protocol, such as IPv6
            // with SOCKS4.
            io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput if is_socks => {
                Error::ProxyRefused { host, why }
            }
            // What came is not SOCKS, or nothing came.
            io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
                if is_socks =>
            {
                let why = format!("{why}{MAY_BE_NO_SOCKS}");
                Error::ConnectFailed { host, why }
            }
            _ => Error::ConnectFailed { host, why },
        }
    }

    /// Describes an error of a socket, with the way out where there is one. The words of rustls and
    /// ureq for a connection that ended too early are replaced.
    fn words(&self, error: &io::Error) -> String {
        let ended = error.kind() == io::ErrorKind::UnexpectedEof && error.raw_os_error().is_none();
        let mut why = match ended {
            true => "the other side closed it".to_owned(),
            false => error.to_string(),
        };
        let lost = ended || error.kind() == io::ErrorKind::ConnectionReset;
        if error.kind() == io::ErrorKind::ConnectionRefused {
            why.push_str(match self.via.proxy().is_some() {
                true => "; is the proxy running, and its address right?",
                false => "; is the server running, and the port right?",
            });
        } else if lost && self.may_be_no_http() {
            why.push_str(MAY_BE_NO_HTTP);
        }
        why
    }

    /// Whether there is an HTTP proxy that has not shown yet that it speaks HTTP: it has neither
    /// made a tunnel nor passed a response on.
    fn may_be_no_http(&self) -> bool {
        let request = self.request;
        let is_http = self.via.proxy().is_some() && !self.via.is_socks();
        let is_kept = request.phase().is_connected() && !request.is_fresh;
        let has_tunnel = request.is_fresh && self.via.forwarder().is_none();
        is_http && !request.response.has_begun && !is_kept && !has_tunnel
    }

    fn explain_timeout(&self, host: String, limit: Timeout) -> Error {
        let what = match limit {
            Timeout::Resolve => format!("no address within {}", rounded(self.limits.connect)),
            Timeout::Connect => {
                let hint = if self.via.is_socks() {
                    MAY_BE_NO_SOCKS
                } else {
                    ""
                };
                format!(
                    "no connection within {}{hint}",
                    rounded(self.limits.connect)
                )
            }
            Timeout::RecvResponse => {
                return Error::late_response(host, &rounded(self.limits.response))
            }
            Timeout::RecvBody => format!(
                "no end of the response within {}",
                rounded(self.limits.response)
            ),
            Timeout::PerRead => {
                format!("no more of the response for {}", rounded(self.limits.stall))
            }
            other => format!("the limit \"{other}\" passed"),
        };
        Error::TimedOut { host, what }
    }
}

/// Whether a certificate is the reason for a failure of TLS. One that cannot be read, or whose
/// signature is wrong, may be damaged.
fn is_about_certificate(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(fault) => !matches!(
            fault,
            CertificateError::BadEncoding | CertificateError::BadSignature
        ),
        other => refuses_certificate(other),
    }
}

/// Makes the error for a TLS handshake that failed.
fn tls_failure(host: String, error: &rustls::Error) -> Error {
    let why = match error {
        rustls::Error::InvalidMessage(_) => NO_TLS.to_owned(),
        other => describe(other),
    };
    Error::Tls {
        host,
        why,
        may_be_damage: !is_about_certificate(error),
    }
}

/// Describes a response that is not valid HTTP, without the names of ureq's parts.
fn http_fault(error: &ureq::Error) -> String {
    let words = error.to_string();
    let why = words.strip_prefix("protocol: ").unwrap_or(&words);
    let why = why.strip_prefix("http parse fail: ").unwrap_or(why);
    format!("it is not valid HTTP: {why}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::endpoint::Origin;
    use crate::http::proxy::{Proxy, ProxyKind};

    /// Explains an error of a request in `phase`.
    fn explain(
        error: impl Into<ureq::Error>,
        via: &Via,
        phase: Phase,
        change: impl Fn(&mut RequestState),
    ) -> Error {
        let mut request = RequestState::new(phase);
        if phase.is_connected() {
            request.begin_writing();
        }
        change(&mut request);
        let circumstances = Circumstances {
            host: "far",
            via,
            request: &request,
            has_stalled: false,
            limits: &TimeLimits::default(),
        };
        circumstances.explain(error.into())
    }

    fn through_a_proxy(https: bool) -> Via {
        let origin = Origin {
            https,
            host: "far".to_owned(),
            port: 1,
        };
        let proxy = Proxy {
            kind: ProxyKind::Http,
            host: "near".to_owned(),
            port: 2,
            login: None,
        };
        Via::new(&origin, Some(proxy))
    }

    fn reset() -> ureq::Error {
        io::Error::from(io::ErrorKind::ConnectionReset).into()
    }

    #[test]
    fn a_proxy_that_has_passed_something_on_speaks_http() {
        for (is_forward, is_fresh, phase, advises) in [
            (true, true, Phase::Sending, true),
            (true, false, Phase::Sending, false),
            // The tunnel is not made, made, and used.
            (false, false, Phase::Connecting, true),
            (false, true, Phase::Connecting, false),
            (false, true, Phase::Sending, false),
            (false, false, Phase::Sending, false),
        ] {
            let via = through_a_proxy(!is_forward);
            let error = explain(reset(), &via, phase, |r| r.is_fresh = is_fresh);
            let text = error.to_string();
            assert_eq!(text.contains("speaks HTTP"), advises, "{text}");
        }
    }

    #[test]
    fn a_declined_handshake_is_the_fault_where_the_server_falls_silent() {
        let after = |error: ureq::Error, has_begun: bool| {
            explain(error, &Via::Direct, Phase::Sent, |request| {
                request.asked_for_handshake = true;
                request.response.has_begun = has_begun;
            })
        };
        let late = || ureq::Error::Timeout(Timeout::RecvResponse);
        for error in [after(reset(), false), after(late(), false)] {
            assert!(error.to_string().contains(RENEGOTIATION), "{error}");
        }
        let lost = after(reset(), true);
        assert!(matches!(lost, Error::ConnectionLost { .. }), "{lost}");
        let late = after(late(), true);
        assert!(matches!(late, Error::TimedOut { .. }), "{late}");

        let own = Error::WrongState("mine");
        assert_eq!(after(io::Error::other(own.clone()).into(), false), own);
        let odd = after(ureq::Error::BodyStalled, false);
        assert!(matches!(odd, Error::BadResponse { .. }), "{odd}");
    }
}

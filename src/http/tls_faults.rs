//! What is wrong with TLS, in words. rustls prints many faults in `Debug` form.

use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{
    AlertDescription as Alert, CertificateError, Error, PeerIncompatible, PeerMisbehaved,
};

use super::key_files::contains;

/// What a request for a new handshake means, which rustls declines.
pub(crate) const RENEGOTIATION: &str =
    "the server asked for a new TLS handshake on the open connection (renegotiation), as servers \
     do that want a client certificate for some URLs only; this is not supported: have the server \
     ask for the certificate in the first handshake";

/// Describes a failure of TLS, with the way out where there is one.
pub(crate) fn describe(error: &Error) -> String {
    let text = match error {
        Error::InvalidCertificate(_) => {
            return format!("the server's certificate {}", describe_certificate(error))
        }
        Error::AlertReceived(alert) => return describe_alert(*alert),
        Error::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests) => RENEGOTIATION,
        Error::PeerIncompatible(fault) => describe_incompatible(fault),
        Error::InvalidMessage(_) => {
            "what the server sent is not TLS, or is damaged; are the host and the port right, and \
             does the server speak TLS there?"
        }
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "the server sent a TLS message that is out of place"
        }
        Error::PeerMisbehaved(_) => "the server does not keep the rules of TLS",
        Error::DecryptError => "what the server sent cannot be decrypted",
        Error::PeerSentOversizedRecord => "the server sent a TLS record that is too long",
        Error::NoCertificatesPresented => "the server showed no certificate",
        Error::FailedToGetRandomBytes => "the system gives no random numbers",
        Error::FailedToGetCurrentTime => "the system does not tell the time",
        Error::General(fault) => fault,
        _ => "TLS cannot go on",
    };
    text.to_owned()
}

/// Describes a fault of a certificate, as the rest of a sentence about it.
pub(crate) fn describe_certificate(error: &Error) -> String {
    let Error::InvalidCertificate(fault) = error else {
        return format!("cannot be used: {}", describe(error));
    };
    let text = match fault {
        CertificateError::UnknownIssuer => {
            "is from an issuer that is not trusted; if that is a CA of your own, set the CA's \
             certificate (set_ca_file)"
        }
        CertificateError::ExpiredContext { time, not_after } => {
            let (end, now) = (date(*not_after), date(*time));
            return format!("expired on {end}; this machine's clock says {now}");
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            let (start, now) = (date(*not_before), date(*time));
            return format!("is not valid before {start}; this machine's clock says {now}");
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => return describe_names(&expected.to_str(), presented),
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } => return describe_signature(signature_algorithm_id),
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: signature,
            public_key_algorithm_id: key,
        } => describe_key(signature, key),
        CertificateError::BadSignature => {
            "has a signature that is wrong, or made with an RSA key of less than 2048 bits (or more \
             than 8192)"
        }
        CertificateError::Revoked => "is revoked",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not for servers (extendedKeyUsage)"
        }
        CertificateError::UnhandledCriticalExtension => UNKNOWN_EXTENSION,
        CertificateError::BadEncoding => MALFORMED,
        CertificateError::Other(fault) => match fault.0.downcast_ref() {
            Some(fault) => describe_path(fault),
            None => return format!("cannot be used: {fault}"),
        },
        _ => "cannot be used",
    };
    text.to_owned()
}

const MALFORMED: &str = "is damaged, or is no X.509 certificate";
const UNKNOWN_EXTENSION: &str = "has a critical extension that is not supported";

fn describe_path(fault: &webpki::Error) -> &'static str {
    use webpki::Error as Fault;
    match fault {
        Fault::CaUsedAsEndEntity => {
            "is a CA's or signed by itself, and none of the trusted ones; if you trust it, set it \
             (set_ca_file)"
        }
        Fault::EndEntityUsedAsCa => "is issued by a certificate that is no CA's",
        Fault::UnsupportedCertVersion => {
            "is of version 1 of X.509, in which the names of hosts cannot be given; have it made \
             in version 3, with subjectAltName (openssl x509 -extfile …)"
        }
        Fault::NameConstraintViolation => "is for a name that its CA may not certify",
        Fault::PathLenConstraintViolated | Fault::MaximumPathDepthExceeded => {
            "has more issuers above it than are allowed"
        }
        Fault::InvalidCertValidity => "ends before it begins to be valid",
        Fault::SignatureAlgorithmMismatch => "names two different algorithms for its signature",
        Fault::UnsupportedCriticalExtension => UNKNOWN_EXTENSION,
        _ => MALFORMED,
    }
}

/// How many of a certificate's names are shown.
const SHOWN: usize = 5;

fn describe_names(expected: &str, presented: &[String]) -> String {
    let kind = match expected.parse::<std::net::IpAddr>() {
        Ok(_) => "IP",
        Err(_) => "DNS",
    };
    // webpki writes DnsName("…") and IpAddress(…).
    let inside = |name: &'_ String| {
        let (_, name) = name.strip_suffix(')')?.split_once('(')?;
        Some(name.trim_matches('"').to_owned())
    };
    let names: Vec<_> = presented.iter().filter_map(inside).collect();
    match names.len() {
        0 => format!(
            "names no host; have it made with subjectAltName={kind}:{expected} (the common name \
             does not count)"
        ),
        n if n > SHOWN => {
            let shown = names[..SHOWN].join(", ");
            format!(
                "is not for {expected}, but for {shown} and {} more",
                n - SHOWN
            )
        }
        _ => format!("is not for {expected}, but for {}", names.join(", ")),
    }
}

fn describe_signature(algorithm: &[u8]) -> String {
    const MD5_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04];
    const SHA1_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05];
    const SHA1_ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01];
    let how = match algorithm {
        algorithm if contains(algorithm, MD5_RSA) => "with MD5, which is not safe",
        algorithm if contains(algorithm, SHA1_RSA) || contains(algorithm, SHA1_ECDSA) => {
            "with SHA-1, which is not safe"
        }
        _ => "by an algorithm that is not supported",
    };
    format!("or one of its issuers is signed {how}; have it signed with SHA-256, by RSA or ECDSA")
}

fn describe_key(signature: &[u8], key: &[u8]) -> &'static str {
    const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
    const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
    if contains(signature, ECDSA_SHA512) && contains(key, P384) {
        return "is signed by a key of P-384 with SHA-512, which is not supported; have it signed \
                with SHA-384";
    }
    "has a key, or an issuer with a key, that is not supported or not of the kind that its \
     signature is; supported are RSA, P-256, P-384, P-521 and Ed25519"
}

fn describe_incompatible(fault: &PeerIncompatible) -> &'static str {
    match fault {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => OLD_TLS,
        _ => "the server and this side have no cipher, curve or signature of TLS in common",
    }
}

const OLD_TLS: &str = "the server speaks neither TLS 1.2 nor TLS 1.3";

fn describe_alert(alert: Alert) -> String {
    let text = match alert {
        Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            "the server refused the TLS handshake: it has no cipher, curve or signature in common \
             with this side, or it wants a client certificate (set_client_certificate)"
        }
        Alert::ProtocolVersion => OLD_TLS,
        Alert::CertificateRequired | Alert::NoCertificate => {
            "the server wants a client certificate (set_client_certificate)"
        }
        Alert::UnknownCA => {
            "the server does not know the CA of the client certificate, or misses one"
        }
        Alert::CertificateExpired => "for the server, the client certificate has expired",
        Alert::CertificateRevoked => "the client certificate is revoked",
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateUnknown
        | Alert::AccessDenied => "the server does not accept the client certificate, or misses one",
        // A handshake that resumes a session, and was damaged, ends so, too.
        Alert::DecryptError => "the server cannot verify what this side sent in the TLS handshake",
        Alert::UnrecognisedName => "the server has no certificate for this host",
        Alert::InternalError => "the server's TLS has an internal error",
        _ => {
            let number = u8::from(alert);
            return format!("the server ended TLS with alert {number}");
        }
    };
    text.to_owned()
}

fn date(time: UnixTime) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.as_secs()))
}

//! Uploads over TLS: trust, certificates of servers and clients, real servers, IPv6.

mod common;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

use resup::{Client, Error, ErrorKind, Flow, LogLevel, RefusalKind, SegmentSize, Trust, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::haproxy::HaProxy;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::nginx::Nginx;
use resup_test_support::receiver::Receiver;
use resup_test_support::tls::{Authority, Certificate, Identity};
use resup_test_support::tools;

use common::{client, make_file};

const SIZE: u64 = 300_000;

/// Uploads a file to a model receiver and checks that it arrived.
fn take(client: &Client, receiver: &ModelReceiver, name: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, name, SIZE);
    let result = Upload::from_file(client, &path).unwrap().run();
    result.unwrap_or_else(|error| panic!("{name}: {error}"));
    let files = receiver.files();
    let stored = files.iter().find(|(stored, _)| stored == name);
    assert!(stored.unwrap().1 == std::fs::read(path).unwrap(), "{name}");
}

/// Tries an upload, checks that it fails at once in the handshake, and returns the message.
fn refuse(client: &Client, addr: SocketAddr) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut upload = Upload::from_file(client, make_file(&dir, "refused", SIZE)).unwrap();
    let error = upload.run().unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Tls, "{text}");
    assert!(!error.is_retryable());
    assert_eq!(upload.remote().snapshot().attempts, 1, "{text}");
    assert!(text.contains(&format!(":{}", addr.port())), "{text}");
    text
}

fn server(certificate: Certificate) -> ModelReceiver {
    ModelReceiver::start_tls(Identity::of(certificate, &Authority::new()))
}

#[test]
fn a_private_authority_is_trusted_when_it_is_set_and_not_before() {
    let authority = Authority::new();
    let receiver = server(authority.certify());
    let endpoint = receiver.endpoint();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();

    let by_file = client(&endpoint);
    by_file.set_ca_file(&file).unwrap();
    take(&by_file, &receiver, "by-file");
    let by_text = client(&endpoint);
    by_text.set_ca_pem(authority.pem()).unwrap();
    take(&by_text, &receiver, "by-text");
    let by_one_of_two = client(&endpoint);
    by_one_of_two.set_ca_pem(authority.pem()).unwrap();
    by_one_of_two.set_ca_pem(Authority::new().pem()).unwrap();
    take(&by_one_of_two, &receiver, "by-one-of-two");

    for trust in [Trust::System, Trust::Bundled] {
        let client = client(&endpoint);
        client.set_trust(trust);
        let text = refuse(&client, receiver.addr());
        assert!(text.contains("issuer that is not trusted"), "{text}");
    }
    let another = client(&endpoint);
    another.set_ca_pem(Authority::new().pem()).unwrap();
    refuse(&another, receiver.addr());
}

/// Damages the handshake of one connection, and cuts the one before it, if there is one.
#[test]
fn a_damaged_handshake_is_final_only_on_the_first_connection() {
    let authority = Authority::new();
    let receiver = server(authority.certify());
    let upload = |name: &str, damaged: u64, up: Option<u64>, down: Option<u64>| {
        let faults = move |connection: u64, _: &mut fastrand::Rng| Faults {
            cut_up_after: (connection < damaged).then_some(100_000),
            corrupt_up_at: up.filter(|_| connection == damaged),
            corrupt_down_at: down.filter(|_| connection == damaged),
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(receiver.addr(), faults, 0);
        let client = client(&receiver.endpoint_at(proxy.addr()));
        client.set_ca_pem(authority.pem()).unwrap();
        let content = files::bytes(SIZE as usize, SIZE);
        let mut upload = Upload::from_memory(&client, content, name).unwrap();
        upload.run()
    };
    for at in [20, 90, 400] {
        for (way, up, down) in [("up", Some(at), None), ("down", None, Some(at))] {
            let name = format!("{way}-{at}");
            let later = upload(&name, 1, up, down);
            assert_eq!(later, Ok(()), "{name}");
        }
    }
    let first = upload("first", 0, Some(20), None).unwrap_err();
    assert_eq!(first.kind(), ErrorKind::Tls, "{first}");
}

#[test]
fn a_setting_holds_from_the_next_run_on_with_new_connections() {
    let authority = Authority::new();
    let receiver = server(authority.certify());
    let client = client(&receiver.endpoint());
    refuse(&client, receiver.addr());
    client.set_tls_verify(false);
    take(&client, &receiver, "unverified");
    // The idle connection has not been verified.
    client.set_tls_verify(true);
    refuse(&client, receiver.addr());
    client.set_ca_pem(authority.pem()).unwrap();
    take(&client, &receiver, "verified");
}

#[test]
fn wrong_certificates_are_refused_unless_verification_is_off() {
    let authority = Authority::new();
    let elsewhere = authority.certify_named(&["another.host"]);
    let an_authority = authority.certify_as_authority();
    for (name, certificate, why) in [
        ("expired", authority.certify_for_2019(), "expired"),
        ("another-host", elsewhere, "another.host"),
        (
            "another-authority",
            Authority::new().certify(),
            "issuer that is not trusted",
        ),
        (
            "self-signed",
            Certificate::self_signed(),
            "issuer that is not trusted",
        ),
        (
            "an-authority",
            an_authority,
            "certificate is a CA's or signed by itself, and none of the trusted ones",
        ),
    ] {
        let receiver = server(certificate);
        let client = client(&receiver.endpoint());
        client.set_ca_pem(authority.pem()).unwrap();
        let text = refuse(&client, receiver.addr());
        assert!(text.contains(why), "{name}: {text}");
        client.set_tls_verify(false);
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let sink = warnings.clone();
        client.on_log(LogLevel::Warn, move |_, text| {
            sink.lock().unwrap().push(text.to_owned());
            Flow::Continue
        });
        take(&client, &receiver, name);
        let texts = warnings.lock().unwrap();
        let warned = texts.iter().any(|text| text.contains("not verified"));
        assert!(warned, "{name}: {texts:?}");
    }
}

#[test]
fn a_self_signed_certificate_is_trusted_when_it_is_set() {
    let certificate = Certificate::self_signed();
    let receiver = server(certificate.clone());
    let client = client(&receiver.endpoint());
    client.set_ca_pem(certificate.pem()).unwrap();
    take(&client, &receiver, "given");
}

#[test]
fn a_certificate_that_is_trusted_itself_is_shown_by_its_server_and_within_its_period() {
    let authority = Authority::new();
    // One of a CA, as "openssl req -x509" makes it, and one without its CA.
    for own in [authority.certify_as_authority(), authority.certify()] {
        let receiver = server(own.clone());
        let client = client(&receiver.endpoint());
        client.set_ca_pem(own.pem()).unwrap();
        take(&client, &receiver, "own");
        let other = server(authority.certify_as_authority());
        let stranger = common::client(&other.endpoint());
        stranger.set_ca_pem(own.pem()).unwrap();
        refuse(&stranger, other.addr());
    }
    for (own, words) in [
        (authority.certify_for_2019(), "expired on Wed, 01 Jan 2020"),
        (
            authority.certify_named(&["another.host"]),
            "is not for 127.0.0.1, but for another.host",
        ),
    ] {
        let receiver = server(own.clone());
        let client = client(&receiver.endpoint());
        client.set_ca_pem(own.pem()).unwrap();
        let text = refuse(&client, receiver.addr());
        assert!(text.contains(words), "{text}");
    }
}

/// A server that requires client certificates, one that it accepts and one that it refuses.
struct ClientCertificates {
    authority: Authority,
    identity: Identity,
    right: Certificate,
    wrong: Certificate,
}

impl ClientCertificates {
    fn new() -> Self {
        let (authority, clients) = (Authority::new(), Authority::new());
        ClientCertificates {
            identity: Identity::of(authority.certify(), &authority).for_clients_of(&clients),
            right: clients.certify(),
            wrong: Authority::new().certify(),
            authority,
        }
    }

    /// Makes a client for the server at this address, with or without a certificate.
    fn client(&self, addr: SocketAddr, certificate: Option<&Certificate>) -> Client {
        let client = client(&format!("https://{addr}/upload"));
        client.set_ca_pem(self.authority.pem()).unwrap();
        if let Some(certificate) = certificate {
            let dir = tempfile::tempdir().unwrap();
            let (pem, key) = certificate.write(dir.path(), "client");
            client.set_client_certificate(pem, key).unwrap();
        }
        client
    }
}

#[test]
fn a_certificate_is_shown_when_the_server_requires_one() {
    let certificates = ClientCertificates::new();
    let receiver = ModelReceiver::start_tls(certificates.identity.clone());
    let addr = receiver.addr();
    let client = certificates.client(addr, Some(&certificates.right));
    take(&client, &receiver, "shown");
}

#[test]
fn a_missing_or_wrong_certificate_is_an_error_at_once() {
    let certificates = ClientCertificates::new();
    let receiver = ModelReceiver::start_tls(certificates.identity.clone());
    let addr = receiver.addr();
    for certificate in [None, Some(&certificates.wrong)] {
        println!("{}", refuse(&certificates.client(addr, certificate), addr));
    }
}

#[test]
fn haproxy_accepts_the_certificate() {
    let certificates = ClientCertificates::new();
    let receiver = Receiver::start();
    let Some(haproxy) = HaProxy::start(receiver.addr(), &certificates.identity) else {
        return;
    };
    let client = certificates.client(haproxy.addr(), Some(&certificates.right));
    take_real(&client, &receiver);
}

#[test]
fn haproxy_refuses_a_missing_or_wrong_certificate() {
    let certificates = ClientCertificates::new();
    let receiver = Receiver::start();
    let Some(haproxy) = HaProxy::start(receiver.addr(), &certificates.identity) else {
        return;
    };
    let addr = haproxy.addr();
    for certificate in [None, Some(&certificates.wrong)] {
        println!("{}", refuse(&certificates.client(addr, certificate), addr));
    }
}

#[test]
fn nginx_accepts_the_certificate_and_refuses_a_missing_or_wrong_one_with_a_page() {
    let certificates = ClientCertificates::new();
    let receiver = Receiver::start();
    let every = "client_max_body_size 0;";
    let Some(nginx) = Nginx::start_tls(receiver.addr(), every, &certificates.identity) else {
        return;
    };
    take_real(
        &certificates.client(nginx.addr(), Some(&certificates.right)),
        &receiver,
    );
    for (certificate, words) in [
        (None, "No required SSL certificate was sent"),
        (Some(&certificates.wrong), "SSL certificate error"),
    ] {
        let client = certificates.client(nginx.addr(), certificate);
        let dir = tempfile::tempdir().unwrap();
        let mut upload = Upload::from_file(&client, make_file(&dir, "refused", SIZE)).unwrap();
        let error = upload.run().unwrap_err();
        let refused = ErrorKind::Refused(RefusalKind::Other);
        assert_eq!(error.kind(), refused, "{error}");
        let excerpt = upload.remote().server_excerpt().unwrap();
        assert!(excerpt.contains(words), "{excerpt}");
    }
}

/// Uploads 5 MB in segments through a real server to the real receiver.
fn take_real(client: &Client, receiver: &Receiver) {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "real", 5_000_000);
    let mut upload = Upload::from_file(client, &path).unwrap();
    let segment = SegmentSize::Fixed(900_000);
    upload.set_segment_size(segment).unwrap();
    upload.run().unwrap();
    let id = upload.remote().id().unwrap();
    files::assert_same(&path, &receiver.stored_file(&id));
}

#[test]
fn certificates_and_keys_that_cannot_be_used_are_refused_when_they_are_set() {
    let authority = Authority::new();
    let (one, other) = (authority.certify(), authority.certify());
    let dir = tempfile::tempdir().unwrap();
    let (pem, key) = one.write(dir.path(), "one");
    let (_, other_key) = other.write(dir.path(), "other");
    let both = dir.path().join("both.pem");
    std::fs::write(&both, format!("{}{}", one.key_pem(), one.pem())).unwrap();
    let garbage = dir.path().join("garbage.pem");
    std::fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nno!\n").unwrap();
    let missing = dir.path().join("missing.pem");

    let receiver = server(one.clone());
    let client = client(&receiver.endpoint());
    let certificate = |pem: &Path, key: &Path| client.set_client_certificate(pem, key);
    certificate(&both, &both).unwrap();
    assert_invalid(certificate(&pem, &other_key), "other.key");
    assert_invalid(certificate(&pem, &pem), "one.pem");
    assert_invalid(certificate(&key, &key), "one.key");
    assert_invalid(certificate(&garbage, &key), "garbage.pem");
    assert_invalid(certificate(&missing, &key), "missing.pem");
    assert_invalid(client.set_ca_file(&garbage), "garbage.pem");
    assert_invalid(client.set_ca_file(&missing), "missing.pem");
    assert_invalid(client.set_ca_file(&key), "one.key");
    assert_invalid(client.set_ca_pem("no PEM at all"), "PEM");
    assert_invalid(client.set_ca_pem(""), "PEM");
    // A refused setting changes nothing: the roots of the system are still used.
    refuse(&client, receiver.addr());
    client.set_ca_pem(authority.pem()).unwrap();
    take(&client, &receiver, "after-all");
}

fn assert_invalid(result: Result<(), Error>, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(!error.to_string().contains("-----BEGIN"), "{error}");
}

#[test]
fn ipv6_endpoints_work_with_and_without_tls() {
    for tls in [false, true] {
        let Ok(listener) = TcpListener::bind("[::1]:0") else {
            tools::skip("there is no IPv6 here");
            return;
        };
        let options = Options {
            tls,
            ..Options::default()
        };
        let receiver = ModelReceiver::on(listener, options);
        assert!(receiver.endpoint().contains("//[::1]:"));
        let client = client(&receiver.endpoint());
        if tls {
            refuse(&client, receiver.addr());
            client.set_ca_pem(receiver.ca_pem()).unwrap();
        }
        take(&client, &receiver, "six");
    }
}

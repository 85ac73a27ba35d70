//! Servers with OpenSSL's TLS, and certificates as it makes them.

mod common;
#[path = "certificates/key_files.rs"]
mod key_files;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use resup::{Client, Error, ErrorKind, Upload};
use resup_test_support::files;
use resup_test_support::nginx::Nginx;
use resup_test_support::openssl::{ec, OpenSsl, NAMES, RSA, V3};
use resup_test_support::receiver::Receiver;
use resup_test_support::tls::Identity;

use common::{client, make_file};

/// A real receiver behind nginx, which uses OpenSSL.
struct Server {
    receiver: Receiver,
    nginx: Nginx,
}

impl Server {
    fn start(identity: &Identity, directives: &str) -> Option<Self> {
        let receiver = Receiver::start();
        let every = "client_max_body_size 0;";
        let nginx = Nginx::start_tls_with(receiver.addr(), directives, every, identity)?;
        Some(Server { receiver, nginx })
    }

    /// Makes a client that trusts the certificates of a file.
    fn client(&self, ca: &Path) -> Client {
        let client = client(&format!("https://{}/upload", self.nginx.addr()));
        client.set_ca_file(ca).unwrap();
        client
    }

    fn takes(&self, client: &Client) {
        let dir = tempfile::tempdir().unwrap();
        let path = make_file(&dir, "taken", 300_000);
        let mut upload = Upload::from_file(client, &path).unwrap();
        upload.run().unwrap();
        let id = upload.remote().id().unwrap();
        files::assert_same(&path, &self.receiver.stored_file(&id));
    }
}

/// Tries an upload, and gives the message of the failure, which has to be final and of TLS.
fn refuse(client: &Client) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut upload = Upload::from_file(client, make_file(&dir, "refused", 3000)).unwrap();
    let error = upload.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert_eq!(upload.remote().snapshot().attempts, 1, "{error}");
    error.to_string()
}

#[test]
fn a_server_shows_the_certificate_of_openssl_req_that_is_trusted() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.own("own", RSA, &format!("-addext {NAMES}"));
    let Some(server) = Server::start(&openssl.identity("own", "own"), "") else {
        return;
    };
    server.takes(&server.client(&openssl.path("own.pem")));
    // Another one of the same name is another one.
    openssl.own("other", RSA, &format!("-addext {NAMES} -subj /CN=own"));
    let text = refuse(&server.client(&openssl.path("other.pem")));
    assert!(
        text.contains("the server's certificate is a CA's"),
        "{text}"
    );
}

#[test]
fn a_trusted_certificate_is_refused_under_another_name() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for (name, names, words) in [
        (
            "elsewhere",
            "-addext subjectAltName=DNS:a.example,DNS:b.example",
            "is not for 127.0.0.1, but for a.example, b.example",
        ),
        (
            "nameless",
            "",
            "names no host; have it made with subjectAltName=IP:127.0.0.1",
        ),
    ] {
        openssl.own(name, RSA, names);
        let Some(server) = Server::start(&openssl.identity(name, name), "") else {
            return;
        };
        let text = refuse(&server.client(&openssl.path(&format!("{name}.pem"))));
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn keys_and_signatures_of_p521_and_sha512_are_verified() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    for (ca, curve, digest, key) in [
        ("p521", "P-521", "-sha512", RSA.to_owned()),
        ("p521-sha256", "P-521", "-sha256", ec("P-521")),
        ("p521-sha384", "P-521", "-sha384", ec("P-256")),
        ("p256-sha512", "P-256", "-sha512", ec("P-256")),
    ] {
        openssl.own(ca, &ec(curve), digest);
        openssl.certify("server", &key, ca, &format!("{digest} {V3}"));
        // In TLS 1.2, OpenSSL shows no key of a curve in which the client exchanges no keys.
        let protocols: &[_] = match key == ec("P-521") {
            true => &["TLSv1.3"],
            false => &["TLSv1.2", "TLSv1.3"],
        };
        for protocol in protocols {
            let only = format!("ssl_protocols {protocol};");
            let Some(server) = Server::start(&openssl.identity("server", ca), &only) else {
                return;
            };
            println!("{ca} {protocol}");
            server.takes(&server.client(&openssl.path(&format!("{ca}.pem"))));
            // Another CA of the same name and kind did not sign.
            openssl.own("forger", &ec(curve), &format!("{digest} -subj /CN={ca}"));
            let text = refuse(&server.client(&openssl.path("forger.pem")));
            assert!(text.contains("has a signature that is wrong"), "{text}");
        }
    }
}

#[test]
fn what_is_not_verified_is_told_in_words() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.own("p384", &ec("P-384"), "-sha512");
    openssl.certify("p384-server", RSA, "p384", &format!("-sha512 {V3}"));
    openssl.own("rsa", RSA, "");
    openssl.certify("sha1-server", RSA, "rsa", &format!("-sha1 {V3}"));
    openssl.certify("v1-server", RSA, "rsa", "");
    for (server, ca, words) in [
        (
            "p384-server",
            "p384",
            "signed by a key of P-384 with SHA-512, which is not supported",
        ),
        ("sha1-server", "rsa", "signed with SHA-1, which is not safe"),
        ("v1-server", "rsa", "version 1 of X.509"),
    ] {
        let identity = openssl.identity(server, ca);
        // nginx would not show one with SHA-1 else.
        let Some(server) = Server::start(&identity, "ssl_ciphers DEFAULT@SECLEVEL=0;") else {
            return;
        };
        let text = refuse(&server.client(&openssl.path(&format!("{ca}.pem"))));
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_client_certificate_may_be_of_version_1() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.own("ca", RSA, "");
    openssl.certify("server", RSA, "ca", V3);
    openssl.certify("v1", RSA, "ca", "");
    let identity = openssl.identity("server", "ca");
    let identity = identity.for_clients_with_ca_pem(&openssl.text("ca.pem"));
    let Some(server) = Server::start(&identity, "") else {
        return;
    };
    let client = server.client(&openssl.path("ca.pem"));
    let set = |key| client.set_client_certificate(openssl.path("v1.pem"), openssl.path(key));
    set("v1.key").unwrap();
    server.takes(&client);
    invalid(
        set("server.key"),
        "server.key\": the key does not belong to the certificate",
    );
}

/// Checks that a setting is refused with these words, and with nothing of a key.
fn invalid(result: Result<(), Error>, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(
        error.to_string().contains(words),
        "{error}\nhas not: {words}"
    );
    assert!(!error.to_string().contains("-----BEGIN"), "{error}");
}

#[test]
fn a_server_that_asks_for_a_new_handshake_is_told_and_final() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.own("own", RSA, &format!("-addext {NAMES}"));
    let mut server = Command::new("openssl")
        .args("s_server -tls1_2 -accept 127.0.0.1:0 -cert own.pem -key own.key".split(' '))
        .current_dir(openssl.dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut commands = server.stdin.take().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let accept = lines.find_map(|line| Some(line.ok()?.strip_prefix("ACCEPT ")?.to_owned()));
    let client = client(&format!("https://{}/upload", accept.unwrap()));
    client.set_ca_file(openssl.path("own.pem")).unwrap();
    let asks = std::thread::spawn(move || {
        let mut came = Vec::new();
        for line in lines.map_while(Result::ok) {
            // The head of the request; "r" asks for a new handshake.
            if line.to_ascii_lowercase().starts_with("content-type:") {
                commands.write_all(b"r\n").unwrap();
            }
            came.push(line);
        }
        came
    });
    let text = refuse(&client);
    server.kill().unwrap();
    server.wait().unwrap();
    println!("{}", asks.join().unwrap().join("\n"));
    assert!(
        text.contains("a new TLS handshake on the open connection"),
        "{text}"
    );
}

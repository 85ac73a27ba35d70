//! Certificates and keys as OpenSSL makes and takes them, and servers with its TLS.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use resup::{Client, Error, ErrorKind, Upload};
use resup_test_support::files;
use resup_test_support::nginx::Nginx;
use resup_test_support::receiver::Receiver;
use resup_test_support::tls::{Certificate, Identity};
use resup_test_support::tools;

use common::{client, make_file};

/// The names of this machine, in OpenSSL's form.
const NAMES: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1";

/// A directory in which OpenSSL makes things.
struct OpenSsl(tempfile::TempDir);

impl OpenSsl {
    /// `None` where it is not installed.
    fn find() -> Option<Self> {
        let openssl = tools::have(&["openssl"]);
        openssl.then(|| OpenSsl(tempfile::tempdir().unwrap()))
    }

    fn run(&self, args: &str) {
        let mut command = Command::new("openssl");
        command.args(args.split_whitespace()).current_dir(&self.0);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {args}: {text}");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Makes a self-signed certificate, NAME.pem, which OpenSSL takes for a CA's, and NAME.key.
    fn own(&self, name: &str, key: &str, more: &str) {
        self.run(&format!(
            "req -x509 {key} -nodes -keyout {name}.key -out {name}.pem -subj /CN={name} -days 9 {more}"
        ));
    }

    /// Makes a certificate for this machine, NAME.pem, of the CA's, and NAME.key.
    fn certify(&self, name: &str, key: &str, ca: &str, more: &str) {
        self.run(&format!(
            "req {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        self.write("names", NAMES);
        self.run(&format!(
            "x509 -req -in {name}.csr -CA {ca}.pem -CAkey {ca}.key -CAcreateserial \
             -out {name}.pem -days 9 {more}"
        ));
    }

    fn identity(&self, name: &str, ca: &str) -> Identity {
        let certificate = Certificate::made_elsewhere(
            &self.text(&format!("{name}.pem")),
            &self.text(&format!("{name}.key")),
        );
        Identity::with_ca_pem(certificate, &self.text(&format!("{ca}.pem")))
    }
}

const RSA: &str = "-newkey rsa:2048";
const V3: &str = "-extfile names";

fn ec(curve: &str) -> String {
    format!("-newkey ec -pkeyopt ec_paramgen_curve:{curve}")
}

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

#[test]
fn the_usual_forms_of_files_are_read() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.own("ca", RSA, "");
    openssl.run("x509 -in ca.pem -outform DER -out ca.cer");
    openssl.run("pkey -in ca.key -outform DER -out pkcs8.der");
    openssl.run("rsa -in ca.key -traditional -out pkcs1.pem");
    openssl.run("rsa -in ca.key -traditional -outform DER -out pkcs1.der");
    let (pem, key) = (openssl.text("ca.pem"), openssl.text("ca.key"));
    let bom = openssl.write("bom.pem", format!("\u{feff}{pem}\u{feff}{pem}"));
    let windows = openssl.write(
        "windows.pem",
        format!("Caf\u{e9}\r\n{pem}").replace('\n', "\r\n"),
    );
    let indented = openssl.write("indented.pem", pem.replace('\n', "\n    "));
    let both = openssl.write("both.pem", format!("{key}{pem}"));
    let turned = openssl.write("turned.pem", format!("\u{feff}{pem}{key}"));

    let client = Client::new("https://localhost/").unwrap();
    for ca in [
        "ca.pem",
        "ca.cer",
        "bom.pem",
        "windows.pem",
        "indented.pem",
        "both.pem",
    ] {
        client
            .set_ca_file(openssl.path(ca))
            .unwrap_or_else(|e| panic!("{e}"));
    }
    let ca = openssl.path("ca.pem");
    for (certificate, key) in [
        (&ca, &openssl.path("ca.key")),
        (&openssl.path("ca.cer"), &openssl.path("pkcs8.der")),
        (&bom, &openssl.path("pkcs1.pem")),
        (&windows, &openssl.path("pkcs1.der")),
        (&indented, &both),
        (&both, &both),
        (&turned, &turned),
    ] {
        let set = client.set_client_certificate(certificate, key);
        set.unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn other_forms_are_told_with_the_way_out() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.own("ca", RSA, "");
    openssl.certify("one", RSA, "ca", V3);
    openssl.own("p521", &ec("P-521"), "");
    openssl.run("pkey -in one.key -aes128 -passout pass:abcd -out encrypted.key");
    openssl.run("pkcs8 -topk8 -in one.key -outform DER -passout pass:abcd -out encrypted.der");
    openssl.run("rsa -in one.key -traditional -aes128 -passout pass:abcd -out old.key");
    openssl.run("pkcs12 -export -in one.pem -inkey one.key -passout pass:abcd -out one.p12");
    openssl.run("crl2pkcs7 -nocrl -certfile one.pem -out one.p7b");
    openssl.run("crl2pkcs7 -nocrl -certfile one.pem -outform DER -out one.p7c");
    openssl.run("x509 -in one.pem -trustout -out trusted.pem");
    openssl.run("pkey -in one.key -pubout -out public.pem");
    let pem = openssl.text("one.pem");
    openssl.write("empty.pem", "\n");
    let utf16: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
    openssl.write("utf16.pem", [&[0xff, 0xfe][..], &utf16].concat());
    openssl.write("text.pem", "no PEM at all");
    openssl.write("cut.pem", &pem[..pem.len() - 30]);
    openssl.write("damaged.pem", pem.replacen('M', "!", 1));
    openssl.write("turned.pem", format!("{}{pem}", openssl.text("ca.pem")));
    openssl.write(
        "no-certificate.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    openssl.write("old-both.pem", format!("{}{pem}", openssl.text("old.key")));
    fs::create_dir(openssl.path("directory")).unwrap();

    let client = Client::new("https://localhost/").unwrap();
    for (file, words) in [
        ("empty.pem", "it is empty"),
        ("directory", "it is a directory"),
        ("missing.pem", "it cannot be read"),
        ("utf16.pem", "it is text in UTF-16; save it as UTF-8"),
        ("text.pem", "it is neither PEM"),
        (
            "cut.pem",
            "certificate 1 is cut off: the line -----END CERTIFICATE----- is missing",
        ),
        ("damaged.pem", "certificate 1 is damaged"),
        (
            "no-certificate.pem",
            "certificate 1 of 1 is damaged, or is no X.509 certificate",
        ),
        (
            "one.key",
            "no certificate, but a part PRIVATE KEY; give the file of the certificate here",
        ),
        (
            "one.csr",
            "give the certificate that the CA made of this request",
        ),
        (
            "one.p12",
            "it is a PKCS#12 file (.p12, .pfx); \"openssl pkcs12 -nodes -in OLD -out NEW\"",
        ),
        ("one.p7b", "\"openssl pkcs7 -print_certs -in OLD -out NEW\""),
        (
            "one.p7c",
            "\"openssl pkcs7 -print_certs -inform DER -in OLD -out NEW\"",
        ),
        (
            "trusted.pem",
            "(TRUSTED CERTIFICATE); \"openssl x509 -in OLD -out NEW\"",
        ),
    ] {
        invalid(client.set_ca_file(openssl.path(file)), file);
        invalid(client.set_ca_file(openssl.path(file)), words);
    }
    let encrypted = "its key is encrypted; write it without a password: \"openssl pkey";
    for (certificate, key, words) in [
        ("one.pem", "encrypted.key", encrypted),
        ("one.pem", "encrypted.der", encrypted),
        ("one.pem", "old.key", encrypted),
        ("old-both.pem", "old-both.pem", encrypted),
        ("one.pem", "one.p12", "PKCS#12"),
        ("one.p12", "one.p12", "PKCS#12"),
        (
            "one.pem",
            "one.pem",
            "no private key, but a part CERTIFICATE",
        ),
        (
            "one.pem",
            "public.pem",
            "no private key, but a part PUBLIC KEY",
        ),
        (
            "one.key",
            "one.pem",
            "no certificate, but a part PRIVATE KEY",
        ),
        (
            "turned.pem",
            "one.key",
            "the key belongs to certificate 2 of the chain",
        ),
        (
            "p521.pem",
            "p521.key",
            "the key is one of the curve P-521, which is not supported",
        ),
        (
            "one.pem",
            "ca.key",
            "the key does not belong to the certificate",
        ),
    ] {
        let (certificate, key) = (openssl.path(certificate), openssl.path(key));
        invalid(client.set_client_certificate(certificate, key), words);
    }
}

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
        .current_dir(&openssl.0)
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

//! Servers and networks that fail, and what an upload to them comes to.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, reply_with, End, Read, ScriptedServer, Step, Tus};

use crate::messages::{Case, Outcome};
use crate::one::{One, Report};
use crate::{logins, receivers};

/// Bytes in a file of most cases.
pub const SIZE: u64 = 10;
/// More than a network takes that nobody reads from.
const LARGE: u64 = 64 << 20;

/// Settings for one attempt.
pub const ONCE: [&str; 2] = ["client_set_retry_limit", "0"];

pub fn is_send(head: &RequestHead) -> bool {
    head.boundary().is_some()
}

/// Answers locates as for a new upload, and sends by `step`.
fn sends(step: impl Fn() -> Step + Send + 'static) -> ScriptedServer {
    ScriptedServer::start_with(move |head, _| match is_send(head) {
        true => step(),
        false => Step::reply(200, &json("new", 0, "k")),
    })
}

fn upload(one: &One, server: &ScriptedServer, size: u64, more: &[&str]) -> Report {
    one.upload(&server.endpoint(), size, &[&ONCE[..], more].concat())
}

/// The outcome of an upload whose message names no address.
fn plain(one: &One, server: &ScriptedServer) -> Case {
    Case::new(&upload(one, server, SIZE, &[]), Vec::new())
}

/// The outcome of an upload whose message names the server, in the document by this address.
fn named(
    one: &One,
    server: &ScriptedServer,
    example: &'static str,
    size: u64,
    more: &[&str],
) -> Case {
    let told = upload(one, server, size, more);
    Case::new(&told, vec![(example, server.addr().to_string())])
}

fn refused(one: &One, status: u16, message: &str) -> Case {
    let body = format!(r#"{{"message":"{message}"}}"#);
    plain(
        one,
        &ScriptedServer::start(vec![Step::reply(status, &body)]),
    )
}

/// A limit of 300 ms in place of the default one in the document.
fn limited(mut case: Case, example: &'static str) -> Case {
    case.values.push((example, "300 ms".to_owned()));
    case
}

/// The server cuts the file when it is asked for its offset.
fn changed(one: &One) -> Case {
    let path = one.bench.path("changing");
    std::fs::write(&path, [0; 10]).unwrap();
    let theirs = path.clone();
    let server = ScriptedServer::start_with(move |_, _| {
        let file = std::fs::OpenOptions::new().write(true).open(&theirs);
        file.unwrap().set_len(4).unwrap();
        Step::reply(200, &json("new", 0, "k"))
    });
    let told = one.run(one.command_of(&server.endpoint(), &path, &ONCE));
    Case::new(&told, vec![("/tmp/a", path.display().to_string())])
}

/// Changes a file after its first half was sent, and leaves its size and modification time as they are.
fn touched(one: &One, digest: &str, change: fn(&Path)) -> Case {
    let path = one.bench.path(&format!("touched-{digest}"));
    std::fs::write(&path, [0; 10]).unwrap();
    let theirs = path.clone();
    let server = sends(move || {
        // The clock of change times ticks every few milliseconds.
        std::thread::sleep(Duration::from_millis(20));
        change(&theirs);
        Step::reply(200, &json("partial", 5, "k"))
    });
    let settings = ["upload_set_segment_size", "5", "upload_set_digest", digest];
    let settings = [&ONCE[..], &settings].concat();
    let told = one.run(one.command_of(&server.endpoint(), &path, &settings));
    Case::new(&told, vec![("/tmp/a", path.display().to_string())])
}

fn rewrite(path: &Path) {
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    let time = file.metadata().unwrap().modified().unwrap();
    file.write_all(&[1; 10]).unwrap();
    file.set_modified(time).unwrap();
}

fn set_mode(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn nobody(one: &One) -> Case {
    // The port is free again, and nobody else listens there so soon.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let told = one.upload(&format!("http://{address}/"), SIZE, &ONCE);
    Case::new(&told, vec![("127.0.0.1:9", address.to_string())])
}

/// An upload through a proxy of HTTP that answers so.
fn through_proxy(one: &One, status: u16, server: &'static str) -> Case {
    let proxy = ScriptedServer::start(vec![Step::reply(status, "")]);
    let address = proxy.addr().to_string();
    let url = format!("http://{address}");
    let settings = [ONCE[0], ONCE[1], "client_set_proxy", &url];
    // Nothing goes to the server but through the proxy.
    let told = one.upload(&format!("http://{server}/"), SIZE, &settings);
    Case::new(&told, vec![("127.0.0.1:3128", address)])
}

/// An upload to an https server through a proxy of HTTP that answers so.
fn through_tunnel(one: &One, status: u16, page: &str) -> Case {
    let proxy = ScriptedServer::start(vec![Step::reply(status, page)]);
    let address = proxy.addr().to_string();
    let url = format!("http://{address}");
    let settings = [ONCE[0], ONCE[1], "client_set_proxy", &url];
    let told = one.upload("https://127.0.0.1:443/", SIZE, &settings);
    Case::new(&told, vec![("127.0.0.1:3128", address)])
}

/// A redirect to another place.
fn elsewhere_page() -> Step {
    let location = [("Location", "https://example.org/")];
    let step = Step::new().read(Read::All);
    step.write(reply_with(302, &location, ""))
}

/// The server has only a part of what the first send brought, and takes the rest.
fn elsewhere(one: &One) -> Case {
    let mut sends = 0;
    let server = ScriptedServer::start_with(move |head, _| {
        sends += u32::from(is_send(head));
        match (is_send(head), sends) {
            (false, _) => Step::reply(200, &json("new", 0, "k")),
            (true, 1) => Step::reply(409, r#"{"offset":5}"#),
            (true, _) => Step::reply(200, &json("complete", SIZE, "k")),
        }
    });
    let told = upload(one, &server, SIZE, &[]);
    assert_eq!(told.number("status"), 0, "{told:?}");
    Case {
        outcome: Outcome::Nothing,
        values: Vec::new(),
    }
}

/// The server gives the upload a URL at another one, which wants a login.
fn at_another_origin(one: &One) -> Case {
    let other = ScriptedServer::start_with(|_, _| Step::reply(401, ""));
    let at = format!("http://{}/u/1", other.addr());
    let home = ScriptedServer::start_with(move |_, _| {
        let made = reply_with(201, &[("Location", &at)], "");
        Step::new().read(Read::All).write(made)
    });
    let told = upload(one, &home, SIZE, &["client_set_protocol", "2"]);
    let values = vec![
        ("other:81", other.addr().to_string()),
        ("host:80", home.addr().to_string()),
    ];
    Case::new(&told, values)
}

/// Makes what a row of the document is about.
pub fn make(situation: &str, one: &One) -> Case {
    let response = |status, body: &str| {
        let server = ScriptedServer::start(vec![Step::reply(status, body)]);
        plain(one, &server)
    };
    let written = |text: Vec<u8>| {
        let step = Step::new().read(Read::All).write(text);
        plain(one, &ScriptedServer::start(vec![step]))
    };
    match situation {
        "the file was cut, extended, touched, replaced or removed during the run, or after its digest was computed first" => {
            changed(one)
        }
        "it was written to, and its modification time was put back" => touched(one, "1", rewrite),
        "without a digest, something about it changed: its bytes, mode, owner or links" => {
            touched(one, "0", set_mode)
        }

        "the server's name is unknown; tried again" => {
            let told = one.upload("http://no-such-host.invalid/", SIZE, &ONCE);
            Case::new(&told, Vec::new())
        }
        "no server listens at the address; tried again" => nobody(one),
        "the connection is lost, or a response is cut; tried again" => {
            let cut = Step::new().read(Read::All).end(End::Reset);
            let server = ScriptedServer::start(vec![cut]);
            named(one, &server, "127.0.0.1:80", SIZE, &[])
        }
        "the same, after a file went to a server that cannot be asked what it has of it; not retryable" => {
            let cut = Step::new().read(Read::All).end(End::Reset);
            let server = ScriptedServer::start(vec![cut]);
            let plain = ["client_set_dialect", "plain"];
            named(one, &server, "127.0.0.1:80", SIZE, &plain)
        }
        "no response in time; tried again" => {
            let silent = Step::new().read(Read::All).end(End::HoldOpen);
            let server = ScriptedServer::start(vec![silent]);
            let limit = ["client_set_response_timeout", "300"];
            limited(named(one, &server, "127.0.0.1:80", SIZE, &limit), "120 s")
        }
        "the network takes nothing for too long; tried again" => {
            let server = sends(|| {
                let some = Read::HeadAndBodyBytes(100_000);
                Step::new().read(some).end(End::HoldOpen)
            });
            let limit = ["client_set_stall_timeout", "300"];
            limited(named(one, &server, "127.0.0.1:80", LARGE, &limit), "60 s")
        }
        "the TLS handshake is damaged on the way; tried again once the server has answered in this run, and told as a lost connection then" => {
            let server = ScriptedServer::start_tls(vec![Step::reply(200, "{}")]);
            let faults = |_: u64, _: &mut fastrand::Rng| Faults {
                corrupt_down_at: Some(20),
                ..Faults::default()
            };
            let proxy = ChaosProxy::start(server.addr(), faults, 0);
            let url = server.endpoint().replace(
                &server.addr().to_string(),
                &proxy.addr().to_string(),
            );
            let told = one.upload(&url, SIZE, &ONCE);
            Case::new(&told, vec![("127.0.0.1:443", proxy.addr().to_string())])
        }
        "the certificate is not trusted" => {
            let server = ScriptedServer::start_tls(vec![Step::reply(200, "{}")]);
            named(one, &server, "127.0.0.1:443", SIZE, &[])
        }
        "the proxy makes no tunnel (CONNECT), and says why" => {
            through_tunnel(one, 403, "<p>Blocked by policy")
        }
        "the proxy fails to make a tunnel, or is none; tried again" => {
            through_tunnel(one, 503, "Busy")
        }
        "the proxy refuses the user, or the server" => through_proxy(one, 407, "127.0.0.1:80"),

        "it wants a login, or forbids it (401, 403)" => refused(one, 401, "log in first"),
        "it refuses the user and password, or the token (401)" => {
            let body = r#"{"message":"log in first"}"#;
            let server = ScriptedServer::start(vec![Step::reply(401, body)]);
            let user = ["client_set_basic_auth", "joe,wrong"];
            Case::new(&upload(one, &server, SIZE, &user), Vec::new())
        }
        "it wants a login that is not supported (401)" => {
            let wanted = [("WWW-Authenticate", "Digest realm=\"a\", nonce=\"b\", NTLM")];
            written(reply_with(401, &wanted, ""))
        }
        "it refuses a signed request or a login, and this machine's clock differs from its own by 2 minutes or more (401, 403)" => {
            logins::other_time(one)
        }
        "another file has the URL at which the file would be (WebDAV)" => {
            let server = ScriptedServer::start(vec![Step::new()
                .read(Read::All)
                .write(&b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"[..])]);
            let dav = ["client_set_protocol", "4"];
            Case::new(&upload(one, &server, SIZE, &dav), Vec::new())
        }
        "a server of a protocol that is not known here: S3; or of another one than was set" => {
            written(reply_with(405, &[("DAV", "1, 2")], ""))
        }
        "a web page with a login" => response(200, "<form><input type=password>"),
        "a signing secret was set, and it speaks a protocol without signatures" => {
            let mut tus = Tus::default();
            let server = ScriptedServer::start_with(move |head, _| tus.step(head));
            let secret = ["client_set_signing_secret", "s"];
            Case::new(&upload(one, &server, SIZE, &secret), Vec::new())
        }
        "a compressed response" => written(reply_with(200, &[("Content-Encoding", "gzip")], "")),
        "no HTTP at all" => written(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        "it refuses the login with another status that stays: the login's URL is wrong (404, 405)" => {
            logins::no_login(one)
        }
        "it forbids the upload, though the login is right (401, 403, or a redirect, to a send)" => {
            logins::forbidden(one)
        }
        "it ends the session again and again, and takes no more" => logins::sessions_end(one),
        "more than it takes (413), also in the smallest segment" => {
            refused(one, 413, "no more than 1 GB")
        }
        "a file that is larger than it says that it takes (`Upload-Limit` of the IETF's resumable uploads)" => {
            let made = [("Location", "/u/1"), ("Upload-Limit", "max-size=9")];
            let server = ScriptedServer::start_with(move |_, _| {
                Step::new().read(Read::All).write(reply_with(201, &made, ""))
            });
            let ietf = ["client_set_protocol", "3"];
            Case::new(&upload(one, &server, SIZE, &ietf), Vec::new())
        }
        "an upload's URL at another origin wants a login (401)" => at_another_origin(one),
        "another client is writing this upload (423)" => {
            refused(one, 423, "another request is writing it")
        }
        "it has bytes that this run has not sent, and nothing proves them" => {
            let server = sends(|| Step::reply(200, &json("partial", 7, "k")));
            let five = ["upload_set_segment_size", "5"];
            let told = upload(one, &server, SIZE, &five);
            Case::new(&told, Vec::new())
        }
        "busy (429, 503)" => refused(one, 503, "busy"),
        "failing (408, 417, 421, 425, 5xx that are not named here)" => response(502, "Bad Gateway"),
        "failing, and perhaps it is an HTTP proxy that says so" => {
            through_proxy(one, 504, "127.0.0.1:80")
        }
        "no room (507)" => refused(one, 507, "no quota left"),
        "something else answers in the middle of an upload (a redirect, 511)" => {
            plain(one, &sends(elsewhere_page))
        }
        "a send is wrong (400)" => {
            plain(one, &sends(|| Step::reply(400, r#"{"message":"no"}"#)))
        }
        "any other 3xx, 4xx, and 501, 505, 511" => {
            plain(one, &ScriptedServer::start(vec![elsewhere_page()]))
        }
        "it has forgotten the upload (404, 410 to a send)" => {
            let server = sends(|| Step::reply(404, r#"{"message":"no such upload"}"#));
            plain(one, &server)
        }
        "it is at another offset (409 with `offset`)" => elsewhere(one),
        "its offset grows by almost nothing each time" => {
            let server = sends(|| Step::reply(200, &json("partial", 1, "k")));
            Case::new(&upload(one, &server, 1000, &[]), Vec::new())
        }
        "a web page, or another response that is not of the protocol" => {
            response(200, "<html>Please log in</html>")
        }
        "an answer to a send that is about another upload" => {
            let server = sends(|| Step::reply(200, &json("complete", SIZE, "other")));
            plain(one, &server)
        }
        "a response of more than 256 KiB" => response(200, &" ".repeat(300_000)),
        "an offset that cannot be" => response(200, &json("partial", SIZE + 1, "k")),
        "what arrived differs from what was sent (422, or 409 with the very `offset` of the send), twice in a row" => {
            let server = sends(|| Step::reply(422, r#"{"offset":0}"#));
            plain(one, &server)
        }
        "the upload asks for a digest by its name, and the server does not use that one" => {
            let server = sends(|| Step::reply(200, &json("complete", SIZE, "k")));
            let told = upload(one, &server, SIZE, &["upload_set_digest_algorithm", "1"]);
            Case::new(&told, Vec::new())
        }
        other => receivers::make(other, one),
    }
}

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{exchange, read_out, Ending, LONG, SILENCE};
use crate::scripted::{json, reply, reply_with, End, Read as Take, ScriptedServer, Step};

fn post(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}").into()
}

#[test]
fn steps_are_done_in_order_and_the_last_one_repeats() {
    let server = ScriptedServer::start(vec![
        Step::reply(200, &json("new", 0, "u1")),
        Step::reply(409, "{}"),
    ]);
    let three = [post("action=locate&name=a%20b+c"), post("2"), post("3")].concat();
    let responses = exchange(server.addr(), &three);
    assert_eq!(responses.matches("HTTP/1.1 200 OK\r\n").count(), 1);
    assert_eq!(responses.matches("HTTP/1.1 409 Conflict\r\n").count(), 2);
    assert!(responses.contains(r#"{"state":"new","offset":0,"id":"u1"}"#));

    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].head.method, "POST");
    assert_eq!(requests[0].head.target, "/upload");
    assert_eq!(requests[0].head.header("HOST"), Some("x"));
    assert!(requests[0].head.raw.ends_with(b"\r\n\r\n"));
    assert_eq!(requests[0].field("name").as_deref(), Some("a b c"));
    assert_eq!(requests[2].body, b"3");
    assert_eq!((requests[2].body_len, requests[2].connection), (1, 0));
}

#[test]
fn the_step_can_depend_on_the_request() {
    let server = ScriptedServer::start_with(|head, index| {
        let id = format!("{}-{index}", head.method);
        Step::reply(200, &json("new", 0, &id))
    });
    assert!(exchange(server.addr(), b"GET /?a=b HTTP/1.1\r\n\r\n").contains("GET-0"));
    assert!(exchange(server.addr(), &post("")).contains("POST-1"));
    assert_eq!(server.requests()[0].field("a").as_deref(), Some("b"));
    assert_eq!(server.connections(), 2);
}

#[test]
fn an_early_response_is_readable_while_the_body_is_under_way() {
    let server = ScriptedServer::start(vec![Step::new()
        .read(Take::HeadAndBodyBytes(1000))
        .write(reply_with(413, &[("Connection", "close")], "{}"))
        .end(End::DrainThenClose {
            max_bytes: 50_000,
            max_time: LONG,
        })]);
    let mut client = TcpStream::connect(server.addr()).unwrap();
    client
        .write_all(b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n")
        .unwrap();
    client.write_all(&[0; 1000]).unwrap();
    let (response, end) = read_out(&client, LONG);
    assert!(response.starts_with(b"HTTP/1.1 413"));
    assert_eq!(end, Ending::Fin);
    assert_eq!(server.requests()[0].body_len, 1000);
    // The server still reads, up to its limit.
    let chunk = vec![0; 10_000];
    while client.write_all(&chunk).is_ok() {}
    assert_eq!(server.requests()[0].body_len, 51_000);
}

#[test]
fn responses_come_in_pieces_with_pauses_and_can_be_cut() {
    let whole = reply(200, &json("new", 0, "u1"));
    let (first, second) = whole.split_at(20);
    let server = ScriptedServer::start(vec![Step::new()
        .write("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        .read(Take::All)
        .write(first)
        .wait(Duration::from_millis(100))
        .write(&second[..30])
        .end(End::Close)]);
    let began = Instant::now();
    let response = exchange(server.addr(), &post("abc"));
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert!(response.starts_with("HTTP/1.1 103"));
    assert!(response.ends_with(std::str::from_utf8(&whole[..50]).unwrap()));
}

#[test]
fn a_connection_ends_as_the_step_says() {
    let server = ScriptedServer::start(vec![
        Step::new().read(Take::All).end(End::Reset),
        Step::new().read(Take::All).end(End::HoldOpen),
        Step::new().read(Take::All).end(End::Close),
    ]);
    for end in [Ending::Rst, Ending::Silence, Ending::Fin] {
        let mut client = TcpStream::connect(server.addr()).unwrap();
        client.write_all(&post("abc")).unwrap();
        assert_eq!(read_out(&client, SILENCE), (vec![], end));
    }
    assert!(server.wait_for(3, LONG));
    let began = Instant::now();
    drop(server);
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_body_that_is_cut_short_is_recorded_as_far_as_it_came() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let mut client = TcpStream::connect(server.addr()).unwrap();
    client
        .write_all(b"POST / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n")
        .unwrap();
    client.write_all(&vec![7; 2_000_000]).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_out(&client, LONG).0, b"");
    let request = &server.requests()[0];
    assert_eq!(request.body_len, 2_000_000);
    assert_eq!(request.body, vec![7; 1 << 20]);
}

#[test]
fn continue_is_sent_when_the_body_is_read() {
    let server = ScriptedServer::start(vec![
        Step::reply(200, "{}"),
        Step::new()
            .read(Take::HeadOnly)
            .write(reply(417, "{}"))
            .end(End::Close),
    ]);
    for first in ["HTTP/1.1 100", "HTTP/1.1 417"] {
        let mut client = TcpStream::connect(server.addr()).unwrap();
        let head = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
        client.write_all(head.as_bytes()).unwrap();
        let mut response = [0; 12];
        client.read_exact(&mut response).unwrap();
        assert_eq!(&response, first.as_bytes());
    }
}

#[test]
fn the_tls_server_is_trusted_by_its_authority() {
    let server = ScriptedServer::start_tls(vec![Step::reply(200, "{}")]);
    assert!(server.endpoint().starts_with("https://127.0.0.1:"));
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    for name in ["localhost", "127.0.0.1"] {
        let name = ServerName::try_from(name).unwrap();
        let session = ClientConnection::new(config.clone(), name).unwrap();
        let socket = TcpStream::connect(server.addr()).unwrap();
        let mut client = StreamOwned::new(session, socket);
        client.write_all(&post("abc")).unwrap();
        let mut response = [0; 15];
        client.read_exact(&mut response).unwrap();
        assert_eq!(&response, b"HTTP/1.1 200 OK");
    }
    assert_eq!(server.requests()[1].body, b"abc");
}

//! The model receiver on the wire.

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::{exchange, read_out, LONG};
use crate::chaos::{ChaosProxy, Cut, Faults};
use crate::files::{bytes, md5_hex_of};
use crate::model::{ModelReceiver, Options};

pub(super) fn request(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(super) fn locate(fields: &str) -> Vec<u8> {
    let body = format!("action=locate&prefix=1&{fields}");
    request("application/x-www-form-urlencoded", body.as_bytes())
}

/// Makes a send of `data[from..to]`, with the digest of everything up to `to`.
pub(super) fn send(id: &str, data: &[u8], from: usize, to: usize) -> Vec<u8> {
    let name = if to == data.len() {
        "md5"
    } else {
        "prefix_md5"
    };
    send_with(id, &data[from..to], from, (name, &md5_hex_of(&data[..to])))
}

pub(super) fn send_with(id: &str, piece: &[u8], offset: usize, tail: (&str, &str)) -> Vec<u8> {
    let field = |name: &str, value: &str| {
        format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body = field("action", "send");
    body += &field("id", id);
    body += &field("offset", &offset.to_string());
    body += &field("length", &piece.len().to_string());
    body += "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n";
    body += "Content-Type: application/octet-stream\r\n\r\n";
    let end = format!("\r\n{}--XyZ--\r\n", field(tail.0, tail.1));
    let body = [body.as_bytes(), piece, end.as_bytes()].concat();
    request("multipart/form-data; boundary=XyZ", &body)
}

/// Sends a request; returns status and body of the last response.
pub(super) fn ask(addr: SocketAddr, request: &[u8]) -> (u16, String) {
    let responses = exchange(addr, request);
    let last = &responses[responses.rfind("HTTP/1.1 ").expect(&responses)..];
    let (head, body) = last.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

pub(super) fn offset(body: &str) -> usize {
    let rest = body.split_once(r#""offset":"#).expect(body).1;
    rest[..rest.find([',', '}']).unwrap()].parse().unwrap()
}

#[test]
fn a_file_goes_up_in_two_sends_on_one_connection() {
    let receiver = ModelReceiver::start();
    let data = bytes(5000, 1);
    let all = [
        locate("name=caf%C3%A9.txt&size=5000&mtime=1&dir=a/b"),
        send("u1", &data, 0, 3000),
        send("u1", &data, 3000, 5000),
    ]
    .concat();
    let (status, body) = ask(receiver.addr(), &all);
    assert_eq!(status, 200);
    let expected = r#"{"state":"complete","offset":5000,"id":"u1","location":"/files/u1"}"#;
    assert_eq!(body, expected);
    assert_eq!(receiver.files(), [("a/b/café.txt".to_owned(), data)]);
    let stats = receiver.stats();
    assert_eq!((stats.requests, stats.locates, stats.sends), (3, 1, 2));
    assert_eq!((stats.file_bytes, stats.bytes_again), (5000, 0));
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn locate_by_get_and_expect_continue_work() {
    let receiver = ModelReceiver::start();
    let get = b"GET /upload?action=locate&name=a&size=3&mtime=1 HTTP/1.1\r\n\r\n";
    let (_, body) = ask(receiver.addr(), get);
    assert_eq!(body, r#"{"state":"new","offset":0,"id":"u1"}"#);
    let text = String::from_utf8(send("u1", b"abc", 0, 3)).unwrap();
    let text = text.replacen("Host: x", "Expect: 100-continue", 1);
    let responses = exchange(receiver.addr(), text.as_bytes());
    assert!(responses.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"));
}

#[test]
fn a_receiver_keeps_what_came_before_a_cut_at_any_byte() {
    let receiver = ModelReceiver::start();
    let data = bytes(100, 4);
    let whole = send("u000", &data, 0, 100);
    let start = whole.windows(100).position(|part| part == data).unwrap();
    let cut = move |index: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: Some(index),
        how: Cut::Fin,
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), cut, 1);
    for n in 0..whole.len() {
        let find = locate(&format!("name=f{n}&size=100&mtime=1"));
        let (_, body) = ask(receiver.addr(), &find);
        let id = body.split('"').nth(9).unwrap_or_else(|| panic!("{body}"));
        // Ids of one length keep the positions the same.
        let request = send(&format!("{id:0>4}").replace("0u", "u"), &data, 0, 100);
        let request = match id.len() {
            4 => request,
            _ => [&whole[..start], &data].concat(),
        };
        let mut client = TcpStream::connect(proxy.addr()).unwrap();
        let _ = client.write_all(&request);
        let _ = client.shutdown(Shutdown::Write);
        read_out(&client, LONG);
        drop(client);
        assert!(receiver.settle(4 * n as u64 + 2, LONG));
        let held = offset(&ask(receiver.addr(), &find).1);
        if id.len() == 4 {
            assert_eq!(held, n.saturating_sub(start).min(100), "cut after {n}");
        }
        let (status, body) = ask(receiver.addr(), &send(id, &data, held, 100));
        assert_eq!(status, 200, "cut after {n}: {body}");
        assert!(body.contains("complete"), "cut after {n}: {body}");
    }
    assert_eq!(receiver.files().len(), whole.len());
    assert!(receiver.files().iter().all(|(_, content)| *content == data));
    assert_eq!(receiver.stats().bytes_again, 0);
}

#[test]
fn a_buffering_receiver_keeps_nothing_of_a_request_that_was_cut_short() {
    let receiver = ModelReceiver::with(Options {
        buffering: true,
        ..Options::default()
    });
    let data = bytes(1000, 4);
    let find = locate("name=f&size=1000&mtime=1");
    ask(receiver.addr(), &find);
    let whole = send("u1", &data, 0, 1000);
    assert_eq!(exchange(receiver.addr(), &whole[..whole.len() - 10]), "");
    assert_eq!(offset(&ask(receiver.addr(), &find).1), 0);
    assert_eq!(ask(receiver.addr(), &whole).0, 200);
    assert_eq!(receiver.files(), [("f".to_owned(), data)]);
}

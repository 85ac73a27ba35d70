//! HTTP as RFC 9110 and RFC 9112 have it: conditions, HEAD, methods, the header Host.

mod common;

use common::accounts::with;
use common::{head, Receiver, Reply, Upload};

fn ask(receiver: &Receiver, method: &str, target: &str, headers: &[(&str, &str)]) -> Reply {
    let request = with(head(method, target, "", 0), headers);
    match method {
        "HEAD" => head_of(receiver, &request),
        _ => receiver.exchange(&request),
    }
}

/// Reads a response that has no body, whatever its Content-Length says.
fn head_of(receiver: &Receiver, request: &[u8]) -> Reply {
    use std::io::{Read, Write};
    let mut stream = receiver.connect();
    stream.write_all(request).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap().to_lowercase();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "");
    Reply {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        json: serde_json::Value::Null,
        body: Vec::new(),
    }
}

fn finished(receiver: &Receiver, size: usize) -> String {
    let file = Upload::new(&format!("{size}.bin"), size);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0);
    format!("/uploads/{id}/file")
}

#[test]
fn a_download_is_conditional() {
    let receiver = Receiver::start(&[]);
    let target = finished(&receiver, 100);
    let whole = receiver.get(&target);
    let tag = whole.header("etag").unwrap().to_owned();
    let date = whole.header("last-modified").unwrap().to_uppercase();
    let date = httpdate::fmt_http_date(httpdate::parse_http_date(&title(&date)).unwrap());
    let weak = format!("\"x\", W/{tag}");
    let long_ago = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (name, value, status) in [
        ("If-None-Match", &*tag, 304),
        ("If-None-Match", &weak, 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"x\"", 200),
        ("If-Modified-Since", &date, 304),
        ("If-Modified-Since", long_ago, 200),
        ("If-Match", &tag, 200),
        ("If-Match", "\"x\"", 412),
        ("If-Unmodified-Since", long_ago, 412),
        ("If-Unmodified-Since", &date, 200),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = ask(&receiver, method, &target, &[(name, value)]);
            assert_eq!(reply.status, status, "{method} {name}: {value}");
            assert_eq!(reply.header("etag"), Some(&*tag));
        }
    }
    let part = [("Range", "bytes=0-9"), ("If-Match", "\"x\"")];
    assert_eq!(ask(&receiver, "GET", &target, &part).status, 412);
}

#[test]
fn a_tag_tells_the_versions_of_a_file_apart() {
    let receiver = Receiver::start(&["--digests", "none"]);
    let mut file = Upload::new("a", 100);
    let up = |file: &Upload| {
        let (id, offset) = receiver.locate_ok(file);
        receiver.send_rest(file, &id, offset).expect_complete(100);
        id
    };
    let target = format!("/uploads/{}", up(&file));
    let tag = || {
        let reply = receiver.get(&format!("{target}/file"));
        reply.header("etag").unwrap().to_owned()
    };
    let first = tag();
    // A newer client asks for another digest of the same bytes, which the receiver has not yet.
    for digest in ["blake3", "sha256"] {
        assert_eq!(receiver.get(&target).json[digest], serde_json::Value::Null);
        let newer = Upload::new("a", 100).with("digests", digest);
        receiver.locate(&newer).expect_complete(100);
        assert!(receiver.get(&target).json[digest].is_string());
        assert_eq!(tag(), first, "{digest}");
    }
    let stored = receiver.file(target.strip_prefix("/uploads/").unwrap());
    std::fs::write(stored, "lost").unwrap();
    file.content.reverse();
    assert_eq!(format!("/uploads/{}", up(&file)), target);
    assert_ne!(tag(), first);
}

#[test]
fn a_deletion_is_conditional() {
    let receiver = Receiver::start(&[]);
    let target = finished(&receiver, 100);
    let file = receiver.get(&target);
    let tag = file.header("etag").unwrap().to_owned();
    let upload = target.strip_suffix("/file").unwrap();
    let weak = format!("W/{tag}");
    let delete = |target: &str, header| ask(&receiver, "DELETE", target, &[header]);
    for header in [
        ("If-Match", "\"x\""),
        ("If-Match", &weak),
        ("If-None-Match", "*"),
        ("If-None-Match", &tag),
        ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ] {
        delete(upload, header).expect(412, "nothing was deleted");
        assert_eq!(receiver.get(&target).status, 200, "{header:?}");
    }
    assert_eq!(delete(upload, ("If-Match", &tag)).status, 204);
    delete(upload, ("If-Match", "*")).expect(404, "no upload");
    let target = finished(&receiver, 200);
    let upload = target.strip_suffix("/file").unwrap();
    assert_eq!(delete(upload, ("If-None-Match", &tag)).status, 204);
    // One that is not finished is no file with a tag yet.
    let (id, _) = receiver.locate_ok(&Upload::new("half", 10));
    let upload = format!("/uploads/{id}");
    assert_eq!(delete(&upload, ("If-Match", &tag)).status, 412);
    assert_eq!(delete(&upload, ("If-Match", "*")).status, 204);
}

/// Writes the first letters of a date's names large again.
fn title(date: &str) -> String {
    let mut small = date.to_lowercase();
    for (at, word) in date.split(' ').scan(0, |at, word| {
        let here = *at;
        *at += word.len() + 1;
        Some((here, word))
    }) {
        small.replace_range(at..=at, &word[..1]);
    }
    small.replace("Gmt", "GMT")
}

#[test]
fn head_has_no_range_and_an_empty_file_has_none() {
    let receiver = Receiver::start(&[]);
    let target = finished(&receiver, 100);
    let reply = ask(&receiver, "HEAD", &target, &[("Range", "bytes=0-9")]);
    assert_eq!(
        (reply.status, reply.header("content-length")),
        (200, Some("100"))
    );
    assert_eq!(reply.header("content-range"), None);
    let empty = finished(&receiver, 0);
    let reply = ask(&receiver, "GET", &empty, &[("Range", "bytes=0-")]);
    let found = (reply.status, reply.header("content-range"));
    assert_eq!(found, (416, Some("bytes */0")));
    // The last bytes of nothing are nothing.
    let last = ask(&receiver, "GET", &empty, &[("Range", "bytes=-5")]);
    assert_eq!((last.status, last.body.len()), (200, 0));
    for target in ["/", "/login", "/uploads", "/healthz", "/assets/page.css"] {
        assert_eq!(ask(&receiver, "HEAD", target, &[]).status, 200, "{target}");
    }
}

#[test]
fn an_asset_that_a_proxy_has_compressed_is_known_again() {
    let receiver = Receiver::start(&[]);
    let asset = receiver.get("/assets/page.css");
    let weak = format!("W/{}", asset.header("etag").unwrap());
    let again = ask(
        &receiver,
        "GET",
        "/assets/page.css",
        &[("If-None-Match", &weak)],
    );
    assert_eq!(again.status, 304);
}

#[test]
fn wrong_methods_and_options_are_told_the_right_ones() {
    let receiver = Receiver::start(&[]);
    for (target, allowed) in [
        ("/upload", "get,head,post"),
        ("/uploads", "get,head"),
        ("/uploads/x", "get,head,delete"),
        ("/logout", "post"),
    ] {
        for (method, status) in [("PUT", 405), ("OPTIONS", 204)] {
            let reply = ask(&receiver, method, target, &[]);
            let found = (reply.status, reply.header("allow"));
            assert_eq!(found, (status, Some(allowed)), "{method} {target}");
        }
    }
}

#[test]
fn a_request_names_one_host() {
    let receiver = Receiver::start(&[]);
    let ask = |line: &str, host: &str| {
        let request = format!("GET {line}\r\n{host}Connection: close\r\n\r\n");
        receiver.exchange(request.as_bytes())
    };
    let own = "/healthz HTTP/1.1";
    ask(own, "").expect(400, "Host is missing");
    ask(own, "Host: a\r\nHost: a\r\n").expect(400, "more than one header Host");
    for wrong in ["", "a b", "a/b", "joe@a", "a:x", ":80"] {
        let line = format!("Host: {wrong}\r\n");
        ask(own, &line).expect(400, "not a host");
    }
    for right in ["a", "localhost:80", "[::1]:8080"] {
        assert_eq!(ask(own, &format!("Host: {right}\r\n")).status, 200);
    }
    assert_eq!(ask("/healthz HTTP/1.0", "").status, 200);
    // The request target goes before Host.
    let absolute = "http://b.example/nothing HTTP/1.1";
    ask(absolute, "Host: a\r\n").expect(404, "http://b.example/upload");
}

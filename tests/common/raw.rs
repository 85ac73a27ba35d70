//! HTTP as it is on the wire: a request, and what is answered.
#![allow(dead_code)] // not every test uses all of it

use std::io::{Read, Write};
use std::net::TcpStream;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
}

impl Answer {
    /// Gives a header's value.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.trim());
        value.unwrap_or_else(|| panic!("no {name}: {}", self.head))
    }
}

/// Sends a request of tus, on a connection of its own, to `url`, and reads the answer.
pub fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let headers = [headers, &[("Tus-Resumable", "1.0.0")]].concat();
    ask_plainly(method, url, &headers, body)
}

/// Sends any request.
pub fn ask_plainly(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let rest = url.strip_prefix("http://").expect("a URL");
    let (host, path) = rest.split_once('/').expect("a path");
    let length = body.len().to_string();
    let usual = [
        ("Host", host),
        ("Connection", "close"),
        ("Content-Length", &length),
    ];
    let fields = usual.iter().chain(headers);
    let lines: String = fields
        .map(|(key, value)| format!("{key}: {value}\r\n"))
        .collect();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = [
        format!("{method} /{path} HTTP/1.1\r\n{lines}\r\n").as_bytes(),
        body,
    ]
    .concat();
    stream.write_all(&request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer);
    // Answers that are not final may come before.
    let mut heads = text.split("\r\n\r\n").map(|head| (status(head), head));
    let last = heads.find(|(status, _)| status.is_some_and(|status| status >= 200));
    let (status, head) = last.unwrap_or_else(|| panic!("{method} {url}: {text:?}"));
    Answer {
        status: status.unwrap_or_default(),
        head: head.to_owned(),
    }
}

fn status(head: &str) -> Option<u16> {
    head.split(' ').nth(1)?.parse().ok()
}

//! The requests of the form protocol, byte for byte.

use std::io::{self, Read};

use resup_digests::{Algorithm, Digest};

use super::*;
use crate::protocol::{FileBytes, State};

/// An exchange without a network that records requests and gives a fixed response.
struct Recorder {
    seen: RefCell<Vec<(String, String, String)>>,
    answer: &'static str,
}

impl Exchange for Recorder {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let mut text = String::new();
        match request.body {
            Some(Body::Stream { length, bytes }) => {
                bytes.read_to_string(&mut text).unwrap();
                assert_eq!(text.len() as u64, length, "Content-Length is right");
            }
            Some(Body::Form(write)) => text = write().unwrap(),
            _ => panic!("a body of another kind"),
        }
        self.seen
            .borrow_mut()
            .push((request.method.to_owned(), request.url, text));
        Ok(Response {
            status: 200,
            body: self.answer.as_bytes().to_vec(),
            ..Response::default()
        })
    }
}

/// Bytes, and the algorithm of their digest.
struct Bytes(&'static [u8], Algorithm);

impl Read for Bytes {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl FileBytes for Bytes {
    fn algorithm(&self) -> Option<Algorithm> {
        Some(self.1)
    }

    fn finish(&mut self) -> io::Result<Option<Digest>> {
        Ok(Some(Digest::of(self.1, b"so far")))
    }
}

fn form(locate_method: LocateMethod) -> Form {
    let endpoint = Endpoint::parse("http://host/up?t=7").unwrap();
    Form::new(endpoint, locate_method, FilenameStyle::Whatwg, None)
}

fn job() -> Job {
    Job {
        name: "报告 \"1\".txt".to_owned(),
        size: 10,
        is_passed: false,
        mtime: Some(1_700_000_000_123),
        offer: &[],
        digests: Vec::new(),
        dir: "a/b".to_owned(),
        user: Some("joe".to_owned()),
        content_type: "text/plain".to_owned(),
        fields: vec![("tenant".to_owned(), "7&8".to_owned())],
        connections: 0,
    }
}

const LOCATE: &str = "action=locate&name=%E6%8A%A5%E5%91%8A+%221%22.txt&size=10\
    &mtime=1700000000123&dir=a%2Fb&user=joe&tenant=7%268&prefix=1";

#[test]
fn locate_by_post_is_an_urlencoded_form() {
    let recorder = Recorder {
        seen: RefCell::default(),
        answer: r#"{"state":"partial","offset":4}"#,
    };
    let answer = form(LocateMethod::Post)
        .locate(&recorder, &job(), None)
        .unwrap();
    assert_eq!((answer.state, answer.offset), (State::Partial, 4));
    let expected = ("POST".into(), "http://host/up?t=7".into(), LOCATE.into());
    assert_eq!(recorder.seen.borrow()[..], [expected]);
}

#[test]
fn locate_by_get_is_the_same_form() {
    let recorder = Recorder {
        seen: RefCell::default(),
        answer: r#"{"state":"new"}"#,
    };
    form(LocateMethod::Get)
        .locate(&recorder, &job(), None)
        .unwrap();
    let expected = ("GET".into(), "http://host/up?t=7".into(), LOCATE.into());
    assert_eq!(recorder.seen.borrow()[..], [expected]);
}

fn send(offset: u64, bytes: &'static [u8]) -> String {
    let recorder = Recorder {
        seen: RefCell::default(),
        answer: r#"{"state":"partial","offset":4}"#,
    };
    let segment = Segment {
        id: Some("k1"),
        offset,
        length: bytes.len() as u64,
        checksum: None,
        part: None,
        restart: (offset == 0).then(|| Digest::new(Algorithm::Md5, &[0xab; 16]).unwrap()),
        bytes: &mut Bytes(bytes, Algorithm::Md5),
    };
    form(LocateMethod::Post)
        .send(&recorder, &job(), segment)
        .unwrap();
    let (_, _, text) = recorder.seen.borrow()[0].clone();
    text
}

#[test]
fn a_locate_names_the_digests_that_the_client_can_use() {
    let recorder = Recorder {
        seen: RefCell::default(),
        answer: r#"{"state":"partial","offset":4,"digest":"sha256"}"#,
    };
    let of = |algorithm| Digest::of(algorithm, b"0123456789");
    let job = Job {
        offer: &Algorithm::ALL,
        digests: vec![of(Algorithm::Blake3), of(Algorithm::Md5)],
        ..job()
    };
    let answer = form(LocateMethod::Post)
        .locate(&recorder, &job, None)
        .unwrap();
    assert_eq!(answer.agreed, Some(Algorithm::Sha256));
    let (_, _, text) = recorder.seen.borrow()[0].clone();
    let (blake3, md5) = (of(Algorithm::Blake3).hex(), of(Algorithm::Md5).hex());
    let wanted = format!("&blake3={blake3}&md5={md5}&prefix=1&digests=blake3%2Csha256%2Cmd5");
    assert!(text.ends_with(&wanted), "{text}");
}

#[test]
fn a_send_names_the_agreed_digest() {
    for (agreed, offset) in [(Algorithm::Blake3, 2), (Algorithm::Sha256, 6)] {
        let recorder = Recorder {
            seen: RefCell::default(),
            answer: r#"{"state":"partial","offset":4,"digest":"blake3"}"#,
        };
        let restart = Digest::of(agreed, b"wrong");
        let segment = Segment {
            id: Some("k1"),
            offset,
            length: 4,
            part: None,
            checksum: None,
            restart: Some(restart),
            bytes: &mut Bytes(b"2345", agreed),
        };
        let job = Job {
            offer: &Algorithm::ALL,
            ..job()
        };
        form(LocateMethod::Post)
            .send(&recorder, &job, segment)
            .unwrap();
        let (_, _, text) = recorder.seen.borrow()[0].clone();
        let name = agreed.name();
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
        let named = at(&format!("name=\"digest\"\r\n\r\n{name}\r\n"));
        assert!(named < at("name=\"file\""), "{text}");
        at(&format!("name=\"restart\"\r\n\r\n{}\r\n", restart.hex()));
        let prefix = if offset == 6 { "" } else { "prefix_" };
        let digest = Digest::of(agreed, b"so far").hex();
        let after = at(&format!("name=\"{prefix}{name}\"\r\n\r\n{digest}\r\n"));
        assert!(after > at("name=\"file\""), "{text}");
        assert!(!text.contains("md5"), "{text}");
    }
}

#[test]
fn send_has_its_parts_in_the_order_of_the_protocol() {
    let text = send(6, b"6789");
    let names: Vec<_> = text
        .split("name=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|name| !name.contains(".txt"))
        .collect();
    assert_eq!(
        names,
        [
            "action", "id", "name", "size", "mtime", "dir", "user", "tenant", "offset", "length",
            "file", "md5"
        ]
    );
    assert!(text.contains("\r\n\r\n6789\r\n"));
}

#[test]
fn a_send_that_does_not_end_the_file_carries_the_prefix_digest() {
    let text = send(2, b"2345");
    let digest = Digest::of(Algorithm::Md5, b"so far").hex();
    assert!(text.contains(&format!("name=\"prefix_md5\"\r\n\r\n{digest}")));
    assert!(!text.contains("name=\"md5\""));
    assert!(!text.contains("name=\"digest\""));
    assert!(!text.contains("restart"));
    assert!(send(0, b"01").contains("name=\"restart\"\r\n\r\nababab"));
}

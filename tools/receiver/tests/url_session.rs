//! The habits of Apple's `URLSession` (iOS 17, macOS 14), as far as they are documented: interop version 3 of the IETF's
//! draft, the whole file with the first request, and an upload that it goes on with after a lost connection, but not after
//! a 5xx. The program itself was not run.

mod common;

use std::io::Write;
use std::net::TcpStream;

use common::raw::Raw;
use common::{Receiver, Reply, Upload};
use resup_test_support::seed;

const SIZE: usize = 3_000_000;

/// A client with these habits, and the file that it uploads.
struct UrlSession {
    content: Vec<u8>,
    /// The upload's place, once an interim response has told it.
    place: Option<String>,
}

/// What comes of a request.
#[derive(Debug)]
enum End {
    /// The connection was lost: it goes on.
    Lost,
    /// A response, which is the program's own.
    Answered(Reply),
}

impl UrlSession {
    fn new() -> Self {
        Self {
            content: Upload::new("x", SIZE).content,
            place: None,
        }
    }

    fn request(method: &str, target: &str) -> Raw {
        Raw::new(method, target).set("Upload-Draft-Interop-Version", "3")
    }

    /// Begins with the whole file in one request, of which the network takes so many bytes.
    fn begin(&mut self, receiver: &Receiver, count: usize) -> (TcpStream, End) {
        let post = Self::request("POST", "/upload")
            .set("Upload-Incomplete", "?0")
            .set("Content-Type", "image/heic")
            .set("Content-Disposition", "inline; filename=\"photo.heic\"")
            .body(&self.content);
        self.write(receiver, &post, count)
    }

    /// Asks where the upload stands, and sends what is left of it. Gives that offset, too.
    fn go_on(&mut self, receiver: &Receiver, count: usize) -> (usize, TcpStream, End) {
        let place = self.place.clone().expect("an interim response");
        let head = Self::request("HEAD", &place).send(receiver);
        assert_eq!(head.status, 204, "{}", head.head);
        assert_eq!(head.must("upload-incomplete"), "?1");
        assert_eq!(head.must("upload-draft-interop-version"), "3");
        let offset = head.upload_offset() as usize;
        let patch = Self::request("PATCH", &place)
            .set("Upload-Incomplete", "?0")
            .set("Upload-Offset", &offset.to_string())
            .body(&self.content[offset..]);
        let (stream, end) = self.write(receiver, &patch, count);
        (offset, stream, end)
    }

    /// Writes a request, of which the network takes so many bytes of the body. Reads on to its end, if that is all.
    fn write(&mut self, receiver: &Receiver, request: &Raw, count: usize) -> (TcpStream, End) {
        let count = count.min(request.body.len());
        let mut stream = request.begin(receiver, 0);
        let mut halves = request.body[..count].chunks(count.div_ceil(2).max(1));
        // The place comes before the body has gone.
        stream.write_all(halves.next().unwrap_or_default()).unwrap();
        if self.place.is_none() {
            let interim = Reply::read(&mut stream);
            assert_eq!(interim.status, 104, "{}", interim.head);
            assert_eq!(interim.must("upload-draft-interop-version"), "3");
            self.place = Some(interim.must("location").to_owned());
        }
        for half in halves {
            // A receiver that has failed does not take it.
            let _ = stream.write_all(half);
        }
        let end = match count == request.body.len() {
            true => Reply::try_read(&mut stream).map_or(End::Lost, End::Answered),
            false => End::Lost,
        };
        (stream, end)
    }

    /// Checks the response to the request that has brought the last byte, and the file.
    #[track_caller]
    fn check(&self, receiver: &Receiver, end: End) {
        let End::Answered(reply) = end else {
            panic!("no response to the last bytes");
        };
        assert!((200..300).contains(&reply.status), "{}", reply.head);
        let place = self.place.as_deref().unwrap();
        assert!(receiver.download(place) == self.content);
        let uploads = receiver.get("/uploads").json;
        assert_eq!(uploads["uploads"].as_array().unwrap().len(), 1);
        assert_eq!(uploads["uploads"][0]["name"], "photo.heic");
    }
}

#[test]
fn a_whole_upload_is_one_request() {
    let receiver = Receiver::start(&[]);
    let mut session = UrlSession::new();
    let (_, end) = session.begin(&receiver, SIZE);
    let End::Answered(reply) = &end else {
        panic!("{end:?}");
    };
    assert_eq!(reply.status, 201, "{}", reply.head);
    assert_eq!(Some(reply.must("location")), session.place.as_deref());
    session.check(&receiver, end);
}

#[test]
fn an_upload_goes_on_after_each_lost_connection() {
    let receiver = Receiver::start(&[]);
    let mut rng = seed::rng(seed::seed());
    let mut session = UrlSession::new();
    let mut sent = rng.usize(2..SIZE / 2);
    common::cut(session.begin(&receiver, sent).0);
    for _ in 0..5 {
        let more = rng.usize(1..SIZE / 20);
        let (offset, stream, _) = session.go_on(&receiver, more);
        assert_eq!(offset, sent, "nothing that came is sent again");
        common::cut(stream);
        sent += more;
    }
    let (offset, _, end) = session.go_on(&receiver, SIZE);
    assert_eq!(offset, sent);
    session.check(&receiver, end);
}

#[test]
fn an_upload_goes_on_after_a_receiver_that_was_killed() {
    let mut receiver = Receiver::start(&["--commit-bytes", "100000"]);
    let mut session = UrlSession::new();
    // Those that have come are known once the next request finds them.
    let begun = session.begin(&receiver, SIZE / 2);
    receiver.kill_and_restart();
    drop(begun);
    let (first, stream, _) = session.go_on(&receiver, SIZE / 4);
    assert!(first <= SIZE / 2, "{first}");
    receiver.kill_and_restart();
    drop(stream);
    let (second, _, end) = session.go_on(&receiver, SIZE);
    assert!((first..=first + SIZE / 4).contains(&second), "{second}");
    session.check(&receiver, end);
}

/// A response with a 5xx would be the end of the upload, so none may come.
#[cfg(target_os = "linux")]
#[test]
fn a_receiver_that_fails_amid_a_body_answers_nothing() {
    use common::faulty::Faulty;
    const EIO: i32 = 5;
    const ENOSPC: i32 = 28;

    for (call, errno) in [("fsync", EIO), ("write", EIO), ("write", ENOSPC)] {
        let faulty = Faulty::start(&["--commit-bytes", "100000"]);
        let receiver = &faulty.receiver;
        let mut session = UrlSession::new();
        common::cut(session.begin(receiver, SIZE / 2).0);
        let place = session.place.clone().unwrap();
        let before = UrlSession::request("HEAD", &place)
            .send(receiver)
            .upload_offset() as usize;
        faulty.fail((call, errno, "/partial/"));
        let (offset, stream, end) = session.go_on(receiver, SIZE);
        assert_eq!(offset, before);
        match end {
            End::Lost => {}
            // No room is no failure: it says so.
            End::Answered(reply) => assert_eq!((reply.status, errno), (507, ENOSPC)),
        }
        drop(stream);
        faulty.mend();
        let (offset, _, end) = session.go_on(receiver, SIZE);
        assert!(offset >= before, "{call}: {offset}");
        session.check(receiver, end);
    }
}

//! Runs against a server of sessions.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::harness::{job, memory};
use super::*;
use crate::http::endpoint::Endpoint;
use crate::http::Body;
use crate::options::{FilenameStyle, LocateMethod, ProtocolName};
use crate::protocol::form::Form;
use crate::protocol::{choose, LearnedProtocol};

/// The fate of a request.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Nothing,
    /// The connection is lost after so many bytes of the body, which arrive.
    LostAfter(usize),
    /// The request arrives whole, and its answer is lost.
    LostAnswer,
    /// The server forgets the session.
    Forgotten,
    Busy,
}

#[derive(Default)]
struct Upload {
    held: Vec<u8>,
    is_complete: bool,
    is_gone: bool,
    /// The last offset that an answer gave; no later send may begin before it.
    told: usize,
}

struct Server {
    uploads: Vec<Upload>,
    /// The fates of the next requests, the last one first.
    fates: Vec<Fate>,
    size: usize,
    /// Of a body that is cut a multiple of so many bytes is kept.
    keeps: usize,
    /// Whether the last answer has a JSON object.
    has_json: bool,
}

type Reply = (u16, Vec<(&'static str, String)>, Vec<u8>);

fn lost() -> Error {
    super::server::connection_lost()
}

impl Server {
    fn answer(&mut self, mut request: Request<'_>) -> Result<Reply, Error> {
        let fate = self.fates.pop().unwrap_or(Fate::Nothing);
        let mut fields = request.headers.iter();
        let range = fields.find(|(name, _)| name == "content-range");
        let range = range.map(|(_, value)| value.text().to_owned());
        let is_lost = matches!(fate, Fate::LostAnswer | Fate::LostAfter(_));
        if request.method == "POST" {
            self.uploads.push(Upload::default());
            let location = format!("/session/{}", self.uploads.len() - 1);
            return match is_lost {
                true => Err(lost()),
                false => Ok((201, vec![("location", location)], Vec::new())),
            };
        }
        let number = request.url.strip_prefix("http://host/session/");
        let Some(number) = number else {
            return Ok((404, Vec::new(), Vec::new()));
        };
        assert_eq!(request.method, "PUT");
        let upload = &mut self.uploads[number.parse::<usize>().unwrap()];
        upload.is_gone |= matches!(fate, Fate::Forgotten);
        if upload.is_gone {
            return Ok((410, Vec::new(), Vec::new()));
        }
        if matches!(fate, Fate::Busy) {
            return Ok((503, Vec::new(), Vec::new()));
        }
        let range = range.unwrap();
        let (range, size) = range
            .strip_prefix("bytes ")
            .unwrap()
            .split_once('/')
            .unwrap();
        assert_eq!(size, self.size.to_string());
        let mut is_whole = true;
        if let Some((from, last)) = range.split_once('-') {
            let (from, last): (usize, usize) = (from.parse().unwrap(), last.parse().unwrap());
            let Some(Body::Stream { length, bytes }) = &mut request.body else {
                panic!("a range without a body");
            };
            assert_eq!(*length as usize, last + 1 - from);
            // All of them, and not complete: the last one comes again.
            assert!(
                from >= upload.told.min(self.size - 1),
                "confirmed bytes are sent again"
            );
            assert!(from <= upload.held.len(), "the file gets a hole");
            let arrives = match fate {
                Fate::LostAfter(bytes) => bytes.min(*length as usize),
                _ => *length as usize,
            };
            let mut body = vec![0; arrives];
            bytes.read_exact(&mut body).unwrap();
            is_whole = arrives as u64 == *length;
            if !is_whole {
                body.truncate(arrives / self.keeps * self.keeps);
            }
            upload.held.truncate(from);
            upload.held.extend_from_slice(&body);
        }
        upload.is_complete |= is_whole && upload.held.len() == self.size;
        if is_lost {
            return Err(lost());
        }
        upload.told = upload.held.len();
        if upload.is_complete {
            let body = match self.has_json {
                true => format!("{{\"size\":\"{}\"}}", self.size),
                false => String::new(),
            };
            return Ok((200, Vec::new(), body.into_bytes()));
        }
        let range = upload
            .told
            .checked_sub(1)
            .map(|last| format!("bytes=0-{last}"));
        Ok((
            308,
            range.map(|range| ("range", range)).into_iter().collect(),
            Vec::new(),
        ))
    }
}

/// A connector to the server.
#[derive(Clone)]
struct To(Arc<Mutex<Server>>);

impl Exchange for To {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let (status, fields, body) = self.0.lock().unwrap().answer(request)?;
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_str(&value).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        Ok(Response {
            status,
            headers,
            body,
            ..Response::default()
        })
    }
}

impl Connector for To {
    fn connect(&self) -> Result<Box<dyn Exchange + '_>, Stop> {
        Ok(Box::new(self.clone()))
    }
}

/// Runs an upload once, as a program does that may have been killed before.
fn run(
    content: &[u8],
    to: &To,
    segment_size: SegmentSize,
    path: &std::path::Path,
) -> Result<(), Error> {
    let mut source = memory(content);
    let control = Control::default();
    let form = Form::new(
        Endpoint::parse("http://host/files").unwrap(),
        LocateMethod::default(),
        FilenameStyle::default(),
        None,
    );
    let state_file = StateFile::new(path.to_owned(), "it".to_owned(), "");
    let learned = LearnedProtocol::default();
    let protocol = choose(ProtocolName::Session, form, (None, true), &learned).unwrap();
    let (unlimited, ids) = (Limiter::default(), KnownIds::default());
    let learned_store = LearnedStore::default();
    let learned_digest = LearnedDigest::default();
    let driver = Driver::new(Setup {
        protocol: &*protocol,
        connector: to,
        control: &control,
        source: &mut *source,
        key: state_file.load_upload().map(|upload| upload.key),
        job: job(content.len() as u64),
        retry: RetryPolicy {
            limit: 1,
            base: Duration::from_nanos(1),
            cap: Duration::from_nanos(1),
            time: None,
        },
        digest: DigestMode::OnePass,
        algorithm: DigestAlgorithm::Automatic,
        state_file: Some(state_file),
        segment_size,
        learned_limit: LearnedLimit::default(),
        learned_digest: &learned_digest,
        asks_first: false,
        creates_with_file: false,
        learned_store: &learned_store,
        connections: 0,
        reads_back: false,
        ids: &ids,
        rates: [&unlimited, &unlimited],
    });
    driver.run()
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Nothing),
        4 => (0usize..4_000_000).prop_map(Fate::LostAfter),
        2 => Just(Fate::LostAnswer),
        1 => Just(Fate::Forgotten),
        1 => Just(Fate::Busy),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The server asserts that no confirmed byte is sent again, and that there is no hole.
    #[test]
    fn whatever_happens_the_file_is_there_once(
        length in prop_oneof![Just(0usize), Just(1usize), 2usize..40_000, 2usize..4_000_000],
        keeps in prop::sample::select(&[1usize, 262_144][..]),
        segment in prop_oneof![Just(SegmentSize::Unlimited), (1u64..2_000_000).prop_map(SegmentSize::Fixed)],
        has_json: bool,
        fates in prop::collection::vec(fate(), 0..12),
    ) {
        let content = content(length);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let server = Server { uploads: Vec::new(), fates, size: length, keeps, has_json };
        let to = To(Arc::new(Mutex::new(server)));
        let runs = (0..30).map(|_| run(&content, &to, segment, &path));
        let failures = runs.take_while(|result| result.is_err()).count();
        prop_assert!(failures < 30);
        prop_assert!(!path.exists(), "the state file stays");
        let server = to.0.lock().unwrap();
        let complete: Vec<_> = server.uploads.iter().filter(|it| it.is_complete && !it.is_gone).collect();
        prop_assert_eq!(complete.len(), 1);
        prop_assert!(complete[0].held == content);
    }
}

//! Runs against a server whose uploads have URLs, by tus and by the IETF's protocol.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::harness::{job, memory};
use super::*;
use crate::http::endpoint::Endpoint;
use crate::http::Body;
use crate::options::{FilenameStyle, LocateMethod, ProtocolName};
use crate::protocol::form::Form;
use crate::protocol::{choose, LearnedProtocol};

/// The fate of a request that creates an upload or appends to one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// The connection is lost after so many bytes of the body, which arrive.
    LostAfter(usize),
    /// The request arrives whole, and its answer is lost.
    LostAnswer,
    /// A byte of the body is damaged.
    Damaged,
    /// The server forgets the upload.
    Forgotten,
    /// Another request has the upload.
    Locked,
}

#[derive(Default)]
pub(super) struct Upload {
    pub held: Vec<u8>,
    /// The size that the client has told.
    size: Option<usize>,
    /// Whether a flag completes it.
    has_flag: bool,
    pub is_complete: bool,
    pub is_gone: bool,
    /// The last offset that an answer gave; no later send may begin before it.
    told: usize,
    /// How many bytes at the end are dropped after the next question.
    unchecked: usize,
}

/// A server without a network.
#[derive(Default)]
pub(super) struct Server {
    pub uploads: Vec<Upload>,
    /// The fates of the next requests, the last one first.
    pub fates: Vec<Fate>,
    pub checks: bool,
    /// Whether a cut send with a checksum is dropped only after the next question.
    pub drops_late: bool,
    /// Whether a cut send is kept, and each question is answered with a digest.
    pub proves: bool,
    /// Whether the next cut send is kept with a wrong byte.
    pub spoils: bool,
    /// How many questions there were.
    pub questions: usize,
}

type Fields = Vec<(&'static str, String)>;

impl Server {
    fn answer(&mut self, mut request: Request<'_>) -> Result<(u16, Fields), Error> {
        let field = |name: &str| {
            let mut fields = request.headers.iter();
            let found = fields.find(|(other, _)| other == name);
            found.map(|(_, value)| value.text().to_owned())
        };
        let checksum = field("upload-checksum");
        let flag = field("upload-complete");
        let offset = field("upload-offset").map(|offset| offset.parse::<usize>().unwrap());
        let size = field("upload-length").map(|size| size.parse::<usize>().unwrap());
        if request.method == "OPTIONS" {
            let checks = if self.checks { ",checksum" } else { "" };
            return Ok((
                204,
                vec![
                    (
                        "tus-extension",
                        format!("creation,creation-defer-length{checks}"),
                    ),
                    ("tus-checksum-algorithm", "sha1,sha256".to_owned()),
                ],
            ));
        }
        if request.method == "POST" {
            let has_flag = flag.is_some();
            assert!(has_flag || size.is_some() || field("upload-defer-length").is_some());
            self.uploads.push(Upload {
                is_complete: size == Some(0) && !has_flag,
                size,
                has_flag,
                ..Upload::default()
            });
            if let Some(Fate::LostAnswer | Fate::LostAfter(_)) = self.fates.pop() {
                return Err(super::server::connection_lost());
            }
            let location = format!("/files/{}", self.uploads.len() - 1);
            return Ok((201, vec![("location", location)]));
        }
        let number = request.url.rsplit('/').next().unwrap();
        let upload = &mut self.uploads[number.parse::<usize>().unwrap()];
        if upload.is_gone {
            return Ok((404, Vec::new()));
        }
        if request.method == "HEAD" {
            self.questions += 1;
            let mut answer = fields(upload);
            answer.extend(match upload.size {
                Some(size) => Some(("upload-length", size.to_string())),
                None => (!upload.has_flag).then(|| ("upload-defer-length", "1".to_owned())),
            });
            if self.proves && !upload.held.is_empty() {
                let digest = Digest::of(Algorithm::Blake3, &upload.held);
                let digest = format!("blake3 {}", BASE64_STANDARD.encode(digest.bytes()));
                answer.push(("upload-held-digest", digest));
            }
            upload.told = upload.held.len() - std::mem::take(&mut upload.unchecked);
            upload.held.truncate(upload.told);
            return Ok((200, answer));
        }
        assert_eq!(request.method, "PATCH");
        let fate = self.fates.pop();
        match fate {
            Some(Fate::Forgotten) => {
                upload.is_gone = true;
                return Ok((404, Vec::new()));
            }
            Some(Fate::Locked) => return Ok((423, Vec::new())),
            _ => {}
        }
        let offset = offset.unwrap();
        assert!(offset >= upload.told, "confirmed bytes are sent again");
        assert!(offset <= upload.held.len(), "the file gets a hole");
        if offset != upload.held.len() {
            return Ok((409, Vec::new()));
        }
        if let Some(size) = size {
            assert_eq!(upload.size, None, "the size is told twice");
            upload.size = Some(size);
        }
        let Some(Body::Stream { length, bytes }) = &mut request.body else {
            panic!("a PATCH without a body");
        };
        let arrives = match fate {
            Some(Fate::LostAfter(bytes)) => bytes.min(*length as usize),
            _ => *length as usize,
        };
        let mut body = vec![0; arrives];
        bytes.read_exact(&mut body).unwrap();
        let is_whole = arrives as u64 == *length;
        if let (Some(Fate::Damaged), Some(_), Some(byte)) = (fate, &checksum, body.first_mut()) {
            *byte ^= 1;
            return Ok((460, Vec::new()));
        }
        // With a checksum all of the body counts, or nothing.
        if let (false, true, Some(byte)) = (is_whole, self.spoils, body.first_mut()) {
            *byte ^= 1;
            self.spoils = false;
        }
        if is_whole || checksum.is_none() || self.drops_late || self.proves {
            upload.held.extend_from_slice(&body);
        }
        if !is_whole && checksum.is_some() && self.drops_late {
            upload.unchecked = body.len();
        }
        upload.is_complete |= is_whole
            && match &flag {
                Some(flag) => flag == "?1",
                None => Some(upload.held.len()) == upload.size,
            };
        if !is_whole || matches!(fate, Some(Fate::LostAnswer)) {
            return Err(super::server::connection_lost());
        }
        upload.told = upload.held.len();
        Ok((204, fields(upload)))
    }
}

fn fields(upload: &Upload) -> Fields {
    let flag = if upload.is_complete { "?1" } else { "?0" };
    vec![
        ("upload-offset", upload.held.len().to_string()),
        ("upload-complete", flag.to_owned()),
    ]
}

/// A connector to the server.
#[derive(Clone)]
pub(super) struct To(pub Arc<Mutex<Server>>);

impl Exchange for To {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let (status, fields) = self.0.lock().unwrap().answer(request)?;
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_str(&value).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        Ok(Response {
            status,
            headers,
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
fn run(content: &[u8], to: &To, name: ProtocolName, path: &std::path::Path) -> Result<(), Error> {
    let mut source = memory(content);
    let control = Control::default();
    let form = Form::new(
        Endpoint::parse("http://host/files").unwrap(),
        LocateMethod::default(),
        FilenameStyle::default(),
        None,
    );
    let mut state_file = StateFile::new(path.to_owned(), "it".to_owned(), "");
    let learned = LearnedProtocol::default();
    let protocol = choose(name, form, (None, true), &learned).unwrap();
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
        segment_size: SegmentSize::Unlimited,
        learned_limit: LearnedLimit::default(),
        learned_digest: &learned_digest,
        asks_first: false,
        learned_store: &learned_store,
        connections: 0,
        ids: &ids,
        rates: [&unlimited, &unlimited],
    });
    driver.run()
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0usize..40_000).prop_map(Fate::LostAfter),
        2 => Just(Fate::LostAnswer),
        1 => Just(Fate::Damaged),
        1 => Just(Fate::Forgotten),
        1 => Just(Fate::Locked),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The server asserts that no confirmed byte is sent again.
    #[test]
    fn whatever_happens_the_file_is_there_once(
        length in prop_oneof![Just(0usize), 1usize..40_000],
        name in prop::sample::select(&[ProtocolName::Tus, ProtocolName::Ietf][..]),
        checks: bool,
        fates in prop::collection::vec(fate(), 0..8),
    ) {
        let content = content(length);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let server = Server { fates, checks, ..Server::default() };
        let to = To(Arc::new(Mutex::new(server)));
        let runs = (0..20).map(|_| run(&content, &to, name, &path));
        let failures = runs.take_while(|result| result.is_err()).count();
        prop_assert!(failures < 20);
        prop_assert!(!path.exists(), "the state file stays");
        let server = to.0.lock().unwrap();
        let complete: Vec<_> = server.uploads.iter().filter(|it| it.is_complete).collect();
        prop_assert_eq!(complete.iter().filter(|it| !it.is_gone).count() - empty(&server, length), 1);
        let last = server.uploads.last().unwrap();
        prop_assert!(last.is_complete && last.held == content);
    }
}

/// Gives how many complete uploads of nothing there are whose URL was lost on the way.
fn empty(server: &Server, size: usize) -> usize {
    match size {
        0 => server
            .uploads
            .iter()
            .rev()
            .skip(1)
            .filter(|it| it.is_complete)
            .count(),
        _ => 0,
    }
}

#[test]
fn nothing_is_built_upon_bytes_that_no_checksum_has_proved() {
    let content = content(5000);
    // The run goes on by itself, or ends and another one goes on.
    for cuts in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let to = To(Arc::new(Mutex::new(Server {
            // The creation has one, too.
            fates: [vec![Fate::LostAfter(3000); cuts], vec![Fate::Locked]].concat(),
            checks: true,
            drops_late: true,
            ..Server::default()
        })));
        let runs = (0..5).map(|_| run(&content, &to, ProtocolName::Tus, &path));
        runs.take_while(Result::is_err).for_each(drop);
        let server = to.0.lock().unwrap();
        assert_eq!(server.uploads.len(), 1);
        assert!(server.uploads[0].held == content);
    }
}

#[test]
fn a_server_that_proves_what_it_has_is_not_asked_again_and_damage_is_seen() {
    let content = content(5000);
    for spoils in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let to = To(Arc::new(Mutex::new(Server {
            fates: vec![Fate::LostAfter(3000), Fate::Locked],
            checks: true,
            proves: true,
            spoils,
            ..Server::default()
        })));
        run(&content, &to, ProtocolName::Tus, &dir.path().join("state")).unwrap();
        let server = to.0.lock().unwrap();
        assert_eq!(
            (server.questions, server.uploads.len()),
            (1, 1 + usize::from(spoils))
        );
        assert!(server.uploads.last().unwrap().held == content);
    }
}

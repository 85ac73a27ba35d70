//! Uploads by random clients, to random servers, through networks with random faults: in the end the server has
//! the file that was sent. `RESUP_TEST_RUNS` is the number of uploads. Half of the servers speak version 1.0, half 1.1.

use std::io::Cursor;
use std::time::{Duration, UNIX_EPOCH};

use fastrand::Rng;
use resup::{Client, DigestMode, LocateMethod, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::{runs, seed};

/// How many of an upload's connections have faults.
const FAULTY: u64 = 6;

/// Answers of what may stand between client and server.
const REPLIES: [&str; 9] = [
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html>log in!",
    "HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops",
    "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 100\r\n\r\ncut",
    "HTTP/1.1 522 x\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n{\"state\":\"partial\",",
    "no HTTP\r\n\r\n",
];

/// What one upload is like.
#[derive(Debug)]
struct Case {
    server: Options,
    digest: DigestMode,
    segments: SegmentSize,
    locate: LocateMethod,
    source: SourceKind,
    size: u64,
    connections: u32,
    /// Whether the client uploads another file before, so that it may store this one.
    is_second: bool,
    /// The bytes that the server holds of the file behind a gap.
    gap: Option<(u64, u64)>,
    /// Whether the link is so slow that parts get several connections.
    is_slow: bool,
}

#[derive(Debug)]
enum SourceKind {
    File,
    Memory,
    Stream,
}

impl Case {
    fn new(rng: &mut Rng) -> Self {
        let digest = match rng.u8(..4) {
            0 => DigestMode::None,
            1 => DigestMode::First,
            _ => DigestMode::OnePass,
        };
        let segments = match rng.u8(..4) {
            0 => SegmentSize::Automatic,
            1 => SegmentSize::Fixed(rng.u64(5_000..2_000_000)),
            _ => SegmentSize::Unlimited,
        };
        let newest = rng.bool();
        let server = Options {
            max_segment: (rng.u8(..4) == 0).then(|| rng.u64(100_000..1_000_000)),
            max_body: (rng.u8(..6) == 0).then(|| rng.u64(200_000..1_000_000)),
            hide_prefix_md5: rng.bool(),
            digests_optional: true,
            buffering: rng.u8(..4) == 0,
            tls: rng.u8(..4) == 0,
            ..match newest {
                true => Options::newest(),
                false => Options::default(),
            }
        };
        let source = match rng.u8(..4) {
            0 => SourceKind::Memory,
            1 => SourceKind::Stream,
            _ => SourceKind::File,
        };
        let has_parts = newest && matches!(source, SourceKind::File);
        let is_slow = has_parts && rng.u8(..8) == 0;
        let size = match rng.u8(..8) {
            _ if is_slow => rng.u64(5_000_000..7_000_000),
            0 => rng.u64(..10),
            1..=4 => rng.u64(..200_000),
            _ => rng.u64(..2_000_000),
        };
        let gap = (has_parts && size > 1 && rng.bool()).then(|| {
            let from = rng.u64(1..size);
            (from, rng.u64(from..size) + 1)
        });
        Case {
            server,
            digest,
            segments,
            locate: [LocateMethod::Post, LocateMethod::Get][rng.usize(..2)],
            source,
            size,
            connections: [1, 6][rng.usize(..2)],
            is_second: newest && rng.bool(),
            gap,
            is_slow,
        }
    }

    /// Gives the time after which the client takes a connection for dead.
    fn patience(&self) -> Duration {
        match self.is_slow {
            true => Duration::from_secs(2),
            false => Duration::from_millis(600),
        }
    }

    /// Whether a damaged byte is noticed: by TLS, or by a digest.
    fn notices_damage(&self) -> bool {
        // Memory and streams are digested in every mode.
        let digests = self.digest != DigestMode::None || !matches!(self.source, SourceKind::File);
        self.server.tls || digests
    }

    /// Gives what a connection without faults is like.
    fn link(&self) -> Faults {
        Faults {
            rate_up: self.is_slow.then_some(1_000_000),
            ..Faults::default()
        }
    }

    /// Picks the faults of one connection.
    fn faults(&self, rng: &mut Rng) -> Faults {
        let mut faults = Faults {
            how: [Cut::Rst, Cut::Fin, Cut::Stall][rng.usize(..3)],
            ..self.link()
        };
        let anywhere = self.size + 2000;
        match rng.u8(..11) {
            0..=3 => faults.cut_up_after = Some(rng.u64(..anywhere)),
            4 => faults.cut_down_after = Some(rng.u64(..400)),
            5 if self.notices_damage() => faults.corrupt_up_at = Some(rng.u64(..anywhere)),
            // Of the answer's bytes only the digests can be checked, and there may be none.
            6 if self.server.tls => faults.corrupt_down_at = Some(rng.u64(..2000)),
            7 => faults.drop_response = true,
            8 if !self.server.tls => faults.reply = Some(REPLIES[rng.usize(..REPLIES.len())]),
            9 => faults.delay_connect = Duration::from_millis(rng.u64(..50)),
            _ => faults.refuse = true,
        }
        faults
    }

    fn client(&self, receiver: &ModelReceiver, proxy: &ChaosProxy) -> Client {
        let client = Client::new(&receiver.endpoint_at(proxy.addr())).unwrap();
        let short = Duration::from_millis(2);
        client.set_retry_backoff(short, short * 4).unwrap();
        client.set_retry_limit(20);
        let limit = self.patience();
        client.set_response_timeout(limit).unwrap();
        client.set_stall_timeout(limit).unwrap();
        client.set_connect_timeout(limit).unwrap();
        client.set_locate_method(self.locate);
        if self.server.tls {
            client.set_ca_pem(receiver.ca_pem()).unwrap();
        }
        client
    }
}

/// Makes one upload, and makes sure that the server has its file.
fn upload(number: u64, seed: u64) {
    let run = seed.wrapping_add(number);
    let mut rng = seed::rng(run);
    let case = Case::new(&mut rng);
    let told = format!("upload {number} (seed {seed}) {case:?}");
    let receiver = ModelReceiver::with(case.server.clone());
    let plan = Case::new(&mut seed::rng(run));
    let faults = move |connection: u64, rng: &mut Rng| match connection < FAULTY {
        true => plan.faults(rng),
        false => plan.link(),
    };
    let proxy = match case.is_slow {
        true => ChaosProxy::narrow(receiver.addr(), faults, run),
        false => ChaosProxy::start(receiver.addr(), faults, run),
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("random");
    files::make(&path, case.size, run).unwrap();
    let content = std::fs::read(&path).unwrap();
    if let Some((from, to)) = case.gap {
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        let modified = modified.duration_since(UNIX_EPOCH).unwrap().as_millis();
        let held = &content[from as usize..to as usize];
        receiver.hold(("random", case.size, modified), from, held);
    }
    let new = |client: &Client, is_first: bool| {
        let upload = match case.source {
            _ if is_first => Upload::from_memory(client, *b"1", "first"),
            SourceKind::File => Upload::from_file(client, &path),
            SourceKind::Memory => Upload::from_memory(client, content.clone(), "random"),
            SourceKind::Stream => {
                Upload::from_stream(client, Cursor::new(content.clone()), "random")
            }
        };
        let mut upload = upload.unwrap();
        upload.set_digest(case.digest).unwrap();
        upload.set_segment_size(case.segments).unwrap();
        upload.set_connections(case.connections).unwrap();
        upload
    };
    let mut client = case.client(&receiver, &proxy);
    // Some faults end a run, such as a login page at the very first; then another program run goes on.
    let mut ends = 0;
    let mut run = |is_first: bool| loop {
        let mut upload = new(&client, is_first);
        let Err(error) = upload.run() else {
            return upload;
        };
        ends += 1;
        assert!(ends <= FAULTY, "{told}: {error}");
        client = case.client(&receiver, &proxy);
    };
    if case.is_second {
        run(true);
    }
    let upload = run(false);
    // A fault may have changed a name, but no content.
    let files = receiver.files();
    let is_first = |stored: &[u8]| case.is_second && stored == b"1";
    let mut files = files
        .iter()
        .filter(|(_, stored)| !is_first(stored))
        .peekable();
    assert!(files.peek().is_some() || is_first(&content), "{told}");
    for (name, stored) in files {
        assert!(*stored == content, "{told}: {name} is another file");
    }
    let snapshot = upload.remote().snapshot();
    assert_eq!(snapshot.offset, case.size, "{told}");
}

#[test]
fn random_faults_never_make_a_wrong_file() {
    let seed = seed::seed();
    runs::on_threads(6, runs::count(60), |number| upload(number, seed));
}

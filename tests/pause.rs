//! A paused upload sends nothing, wherever it was, and goes on to the end when it is resumed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use resup::{Client, Error, Snapshot, Upload, UploadState};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::hole::Hole;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::scripted::{json, reply_with, Read, ScriptedServer, Step};
use resup_test_support::{files, names};

const LONG: Duration = Duration::from_secs(3600);
/// After this time, what was under way has arrived; whatever comes later was sent in the pause.
const SETTLED: Duration = Duration::from_millis(700);

/// A receiver behind a proxy that has faults until the upload is resumed.
struct Obstacle {
    receiver: ModelReceiver,
    proxy: ChaosProxy,
    gone: Arc<AtomicBool>,
}

impl Obstacle {
    fn new(receiver: ModelReceiver, faults: Faults) -> Self {
        let gone = Arc::new(AtomicBool::new(false));
        let over = gone.clone();
        let plan = move |_: u64, _: &mut fastrand::Rng| match over.load(Ordering::Relaxed) {
            true => Faults::default(),
            false => faults.clone(),
        };
        Obstacle {
            proxy: ChaosProxy::start(receiver.addr(), plan, 0),
            receiver,
            gone,
        }
    }

    fn endpoint(&self) -> String {
        self.receiver.endpoint_at(self.proxy.addr())
    }

    /// Counts connections and bytes.
    fn traffic(&self) -> (u64, u64) {
        (self.proxy.connections(), self.proxy.bytes_up())
    }

    fn pause_and_resume(
        &self,
        upload: &mut Upload,
        there: impl Fn(&Snapshot) -> bool,
    ) -> Result<(), Error> {
        pause(upload, there, || self.traffic());
        self.gone.store(true, Ordering::Relaxed);
        self.proxy.set_target(self.receiver.addr());
        upload.remote().resume();
        upload.wait(Duration::from_secs(60)).expect("it hangs")
    }

    #[track_caller]
    fn holds(&self, content: &[u8]) {
        let files = self.receiver.files();
        assert!(files.iter().any(|(_, stored)| stored == content));
    }
}

fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    client.set_response_timeout(LONG).unwrap();
    client.set_stall_timeout(LONG).unwrap();
    client.set_retry_limit(0);
    client
}

/// Starts an upload, pauses it when it is `there`, and checks that it sends nothing any more.
fn pause(upload: &mut Upload, there: impl Fn(&Snapshot) -> bool, traffic: impl Fn() -> (u64, u64)) {
    let remote = upload.remote();
    upload.start().unwrap();
    while !there(&remote.snapshot()) {
        assert_eq!(upload.wait(Duration::from_millis(1)), None);
    }
    remote.pause();
    assert_eq!(remote.snapshot().state, UploadState::Paused);
    assert_eq!(upload.wait(SETTLED), None);
    let (before, sent) = (traffic(), remote.snapshot().bytes_sent);
    assert_eq!(upload.wait(Duration::from_millis(300)), None);
    assert_eq!((traffic(), remote.snapshot().bytes_sent), (before, sent));
    assert_eq!(remote.snapshot().state, UploadState::Paused);
}

fn is(state: UploadState) -> impl Fn(&Snapshot) -> bool {
    move |now| now.state == state
}

/// Pauses an upload of `content` when it is `there`, resumes it, and checks that it completes.
fn passes(obstacle: &Obstacle, content: Vec<u8>, there: impl Fn(&Snapshot) -> bool) {
    let client = client(&obstacle.endpoint());
    let mut upload = Upload::from_memory(&client, content.clone(), "p").unwrap();
    obstacle.pause_and_resume(&mut upload, there).unwrap();
    obstacle.holds(&content);
}

#[test]
fn an_upload_can_be_paused_in_a_name_lookup() {
    if !names::are_slow() {
        return names::make_slow_for("an_upload_can_be_paused_in_a_name_lookup");
    }
    let obstacle = Obstacle::new(ModelReceiver::start(), Faults::default());
    let client = client(&format!(
        "http://slow.test:{}/",
        obstacle.proxy.addr().port()
    ));
    let content = files::bytes(100_000, 1);
    let mut upload = Upload::from_memory(&client, content.clone(), "p").unwrap();
    let there = is(UploadState::Locating);
    pause(&mut upload, there, || obstacle.traffic());
    // By now the lookup has ended.
    assert_eq!(obstacle.proxy.bytes_up(), 0);
    upload.remote().resume();
    assert_eq!(upload.wait(Duration::from_secs(60)), Some(Ok(())));
    obstacle.holds(&content);
}

#[test]
fn an_upload_can_be_paused_in_a_tcp_connect() {
    let hole = Hole::new();
    let client = client(&format!("http://{}/", hole.addr()));
    let content = files::bytes(100_000, 2);
    let mut upload = Upload::from_memory(&client, content.clone(), "p").unwrap();
    pause(&mut upload, is(UploadState::Locating), || (0, 0));
    // Within the pause the system repeats its connect, and the receiver accepts it.
    let receiver = ModelReceiver::on(hole.into_listener(), Options::default());
    assert_eq!(upload.wait(Duration::from_millis(1500)), None);
    assert_eq!(receiver.stats().requests, 0);
    upload.remote().resume();
    assert_eq!(upload.wait(Duration::from_secs(60)), Some(Ok(())));
    assert_eq!(receiver.files()[0].1, content);
}

#[test]
fn an_upload_can_be_paused_in_a_tls_handshake() {
    let receiver = ModelReceiver::with(Options {
        tls: true,
        ..Options::default()
    });
    let silent = Faults {
        refuse: true,
        ..Faults::stalled(0)
    };
    let obstacle = Obstacle::new(receiver, silent);
    let client = client(&obstacle.endpoint());
    client.set_ca_pem(obstacle.receiver.ca_pem()).unwrap();
    let content = files::bytes(100_000, 8);
    let mut upload = Upload::from_memory(&client, content.clone(), "p").unwrap();
    let there = |_: &Snapshot| obstacle.proxy.connections() > 0;
    obstacle.pause_and_resume(&mut upload, there).unwrap();
    obstacle.holds(&content);
}

#[test]
fn an_upload_can_be_paused_before_the_response_to_a_locate() {
    let silent = Faults {
        drop_response: true,
        ..Faults::default()
    };
    let obstacle = Obstacle::new(ModelReceiver::start(), silent);
    let there = |_: &Snapshot| obstacle.proxy.bytes_up() > 0;
    passes(&obstacle, files::bytes(100_000, 3), there);
}

#[test]
fn an_upload_can_be_paused_before_the_response_to_a_send() {
    let obstacle = Obstacle::new(ModelReceiver::start(), Faults::stalled(2000));
    let there = is(UploadState::Verifying);
    passes(&obstacle, files::bytes(100_000, 4), there);
}

#[test]
fn an_upload_can_be_paused_before_100_continue() {
    let server = ScriptedServer::start_with(|head, _| match head.boundary() {
        None => Step::reply(200, &json("new", 0, "1")),
        Some(_) => Step::new().ignore_expect().wait(LONG),
    });
    let obstacle = Obstacle::new(ModelReceiver::start(), Faults::default());
    obstacle.proxy.set_target(server.addr());
    let there = is(UploadState::Sending);
    passes(&obstacle, files::bytes(2 << 20, 9), there);
}

#[test]
fn an_upload_can_be_paused_in_a_blocked_write() {
    let obstacle = Obstacle::new(ModelReceiver::start(), Faults::stalled(1_000_000));
    let last = std::cell::Cell::new(0);
    let there = |now: &Snapshot| {
        std::thread::sleep(Duration::from_millis(10));
        last.replace(now.bytes_sent) == now.bytes_sent && now.bytes_sent > 0
    };
    passes(&obstacle, files::bytes(32 << 20, 5), there);
}

#[test]
fn an_upload_can_be_paused_between_two_attempts() {
    let busy = reply_with(503, &[("Retry-After", "3600")], "{}");
    let server = ScriptedServer::start(vec![Step::new().read(Read::All).write(busy)]);
    let obstacle = Obstacle::new(ModelReceiver::start(), Faults::default());
    obstacle.proxy.set_target(server.addr());
    let client = client(&obstacle.endpoint());
    client.set_retry_limit(1);
    let content = files::bytes(100_000, 6);
    let mut upload = Upload::from_memory(&client, content.clone(), "p").unwrap();
    let there = is(UploadState::Waiting);
    obstacle.pause_and_resume(&mut upload, there).unwrap();
    obstacle.holds(&content);
}

#[test]
fn an_upload_can_be_paused_while_a_prefix_is_compared() {
    let content = files::bytes(64 << 20, 7);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p");
    std::fs::write(&path, &content).unwrap();
    let proof = r#","prefix_md5":"00000000000000000000000000000000"}"#;
    let partial = json("partial", content.len() as u64, "1");
    let response = partial.trim_end_matches('}').to_owned() + proof;
    let server = ScriptedServer::start(vec![Step::reply(200, &response)]);
    let obstacle = Obstacle::new(ModelReceiver::start(), Faults::default());
    obstacle.proxy.set_target(server.addr());
    let client = client(&obstacle.endpoint());
    let mut upload = Upload::from_file(&client, path).unwrap();
    let there = is(UploadState::Hashing);
    obstacle.pause_and_resume(&mut upload, there).unwrap();
    obstacle.holds(&content);
}

#[test]
fn an_upload_can_be_paused_while_a_rate_limit_slows_it_down() {
    let obstacle = Obstacle::new(ModelReceiver::start(), Faults::default());
    let client = client(&obstacle.endpoint());
    client.set_rate_limit(100_000);
    let content = files::bytes(1_000_000, 8);
    let mut upload = Upload::from_memory(&client, content.clone(), "p").unwrap();
    pause(&mut upload, |now| now.bytes_sent > 0, || obstacle.traffic());
    client.set_rate_limit(0);
    upload.remote().resume();
    assert_eq!(upload.wait(Duration::from_secs(60)), Some(Ok(())));
    obstacle.holds(&content);
}

#[test]
fn the_retry_timeout_does_not_run_in_a_pause() {
    let busy = Step::new()
        .read(Read::All)
        .write(reply_with(503, &[], "{}"));
    let server = ScriptedServer::start(vec![busy]);
    let limit = Duration::from_secs(2);
    let client = client(&server.endpoint());
    client.set_retry_limit(u32::MAX);
    client.set_retry_timeout(limit).unwrap();
    // The first wait is long enough to pause in it, and all of them fit into the limit.
    client.set_retry_backoff(limit / 4, limit / 4).unwrap();
    let mut upload = Upload::from_memory(&client, vec![7; 100], "p").unwrap();
    let remote = upload.remote();
    upload.start().unwrap();
    while remote.snapshot().http_status.is_none() {
        assert_eq!(upload.wait(Duration::from_millis(1)), None);
    }
    remote.pause();
    assert_eq!(upload.wait(limit + Duration::from_millis(200)), None);
    let before = remote.snapshot().attempts;
    remote.resume();
    let error = upload.wait(Duration::from_secs(60)).unwrap().unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 503);
    assert!(remote.snapshot().attempts > before + 1, "{before}");
}

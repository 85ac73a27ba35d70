//! Uploads of streams that are read once, to their end: their size is not known before.

#[path = "readers/answers.rs"]
mod answers;
#[path = "common/readers.rs"]
mod readers;
#[path = "common/tus.rs"]
mod scene;

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use resup::{
    Client, DigestMode, Error, ErrorKind, Flow, RefusalKind, SegmentSize, Upload, UploadState,
    SIZE_UNKNOWN,
};
use resup_test_support::files;
use resup_test_support::http_proxy::Fault;
use resup_test_support::tus::{Kind, Setup};

use readers::{SEGMENT, SIZE};
use scene::{client, Log, Scene};

/// The receiver by tus and by the IETF's protocol.
fn receivers() -> [Setup; 2] {
    [
        Setup::new(Kind::Receiver),
        Setup::new(Kind::Receiver).ietf(),
    ]
}

fn scenes() -> impl Iterator<Item = Scene> {
    receivers()
        .into_iter()
        .filter_map(|setup| Scene::with(setup, |_, _| Fault::None))
}

/// Makes an upload of these bytes, as a stream without a size.
fn of_bytes(client: &Client, content: &[u8]) -> Upload {
    let reader = Cursor::new(content.to_vec());
    let mut upload = Upload::from_reader(client, reader, "stream").unwrap();
    let segment = SegmentSize::Fixed(SEGMENT);
    upload.set_segment_size(segment).unwrap();
    upload
}

#[test]
fn streams_of_all_sizes_arrive() {
    receivers().into_iter().for_each(readers::all_sizes_arrive);
}

#[test]
fn lost_responses_lose_nothing() {
    receivers()
        .iter()
        .for_each(readers::lost_responses_lose_nothing);
}

#[test]
fn cuts_at_random_bytes_lose_nothing() {
    receivers().iter().for_each(readers::cuts_lose_nothing);
}

#[test]
fn damaged_bytes_are_sent_again() {
    readers::damaged_bytes_are_sent_again(Setup::new(Kind::Receiver));
}

#[test]
fn another_run_goes_on() {
    receivers()
        .into_iter()
        .for_each(readers::another_run_goes_on);
}

#[test]
fn the_default_takes_tus_for_a_stream_and_forms_for_the_next_file() {
    let scene = scenes().next().unwrap();
    let (client, file) = (client(&scene.endpoint()), scene.file(SIZE));
    let log = Log::of(&client);
    let mut upload = readers::upload(&client, &file);
    readers::run(&scene, &mut upload, &file);
    assert_eq!(upload.remote().protocol(), Some("tus"));
    let warned = log
        .text()
        .contains("a stream whose size is not known goes by tus");
    assert!(warned, "{}", log.text());
    let mut next = Upload::from_file(&client, &file).unwrap();
    next.run().unwrap();
    assert_eq!(next.remote().protocol(), Some("form"));
    // And once more, though the client knows by now that the server takes forms.
    let file = scene.file(SIZE + 1);
    let mut upload = readers::upload(&client, &file);
    upload.run().unwrap();
    assert_eq!(upload.remote().protocol(), Some("tus"));
}

#[test]
fn the_numbers_say_that_the_size_is_not_known() {
    let scene = scenes().next().unwrap();
    let mut upload = of_bytes(&scene.client(), &files::bytes(SIZE as usize, 1));
    let (seen, told) = std::sync::mpsc::channel();
    upload.on_progress(move |now| {
        assert!(now.size != SIZE_UNKNOWN || now.time_left.is_none());
        seen.send((now.position, now.size)).unwrap();
        Flow::Continue
    });
    upload.set_segment_size(SegmentSize::Fixed(50_000)).unwrap();
    upload.remote().set_rate_limit(2_000_000);
    let since = Instant::now();
    upload.run().unwrap();
    // The limit holds, but for what goes at once.
    assert!(since.elapsed() > Duration::from_millis(200));
    let told: Vec<_> = told.try_iter().collect();
    assert!(told.len() > 1, "{told:?}");
    assert_eq!(told[0].1, SIZE_UNKNOWN, "{told:?}");
    assert_eq!(told.last(), Some(&(SIZE, SIZE)));
}

/// A reader that fails once, at a byte, and then goes on.
struct Fickle(Cursor<Vec<u8>>, u64, bool);

impl Read for Fickle {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.1.saturating_sub(self.0.position()) as usize;
        if left == 0 && !self.2 {
            self.2 = true;
            return Err(io::Error::other("the tape is torn, code 4711"));
        }
        let most = if self.2 {
            buf.len()
        } else {
            left.min(buf.len())
        };
        self.0.read(&mut buf[..most])
    }
}

#[test]
fn a_read_that_fails_ends_the_run_and_the_next_one_reads_again() {
    for scene in scenes() {
        let content = files::bytes(SIZE as usize, 2);
        let fickle = Fickle(Cursor::new(content.clone()), 333_333, false);
        let mut upload = Upload::from_reader(&scene.client(), fickle, "fickle").unwrap();
        upload
            .set_segment_size(SegmentSize::Fixed(SEGMENT))
            .unwrap();
        let error = upload.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SourceIo, "{error}");
        let words = error.to_string();
        let due = "\"the program's stream\" failed: at byte 333333: the tape is torn, code 4711";
        assert!(words.contains(due), "{words}");
        assert!(!error.is_retryable());
        upload.run().unwrap();
        let stored = scene.server.stored_file(&upload.remote().id().unwrap());
        assert!(std::fs::read(stored).unwrap() == content);
    }
}

/// A slow reader that shows when it is in a read.
struct Slow(Cursor<Vec<u8>>, Arc<AtomicBool>);

impl Read for Slow {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.1.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        let most = buf.len().min(10_000);
        self.0.read(&mut buf[..most])
    }
}

#[test]
fn pause_resume_and_cancel_lose_nothing_of_what_was_read() {
    for scene in scenes() {
        let content = files::bytes(SIZE as usize, 10);
        let reading = Arc::new(AtomicBool::new(false));
        let slow = Slow(Cursor::new(content.clone()), reading.clone());
        let mut upload = Upload::from_reader(&scene.client(), slow, "slow").unwrap();
        upload
            .set_segment_size(SegmentSize::Fixed(SEGMENT))
            .unwrap();
        let remote = upload.remote();
        let other = std::thread::spawn(move || {
            let inside = || {
                reading.store(false, Ordering::SeqCst);
                while !reading.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
            };
            for _ in 0..3 {
                inside();
                remote.pause();
                assert_eq!(remote.snapshot().state, UploadState::Paused);
                remote.resume();
            }
            // Past the first segment.
            while remote.snapshot().offset == 0 {
                std::thread::yield_now();
            }
            inside();
            remote.cancel();
            Instant::now()
        });
        assert_eq!(upload.run(), Err(Error::Cancelled));
        let late = other.join().unwrap().elapsed();
        assert!(late < Duration::from_millis(100), "{late:?}");
        upload.run().unwrap();
        assert!(upload.remote().snapshot().bytes_skipped > 0);
        let stored = scene.server.stored_file(&upload.remote().id().unwrap());
        assert!(std::fs::read(stored).unwrap() == content);
    }
}

#[test]
fn a_stream_over_the_servers_limit_is_told_when_it_is_passed() {
    for setup in receivers() {
        let setup = setup.max_size(250_000);
        let Some(scene) = Scene::with(setup, |_, _| Fault::None) else {
            continue;
        };
        let error = of_bytes(&scene.client(), &files::bytes(SIZE as usize, 3)).run();
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::TooLarge));
        let words = error.to_string();
        assert!(words.contains("at most 250000 bytes"), "{words}");
        let patches = scene.methods().iter().filter(|it| *it == "PATCH").count();
        assert_eq!(patches, 2, "{}", scene.name);
    }
}

#[test]
fn a_digest_first_is_refused_and_none_is_possible() {
    let scene = scenes().next().unwrap();
    let mut upload = of_bytes(&scene.client(), b"abc");
    upload.set_digest(DigestMode::First).unwrap();
    let error = upload.run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains("read only once"), "{error}");
    assert!(scene.proxy.exchanges().is_empty());
    upload.set_digest(DigestMode::None).unwrap();
    upload.run().unwrap();
    assert_eq!(upload.remote().digest(), None);
}

#[test]
fn an_upload_that_is_complete_is_so_in_another_run() {
    for scene in scenes() {
        let mut upload = of_bytes(&scene.client(), b"abc");
        for run in 0..3 {
            upload.run().unwrap();
            let remote = upload.remote();
            let skipped = remote.snapshot().bytes_skipped;
            assert_eq!(skipped, if run == 0 { 0 } else { 3 }, "{}", scene.name);
            assert!(remote.digest().is_some(), "{}", scene.name);
        }
        assert_eq!(scene.server.files().len(), 1, "{}", scene.name);
        let error = upload.discard().unwrap_err().to_string();
        assert!(error.contains("it is complete"), "{error}");
    }
}

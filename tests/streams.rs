//! Uploads of streams, which the program reads.

#[path = "common/digests.rs"]
mod digests;

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use resup::{Client, Error, ErrorKind, Upload, UploadState};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};

fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 8).unwrap();
    client
}

/// Starts a proxy that cuts the first connections after so many bytes each.
fn cutting_proxy(receiver: &ModelReceiver, cuts: &'static [u64]) -> ChaosProxy {
    let mut cuts = cuts.iter();
    let faults = move |_: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: cuts.next().copied(),
        how: Cut::Fin,
        ..Faults::default()
    };
    ChaosProxy::start(receiver.addr(), faults, 0)
}

#[test]
fn a_stream_goes_on_after_lost_connections() {
    let content = files::bytes(3_000_000, 8);
    for options in [Options::default(), Options::newest()] {
        let receiver = ModelReceiver::with(options);
        let proxy = cutting_proxy(&receiver, &[700_000, 1, 900_000, 300_000]);
        let client = client(&receiver.endpoint_at(proxy.addr()));
        let stream = Cursor::new(content.clone());
        let mut upload = Upload::from_stream(&client, stream, "stream").unwrap();
        upload.run().unwrap();
        assert_eq!(receiver.files()[0].1, content);
        digests::assert_told(&upload.remote(), &content, "a stream");
        assert!(upload.remote().snapshot().attempts > 3);
    }
}

#[test]
fn a_stream_is_sent_in_segments() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    files::make(&path, 2_000_003, 9).unwrap();
    let receiver = ModelReceiver::with(Options {
        max_segment: Some(333_333),
        ..Options::default()
    });
    let client = client(&receiver.endpoint());
    let mut upload = Upload::from_stream(&client, File::open(&path).unwrap(), "f").unwrap();
    upload.run().unwrap();
    assert!(receiver.files()[0].1 == std::fs::read(&path).unwrap());
}

/// A slow stream that shows when it is in a read.
struct Slow(Cursor<Vec<u8>>, Arc<AtomicBool>);

impl Read for Slow {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.1.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        let most = buf.len().min(10_000);
        self.0.read(&mut buf[..most])
    }
}

impl Seek for Slow {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn pause_resume_and_cancel_reach_an_upload_that_waits_for_its_stream() {
    let content = files::bytes(1_000_000, 10);
    let receiver = ModelReceiver::start();
    let client = client(&receiver.endpoint());
    let reading = Arc::new(AtomicBool::new(false));
    let slow = Slow(Cursor::new(content.clone()), reading.clone());
    let mut upload = Upload::from_stream(&client, slow, "slow").unwrap();
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
        inside();
        remote.cancel();
    });
    assert_eq!(upload.run(), Err(Error::Cancelled));
    other.join().unwrap();
    upload.run().unwrap();
    assert_eq!(receiver.files()[0].1, content);
}

/// A stream that changes a byte when its end is reached for the first time.
struct Fickle(Cursor<Vec<u8>>, bool);

impl Read for Fickle {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buf)?;
        if self.0.position() == self.0.get_ref().len() as u64 && !self.1 {
            self.1 = true;
            self.0.get_mut()[1000] ^= 1;
        }
        Ok(n)
    }
}

impl Seek for Fickle {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_stream_that_gives_other_bytes_the_second_time_is_an_error() {
    let both = [Options::default(), Options::newest()];
    for (size, options) in [300_000, 3_000_000]
        .into_iter()
        .flat_map(|size| both.clone().map(|options| (size, options)))
    {
        let receiver = ModelReceiver::with(options);
        let client = client(&receiver.endpoint());
        let fickle = Fickle(Cursor::new(files::bytes(size, 12)), false);
        let mut upload = Upload::from_stream(&client, fickle, "fickle").unwrap();
        let error = upload.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SourceChanged, "{error}");
        assert_eq!(receiver.files(), []);
    }
}

/// A stream that gives a size of its own.
struct Sized(Cursor<Vec<u8>>, u64);

impl Read for Sized {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Seek for Sized {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::End(0) => Ok(self.1),
            to => self.0.seek(to),
        }
    }
}

#[test]
fn a_stream_with_more_bytes_than_its_size_is_an_error() {
    // Within one block, at its end, and without a byte.
    for (has, size) in [(300_000, 200_000), (262_145, 262_144), (5, 0)] {
        let receiver = ModelReceiver::start();
        let client = client(&receiver.endpoint());
        let stream = Sized(Cursor::new(files::bytes(has, 12)), size);
        let mut upload = Upload::from_stream(&client, stream, "sized").unwrap();
        let error = upload.run().unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("more than its size, {size} bytes")),
            "{error}"
        );
        assert_eq!(receiver.files(), []);
    }
}

#[test]
fn an_upload_can_be_paused_before_its_stream_is_read() {
    let content = files::bytes(100_000, 11);
    let receiver = ModelReceiver::start();
    let client = client(&receiver.endpoint());
    let mut upload = Upload::from_stream(&client, Cursor::new(content.clone()), "early").unwrap();
    let remote = upload.remote();
    // Before the run begins, and then while the first read waits for the program.
    remote.pause();
    upload.start().unwrap();
    assert_eq!(upload.wait(Duration::from_millis(100)), None);
    assert_eq!(remote.snapshot().state, UploadState::Paused);
    remote.resume();
    std::thread::sleep(Duration::from_millis(50));
    remote.pause();
    assert_eq!(upload.wait(Duration::from_millis(100)), None);
    remote.resume();
    assert_eq!(upload.wait(Duration::from_secs(60)), Some(Ok(())));
    assert_eq!(receiver.files()[0].1, content);
}

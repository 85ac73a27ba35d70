//! Uploads to the real receiver and the model: what is sent, resumed, refused and logged.

mod common;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{client, make_file};
use resup::{Error, Flow, LocateMethod, LogLevel, SegmentSize, Upload, UploadState};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{json, ScriptedServer, Step};

fn stored(receiver: &Receiver, upload: &Upload) -> PathBuf {
    receiver.stored_file(&upload.remote().id().unwrap())
}

#[test]
fn files_of_all_sizes_and_names_arrive_by_post_and_by_get() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let client = client(&receiver.endpoint());
    for method in [LocateMethod::Post, LocateMethod::Get] {
        client.set_locate_method(method);
        for (name, size) in [
            ("empty", 0),
            ("one", 1),
            ("large.bin", 9_000_001),
            ("报告 第一版.txt", 1000),
            ("with \"quotes\" and \\ and %22.txt", 1000),
            ("line\r\nbreak.txt", 1000),
            ("emoji 😀🎉.txt", 1000),
            ("a&b=c;d+e f.txt", 1000),
        ] {
            let path = make_file(&dir, name, size);
            let mut upload = Upload::from_file(&client, &path).unwrap();
            upload.set_directory(&format!("{method:?}")).unwrap();
            upload.run().unwrap_or_else(|e| panic!("{name}: {e}"));
            files::assert_same(&path, &stored(&receiver, &upload));
            let now = upload.remote().snapshot();
            assert_eq!((now.state, now.size), (UploadState::Complete, size));
            assert_eq!((now.bytes_sent, now.bytes_skipped), (size, 0));
            assert_eq!(now.http_status, Some(200));

            upload.run().unwrap();
            let again = upload.remote().snapshot();
            assert_eq!((again.bytes_sent, again.bytes_skipped), (0, size), "{name}");
        }
    }
}

#[test]
fn a_server_that_buffers_requests_gets_segments() {
    let receiver = ModelReceiver::with(Options {
        buffering: true,
        max_segment: Some(100_000),
        ..Options::default()
    });
    let content = files::bytes(1_000_000, 5);
    let mut cuts = [150_000, 0, 120_000].into_iter();
    let faults = move |_: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: cuts.next(),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), faults, 0);
    let client = client(&receiver.endpoint_at(proxy.addr()));
    let mut upload = Upload::from_memory(&client, content.clone(), "s").unwrap();
    upload.run().unwrap();
    assert_eq!(receiver.files()[0].1, content);
    let sent = upload.remote().snapshot().bytes_sent;
    assert!(sent <= 1_000_000 + 3 * 100_000, "{sent}");
}

#[test]
fn a_damaged_prefix_on_the_server_is_found_before_anything_is_sent() {
    let receiver = ModelReceiver::start();
    let content = files::bytes(500_000, 6);
    let half = |_: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: Some(200_000),
        how: Cut::Fin,
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), half, 0);
    let failing = client(&receiver.endpoint_at(proxy.addr()));
    failing.set_retry_limit(0);
    Upload::from_memory(&failing, content.clone(), "d")
        .unwrap()
        .run()
        .unwrap_err();
    receiver.settle(1, Duration::from_secs(5));
    assert!(receiver.damage("d", 1000));
    let client = client(&receiver.endpoint());
    let mut upload = Upload::from_memory(&client, content.clone(), "d").unwrap();
    upload.run().unwrap();
    assert_eq!(upload.remote().snapshot().bytes_skipped, 0);
    assert_eq!(receiver.files()[0].1, content);
}

#[test]
fn a_damaged_byte_in_a_cut_segment_costs_that_segment_only() {
    let receiver = Receiver::start();
    let mut connections = 0;
    let tenth = move |_: u64, _: &mut fastrand::Rng| {
        connections += 1;
        // Heads and forms take less than half a segment.
        Faults {
            corrupt_up_at: Some(960_000).filter(|_| connections == 1),
            cut_up_after: Some(980_000).filter(|_| connections == 1),
            how: Cut::Fin,
            ..Faults::default()
        }
    };
    let proxy = ChaosProxy::start(receiver.addr(), tenth, 0);
    let client = client(&format!("http://{}/upload", proxy.addr()));
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "segments", 1_000_000);
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload
        .set_segment_size(SegmentSize::Fixed(100_000))
        .unwrap();
    upload.run().unwrap();
    files::assert_same(&path, &stored(&receiver, &upload));
    let sent = upload.remote().snapshot().bytes_sent;
    assert!((1_010_000..1_300_000).contains(&sent), "{sent}");
}

#[test]
fn a_new_version_of_equal_size_and_time_replaces_the_old_one() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let client = client(&receiver.endpoint());
    let path = make_file(&dir, "edited", 300_000);
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    Upload::from_file(&client, &path).unwrap().run().unwrap();
    files::make(&path, 300_000, 99).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(time).unwrap();
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.run().unwrap();
    files::assert_same(&path, &stored(&receiver, &upload));

    for byte in [1, 2] {
        let mut upload = Upload::from_memory(&client, [byte; 4], "memory").unwrap();
        upload.run().unwrap();
        assert_eq!(
            std::fs::read(stored(&receiver, &upload)).unwrap(),
            [byte; 4]
        );
    }
}

#[test]
fn a_413_makes_segments_smaller_for_all_uploads_of_the_client() {
    let receiver = ModelReceiver::with(Options {
        max_body: Some(200_000),
        ..Options::default()
    });
    let client = client(&receiver.endpoint());
    client.set_retry_limit(0);
    for n in 0..2 {
        let before = receiver.stats().requests;
        let content = files::bytes(1_000_000, n);
        let mut upload = Upload::from_memory(&client, content.clone(), "l").unwrap();
        upload.set_directory(&n.to_string()).unwrap();
        upload.run().unwrap();
        assert!(receiver.files().iter().any(|(_, bytes)| *bytes == content));
        let requests = receiver.stats().requests - before;
        println!("{requests} requests");
        assert!(n == 0 || requests == 9, "{requests}: a 413 was forgotten");
    }
}

#[test]
fn a_file_that_is_too_large_for_the_server_fails_with_its_message() {
    let refusal = Step::reply(413, r#"{"message":"at most 5 MB, please"}"#);
    let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "GET" => Step::reply(200, &json("new", 0, "1")),
        _ => refusal.clone(),
    });
    let client = client(&server.endpoint());
    client.set_locate_method(LocateMethod::Get);
    let mut upload = Upload::from_memory(&client, files::bytes(10_000_000, 1), "x").unwrap();
    let error = upload.run().unwrap_err();
    assert!(error.to_string().contains("at most 5 MB"), "{error}");
    assert!(server.requests().len() < 30);
}

#[test]
fn automatic_segments_get_a_file_through_a_bad_network() {
    let receiver = ModelReceiver::with(Options {
        buffering: true,
        ..Options::default()
    });
    let content = files::bytes(6_000_000, 5);
    // No connection lives longer than a megabyte.
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: Some(1_000_000),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), faults, 0);
    let client = client(&receiver.endpoint_at(proxy.addr()));
    let mut upload = Upload::from_memory(&client, content.clone(), "s").unwrap();
    upload.set_segment_size(SegmentSize::Automatic).unwrap();
    upload.run().unwrap();
    assert_eq!(receiver.files()[0].1, content);
}

#[test]
fn rate_limits_hold_for_one_upload_and_for_a_client_and_change_at_once() {
    let receiver = ModelReceiver::start();
    let client = client(&receiver.endpoint());
    client.set_rate_limit(4_000_000);
    let content = files::bytes(40_000_000, 1);
    let mut uploads: Vec<_> = (0..2)
        .map(|n| Upload::from_memory(&client, content.clone(), &n.to_string()).unwrap())
        .collect();
    let total = |uploads: &[Upload]| -> u64 {
        let sent = uploads.iter().map(|u| u.remote().snapshot().bytes_sent);
        sent.sum()
    };
    let measure = |uploads: &[Upload]| {
        let (began, before) = (Instant::now(), total(uploads));
        std::thread::sleep(Duration::from_secs(1));
        (total(uploads) - before) as f64 / began.elapsed().as_secs_f64()
    };
    for upload in &mut uploads {
        upload.start().unwrap();
    }
    while total(&uploads) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let both = measure(&uploads);
    assert!((2e6..4.6e6).contains(&both), "{both}");
    uploads[0].remote().set_rate_limit(500_000);
    let one = measure(&uploads[..1]);
    assert!((1e5..7e5).contains(&one), "{one}");
    uploads[0].remote().set_rate_limit(0);
    client.set_rate_limit(0);
    for mut upload in uploads {
        upload.run().unwrap_err();
        assert_eq!(upload.wait(Duration::from_secs(60)), Some(Ok(())));
    }
}

#[test]
fn the_log_has_the_course_of_an_upload() {
    let receiver = ModelReceiver::start();
    let mut first = Some(400_000);
    let faults = move |_: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: first.take(),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), faults, 0);
    let client = client(&receiver.endpoint_at(proxy.addr()));
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (sink, thread) = (lines.clone(), std::thread::current().id());
    client.on_log(LogLevel::Info, move |level, line| {
        assert_eq!(std::thread::current().id(), thread);
        sink.lock().unwrap().push((level, line.to_owned()));
        Flow::Continue
    });
    let mut upload = Upload::from_memory(&client, files::bytes(500_000, 1), "logged").unwrap();
    upload.run().unwrap();
    let lines = lines.lock().unwrap();
    let has = |level, text: &str| {
        lines
            .iter()
            .any(|(l, line)| *l == level && line.contains(text))
    };
    assert!(has(LogLevel::Info, "logged: from 0 of 500000"), "{lines:?}");
    assert!(has(LogLevel::Warn, "next attempt in"), "{lines:?}");
    assert!(has(LogLevel::Info, "complete"), "{lines:?}");
    assert!(!lines.iter().any(|(level, _)| *level == LogLevel::Debug));
}

#[test]
fn an_upload_that_the_server_does_not_know_any_more_begins_again() {
    let receiver = ModelReceiver::start();
    let content = files::bytes(300_000, 8);
    let client = client(&receiver.endpoint());
    let mut upload = Upload::from_memory(&client, content.clone(), "f").unwrap();
    upload.set_segment_size(SegmentSize::Fixed(50_000)).unwrap();
    upload.remote().set_rate_limit(600_000);
    let receiver = Arc::new(receiver);
    let (forgetful, mut forgot) = (receiver.clone(), false);
    upload.on_progress(move |now| {
        if now.offset >= 100_000 && !forgot {
            forgot = true;
            forgetful.forget();
        }
        Flow::Continue
    });
    upload.run().unwrap();
    assert_eq!(receiver.files()[0].1, content);
}

#[test]
fn a_callback_can_end_an_upload_and_the_next_run_goes_on() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "c", 32 << 20);
    let client = client(&receiver.endpoint());
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload
        .set_segment_size(SegmentSize::Fixed(4 << 20))
        .unwrap();
    upload.on_progress(|now| match now.offset >= 8 << 20 {
        true => Flow::Cancel,
        false => Flow::Continue,
    });
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let sink = outcomes.clone();
    upload.on_complete(move |outcome| sink.lock().unwrap().push(outcome.clone()));
    assert_eq!(upload.run(), Err(Error::Cancelled));
    assert_eq!(upload.remote().snapshot().state, UploadState::Cancelled);
    upload.on_progress(|_| Flow::Continue);
    upload.run().unwrap();
    assert!(upload.remote().snapshot().bytes_skipped >= 8 << 20);
    files::assert_same(&path, &stored(&receiver, &upload));
    assert_eq!(
        outcomes.lock().unwrap()[..],
        [Err(Error::Cancelled), Ok(())]
    );
}

#[test]
fn pause_closes_the_connection_and_resume_goes_on() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "p", 64 << 20);
    let slow = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(64 << 20),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), slow, 0);
    let client = client(&format!("http://{}/upload", proxy.addr()));
    let mut upload = Upload::from_file(&client, &path).unwrap();
    let remote = upload.remote();
    upload.start().unwrap();
    while proxy.bytes_up() < 10 << 20 {
        std::thread::sleep(Duration::from_millis(1));
    }
    remote.pause();
    while remote.snapshot().state != UploadState::Paused {
        assert_eq!(upload.wait(Duration::from_millis(5)), None);
    }
    std::thread::sleep(Duration::from_millis(200));
    let quiet = proxy.bytes_up();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(proxy.bytes_up(), quiet, "bytes flow during a pause");
    remote.resume();
    assert_eq!(upload.wait(Duration::from_secs(60)), Some(Ok(())));
    files::assert_same(&path, &stored(&receiver, &upload));
    assert!(remote.snapshot().bytes_sent < 80 << 20);
}

//! The finished file is read back and compared, where the program wants that.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use resup::{ErrorKind, Flow, SegmentSize, Upload, UploadState};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::dav::{Kind, ALL};
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{Fault, HttpProxy};

use crate::{scenes, Scene, SIZE};

/// A place that the comparison of the last bytes does not reach.
const PLACE: usize = 1000;

fn upload(scene: &Scene, file: &Path) -> Upload {
    let mut upload = Upload::from_file(&scene.client(), file).unwrap();
    upload.set_read_back(true).unwrap();
    upload
}

/// Whether a request is for a whole file that is not small.
fn reads_back(head: &RequestHead) -> bool {
    let is_rest = |range: &str| range.ends_with('-');
    let range = head.header("range");
    head.method == "GET" && !head.target.contains("resup-probe") && range.is_none_or(is_rest)
}

/// Gives the offset from which a request asks for the rest of a file.
fn start(head: &RequestHead) -> u64 {
    let range = head.header("range").unwrap_or("bytes=0-");
    let digits: String = range.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Changes one byte of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[PLACE] ^= 1;
    // In place: another file may have another owner.
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes[PLACE..=PLACE], PLACE as u64).unwrap();
}

#[test]
fn a_file_is_read_back_once_whether_it_was_sent_or_there() {
    for size in [0, 1, 1000, SIZE] {
        for scene in scenes() {
            let kind = scene.kind();
            let file = scene.file(size);
            for run in 1..=2 {
                let result = upload(&scene, &file).run();
                result.unwrap_or_else(|e| panic!("{kind:?}: {size} bytes: {e}"));
                let exchanges = scene.proxy.exchanges();
                let reads = exchanges.iter().filter(|it| reads_back(&it.head));
                assert_eq!(reads.count(), run, "{kind:?}: {size} bytes");
            }
            scene.check(&file);
        }
    }
}

#[test]
fn a_byte_that_the_server_changes_is_told_and_the_next_run_uploads_anew() {
    for kind in ALL {
        let place: Arc<OnceLock<PathBuf>> = Arc::default();
        let (there, mut damages) = (place.clone(), 1);
        let plan = move |head: &RequestHead, _: u64| {
            // Between the last byte and the request for all of them.
            if reads_back(head) && damages > 0 {
                damages -= 1;
                damage(there.get().unwrap());
            }
            Fault::None
        };
        let Some(scene) = Scene::with(kind, plan) else {
            continue;
        };
        let file = scene.file(SIZE);
        let stored = scene.server.data().join(file.file_name().unwrap());
        place.set(stored.clone()).unwrap();
        // With segments, too, where a server takes files whole.
        let segment = SegmentSize::Fixed(SIZE / 2 + 1);
        let mut first = upload(&scene, &file);
        first.set_segment_size(segment).unwrap();
        let error = first.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{kind:?}: {error}");
        assert!(error.is_retryable(), "{kind:?}: {error}");
        assert_eq!(
            first.remote().location(),
            None,
            "{kind:?}: it is not proved"
        );
        let mut changed = fs::read(&file).unwrap();
        changed[PLACE] ^= 1;
        assert!(
            fs::read(&stored).unwrap() == changed,
            "{kind:?}: it stays there"
        );
        // Without reading it back nothing shows it.
        Upload::from_file(&scene.client(), &file)
            .unwrap()
            .run()
            .unwrap();
        assert!(fs::read(&stored).unwrap() == changed, "{kind:?}");
        for mut again in [first, upload(&scene, &file)] {
            let result = again.run();
            result.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
            scene.check_content(&file);
            damage(&stored);
        }
    }
}

#[test]
fn reading_goes_on_after_a_break() {
    for kind in ALL {
        let Some(mut scene) = Scene::with(kind, |_, _| Fault::None) else {
            continue;
        };
        // Each connection gives a part of the file only.
        let plan = |number: u64, _: &mut fastrand::Rng| match number < 40 {
            true => Faults {
                cut_down_after: Some(SIZE / 5),
                how: Cut::Fin,
                ..Faults::default()
            },
            false => Faults::default(),
        };
        let chaos = ChaosProxy::start(scene.server.addr(), plan, 0);
        scene.proxy = HttpProxy::clean(chaos.addr());
        let file = scene.file(SIZE);
        let result = upload(&scene, &file).run();
        result.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        scene.check(&file);
        let exchanges = scene.proxy.exchanges();
        let reads = exchanges.iter().filter(|it| reads_back(&it.head));
        let starts: Vec<u64> = reads.map(|it| start(&it.head)).collect();
        assert!(starts.is_sorted(), "{kind:?}: {starts:?}");
        assert!(starts.last() > Some(&(SIZE / 2)), "{kind:?}: {starts:?}");
    }
}

#[test]
fn reading_back_can_be_paused_and_cancelled() {
    let Some(scene) = Scene::with(Kind::Nginx, |_, _| Fault::None) else {
        return;
    };
    let file = scene.file(SIZE);
    Upload::from_file(&scene.client(), &file)
        .unwrap()
        .run()
        .unwrap();
    for cancels in [false, true] {
        let mut upload = upload(&scene, &file);
        // A tenth of the file a second, until something happens.
        let remote = upload.remote();
        remote.set_rate_limit(SIZE / 10);
        let (theirs, pauses) = (remote.clone(), Arc::new(AtomicUsize::new(0)));
        let seen = pauses.clone();
        upload.on_state(move |state| {
            match state {
                UploadState::Verifying if cancels => return Flow::Cancel,
                UploadState::Verifying if seen.fetch_add(1, Relaxed) == 0 => theirs.pause(),
                UploadState::Paused => {
                    theirs.set_rate_limit(0);
                    theirs.resume();
                }
                _ => {}
            }
            Flow::Continue
        });
        let result = upload.run();
        match cancels {
            true => assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled),
            false => {
                result.unwrap();
                assert!(pauses.load(Relaxed) > 1, "it goes on after the pause");
            }
        }
    }
}

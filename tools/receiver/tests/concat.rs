//! Files that go up in pieces by tus, and are joined at the end. RESUP_TEST_RUNS makes the random test longer.

mod common;

use std::fs;
use std::io::Write;
use std::thread;
use std::time::Duration;

use common::accounts::{basic, PASSWORD};
#[cfg(target_os = "linux")]
use common::faulty::Faulty;
use common::raw::Raw;
use common::{cut, digest_hex, has_file, Receiver, Reply, Upload};
use resup_test_support::{runs, seed};

fn content(size: usize) -> Vec<u8> {
    Upload::new("x", size).content
}

fn partial(length: usize) -> Raw {
    Raw::tus_post(length as u64, &[]).set("Upload-Concat", "partial")
}

/// A request that joins pieces.
fn join(places: &[String], metadata: &[(&str, &str)]) -> Raw {
    let urls = format!("final;{}", places.join(" "));
    let post = Raw::tus_post(0, metadata).without("Upload-Length");
    post.set("Upload-Concat", &urls)
}

/// Makes whole pieces of these lengths.
fn pieces(receiver: &Receiver, bytes: &[u8], lengths: &[usize]) -> Vec<String> {
    let mut at = 0;
    let make = |length: &usize| {
        let place = partial(*length).send(receiver).place();
        let piece = &bytes[at..at + length];
        at += length;
        if !piece.is_empty() {
            let reply = Raw::tus_patch(&place, 0, piece).send(receiver);
            assert_eq!(reply.status, 204, "{}", reply.json);
        }
        place
    };
    lengths.iter().map(make).collect()
}

/// The names in a directory for bytes.
fn names(receiver: &Receiver, dir: &str) -> Vec<String> {
    let entries = fs::read_dir(receiver.data().join(dir)).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    entries.map(|entry| name(entry.unwrap())).collect()
}

#[test]
fn pieces_are_joined_in_the_order_of_the_header() {
    for flags in [&["--layout", "tree"][..], &[]] {
        let receiver = Receiver::start(flags);
        let bytes = content(300_000);
        let mut places = pieces(&receiver, &bytes, &[100_000, 0, 150_000]);
        // One whose length comes later.
        let post = partial(0).without("Upload-Length");
        let open = post.set("Upload-Defer-Length", "1").send(&receiver).place();
        Raw::tus_patch(&open, 0, &bytes[250_000..290_000]).send(&receiver);
        join(std::slice::from_ref(&open), &[])
            .send(&receiver)
            .expect(400, "is not known yet");
        let last = Raw::tus_patch(&open, 290_000 - 250_000, &bytes[290_000..]);
        last.set("Upload-Length", "50000").send(&receiver);
        let head = Raw::tus("HEAD", &open).send(&receiver);
        assert_eq!(head.must("upload-concat"), "partial");
        assert_eq!(
            (head.must("upload-length"), head.upload_offset()),
            ("50000", 50_000)
        );
        // URLs may be absolute, with the host that the client knows.
        places[2] = format!("https://files.example:8443{}", places[2]);
        places.push(open.clone());
        let post = join(&places, &[("filename", "all.bin"), ("dir", "a")]);
        let place = post.send(&receiver).place();
        assert!(receiver.download(&place) == bytes);
        let head = Raw::tus("HEAD", &place).send(&receiver);
        assert_eq!(
            head.must("upload-concat"),
            format!("final;{}", places.join(" "))
        );
        assert_eq!(
            (head.must("upload-length"), head.upload_offset()),
            ("300000", 300_000)
        );
        let list = receiver.get("/uploads").json["uploads"].clone();
        assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
        assert_eq!(
            (&list[0]["name"], &list[0]["state"]),
            (&"all.bin".into(), &"complete".into())
        );
        assert_eq!(list[0]["blake3"], digest_hex("blake3", &bytes));
        // Nothing is left of the pieces, and nothing can be added.
        assert_eq!(names(&receiver, "partial"), [""; 0]);
        assert_eq!(Raw::tus("HEAD", &open).send(&receiver).status, 404);
        for (offset, body) in [(300_000, &b"x"[..]), (300_000, b""), (0, b"x")] {
            let patch = Raw::tus_patch(&place, offset, body);
            patch.send(&receiver).expect(403, "finished");
        }
        // Who has lost the answer gets it again.
        assert_eq!(post.send(&receiver).place(), place);
        assert_eq!(Raw::tus("DELETE", &place).send(&receiver).status, 204);
        post.send(&receiver).expect(404, "begin again");
        assert_eq!(names(&receiver, "partial"), [""; 0]);
    }
}

#[test]
fn one_piece_or_empty_ones_are_a_file_too() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    for lengths in [&[5][..], &[0], &[0, 0], &[0, 5]] {
        let places = pieces(&receiver, b"12345", lengths);
        let place = join(&places, &[("filename", "a")]).send(&receiver).place();
        let size: usize = lengths.iter().sum();
        assert_eq!(receiver.download(&place), b"12345"[..size]);
    }
}

#[test]
fn lies_are_refused_and_damage_nothing() {
    let receiver = Receiver::start(&["--max-size", "2000"]);
    let bytes = content(2500);
    let places = pieces(&receiver, &bytes, &[1000, 500, 1000]);
    let whole = receiver.tus_create(3, &[]);
    let unfinished = partial(9).send(&receiver).place();
    Raw::tus_patch(&unfinished, 0, b"1234").send(&receiver);
    let two = &places[..2];
    let with = |place: &str| [two, &[place.to_owned()]].concat();
    let joined = |places: &[String]| join(places, &[]).send(&receiver);
    joined(&with(&places[0])).expect(400, "comes twice");
    joined(&with(&whole)).expect(400, "is not partial");
    joined(&with(&unfinished)).expect(400, "it has 4 of 9 bytes");
    joined(&with("/upload/00000000000000000000000000000000")).expect(404, "is unknown");
    joined(&with("/upload/")).expect(400, "is not the URL");
    joined(&with("/upload/..%2f")).expect(400, "is not the URL");
    joined(&[]).expect(400, "names no partial upload");
    joined(&places).expect(413, "2.50 kB");
    let many: Vec<_> = (0..101).map(|n| format!("/upload/{n}")).collect();
    joined(&many).expect(400, "at most 100");
    joined(&vec!["/upload/".to_owned() + &"a".repeat(1000); 9]).expect(400, "at most 8192");
    let post = join(two, &[]);
    post.clone()
        .set("Upload-Length", "1499")
        .send(&receiver)
        .expect(400, "have 1500 bytes");
    post.clone()
        .set("Content-Type", "application/offset+octet-stream")
        .body(b"x")
        .send(&receiver)
        .expect(400, "takes no bytes");
    for value in ["", "final", "Partial", "partial;x"] {
        let post = partial(1).set("Upload-Concat", value);
        post.send(&receiver).expect(400, "upload-concat cannot be");
    }
    // A piece takes no more than its length.
    Raw::tus_patch(&places[0], 1000, b"x")
        .send(&receiver)
        .expect(413, "past the end");
    let empty = Raw::tus_patch(&places[0], 1000, b"");
    assert_eq!(empty.send(&receiver).status, 204);
    assert_eq!(receiver.tus_offset(&places[0]), 1000);
    // A final upload is no piece.
    let place = post.send(&receiver).place();
    joined(&[place.clone(), places[2].clone()]).expect(400, "itself a final one");
    assert!(receiver.download(&place) == bytes[..1500]);
    assert_eq!(receiver.tus_offset(&places[2]), 1000);
    assert_eq!(receiver.tus_offset(&unfinished), 4);
    for place in [&places[2], &unfinished, &place] {
        assert_eq!(Raw::tus("DELETE", place).send(&receiver).status, 204);
    }
    assert_eq!(names(&receiver, "partial"), [""; 0]);
}

#[test]
fn pieces_are_their_owners_and_count_for_the_quota() {
    let receiver = Receiver::start_with_users(&["joe", "ann"], &["--quota", "1000"]);
    let by = |raw: Raw, name: &str| raw.set("Authorization", &basic(name, PASSWORD));
    let piece = |name: &str, length: usize| {
        let place = by(partial(length), name).send(&receiver).place();
        let patch = Raw::tus_patch(&place, 0, &vec![7; length]);
        assert_eq!(by(patch, name).send(&receiver).status, 204);
        place
    };
    let places = [piece("joe", 600), piece("joe", 400)];
    by(partial(1), "joe")
        .send(&receiver)
        .expect(507, "over the quota");
    let foreign = piece("ann", 10);
    for (name, places) in [("ann", &places[..]), ("joe", &[foreign, places[0].clone()])] {
        let reply = by(join(places, &[]), name).send(&receiver);
        reply.expect(404, "is unknown");
    }
    // The file takes the room of its pieces.
    let place = by(join(&places, &[]), "joe").send(&receiver).place();
    by(partial(1), "joe")
        .send(&receiver)
        .expect(507, "over the quota");
    by(Raw::tus("DELETE", &place), "joe").send(&receiver);
    assert_eq!(by(partial(1000), "joe").send(&receiver).status, 201);
}

#[test]
fn the_digest_and_the_name_of_the_file_are_checked() {
    let flags = ["--layout", "tree", "--conflict", "refuse"];
    let receiver = Receiver::start(&flags);
    let bytes = content(9000);
    for name in ["md5", "sha256", "blake3"] {
        let places = pieces(&receiver, &bytes, &[4000, 5000]);
        let wrong = digest_hex(name, b"another file");
        let post = join(&places, &[("filename", name), (name, &wrong)]);
        post.send(&receiver)
            .expect(460, "the partial uploads are kept");
        let held = places.iter().map(|place| receiver.tus_offset(place));
        assert_eq!(held.collect::<Vec<_>>(), [4000, 5000]);
        let id = places[0].strip_prefix("/upload/").unwrap();
        assert_eq!(fs::read(receiver.partial(id)).unwrap(), bytes[..4000]);
        let right = digest_hex(name, &bytes);
        let post = join(&places, &[("filename", name), (name, &right)]);
        assert!(receiver.download(&post.send(&receiver).place()) == bytes);
    }
    let places = pieces(&receiver, &bytes, &[1, 2]);
    let post = join(&places, &[("filename", "md5")]);
    post.send(&receiver).expect(403, "choose another name");
    assert_eq!(receiver.tus_offset(&places[1]), 2);
    let post = join(&places, &[("filename", "free")]);
    assert_eq!(receiver.download(&post.send(&receiver).place()), bytes[..3]);
}

#[test]
fn pieces_that_nobody_joins_expire() {
    let receiver = Receiver::start(&["--expire", "1s"]);
    let place = pieces(&receiver, b"12345", &[5]).remove(0);
    let head = Raw::tus("HEAD", &place).send(&receiver);
    assert!(head.must("upload-expires").ends_with(" gmt"));
    for _ in 0..200 {
        thread::sleep(Duration::from_millis(50));
        if Raw::tus("HEAD", &place).send(&receiver).status == 404 {
            assert_eq!(names(&receiver, "partial"), [""; 0]);
            return;
        }
    }
    panic!("it never expires");
}

/// The places where the receiver is killed while it joins, and whether the file is there then.
const POINTS: [(&str, bool); 8] = [
    ("after-write:1", false),
    ("after-write:2", false),
    ("after-sync:1", false),
    ("after-withdraw:1", false),
    ("before-commit:1", false),
    ("after-group:1", true),
    ("after-finish:1", true),
    ("after-rename:1", true),
];

#[test]
fn a_crash_leaves_the_pieces_or_the_file() {
    for layout in ["id", "tree"] {
        for (point, is_there) in POINTS {
            let mut receiver = Receiver::start(&["--layout", layout]);
            let bytes = content(900_000);
            let places = pieces(&receiver, &bytes, &[100_000, 300_000, 500_000]);
            receiver.kill_and_restart_crashing(point);
            let post = join(&places, &[("filename", "a")]);
            let mut stream = post.begin(&receiver, 0);
            assert!(Reply::try_read(&mut stream).is_none(), "{point}");
            receiver.wait();
            receiver.kill_and_restart();
            let found = places.iter().map(|place| {
                let head = Raw::tus("HEAD", place).send(&receiver);
                (head.status == 200).then(|| head.upload_offset())
            });
            let found: Vec<_> = found.collect();
            match is_there {
                true => assert_eq!(found, [None; 3], "{point}"),
                false => assert_eq!(found, [100_000, 300_000, 500_000].map(Some), "{point}"),
            }
            let place = post.send(&receiver).place();
            assert!(receiver.download(&place) == bytes, "{point}");
            let list = receiver.get("/uploads").json["uploads"].clone();
            assert_eq!(list.as_array().unwrap().len(), 1, "{point} {list}");
            for dir in ["partial", "partial.unknown"] {
                assert_eq!(names(&receiver, dir), [""; 0], "{point}");
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fails_leaves_the_pieces() {
    const EIO: i32 = 5;
    const ENOSPC: i32 = 28;
    for (fault, restarts) in [
        (("write", ENOSPC, "/partial/"), false),
        (("fsync", EIO, "/partial/"), false),
        (("fsync", EIO, "/partial"), false),
        (("pwrite", EIO, "/receiver.sqlite"), true),
        (("fsync", EIO, "/receiver.sqlite"), true),
    ] {
        if !has_file(fault.2) {
            continue;
        }
        let mut faulty = Faulty::start(&["--layout", "tree"]);
        let bytes = content(700_000);
        let places = pieces(&faulty.receiver, &bytes, &[200_000, 500_000]);
        let post = join(&places, &[("filename", "a")]);
        faulty.fail(fault);
        let status = post.send(&faulty.receiver).status;
        assert!([500, 507].contains(&status), "{fault:?} {status}");
        faulty.mend();
        if restarts {
            // The database may have the commit all the same.
            faulty.receiver.kill_and_restart();
        }
        let receiver = &faulty.receiver;
        let found = places.iter().map(|place| {
            let head = Raw::tus("HEAD", place).send(receiver);
            let id = place.strip_prefix("/upload/").unwrap();
            let length = |_| fs::metadata(receiver.partial(id)).unwrap().len();
            let held = (head.status == 200).then(|| head.upload_offset());
            (held, held.map(length))
        });
        let found: Vec<_> = found.collect();
        let whole = [200_000, 500_000].map(|length| (Some(length), Some(length)));
        match restarts {
            // What was copied takes no room.
            false => assert_eq!(found, whole, "{fault:?}"),
            true => assert!(
                found == [(None, None); 2] || found[1] == whole[1],
                "{fault:?}"
            ),
        }
        let place = post.send(receiver).place();
        assert!(receiver.download(&place) == bytes, "{fault:?}");
        assert_eq!(names(receiver, "partial"), [""; 0], "{fault:?}");
    }
}

#[test]
fn pieces_that_are_cut_at_random_become_the_file() {
    let runs: usize = runs::count(10);
    let mut rng = seed::rng(seed::seed());
    let mut receiver = Receiver::start(&["--commit-bytes", "50000", "--layout", "tree"]);
    for run in 0..runs {
        let bytes = content(rng.usize(1..600_000));
        let count = rng.usize(1..6).min(bytes.len());
        let bound = |n: usize| bytes.len() * n / count;
        let bounds: Vec<_> = (0..count).map(|n| (bound(n), bound(n + 1))).collect();
        let create = |(from, to): &(usize, usize)| partial(to - from).send(&receiver).place();
        let places: Vec<_> = bounds.iter().map(create).collect();
        for (place, (begin, end)) in places.iter().zip(&bounds) {
            let mut least = 0;
            loop {
                let offset = receiver.tus_offset(place) as usize;
                assert!(offset >= least, "{run}");
                least = offset;
                let at = begin + offset;
                if at == *end {
                    break;
                }
                let patch = Raw::tus_patch(place, offset as u64, &bytes[at..*end]);
                match rng.u32(..3) {
                    0 => cut(patch.begin(&receiver, rng.usize(..=end - at))),
                    _ => drop(patch.send(&receiver)),
                }
            }
        }
        let post = join(&places, &[("filename", "same name")]);
        for _ in 0..rng.usize(..3) {
            let point = POINTS[rng.usize(..POINTS.len())].0;
            receiver.kill_and_restart_crashing(point);
            let mut stream = post.begin(&receiver, 0);
            let _ = stream.flush();
            thread::sleep(Duration::from_micros(rng.u64(..20_000)));
            receiver.kill_and_restart();
        }
        // Whoever is gone may have left a request at work.
        let place = post.send(&receiver).place();
        assert!(receiver.download(&place) == bytes, "{run}");
        assert_eq!(post.send(&receiver).place(), place, "{run}");
        for dir in ["partial", "partial.unknown"] {
            assert_eq!(names(&receiver, dir), [""; 0], "{run}");
        }
    }
}

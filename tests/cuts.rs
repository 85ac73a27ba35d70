//! The connection is lost at every single byte: in the end the server has the file that was sent.
//!
//! So it is with version 1.0. Of the forms of 1.1 a sample of the bytes is taken; with `RESUP_TEST_RUNS` as the number of
//! cuts it is every byte, too, if that is large.

#[path = "common/digests.rs"]
mod digests;

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use resup::{Client, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::{runs, seed};

const SIZE: u64 = 700;

/// How a file goes to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As a send of version 1.0.
    Old,
    /// As a send of version 1.1.
    Send,
    Store,
    /// As parts that fill two gaps, and a send of the rest.
    Parts,
}

impl Form {
    fn options(self, tls: bool) -> Options {
        let newest = match self {
            Form::Old => Options::default(),
            _ => Options::newest(),
        };
        Options { tls, ..newest }
    }
}

fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(2);
    client.set_retry_backoff(short, short * 4).unwrap();
    client.set_retry_limit(50);
    client
        .set_response_timeout(Duration::from_millis(600))
        .unwrap();
    client
        .set_stall_timeout(Duration::from_millis(600))
        .unwrap();
    client
}

/// Makes an upload of the file at `path`, which has the bytes `content`.
fn make(
    receiver: &ModelReceiver,
    client: &Client,
    form: Form,
    path: &Path,
    content: &[u8],
) -> Upload {
    let name = path.file_name().unwrap().to_str().unwrap();
    if form != Form::Parts {
        return Upload::from_memory(client, content, name).unwrap();
    }
    std::fs::write(path, content).unwrap();
    let modified = std::fs::metadata(path).unwrap().modified().unwrap();
    let modified = modified.duration_since(UNIX_EPOCH).unwrap().as_millis();
    for (from, to) in [(200, 300), (500, 600)] {
        let held = &content[from as usize..to];
        receiver.hold((name, SIZE, modified), from, held);
    }
    Upload::from_file(client, path).unwrap()
}

/// Uploads `content` through a proxy; the connection of the form has `faults`. Returns the bytes that went each way.
fn upload_with(
    receiver: &ModelReceiver,
    form: Form,
    name: &str,
    content: &[u8],
    faults: Faults,
) -> (u64, u64) {
    // A store comes after an answer to another upload.
    let first = u64::from(form == Form::Store);
    let proxy = ChaosProxy::start(
        receiver.addr(),
        move |number, _| match number == first {
            true => faults.clone(),
            false => Faults::default(),
        },
        0,
    );
    let client = client(&receiver.endpoint_at(proxy.addr()));
    if receiver.endpoint().starts_with("https") {
        client.set_ca_pem(receiver.ca_pem()).unwrap();
    }
    // The proxy counts bytes after it has passed them on.
    let bytes = || {
        std::thread::sleep(Duration::from_millis(if name == "whole" { 100 } else { 0 }));
        (proxy.bytes_up(), proxy.bytes_down())
    };
    let mut before = (0, 0);
    if form == Form::Store {
        let mut upload = Upload::from_memory(&client, *b"1", "first").unwrap();
        upload.run().unwrap();
        // From now on there is a new connection.
        client.set_user_agent("another/1").unwrap();
        before = bytes();
    }
    let dir = tempfile::tempdir().unwrap();
    let mut upload = make(receiver, &client, form, &dir.path().join(name), content);
    upload
        .run()
        .unwrap_or_else(|e| panic!("{name} failed: {e}"));
    digests::assert_told(&upload.remote(), content, name);
    let after = bytes();
    (after.0 - before.0, after.1 - before.1)
}

/// Cuts the connection after every `step` bytes that go in one direction; by default after every byte.
fn cuts(form: Form, tls: bool, how: Cut, up: bool) {
    let receiver = ModelReceiver::with(form.options(tls));
    // Each upload has its own content: the server would know equal ones by their digest.
    let content = |n: u64| files::bytes(SIZE as usize, n);
    let whole = content(u64::MAX);
    let before = receiver.stats();
    let (bytes_up, bytes_down) = upload_with(&receiver, form, "whole", &whole, Faults::default());
    let stats = receiver.stats();
    let (sends, stores) = (stats.sends - before.sends, stats.stores - before.stores);
    let due = match form {
        Form::Old | Form::Send => (1, 0),
        Form::Store => (1, 1),
        Form::Parts => (3, 0),
    };
    assert_eq!((sends, stores), due, "{form:?}");
    let bytes = if up { bytes_up } else { bytes_down };
    assert!(bytes > 150, "{bytes}");
    let sample = if tls { 10 } else { 30 };
    let wanted = runs::count(sample);
    let (first, step) = match (form, tls) {
        (Form::Old, false) => (0, 1),
        _ => {
            let step = (bytes / wanted).max(1);
            (seed::rng(seed::seed()).u64(..step), step)
        }
    };
    let count = (bytes - first).div_ceil(step);
    runs::on_threads(2, count, |number| {
        let n = first + number * step;
        let (cut_up_after, cut_down_after) = if up { (Some(n), None) } else { (None, Some(n)) };
        let faults = Faults {
            cut_up_after,
            cut_down_after,
            how,
            ..Faults::default()
        };
        upload_with(&receiver, form, &n.to_string(), &content(n), faults);
    });
    let mut finished = receiver.files();
    finished.retain(|(name, _)| name != "first");
    assert_eq!(finished.len() as u64, count + 1);
    for (name, stored) in finished {
        let n = name.parse().unwrap_or(u64::MAX);
        assert!(stored == content(n), "{name} differs");
    }
    println!("{form:?}: {count} cuts within {bytes} bytes");
}

#[test]
fn an_upload_survives_a_reset_at_every_byte_of_the_requests() {
    cuts(Form::Old, false, Cut::Rst, true);
}

#[test]
fn an_upload_survives_a_close_at_every_byte_of_the_requests() {
    cuts(Form::Old, false, Cut::Fin, true);
}

#[test]
fn an_upload_survives_a_reset_at_every_byte_of_the_responses() {
    cuts(Form::Old, false, Cut::Rst, false);
}

#[test]
fn an_upload_survives_a_close_at_every_byte_of_the_responses() {
    cuts(Form::Old, false, Cut::Fin, false);
}

/// Cuts connections in all ways.
fn all_ways(form: Form) {
    for tls in [false, true] {
        for how in [Cut::Rst, Cut::Fin] {
            for up in [true, false] {
                cuts(form, tls, how, up);
            }
        }
    }
}

#[test]
fn a_send_of_1_1_survives_cuts_at_random_bytes() {
    all_ways(Form::Send);
}

#[test]
fn a_store_survives_cuts_at_random_bytes() {
    all_ways(Form::Store);
}

#[test]
fn parts_survive_cuts_at_random_bytes() {
    all_ways(Form::Parts);
}

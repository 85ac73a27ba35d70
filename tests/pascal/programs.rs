//! What programs of the binding go through, on this system and as Windows programs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use resup_digests::{Algorithm, Digest};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::model::ModelReceiver;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::scripted::{json, Read, ScriptedServer, Step};
use resup_test_support::tls::Identity;

use crate::harness::{root, Bench};

pub const LIMIT: Duration = Duration::from_secs(600);

/// The folder that the programs work in, as Runner.pas has it.
const FOLDER: &str = "文件夹 é 😀";
/// More than 32 bits tell, and what the server lacks of it; as in Support.pas.
const HUGE: u64 = (4 << 30) + (3 << 20) + 7;
const REST: u64 = 1 << 20;
/// As in Support.pas.
const SECRET: &str = "Schlüssel 钥匙 😀";

/// Cuts every other connection on its way.
fn cutting(receiver: &Receiver) -> ChaosProxy {
    let plan = |number, _: &mut fastrand::Rng| Faults {
        cut_up_after: (number % 2 == 0).then_some(700_000),
        ..Faults::default()
    };
    ChaosProxy::start(receiver.addr(), plan, 0)
}

/// Has all of a file but its rest.
fn knowing() -> ScriptedServer {
    ScriptedServer::start_with(|head, _| match head.boundary() {
        None => Step::reply(200, &json("partial", HUGE - REST, "k")),
        Some(_) => Step::reply(200, &json("complete", HUGE, "k")),
    })
}

/// Answers with an HTML page, from this request on.
fn paging(from: u64) -> ScriptedServer {
    const PAGE: &str = "<html>Please log in</html>";
    ScriptedServer::start_with(move |_, number| match number < from {
        true => Step::reply(200, &json("partial", 0, "a")),
        false => Step::new().read(Read::All).write(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{PAGE}",
            PAGE.len()
        )),
    })
}

fn make_huge(path: &Path) {
    let file = std::fs::File::create(path).unwrap();
    file.set_len(HUGE).unwrap();
    let rest = files::bytes(REST as usize, 9);
    std::os::unix::fs::FileExt::write_all_at(&file, &rest, HUGE - REST).unwrap();
}

fn check_huge(server: &ScriptedServer) {
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].field("size"), Some(HUGE.to_string()));
    let sent = &requests[1];
    let from = (HUGE - REST).to_string();
    assert!(sent.body_text().contains(&from), "its offset");
    let rest = files::bytes(REST as usize, 9);
    let found = sent.body.windows(4096).any(|part| part == &rest[..4096]);
    assert!(found, "the bytes from there on");
}

/// Runs a program of fpcunit that was built with heaptrc. `named` is how it has to be told of a path.
pub fn run_tests(bench: &Bench, command: &mut Command, named: fn(&Path) -> String) {
    let receiver = Receiver::start();
    let forbidding =
        ScriptedServer::start_with(|_, _| Step::reply(403, r#"{"message":"not you"}"#));
    let cutting = cutting(&receiver);
    let secure = ModelReceiver::start_tls(Identity::new());
    let huge = knowing();
    let secret = bench.path("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let signed = Setup::new()
        .arg("--signing-secret-file")
        .arg(secret)
        .start();
    let (page, late_page) = (paging(0), paging(1));
    let files = bench.dir("files");
    let folder = bench.dir(&format!("files/{FOLDER}"));
    std::fs::write(folder.join("ca.pem"), secure.ca_pem()).unwrap();
    make_huge(&folder.join("huge"));
    std::fs::copy(root().join("include/resup.h"), folder.join("resup.h")).unwrap();
    std::fs::copy(
        root().join("tests/mistakes.txt"),
        folder.join("mistakes.txt"),
    )
    .unwrap();
    command
        .arg(receiver.endpoint())
        .arg(forbidding.endpoint())
        .arg(format!("http://{}/upload", cutting.addr()))
        .arg(secure.endpoint())
        .arg(huge.endpoint())
        .arg(signed.endpoint())
        .arg(page.endpoint())
        .arg(late_page.endpoint())
        .arg(named(&files));
    // What heaptrc writes to standard error is not all there at the end.
    let heap = bench.path("heap");
    command.env("HEAPTRC", format!("log={}", named(&heap)));
    let ended = bench.run(command, LIMIT);
    print!("{}", ended.stdout);
    ended.assert_success();
    assert!(ended.stdout.contains(" tests, 0 failed"));
    let heap = std::fs::read_to_string(heap).unwrap();
    assert!(heap.contains("\n0 unfreed memory blocks"), "{heap}");
    check_huge(&huge);
    assert_eq!(receiver.check_stored(&folder), 1, "a stream");
    assert_eq!(secure.files().len(), 1);
}

/// Looks whether what a line of the console program calls complete is the file; the bytes that were there before.
#[track_caller]
fn arrived(line: &str, receiver: &Receiver, file: &Path) -> u64 {
    let (_, rest) = line.split_once(": complete, ").expect(line);
    let (there, id) = rest
        .split_once(" bytes were there before, id=")
        .expect(line);
    let (id, digest) = id.split_once(", ").expect(line);
    let content = Digest::of(Algorithm::Blake3, &std::fs::read(file).unwrap());
    assert_eq!(digest, format!("blake3:{}", content.hex()));
    files::assert_same(file, &receiver.stored_file(id));
    there.parse().unwrap()
}

/// Lets the console program upload some files, and one that is missing; what it said of that.
pub fn upload_files(bench: &Bench, mut command: Command, named: fn(&Path) -> String) -> String {
    let receiver = Receiver::start();
    let files = ["empty", "文件 é 😀", "large"].map(|name| bench.path(name));
    for (file, size) in files.iter().zip([0, 10, 3_000_000]) {
        files::make(file, size, size).unwrap();
    }
    command.arg(receiver.endpoint());
    command
        .args(files.each_ref().map(|file| named(file)))
        .arg("missing");
    let ended = bench.run(&mut command, LIMIT);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let mut lines = ended.stdout.lines();
    for file in &files {
        arrived(lines.next().unwrap(), &receiver, file);
    }
    let missing = lines.next().unwrap();
    assert!(missing.starts_with("missing: "), "{missing}");
    assert!(ended.stderr.contains("100.0 %"), "{}", ended.stderr);
    ended.stdout
}

/// Kills the console program on its way, and starts it again.
pub fn kill_and_go_on(bench: &Bench, command: impl Fn() -> Command, named: fn(&Path) -> String) {
    let receiver = Receiver::start();
    let file = bench.path("video");
    files::make(&file, 20_000_000, 1).unwrap();
    let plan = |_, _: &mut fastrand::Rng| Faults {
        rate_up: Some(20_000_000),
        ..Faults::default()
    };
    let slow = ChaosProxy::start(receiver.addr(), plan, 0);
    let mut first = command();
    first.arg(format!("http://{}/upload", slow.addr()));
    first.arg(named(&file));
    let mut child = first
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while slow.bytes_up() < 5_000_000 {
        std::thread::sleep(Duration::from_millis(5));
        assert!(child.try_wait().unwrap().is_none(), "it is too fast");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut second = command();
    second.arg(receiver.endpoint()).arg(named(&file));
    let ended = bench.run(&mut second, LIMIT);
    ended.assert_success();
    let there = arrived(ended.stdout.trim_end(), &receiver, &file);
    assert!((1..20_000_000).contains(&there), "{there}");
}

//! The messages in docs/ERRORS.md: each is made by a real failure, or by the error it stands for.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use resup::Error;

use crate::discards;
use crate::harness::Bench;
use crate::one::{One, Report};
use crate::{servers, streams};

/// What a situation comes to.
pub enum Outcome {
    /// The status and the message of a failure that happened.
    Failure { status: i32, message: String },
    /// The text of an error that no test can cause.
    Text(String),
    /// No failure.
    Nothing,
}

/// An outcome, and the values in it that stand for the document's: first its value, then the real one.
pub struct Case {
    pub outcome: Outcome,
    pub values: Vec<(&'static str, String)>,
}

impl Case {
    pub fn new(told: &Report, values: Vec<(&'static str, String)>) -> Self {
        // One that was refused before its run, or what became of the run.
        let (status, message) = match told.text("refused").split_once(' ') {
            Some((status, message)) => (status.parse().unwrap(), message),
            None => (told.number("status") as i32, told.text("error")),
        };
        let message = message.to_owned();
        let outcome = Outcome::Failure { status, message };
        Case { outcome, values }
    }
}

/// The failures of `errors.c`, by their names.
struct Mistakes(BTreeMap<String, (i32, String)>);

impl Mistakes {
    fn make(bench: &Bench) -> Self {
        let program = bench.build("errors", &["errors.c", "check.c"], &[]);
        let ended = bench.run(&mut Command::new(program), crate::one::LIMIT);
        ended.assert_success();
        let lines = ended.stdout.lines().map(|line| {
            let mut words = line.splitn(3, ' ');
            let mut word = || words.next().expect(line).to_owned();
            (word(), (word().parse().unwrap(), word()))
        });
        Mistakes(lines.collect())
    }

    fn case(&self, name: &str, values: Vec<(&'static str, String)>) -> Case {
        let (status, message) = self.0[name].clone();
        let outcome = Outcome::Failure { status, message };
        Case { outcome, values }
    }
}

/// A mistake with a number in its message, in place of the document's: the word that begins so.
fn numbered(mistakes: &Mistakes, name: &str, start: &str, example: &'static str) -> Case {
    let (_, message) = &mistakes.0[name];
    let mut words = message.split(' ');
    let number = words.find(|word| word.starts_with(start)).expect(message);
    mistakes.case(name, vec![(example, number.to_owned())])
}

fn text(error: Error) -> Case {
    let outcome = Outcome::Text(error.to_string());
    let values = Vec::new();
    Case { outcome, values }
}

/// The upload of a file that cannot be uploaded, to nobody.
fn file(one: &One, path: &Path, example: &'static str) -> Case {
    let told = one.run(one.command_of("http://127.0.0.1:1/", path, &[]));
    Case::new(&told, vec![(example, path.display().to_string())])
}

/// A file that only its owner may not read: root may read all, so that it is not root who tries.
fn denied(one: &One) -> Case {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let program = one.bench.build_static("one-static", &["one.c"]);
    let path = one.bench.path("denied");
    std::fs::write(&path, "secret").unwrap();
    let allow = |path: &Path, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).unwrap();
    };
    allow(&path, 0o000);
    allow(path.parent().unwrap(), 0o711);
    let mut command = Command::new(program);
    command.arg("http://127.0.0.1:1/").arg(&path);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65534).current_dir("/");
    }
    let told = one.run(command);
    Case::new(&told, vec![("/tmp/a", path.display().to_string())])
}

/// A file whose name is not UTF-8.
fn nameless(one: &One) -> Case {
    use std::os::unix::ffi::OsStrExt;

    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.txt");
    let path = one.bench.path("").join(name);
    std::fs::write(&path, "content").unwrap();
    let told = one.run(one.command_of("http://127.0.0.1:1/", &path, &[]));
    Case::new(&told, Vec::new())
}

/// An upload whose settings contradict each other, to nobody.
fn refused(one: &One, settings: &[&str]) -> Case {
    Case::new(&one.upload("http://127.0.0.1:1/", 10, settings), Vec::new())
}

/// Makes what a row of the document is about.
fn make(situation: &str, one: &One, mistakes: &Mistakes) -> Case {
    let mistake = |name| mistakes.case(name, Vec::new());
    let handle = |name, example| numbered(mistakes, name, "0x", example);
    let missing = one.bench.path("missing");
    match situation {
        "a pointer that must not be NULL is NULL" => mistake("null"),
        "a stream without read, or with only one of seek and size" => mistake("stream"),
        "a value that is no handle" => handle("handle", "0x7ffd8a1c"),
        "a handle that was freed" => handle("freed", "0x1000a"),
        "a client in place of an upload" => handle("kind", "0x10003"),
        "text in another encoding" => mistake("utf8"),
        "a value that cannot be used" => mistake("argument"),
        "a file whose name is not UTF-8, and no other name was set" => nameless(one),
        "no digest was set, and one by its name, too" => refused(
            one,
            &["upload_set_digest", "0", "upload_set_digest_algorithm", "2"],
        ),
        "a digest by its name was set, and a protocol without it" => refused(
            one,
            &[
                "client_set_protocol",
                "2",
                "upload_set_digest_algorithm",
                "2",
            ],
        ),
        "a signing secret was set, and a protocol without signatures" => refused(
            one,
            &["client_set_protocol", "2", "client_set_signing_secret", "s"],
        ),
        "a dialect that is none" => refused(one, &["client_set_dialect", r#"{"chunk_size":0}"#]),
        "a directory was set, and a dialect without a place for it" => refused(
            one,
            &["client_set_dialect", "plain", "upload_set_directory", "d"],
        ),
        // tests/dialects.rs has an upload that is under way.
        "a segment size was changed while an upload in chunks is under way" => {
            text(Error::InvalidArgument {
                what: "segment size",
                why: "is 500 bytes now, and the upload was begun with chunks of 1000, which the server \
                      has; set it to that, or remove the state file to begin anew"
                    .to_owned(),
            })
        }
        // The URL has the port in it.
        "a locate by `GET` with too much in its fields" => numbered(mistakes, "get", "70", "70114"),
        "no http or https URL" => mistake("url"),
        "two calls on one upload at a time, or one from its callback" => mistake("busy"),
        "start during a run, wait before a start, a setting during a run" => mistake("state"),
        "wait in a child process for a run of its parent" => mistake("forked"),

        "it does not exist" => file(one, &missing, "/tmp/a"),
        "it may not be read" => denied(one),
        // Only Windows knows it; tests/windows/paths.c has it there.
        "on Windows another program has it open for itself" => text(Error::SourceDenied {
            path: r"C:\a".to_owned(),
            why: "another program has it open for itself; close it there (…)".to_owned(),
        }),
        "a directory, device, pipe or socket" => file(one, &one.bench.path(""), "/tmp"),
        "its size is not the number of its bytes, as in /proc" => {
            file(one, Path::new("/proc/version"), "/proc/version")
        }
        "a read fails, of the file or of the program's stream" => mistake("read"),
        // tools/cli/tests/drives.rs has a drive that is away.
        "a network drive is away for a while; tried again" => text(Error::SourceIo {
            path: "/tmp/a".to_owned(),
            why: "Stale file handle (os error 116)".to_owned(),
            passing: true,
        }),

        "cancelled, by a call or by a callback" => mistake("cancelled"),
        "no memory for a copy, no thread, no random numbers" => mistake("system"),
        // It takes a panic of the library; src/ffi/tests.rs has one.
        "a defect of the library" => text(Error::Internal {
            why: "…".to_owned(),
        }),
        // tests/readers.rs has a server with such a limit.
        "a stream whose size was not known has more than it takes" => {
            text(Error::TooLarge { limit: 250_000 })
        }
        other => streams::make(other)
            .or_else(|| discards::make(other, one))
            .unwrap_or_else(|| servers::make(other, one)),
    }
}

/// Whether the message is the document's; `…` there stands for any words.
fn is_like(example: &str, message: &str) -> bool {
    let mut pieces = example.split('…');
    let first = pieces.next().expect("split gives one piece");
    let Some(mut rest) = message.strip_prefix(first) else {
        return false;
    };
    for piece in pieces {
        let Some(at) = rest.rfind(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty()
}

#[test]
fn dots_stand_for_any_words() {
    assert!(is_like("no: … (…)", "no: a (b)") && is_like("no", "no"));
    assert!(!is_like("no", "no:") && !is_like("no: …!", "no: a") && !is_like("a…", "ba"));
}

#[test]
fn each_first_mistake_in_c_is_told_with_its_way_out() {
    let mistakes = Mistakes::make(&Bench::new());
    resup_test_support::mistakes::walk("C", |mistake| match mistakes.0.get(mistake) {
        Some((_, message)) => message.clone(),
        None => panic!("errors.c does not make the mistake \"{mistake}\""),
    });
}

#[test]
fn messages_are_those_of_real_failures() {
    let one = One::new();
    let mistakes = Mistakes::make(&one.bench);
    let mut wrong = Vec::new();
    for row in crate::rows() {
        let Case { outcome, values } = make(row.situation(), &one, &mistakes);
        let mut example = row.cell("message").to_owned();
        for (theirs, ours) in values {
            assert!(example.contains(theirs), "{theirs} is not in {example}");
            example = example.replace(theirs, &ours);
        }
        let (status, message) = match outcome {
            Outcome::Failure { status, message } => (Some(status), message),
            Outcome::Text(message) => (row.status().map(|s| s.1), message),
            Outcome::Nothing => (None, "none".to_owned()),
        };
        if status != row.status().map(|s| s.1) || !is_like(&example, &message) {
            wrong.push(format!(
                "{}:\n  document: {:?} {example}\n  real:     {status:?} {message}",
                row.situation(),
                row.status()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! The jars that are handed out: what is in them, uploads by each of the Linux libraries in a Java of that platform, and what
//! goes to Maven Central. `make test-java-platforms` builds them, and brings the Javas.
#![cfg(target_os = "linux")]

#[path = "java_platforms/central.rs"]
mod central;
#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::{root, words, Bench};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::model::ModelReceiver;
use resup_test_support::receiver::Receiver;
use resup_test_support::tls::{Authority, Identity};

/// Java in an emulated processor is slow.
const LIMIT: Duration = Duration::from_secs(600);

/// A platform: its name, the libraries' file, and how these begin: the machine of an ELF file, or of a PE file.
const PLATFORMS: [(&str, &str, Kind); 6] = [
    ("linux-x86_64", "libresup_jni.so", Kind::Elf(62, true)),
    ("linux-aarch64", "libresup_jni.so", Kind::Elf(183, true)),
    ("linux-x86_64-musl", "libresup_jni.so", Kind::Elf(62, false)),
    (
        "linux-aarch64-musl",
        "libresup_jni.so",
        Kind::Elf(183, false),
    ),
    ("windows-x86_64", "resup_jni.dll", Kind::Pe(0x8664)),
    ("windows-x86", "resup_jni.dll", Kind::Pe(0x014c)),
];

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    /// The machine, and whether it is linked with glibc.
    Elf(u16, bool),
    Pe(u16),
}

/// Returns the jar with this classifier, or the whole one.
fn jar(classifier: &str) -> PathBuf {
    let dash = if classifier.is_empty() { "" } else { "-" };
    let version = env!("CARGO_PKG_VERSION");
    root().join(format!(
        "bindings/java/target/resup-{version}{dash}{classifier}.jar"
    ))
}

/// Unpacks a jar, and returns the paths below io/resup/native.
fn natives(bench: &Bench, jar: &Path) -> (PathBuf, Vec<String>) {
    let dir = bench.dir(jar.file_stem().unwrap().to_str().unwrap());
    words(Command::new("jar").current_dir(&dir).arg("xf").arg(jar));
    for class in ["ResumableUpload", "Loader", "Native"] {
        let class = format!("io/resup/{class}.class");
        assert!(dir.join(&class).exists(), "{}: {class}", jar.display());
    }
    assert!(dir.join("META-INF/licences/THIRD-PARTY.txt").exists());
    let libraries = dir.join("io/resup/native");
    let mut find = Command::new("find");
    find.current_dir(&libraries)
        .args([".", "-type", "f", "-printf", "%P\n"]);
    let mut found = words(&mut find);
    found.sort();
    (libraries, found)
}

fn kind(library: &Path) -> Kind {
    let bytes = std::fs::read(library).unwrap();
    let at = |place: usize| u16::from_le_bytes([bytes[place], bytes[place + 1]]);
    match &bytes[..4] {
        b"\x7fELF" => Kind::Elf(at(18), bytes.windows(8).any(|it| it == b"GLIBC_2.")),
        _ => Kind::Pe(at(usize::from(at(0x3c)) + 4)),
    }
}

#[test]
fn the_jar_has_a_library_for_each_platform_and_each_platform_a_jar_with_its_own() {
    let bench = Bench::new();
    let (dir, found) = natives(&bench, &jar(""));
    let mut wanted: Vec<_> = PLATFORMS
        .iter()
        .map(|(name, file, _)| format!("{name}/{file}"))
        .collect();
    wanted.sort();
    assert_eq!(found, wanted);
    for (name, file, of) in PLATFORMS {
        let library = format!("{name}/{file}");
        assert_eq!(kind(&dir.join(&library)), of, "{name}");
        let (_, found) = natives(&bench, &jar(name));
        assert_eq!(found, [library], "{name}");
        println!("{name}: {} bytes", jar(name).metadata().unwrap().len());
    }
    println!("all: {} bytes", jar("").metadata().unwrap().len());
}

/// Returns the program that is the Java of a platform.
fn java_of(platform: &str) -> PathBuf {
    if platform == "linux-x86_64" {
        return "java".into();
    }
    let dir = std::env::var_os("RESUP_JAVAS");
    let dir = dir.expect("RESUP_JAVAS, as make test-java-platforms sets it");
    Path::new(&dir).join(platform).join("java")
}

/// A compiled program and its Java.
struct Program<'a> {
    java: &'a Path,
    classes: &'a Path,
}

impl Program<'_> {
    fn command(&self, jar: &Path) -> Command {
        let mut command = Command::new(self.java);
        let path = format!("{}:{}", jar.display(), self.classes.display());
        // Cargo's leads to the library of this build, which would go before the jar's.
        command.env_remove("LD_LIBRARY_PATH");
        command.args(["-Xmx256m", "-cp", &path, "Platforms"]);
        command
    }

    /// Uploads by the whole jar, and returns what the program prints.
    fn upload(&self, bench: &Bench, url: &str, file: &Path, more: &[&Path]) -> String {
        let mut command = self.command(&jar(""));
        command.arg(url).arg(file).args(more);
        let ended = bench.run(&mut command, LIMIT);
        ended.assert_success();
        ended.stdout
    }
}

fn number(said: &str, name: &str) -> u64 {
    let (_, rest) = said.split_once(name).unwrap_or_else(|| panic!("{said}"));
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

fn id(said: &str) -> &str {
    let (_, rest) = said.split_once("id=").unwrap_or_else(|| panic!("{said}"));
    rest.split_whitespace().next().unwrap()
}

/// Uploads over a connection that is cut once.
fn break_and_go_on(bench: &Bench, program: &Program, file: &Path) {
    let receiver = Receiver::start();
    let plan = |number, _: &mut fastrand::Rng| Faults {
        cut_up_after: (number == 0).then_some(700_000),
        ..Faults::default()
    };
    let cutting = ChaosProxy::start(receiver.addr(), plan, 0);
    let url = format!("http://{}/upload", cutting.addr());
    let said = program.upload(bench, &url, file, &[]);
    assert!(number(&said, "attempts=") > 1, "{said}");
    files::assert_same(file, &receiver.stored_file(id(&said)));
}

/// Kills the Java on its way, and uploads again.
fn kill_and_go_on(bench: &Bench, program: &Program, file: &Path) {
    let receiver = Receiver::start();
    let plan = |_, _: &mut fastrand::Rng| Faults {
        rate_up: Some(2_000_000),
        ..Faults::default()
    };
    let slow = ChaosProxy::start(receiver.addr(), plan, 0);
    let mut command = program.command(&jar(""));
    command
        .arg(format!("http://{}/upload", slow.addr()))
        .arg(file);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    while slow.bytes_up() < 1_500_000 {
        std::thread::sleep(Duration::from_millis(5));
        assert!(child.try_wait().unwrap().is_none(), "it is too fast");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let said = program.upload(bench, &receiver.endpoint(), file, &[]);
    assert!(number(&said, "skipped=") > 0, "{said}");
    files::assert_same(file, &receiver.stored_file(id(&said)));
}

/// A server is trusted by the CA that the program names, and not by another one.
fn verify_tls(bench: &Bench, program: &Program, file: &Path) {
    let secure = ModelReceiver::start_tls(Identity::new());
    let (right, wrong) = (bench.path("right.pem"), bench.path("wrong.pem"));
    std::fs::write(&right, secure.ca_pem()).unwrap();
    std::fs::write(&wrong, Authority::new().pem()).unwrap();
    let said = program.upload(bench, &secure.endpoint(), file, &[&wrong]);
    assert!(said.starts_with("TLS: "), "{said}");
    assert_eq!(secure.files().len(), 0);
    let said = program.upload(bench, &secure.endpoint(), file, &[&right]);
    assert_eq!(number(&said, "skipped="), 0);
    let (_, stored) = secure.files().swap_remove(0);
    assert!(stored == std::fs::read(file).unwrap());
}

/// A jar for one platform alone serves that; in another one the message names both.
fn take_small_jars(bench: &Bench, program: &Program, platform: &str) {
    for (name, ..) in PLATFORMS {
        let mut command = program.command(&jar(name));
        let ended = bench.run(command.args(["http://127.0.0.1:9/", "missing"]), LIMIT);
        let said = &ended.stdout;
        if name == platform {
            assert!(said.starts_with("SOURCE_NOT_FOUND: "), "{said}");
        } else {
            for part in [
                &format!("no native library for {platform} (Java says os.name=Linux, os.arch="),
                &format!("io/resup/native/{platform}/libresup_jni.so is not among"),
                &format!("for [{name}]. Take the jar without a classifier"),
                &format!("the one with the classifier {platform}"),
            ] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
    }
}

/// Does all that in the Java of a platform.
fn upload_in_java_of(platform: &str) {
    let bench = Bench::new();
    let classes = bench.dir("classes");
    let source = root().join("tests/java_platforms/Platforms.java");
    let mut javac = Command::new("javac");
    javac
        .args(["--release", "8", "-Xlint:-options", "-cp"])
        .arg(jar(""));
    words(javac.arg("-d").arg(&classes).arg(source));
    let file = bench.path("video.mp4");
    files::make(&file, 5_000_000, 3).unwrap();
    let java = java_of(platform);
    let program = Program {
        java: &java,
        classes: &classes,
    };
    break_and_go_on(&bench, &program, &file);
    kill_and_go_on(&bench, &program, &file);
    verify_tls(&bench, &program, &file);
    take_small_jars(&bench, &program, platform);
}

#[test]
fn uploads_on_linux_x86_64() {
    upload_in_java_of("linux-x86_64");
}

#[test]
fn uploads_on_linux_x86_64_with_musl() {
    upload_in_java_of("linux-x86_64-musl");
}

#[test]
fn uploads_on_linux_aarch64() {
    upload_in_java_of("linux-aarch64");
}

#[test]
fn uploads_on_linux_aarch64_with_musl() {
    upload_in_java_of("linux-aarch64-musl");
}

//! Where the first steps are taken: a fresh clone, or a directory that has what `make` would build there.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use resup_test_support::guide::blocks;
use resup_test_support::{files, receiver, tools};

use crate::harness::{library_dir, root, shared_library, words};

/// What a file of a gigabyte is where steps are only sampled.
const SAMPLE: &str = "3000000";
/// The beginning of the line that starts the receiver, and the address and directory in it.
const SERVER: &str = "target/release/resup-receiver ";
const ADDRESS: &str = "127.0.0.1:8080";
const UPLOADS: &str = "/tmp/uploads";
/// Lines that open a window, which other tests look into.
const WINDOWS: [&str; 2] = ["./window ", "UploadWindow.java"];

pub struct Place {
    pub dir: PathBuf,
    /// Whether this is a fresh clone, where the steps build all.
    pub fresh: bool,
    addr: SocketAddr,
    uploads: tempfile::TempDir,
    server: RefCell<Option<Child>>,
    // The last, so that all else is gone before.
    _staged: Option<tempfile::TempDir>,
}

impl Place {
    /// Takes the clone that `RESUP_FIRST_STEPS` names, or makes the directory.
    pub fn new() -> Self {
        let addr = free_address();
        let clone = std::env::var_os("RESUP_FIRST_STEPS").map(PathBuf::from);
        let staged = clone.is_none().then(stage);
        let dir = clone.unwrap_or_else(|| staged.as_ref().unwrap().path().to_owned());
        Place {
            dir,
            fresh: staged.is_none(),
            addr,
            uploads: tempfile::tempdir().unwrap(),
            server: RefCell::default(),
            _staged: staged,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a program from a page: the first block of this language in the section.
    pub fn write(&self, name: &str, page: &str, heading: &str, language: &str) {
        let text = section(page, heading, language).swap_remove(0);
        std::fs::write(self.path(name), self.here(&text)).unwrap();
    }

    /// Makes the file that programs upload.
    pub fn make_video(&self) {
        files::make(&self.path("video.mp4"), 3_000_000, 1).unwrap();
    }

    /// Makes the jar for this machine of this build, where `make java-local` does.
    pub fn make_jar(&self) {
        let built = library_dir();
        let mut cargo = tools::cargo();
        cargo
            .current_dir(root())
            .args(["build", "--quiet", "--workspace"]);
        cargo.args(["--lib", "--test", "first_steps", "--target-dir"]);
        words(cargo.arg(built.parent().unwrap()));
        let classes = self.path("classes");
        let sources = std::fs::read_dir(root().join("bindings/java/src/main/java/io/resup"));
        let sources = sources.unwrap().map(|it| it.unwrap().path());
        words(Command::new("javac").arg("-d").arg(&classes).args(sources));
        let native = classes.join("io/resup/native/linux-x86_64");
        std::fs::create_dir_all(&native).unwrap();
        let library = "libresup_jni.so";
        std::os::unix::fs::symlink(built.join(library), native.join(library)).unwrap();
        let target = self.path("bindings/java/target");
        std::fs::create_dir_all(&target).unwrap();
        let jar = target.join(concat!("resup-", env!("CARGO_PKG_VERSION"), ".jar"));
        let mut command = Command::new("jar");
        command
            .arg("--create")
            .arg("--no-compress")
            .arg("--file")
            .arg(jar);
        words(command.arg("-C").arg(classes).arg("."));
    }

    /// Takes the steps of a section of a page: all its lines for the shell. Returns what they said.
    pub fn follow(&self, page: &str, heading: &str) -> String {
        self.follow_text(&section(page, heading, "sh").concat())
    }

    /// Takes these steps. What only builds what is there already, and opens windows, is passed over; the receiver is started
    /// where a line does that.
    pub fn follow_text(&self, text: &str) -> String {
        let mut said = String::new();
        let mut script = String::new();
        for line in text.lines() {
            if line.starts_with(SERVER) {
                said += &self.run(&std::mem::take(&mut script));
                self.start(line);
            } else if self.is_step(line) {
                let line = match self.fresh {
                    true => line.to_owned(),
                    false => sampled(line),
                };
                script += &(line + "\n");
            }
        }
        said + &self.run(&script)
    }

    fn is_step(&self, line: &str) -> bool {
        let builds = ["make ", "cargo "].iter().any(|it| line.starts_with(it));
        let opens = WINDOWS.iter().any(|it| line.contains(it));
        (self.fresh || !builds) && !opens
    }

    /// Runs lines of a shell, which must succeed; returns what they wrote.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        if script.is_empty() {
            return String::new();
        }
        let output = self.try_run(script);
        let [out, err] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
        assert!(
            output.status.success(),
            "{script}\n{out}\n{err}\n{}",
            output.status
        );
        format!("{out}{err}")
    }

    pub fn try_run(&self, script: &str) -> Output {
        let mut shell = self.shell(&self.here(script));
        shell.stdin(Stdio::null()).output().unwrap()
    }

    /// Makes a command of a shell for whom all is new, but the tools of this machine.
    pub fn shell(&self, script: &str) -> Command {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        let mut shell = Command::new("sh");
        shell.current_dir(&self.dir).args(["-e", "-c", script]);
        // Of this test, which has a target directory and settings of its own.
        tools::forget_package(&mut shell);
        for name in [
            "CARGO",
            "CARGO_TARGET_DIR",
            "CARGO_INCREMENTAL",
            "LD_LIBRARY_PATH",
            "MAKEFLAGS",
            "MFLAGS",
            "MAKELEVEL",
        ] {
            shell.env_remove(name);
        }
        let ours = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for name in ours.filter(|name| name.starts_with("RESUP_")) {
            shell.env_remove(name);
        }
        for (name, dir) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let own = std::env::var_os(name).map(PathBuf::from);
            shell.env(name, own.unwrap_or_else(|| home.join(dir)));
        }
        shell.env("HOME", self.home());
        // Maven has a repository of its own, into which `make` has copied what there was.
        let repository = self.dir.with_file_name("m2");
        shell.env(
            "MAVEN_OPTS",
            format!("-Dmaven.repo.local={}", repository.display()),
        );
        shell
    }

    pub fn home(&self) -> PathBuf {
        self.uploads.path().join("home")
    }

    /// Puts what this test has in the place of addresses and directories that the pages name.
    pub fn here(&self, text: &str) -> String {
        let uploads = self.uploads.path().join("data");
        text.replace(ADDRESS, &self.addr.to_string())
            .replace(UPLOADS, uploads.to_str().unwrap())
    }

    /// Starts the receiver by a line of a page, and waits until it listens.
    fn start(&self, line: &str) {
        let mut server = self.server.borrow_mut();
        if server.is_some() {
            return;
        }
        let line = line.split("  #").next().unwrap();
        let mut shell = self.shell(&self.here(&format!("exec {line}")));
        *server = Some(shell.stderr(Stdio::null()).spawn().unwrap());
        let began = Instant::now();
        while TcpStream::connect(self.addr).is_err() {
            let ended = server.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{line}: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(120), "{line}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Counts the bytes that the receiver has of files that are not complete.
    pub fn partial(&self) -> u64 {
        let dir = self.uploads.path().join("data/partial");
        let Ok(entries) = std::fs::read_dir(dir) else {
            return 0;
        };
        let sizes = entries.filter_map(|it| it.ok()?.metadata().ok());
        sizes.map(|it| it.len()).sum()
    }

    /// Checks that the receiver has this file.
    #[track_caller]
    pub fn assert_stored(&self, name: &str) {
        let file = self.path(name);
        let size = file.metadata().unwrap().len();
        let stored = std::fs::read_dir(self.uploads.path().join("data/files")).unwrap();
        let same = |path: &Path| {
            path.metadata().unwrap().len() == size
                && files::first_difference(path, &file).unwrap().is_none()
        };
        let found = stored.map(|it| it.unwrap().path()).any(|it| same(&it));
        assert!(found, "{} did not arrive", file.display());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Returns an address at which nobody listens.
pub fn free_address() -> SocketAddr {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    free.local_addr().unwrap()
}

/// Makes large files small.
fn sampled(line: &str) -> String {
    match line.strip_prefix("head -c ") {
        Some(rest) => format!("head -c {SAMPLE} {}", rest.split_once(' ').unwrap().1),
        None => line.to_owned(),
    }
}

/// Makes a directory with the sources that users compile, and in target/release what `make lib receiver` makes, of this
/// test's build.
fn stage() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let release = dir.path().join("target/release");
    std::fs::create_dir_all(&release).unwrap();
    std::fs::create_dir(dir.path().join("bindings")).unwrap();
    for name in [
        "include",
        "bindings/cpp",
        "bindings/delphi",
        "examples",
        "README.md",
    ] {
        let to = dir.path().join(name);
        let mut cp = Command::new("cp");
        let copied = cp.arg("-R").arg(root().join(name)).arg(to).status();
        assert!(copied.unwrap().success());
    }
    let link = |from: &Path, name: &str| {
        std::os::unix::fs::symlink(from, release.join(name)).unwrap();
    };
    link(&shared_library(), "libresup.so");
    link(&shared_library(), "libresup.so.0.1");
    link(&library_dir().join("libresup.a"), "libresup.a");
    link(receiver::binary(), "resup-receiver");
    dir
}

/// Returns the blocks of a language in a section of a page.
pub fn section(page: &str, heading: &str, language: &str) -> Vec<String> {
    let found = blocks(&root().join(page)).into_iter();
    let found = found.filter(|it| it.heading == heading && it.language == language);
    let texts: Vec<_> = found.map(|it| it.text).collect();
    assert!(!texts.is_empty(), "no {language} in {page}, {heading}");
    texts
}

//! A receiver on a disk that fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use resup_test_support::preload;

use super::Receiver;

/// Compiles the library that makes calls fail.
pub fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fault/fault.c");
        preload::compile(Path::new(source), Path::new(env!("CARGO_TARGET_TMPDIR")))
    })
}

/// A receiver, and what makes its calls fail.
pub struct Faulty {
    pub receiver: Receiver,
    control: PathBuf,
}

impl Faulty {
    pub fn start(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let control = dir.path().join("fault");
        let preload = library().to_owned();
        let fault = control.clone();
        let receiver = Receiver::start_changed(dir, flags, move |command| {
            command.env("LD_PRELOAD", &preload).env("FAULT", &fault);
        });
        Self { receiver, control }
    }

    /// Makes a call fail with an error, or hang where that is 0, on files with a part in their path.
    pub fn fail(&self, (call, errno, part): (&str, i32, &str)) {
        // At once and whole, for those who read it meanwhile.
        let new = self.control.with_extension("new");
        fs::write(&new, format!("{call} {errno} {part}")).unwrap();
        fs::rename(&new, &self.control).unwrap();
    }

    pub fn mend(&self) {
        fs::remove_file(&self.control).unwrap();
    }
}

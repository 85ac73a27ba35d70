//! A small disk of its own below a receiver's data directory, to be filled.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::form_table::post;
use crate::tools;

/// A mounted file system with 1 MiB; it is unmounted when this is dropped.
pub struct SmallDisk {
    dir: PathBuf,
}

impl SmallDisk {
    /// Mounts one over a directory; `None` where only root may, and this is not root.
    ///
    /// # Panics
    ///
    /// When `mount` cannot be run.
    pub fn mount(dir: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(dir)
            .output()
            .expect("mount");
        if !mounted.status.success() {
            tools::skip("only root may mount a disk");
            return None;
        }
        let dir = dir.to_owned();
        Some(Self { dir })
    }

    /// Checks that a receiver on this disk says that it is full, and takes uploads when it no longer is.
    ///
    /// # Panics
    ///
    /// When the receiver does not.
    pub fn check(&self, addr: SocketAddr, path: &str) {
        let locate = |name: &str| {
            let form = format!("action=locate&name={name}&size=5");
            let kind = "application/x-www-form-urlencoded";
            post(addr, path, kind, form.as_bytes())
        };
        assert_eq!(locate("before").0, 200);
        let filler = self.dir.join("filler");
        fs::write(&filler, vec![0; 2 << 20]).expect_err("a full disk");
        // Some records may fit into what the database has.
        let refused = (0..200).find_map(|n| match locate(&n.to_string()) {
            (200, _) => None,
            other => Some(other),
        });
        let (status, answer) = refused.expect("a full database");
        assert_eq!(status, 507, "{answer}");
        assert!(answer.contains("no room"), "{answer}");
        fs::remove_file(filler).expect("the filler");
        let (status, answer) = locate("after");
        assert_eq!(status, 200, "{answer}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.dir).status();
    }
}

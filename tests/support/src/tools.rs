//! Programs that some tests need and not every machine has.

use std::path::PathBuf;

/// The environment variable that makes a missing tool a failure; `make test` and CI set it.
const NEED_TOOLS: &str = "RESUP_NEED_TOOLS";

/// Finds a program. When it is not installed, returns `None` and prints a line.
///
/// # Panics
///
/// When it is not installed and `RESUP_NEED_TOOLS` is `1`.
pub fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers are in a directory that only root's PATH may have.
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = dirs.map(|dir| dir.join(tool)).find(|file| file.is_file());
    if found.is_none() {
        let needed = std::env::var_os(NEED_TOOLS).is_some_and(|value| value == "1");
        assert!(!needed, "{tool} is not installed");
        println!("skipped: {tool} is not installed");
    }
    found
}

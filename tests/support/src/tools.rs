//! Programs that some tests need and not every machine has.

use std::path::PathBuf;

/// A flag for `make test` and CI: a tool that is missing is a failure, not a shrug.
const NEED_TOOLS: &str = "RESUP_NEED_TOOLS";

/// Where a program is. `None`, and a printed line, when it is not installed.
///
/// # Panics
///
/// When it is not installed and `RESUP_NEED_TOOLS` is `1`.
pub fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers lie where only root's PATH may lead.
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = dirs.map(|dir| dir.join(tool)).find(|file| file.is_file());
    if found.is_none() {
        let needed = std::env::var_os(NEED_TOOLS).is_some_and(|value| value == "1");
        assert!(!needed, "{tool} is not installed");
        println!("skipped: {tool} is not installed");
    }
    found
}

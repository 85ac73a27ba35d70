//! What the tests of uploads begin with.

use std::path::PathBuf;
use std::time::Duration;

use resup::Client;
use resup_test_support::files;

/// A client that waits only briefly between its many attempts.
pub fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 8).unwrap();
    client.set_retry_limit(20);
    client
}

/// A file of so many bytes.
pub fn made(dir: &tempfile::TempDir, name: &str, size: u64) -> PathBuf {
    let path = dir.path().join(name);
    files::make(&path, size, 11).unwrap();
    path
}

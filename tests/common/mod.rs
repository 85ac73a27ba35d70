//! A client and a file for tests of uploads.
#![allow(dead_code)] // not every test uses all of it

use std::path::PathBuf;
use std::time::Duration;

use resup::Client;
use resup_test_support::files;

/// Makes a client with many attempts and short waits between them.
pub fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 8).unwrap();
    client.set_retry_limit(20);
    client
}

/// Makes a file of `size` bytes.
pub fn make_file(dir: &tempfile::TempDir, name: &str, size: u64) -> PathBuf {
    let path = dir.path().join(name);
    files::make(&path, size, 11).unwrap();
    path
}

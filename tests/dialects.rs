//! Forms of other people, by the presets of dialects: every file arrives byte for byte, whatever breaks on the way. The servers
//! are written from the documents of the clients that these dialects are of.

mod common;
#[path = "dialects/form.rs"]
mod form;
#[path = "dialects/lies.rs"]
mod lies;
#[path = "dialects/offsets.rs"]
mod offsets;
#[path = "dialects/runs.rs"]
mod runs;
#[path = "dialects/server.rs"]
mod server;
#[path = "dialects/sizes.rs"]
mod sizes;

use std::path::PathBuf;

use common::client;
use resup::{Client, Error, SegmentSize, Upload};
use resup_test_support::files;
use server::{Fault, FormServer};

/// Bytes in a chunk of these tests.
const CHUNK: u64 = 1000;

/// The dialects of files in chunks.
const PRESETS: [&str; 10] = [
    "resumable.js",
    "flow.js",
    "simple-uploader",
    "webuploader",
    "plupload",
    "fineuploader",
    "dropzone",
    "jquery-file-upload",
    "ng-file-upload",
    "nginx-upload-module",
];

/// Those in which the server is asked what it has.
const ASKED: [&str; 4] = [
    "resumable.js",
    "flow.js",
    "simple-uploader",
    "jquery-file-upload",
];

/// A file, and a place for its state.
struct Scene {
    dir: tempfile::TempDir,
    path: PathBuf,
}

impl Scene {
    fn new(size: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a file.bin");
        files::make(&path, size, 7).unwrap();
        Scene { dir, path }
    }

    fn content(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }

    fn upload(&self, client: &Client) -> Upload {
        let mut upload = Upload::from_file(client, &self.path).unwrap();
        upload.set_segment_size(SegmentSize::Fixed(CHUNK)).unwrap();
        upload
            .set_state_file(self.dir.path().join("state"))
            .unwrap();
        upload
    }
}

/// Makes a client that speaks a dialect.
fn speaking(dialect: &str, server: &FormServer) -> Client {
    let client = client(&server.endpoint());
    client.set_dialect(dialect).unwrap();
    client
}

/// Uploads a file once.
fn run(dialect: &str, server: &FormServer, scene: &Scene) -> Result<(), Error> {
    scene.upload(&speaking(dialect, server)).run()
}

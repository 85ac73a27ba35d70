//! A server for S3 with presigned URLs, a proxy before it, and files to upload.

use std::path::{Path, PathBuf};
use std::time::Duration;

use resup::{Client, Upload};
use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{first, Fault, HttpProxy};
use resup_test_support::s3::{Kind, S3Server};

/// The size of a part, as the sample has it.
pub const PART: u64 = 8 << 20;
/// Four parts, the last of which is short.
pub const SIZE: u64 = 3 * PART + 4321;
pub const COUNT: usize = 4;
pub const LONG: u32 = 86_400;

/// A server behind a proxy, and a directory.
pub struct Scene {
    pub server: S3Server,
    pub proxy: HttpProxy,
    pub dir: tempfile::TempDir,
}

impl Scene {
    pub fn with(
        kind: Kind,
        plan: impl FnMut(&RequestHead, u64) -> Fault + Send + 'static,
    ) -> Option<Self> {
        let server = S3Server::start(kind)?;
        Some(Scene {
            proxy: HttpProxy::start(server.addr(), plan),
            server,
            dir: tempfile::tempdir().unwrap(),
        })
    }

    pub fn file(&self, size: u64) -> PathBuf {
        let path = self.dir.path().join("file.bin");
        files::make(&path, size, size).unwrap();
        path
    }

    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub fn sign(&self, size: u64) -> String {
        self.server.sign(self.proxy.addr(), size, None, LONG)
    }

    pub fn upload(&self, file: &Path, parts: &str) -> Upload {
        let mut upload = Upload::from_file(&client(), file).unwrap();
        upload.set_parts(parts).unwrap();
        upload.set_state_file(self.state()).unwrap();
        upload
    }

    #[track_caller]
    pub fn check(&self, file: &Path) {
        let stored = self.server.file();
        let is_same = stored.is_some_and(|stored| stored == std::fs::read(file).unwrap());
        assert!(is_same, "{:?}", self.server.kind());
        assert_eq!(self.server.unfinished(), 0, "{:?}", self.server.kind());
    }

    /// Gives how many parts came to the proxy, and had an answer.
    pub fn stored_parts(&self) -> usize {
        let exchanges = self.proxy.exchanges();
        let stored = exchanges
            .iter()
            .filter(|it| it.head.method == "PUT" && it.response.is_some());
        stored.count()
    }
}

/// Makes a client of a server that is not there: the URLs of the parts take its place.
pub fn client() -> Client {
    let client = Client::new("http://127.0.0.1:1/nothing").unwrap();
    let short = Duration::from_millis(20);
    client.set_retry_backoff(short, short * 8).unwrap();
    client.set_retry_limit(40);
    client.set_bearer_token("not-for-the-storage").unwrap();
    client
}

/// Leaves keys out of the URLs.
pub fn without(parts: &str, keys: &[&str]) -> String {
    let mut map: serde_json::Map<String, serde_json::Value> = serde_json::from_str(parts).unwrap();
    map.retain(|key, _| !keys.contains(&key.as_str()));
    serde_json::Value::from(map).to_string()
}

/// Whether a request is the library's, and not one of the sample that signs.
pub fn is_presigned(head: &RequestHead) -> bool {
    head.target.contains("X-Amz-Signature")
}

/// Does `fault` to the library's requests of a method, the first `times` of them.
pub fn on(
    method: &'static str,
    times: u64,
    fault: Fault,
) -> impl FnMut(&RequestHead, u64) -> Fault + Send {
    let which = move |head: &RequestHead| head.method == method && is_presigned(head);
    first(times, which, fault)
}

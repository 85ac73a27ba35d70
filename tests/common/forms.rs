//! A server for forms behind a proxy, and a directory for files.

use std::path::PathBuf;
use std::time::Duration;

use resup::Client;
use resup_test_support::files;
use resup_test_support::forms::{FormApp, Kind};
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{Fault, HttpProxy};

pub struct Scene {
    pub kind: Kind,
    pub server: FormApp,
    pub proxy: HttpProxy,
    pub dir: tempfile::TempDir,
}

impl Scene {
    pub fn with(
        kind: Kind,
        plan: impl FnMut(&RequestHead, u64) -> Fault + Send + 'static,
    ) -> Option<Self> {
        let server = FormApp::start(kind)?;
        Some(Scene {
            kind,
            proxy: HttpProxy::start(server.addr(), plan),
            server,
            dir: tempfile::tempdir().unwrap(),
        })
    }

    pub fn client(&self) -> Client {
        let client = Client::new(&self.server.endpoint_at(self.proxy.addr())).unwrap();
        client.set_dialect(&self.server.dialect()).unwrap();
        let short = Duration::from_millis(20);
        client.set_retry_backoff(short, short * 8).unwrap();
        client
    }

    /// Makes a file of this size, named by it, once.
    pub fn file(&self, size: u64) -> PathBuf {
        let path = self.dir.path().join(format!("file_{size}.bin"));
        if !path.exists() {
            files::make(&path, size, size).unwrap();
        }
        path
    }
}

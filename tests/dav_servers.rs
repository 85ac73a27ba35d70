//! Files go to WebDAV servers of other people, whatever breaks on the way. `make servers` fetches dufs; the others are packages.

#[path = "dav_servers/breaks.rs"]
mod breaks;
#[path = "c/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "dav_servers/kills.rs"]
mod kills;
#[path = "dav_servers/read_back.rs"]
mod read_back;
#[path = "common/steps.rs"]
mod steps;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use resup::{Client, ProtocolName, Upload};
use resup_test_support::dav::{is_probe, DavServer, Kind, ALL};
use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{Fault, HttpProxy};

/// The size of a file that goes up in parts where the server takes them.
const SIZE: u64 = 3 << 20;

/// A server behind a proxy, and a directory for files.
struct Scene {
    server: DavServer,
    proxy: HttpProxy,
    dir: tempfile::TempDir,
}

impl Scene {
    fn with(
        kind: Kind,
        plan: impl FnMut(&RequestHead, u64) -> Fault + Send + 'static,
    ) -> Option<Self> {
        let server = DavServer::start(kind)?;
        Some(Scene {
            proxy: HttpProxy::start(server.addr(), plan),
            server,
            dir: tempfile::tempdir().unwrap(),
        })
    }

    fn kind(&self) -> Kind {
        self.server.kind()
    }

    fn client(&self) -> Client {
        let client = client(&format!("http://{}/", self.proxy.addr()));
        client.set_protocol(ProtocolName::Dav);
        client
    }

    fn file(&self, size: u64) -> PathBuf {
        let path = self.dir.path().join("a file ü%.bin");
        files::make(&path, size, size).unwrap();
        path
    }

    /// Gives the files at the server, without the small ones by which clients find out what it takes. (One stays where its
    /// client was killed.)
    fn stored(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut dirs = vec![self.server.data()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true if path.ends_with(".DAV") => {}
                    true => dirs.push(path),
                    false if is_probe(&path) => {}
                    false => found.push(path),
                }
            }
        }
        found
    }

    /// Checks that the server has this file and no other one, and that no request left a byte out, or sent one again that
    /// the server had told of.
    #[track_caller]
    fn check(&self, file: &Path) {
        self.check_content(file);
        let mut told = 0;
        for exchange in self.proxy.exchanges() {
            let head = &exchange.head;
            if head.target.contains("resup-probe") {
                continue;
            }
            let range = head.header("content-range");
            if let Some(range) = range.or(head.header("x-update-range")) {
                let from = range.trim_start_matches(|c: char| !c.is_ascii_digit());
                let from: u64 = from.split('-').next().unwrap().parse().unwrap();
                // A `PATCH` begins with the last byte that is there.
                let overlap = u64::from(head.method == "PATCH" && told > 0);
                assert_eq!(from + overlap, told, "{exchange:?}");
            }
            let response = exchange.response.as_ref();
            if head.method == "HEAD" && response.is_some_and(|it| it.status == 200) {
                let length = response.unwrap().header("content-length");
                told = length.map_or(0, |length| length.parse().unwrap());
            }
        }
    }

    /// Checks that the server has this file and no other one.
    #[track_caller]
    fn check_content(&self, file: &Path) {
        let name = file.file_name().unwrap();
        let wanted = self.server.data().join(name);
        assert_eq!(
            self.stored(),
            std::slice::from_ref(&wanted),
            "{:?}",
            self.kind()
        );
        files::assert_same(file, &wanted);
    }

    fn count(&self, method: &str) -> usize {
        let exchanges = self.proxy.exchanges();
        exchanges
            .iter()
            .filter(|it| it.head.method == method)
            .count()
    }
}

fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(20);
    client.set_retry_backoff(short, short * 8).unwrap();
    client.set_retry_limit(60);
    client
}

fn scenes() -> impl Iterator<Item = Scene> {
    ALL.into_iter()
        .filter_map(|kind| Scene::with(kind, |_, _| Fault::None))
}

#[test]
fn files_arrive_and_once_more_need_no_byte() {
    for size in [0, 1, 1000, SIZE] {
        for scene in scenes() {
            let kind = scene.kind();
            let (client, file) = (scene.client(), scene.file(size));
            for run in 0..2 {
                let mut upload = Upload::from_file(&client, &file).unwrap();
                let result = upload.run();
                result.unwrap_or_else(|e| panic!("{kind:?}: {size} bytes: {e}"));
                let remote = upload.remote();
                assert_eq!(remote.protocol(), Some("dav"));
                let location = remote.location().unwrap();
                assert!(
                    location.ends_with("/a%20file%20%C3%BC%25.bin"),
                    "{location}"
                );
                let skipped = remote.snapshot().bytes_skipped;
                assert_eq!(skipped, run * size, "{kind:?}");
            }
            scene.check(&file);
            let asks = scene.count("OPTIONS");
            assert_eq!(
                asks,
                usize::from(size == SIZE),
                "{kind:?}: only a large file needs that"
            );
        }
    }
}

#[test]
fn collections_are_made() {
    for scene in scenes() {
        let kind = scene.kind();
        for (dir, size) in [("x y/z", SIZE), ("x y/z", 10), ("x y/other", 10)] {
            let (client, file) = (scene.client(), scene.file(size));
            let mut upload = Upload::from_file(&client, &file).unwrap();
            upload.set_directory(dir).unwrap();
            upload.set_name(&format!("{size}")).unwrap();
            upload
                .run()
                .unwrap_or_else(|e| panic!("{kind:?}: {dir}: {e}"));
            let stored = scene.server.data().join(dir).join(format!("{size}"));
            files::assert_same(&file, &stored);
        }
        assert_eq!(scene.stored().len(), 3);
    }
}

#[test]
fn another_file_is_left_as_it_is() {
    for scene in scenes() {
        let (client, file) = (scene.client(), scene.file(SIZE));
        let there = scene.server.data().join(file.file_name().unwrap());
        for other in ["another file".repeat(1000), "z".repeat(SIZE as usize)] {
            fs::write(&there, &other).unwrap();
            let mut upload = Upload::from_file(&client, &file).unwrap();
            let error = upload.run().unwrap_err().to_string();
            assert!(
                error.starts_with("another file is at /a%20file"),
                "{:?}: {error}",
                scene.kind()
            );
            assert!(fs::read_to_string(&there).unwrap() == other);
            let _ = fs::remove_file(&there);
        }
    }
}

#[test]
fn servers_that_show_webdav_are_found() {
    for scene in scenes() {
        let kind = scene.kind();
        let (client, file) = (scene.client(), scene.file(SIZE));
        client.set_protocol(ProtocolName::Auto);
        let mut upload = Upload::from_file(&client, &file).unwrap();
        match (kind, upload.run()) {
            // They forbid forms, which says nothing about the protocol.
            (Kind::Lighttpd | Kind::LighttpdPlain | Kind::Nginx, result) => {
                let error = result.unwrap_err().to_string();
                assert!(error.contains("403"), "{error}");
            }
            (_, result) => {
                result.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
                assert_eq!(upload.remote().protocol(), Some("dav"));
                scene.check(&file);
            }
        }
    }
}

#[test]
fn the_guides_steps_bring_files_to_each_server() {
    for scene in scenes() {
        let heading = match scene.kind() {
            Kind::Apache | Kind::Dufs => "… Apache, dufs, or another one for WebDAV",
            _ => "… lighttpd or nginx",
        };
        let endpoint = format!("http://{}/", scene.proxy.addr());
        if let Some(steps) = steps::take("my-server.md", heading, &endpoint) {
            steps.check(&scene.stored());
        }
    }
}

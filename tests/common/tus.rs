//! Uploads to servers of other people, by tus or by the IETF's protocol, through a proxy that records them.
#![allow(dead_code)] // not every test uses all of it

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resup::{Client, Flow, LogLevel, ProtocolName, Upload};
use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{Exchange, Fault, HttpProxy};
use resup_test_support::tus::{Kind, Setup, TusServer, ALL};

/// Gives the settings of each server: by tus, and of those that can by the IETF's protocol.
pub fn setups() -> impl Iterator<Item = Setup> {
    let by_tus = ALL.into_iter().chain([Kind::Receiver]).map(Setup::new);
    by_tus.chain([Kind::Tusd, Kind::Receiver].map(|kind| Setup::new(kind).ietf()))
}

/// A server behind a proxy, and a directory for files.
pub struct Scene {
    pub name: String,
    pub server: TusServer,
    pub proxy: HttpProxy,
    pub dir: tempfile::TempDir,
}

impl Scene {
    /// Starts a server behind a proxy with faults.
    pub fn with(
        setup: Setup,
        plan: impl FnMut(&RequestHead, u64) -> Fault + Send + 'static,
    ) -> Option<Self> {
        let name = name(&setup);
        let server = setup.start()?;
        Some(Self {
            name,
            proxy: HttpProxy::start(server.addr(), plan),
            server,
            dir: tempfile::tempdir().unwrap(),
        })
    }

    pub fn kind(&self) -> Kind {
        self.server.kind()
    }

    pub fn endpoint(&self) -> String {
        self.server.endpoint_at(self.proxy.addr())
    }

    /// Makes a client that speaks the protocol that the server was started for.
    pub fn client(&self) -> Client {
        let client = client(&self.endpoint());
        client.set_protocol(self.protocol());
        client
    }

    pub fn protocol(&self) -> ProtocolName {
        match self.server.setup().is_ietf() {
            true => ProtocolName::Ietf,
            false => ProtocolName::Tus,
        }
    }

    /// Makes a file of so many bytes.
    pub fn file(&self, size: u64) -> PathBuf {
        let path = self.dir.path().join(format!("file {size}.bin"));
        files::make(&path, size, size).unwrap();
        path
    }

    /// Makes an upload of a file, with a state file.
    pub fn upload(&self, client: &Client, file: &Path) -> Upload {
        let mut upload = Upload::from_file(client, file).unwrap();
        upload.set_state_file(self.state_file()).unwrap();
        upload
    }

    pub fn state_file(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Checks that the server has the file at the URL that an upload tells, and that no request sent a byte that
    /// the server had confirmed, or left one out.
    #[track_caller]
    pub fn check(&self, upload: &Upload, file: &Path) {
        let url = upload.remote().id().expect("a URL");
        files::assert_same(file, &self.server.stored_file(&url));
        check_offsets(&self.proxy.exchanges());
    }

    /// Gives the methods of all requests so far.
    pub fn methods(&self) -> Vec<String> {
        methods(&self.proxy)
    }
}

/// Gives the name by which tests speak of a server.
pub fn name(setup: &Setup) -> String {
    let ietf = if setup.is_ietf() {
        " by the IETF's protocol"
    } else {
        ""
    };
    format!("{:?}{ietf}", setup.kind())
}

/// Starts each of the servers behind a proxy without faults.
pub fn scenes() -> impl Iterator<Item = Scene> {
    setups().filter_map(|setup| Scene::with(setup, |_, _| Fault::None))
}

/// Makes a client with many attempts and short waits between them.
pub fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(20);
    client.set_retry_backoff(short, short * 8).unwrap();
    client.set_retry_limit(60);
    client
}

/// Gives the methods of all requests that passed.
pub fn methods(proxy: &HttpProxy) -> Vec<String> {
    let exchanges = proxy.exchanges();
    exchanges.into_iter().map(|it| it.head.method).collect()
}

/// Checks that every request appended at the offset that the server had told last.
#[track_caller]
pub fn check_offsets(exchanges: &[Exchange]) {
    let mut told = HashMap::new();
    let path = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
    for exchange in exchanges {
        let target = path(&exchange.head.target);
        if exchange.head.method == "PATCH" {
            let from = exchange.head.header("upload-offset").expect("an offset");
            let from: u64 = from.parse().unwrap();
            assert_eq!(told.get(&target), Some(&from), "{exchange:?}");
        }
        let Some(response) = &exchange.response else {
            continue;
        };
        // By the IETF's protocol a 409 tells the offset, too.
        if response.status >= 300 && response.status != 409 {
            continue;
        }
        if let Some(made) = response.header("location") {
            told.insert(path(made), 0);
        } else if let Some(offset) = response.header("upload-offset") {
            told.insert(target, offset.parse().unwrap());
        }
    }
}

/// Gives the sizes of files that are there beside `count` uploads. At uploadx an upload without a name, as it makes of a
/// form, cannot be removed; one may stay, if it is empty.
pub fn left_over(scene: &Scene, count: u64) -> Vec<u64> {
    let files = scene.server.files();
    let mut sizes: Vec<_> = files
        .iter()
        .map(|it| it.metadata().unwrap().len())
        .collect();
    sizes.sort();
    let more = sizes.len() - usize::try_from(count).unwrap();
    sizes.truncate(more);
    if scene.kind() == Kind::Uploadx && sizes == [0] {
        sizes.clear();
    }
    sizes
}

/// The lines of a client's log.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn of(client: &Client) -> Self {
        let log = Log::default();
        let lines = log.clone();
        client.on_log(LogLevel::Debug, move |level, line| {
            lines.0.lock().unwrap().push(format!("{level:?} {line}"));
            Flow::Continue
        });
        log
    }

    pub fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

//! Azurite, Microsoft's server for what speaks to Azure's blobs, which `make servers` fetches.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::daemon::Daemon;
use crate::tools;
use crate::tus::target;

/// The account that each of these servers has.
const ACCOUNT: &str = "devstoreaccount1";
/// Its key, which is in Azurite's documentation.
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// How long it may take to save what it has.
const SAVED: Duration = Duration::from_secs(60);

/// Signs a request and sends it: the method, the path and the query are its arguments. It writes the body of the response.
const REQUEST: &str = "
import base64, email.utils, hashlib, hmac, os, sys, urllib.parse, urllib.request
method, path, query = sys.argv[1:]
account, host = 'devstoreaccount1', os.environ['HOST']
headers = {'x-ms-date': email.utils.formatdate(usegmt=True), 'x-ms-version': '2021-12-02'}
if method == 'PUT': headers['Content-Length'] = '0'
canonical = ''.join(f'{name}:{headers[name]}\\n' for name in sorted(headers) if name.startswith('x-ms-'))
resource = f'/{account}/{account}/{path}' + ''.join(f'\\n{name}:{value}' for name, value in sorted(urllib.parse.parse_qsl(query)))
text = '\\n'.join([method] + [''] * 11) + '\\n' + canonical + resource
signed = hmac.new(base64.b64decode(os.environ['KEY']), text.encode(), hashlib.sha256).digest()
headers['Authorization'] = f'SharedKey {account}:{base64.b64encode(signed).decode()}'
request = urllib.request.Request(f'http://{host}/{account}/{path}?{query}', method=method, headers=headers)
print(urllib.request.urlopen(request).read().decode())
";

/// A running server with a container of the name `bucket`; it is killed when this is dropped.
pub struct Azurite {
    daemon: Option<Daemon>,
    dir: tempfile::TempDir,
}

impl Azurite {
    /// Starts one; `None` when it is not here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start() -> Option<Self> {
        let mut server = Self {
            daemon: None,
            dir: tempfile::tempdir().expect("a directory"),
        };
        if !server.restart() {
            return None;
        }
        server.request("PUT", "restype=container");
        server.await_save();
        Some(server)
    }

    /// Waits until the container is on the disk: every few seconds Azurite writes what has changed.
    fn await_save(&self) {
        let path = self.dir.path().join("__azurite_db_blob__.json");
        let until = Instant::now() + SAVED;
        while !fs::read_to_string(&path).is_ok_and(|text| text.contains("\"bucket\"")) {
            assert!(Instant::now() < until, "{} has no bucket", path.display());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns the address at which it listens. It changes with every restart.
    ///
    /// # Panics
    ///
    /// When it is killed.
    pub fn addr(&self) -> SocketAddr {
        self.daemon.as_ref().expect("it runs").addr()
    }

    /// Returns the store's address for a receiver, by way of a proxy.
    pub fn store(&self, proxy: SocketAddr) -> String {
        format!("az://bucket/some/where?account={ACCOUNT}&endpoint=http://{proxy}/{ACCOUNT}")
    }

    /// Returns the environment of who may use it.
    pub fn access() -> (&'static str, &'static str) {
        ("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    }

    /// Returns the names of its blobs.
    ///
    /// # Panics
    ///
    /// When it cannot be asked.
    pub fn keys(&self) -> Vec<String> {
        let list = self.request("GET", "comp=list&restype=container");
        let names = list.split("<Name>").skip(1);
        let names = names.filter_map(|rest| rest.split('<').next());
        names.map(str::to_owned).collect()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        self.daemon = None;
    }

    /// Kills it if it runs, and starts it again on the same data, at a new port; `false` when it is not here.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) -> bool {
        self.kill();
        let peers = target().join("peers");
        let (node, script) = (
            peers.join("nodejs/bin/node"),
            peers.join("node_modules/azurite/dist/src/blob/main.js"),
        );
        if !tools::has_file(&node) || !tools::has_file(&script) {
            return false;
        }
        let data = self.dir.path();
        self.daemon = Daemon::start(&node.display().to_string(), |command, addr, _| {
            command.arg(&script).arg("--location").arg(data);
            command.args(["--blobHost", &addr.ip().to_string()]);
            command.args(["--blobPort", &addr.port().to_string()]);
            command.args(["--skipApiVersionCheck", "--disableTelemetry"]);
        });
        self.daemon.is_some()
    }

    fn request(&self, method: &str, query: &str) -> String {
        let mut command = Command::new("python3");
        command.args(["-c", REQUEST, method, "bucket", query]);
        command.env("HOST", self.addr().to_string()).env("KEY", KEY);
        let output = command.output().expect("Python runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{method} {query}: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }
}

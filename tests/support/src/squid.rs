//! A real squid: an HTTP proxy, with or without a password.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::daemon::Daemon;
use crate::files;

const ACCESS: &str = "access.log";
/// Where packages of several systems put squid's helpers.
const HELPERS: [&str; 4] = [
    "/usr/lib/squid",
    "/usr/lib64/squid",
    "/usr/libexec/squid",
    "/usr/local/libexec/squid",
];

/// The settings of a squid. By default everybody may connect to everything.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    users: Vec<(String, String)>,
    connect_ports: Vec<u16>,
}

impl Setup {
    /// Returns the default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows only this user, by Basic authentication. May be called for more users.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Allows CONNECT to this port only, as proxies do with 443. May be called for more ports.
    pub fn connect_only_to(mut self, port: u16) -> Self {
        self.connect_ports.push(port);
        self
    }

    /// Starts it; `None` when there is no squid here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(&self) -> Option<Squid> {
        let daemon = Daemon::start("squid", |command, addr, dir| {
            fs::write(dir.join("conf"), self.config(addr, dir)).expect("its configuration");
            command.args(["-N", "-d", "1", "-f", "conf"]);
            // Without this, all squids of the machine would share their memory.
            command.args(["-n", &service(addr)]);
        })?;
        Some(Squid(daemon))
    }

    fn config(&self, addr: SocketAddr, dir: &Path) -> String {
        let dir_text = dir.display();
        let mut config = format!(
            "http_port {addr}\n\
             visible_hostname localhost\n\
             cache_effective_user proxy\n\
             pid_filename none\n\
             coredump_dir {dir_text}\n\
             cache_log {dir_text}/errors.log\n\
             logformat tests %rm %ru %Ss/%03>Hs %[un\n\
             access_log stdio:{dir_text}/{ACCESS} logformat=tests\n\
             strip_query_terms off\n\
             cache deny all\n\
             cache_mem 8 MB\n\
             max_filedescriptors 1024\n\
             pinger_enable off\n\
             netdb_filename none\n\
             acl CONNECT method CONNECT\n"
        );
        if !self.connect_ports.is_empty() {
            let numbers = self.connect_ports.iter().map(u16::to_string);
            let ports = numbers.collect::<Vec<_>>().join(" ");
            config += &format!("acl tunnels port {ports}\nhttp_access deny CONNECT !tunnels\n");
        }
        if !self.users.is_empty() {
            let line = |(name, password): &(String, String)| {
                format!("{name}:{}\n", files::md5_hex_of(password.as_bytes()))
            };
            let lines: String = self.users.iter().map(line).collect();
            fs::write(dir.join("users"), lines).expect("its users");
            let helper = helper("basic_ncsa_auth");
            config += &format!(
                "auth_param basic program {} {dir_text}/users\n\
                 auth_param basic children 2 startup=1 idle=1\n\
                 acl known proxy_auth REQUIRED\n\
                 http_access deny !known\n",
                helper.display()
            );
        }
        config + "http_access allow all\n"
    }
}

/// Makes a service name, of letters and digits, that no other squid has.
fn service(addr: SocketAddr) -> String {
    format!("resup{}x{}", std::process::id(), addr.port())
}

fn helper(name: &str) -> PathBuf {
    let mut places = HELPERS.iter().map(|dir| Path::new(dir).join(name));
    let found = places.find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("squid's {name} is in none of {HELPERS:?}"))
}

/// A running squid; it ends when this is dropped. In a test that fails, its logs are shown.
pub struct Squid(Daemon);

impl Squid {
    /// Starts a squid with the default settings; `None` when there is none here.
    ///
    /// # Panics
    ///
    /// As [`Setup::start`].
    pub fn start() -> Option<Self> {
        Setup::new().start()
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Reads its log: a line for each response that has ended (for CONNECT, when the tunnel has), which is
    /// `METHOD TARGET RESULT/STATUS USER`, for example `POST http://127.0.0.1:8080/upload TCP_MISS/200 -`.
    /// Connections without a request, such as the one that waited for its start, are left out.
    pub fn log(&self) -> String {
        let log = self.0.log(ACCESS);
        let asked = log.split_inclusive('\n');
        asked.filter(|line| !line.starts_with("- ")).collect()
    }

    /// Waits until a line of the log begins like this, and returns it.
    ///
    /// # Panics
    ///
    /// When none does after seconds.
    pub fn wait_for(&self, beginning: &str) -> String {
        self.0.wait_for(ACCESS, |line| line.starts_with(beginning))
    }
}

impl Drop for Squid {
    fn drop(&mut self) {
        // A squid that was killed leaves its shared memory behind.
        for part in ["metadata", "queues", "readers"] {
            let name = format!("{}-cf__{part}.shm", service(self.addr()));
            let _ = fs::remove_file(Path::new("/dev/shm").join(name));
        }
    }
}

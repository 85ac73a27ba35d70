//! A real nginx in front of something, as a child process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Debian keeps it where only root's `PATH` looks.
const PLACES: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
const START_TIME: Duration = Duration::from_secs(20);

/// A running nginx; it ends when this is dropped. In a test that fails, its errors are shown.
pub struct Nginx {
    child: Child,
    addr: SocketAddr,
    dir: tempfile::TempDir,
}

/// The nginx of this machine.
///
/// # Panics
///
/// When there is none although `RESUP_NEED_TOOLS` is set.
pub fn binary() -> Option<PathBuf> {
    let found = PLACES.iter().map(PathBuf::from).find(|path| path.exists());
    let needed = std::env::var_os("RESUP_NEED_TOOLS").is_some();
    assert!(found.is_some() || !needed, "nginx is not installed");
    if found.is_none() {
        println!("skipped: there is no nginx");
    }
    found
}

impl Nginx {
    /// Starts an nginx that passes everything on to `upstream`, with these directives in its
    /// `location`; `None` when there is no nginx here.
    ///
    /// # Panics
    ///
    /// When it does not start, with what it says.
    pub fn start(upstream: SocketAddr, directives: &str) -> Option<Self> {
        let binary = binary()?;
        // Another process may take the port between its being found free and nginx's start.
        let started = (0..5).find_map(|_| Self::try_start(&binary, upstream, directives));
        Some(started.expect("nginx does not start; its words are above"))
    }

    fn try_start(binary: &PathBuf, upstream: SocketAddr, directives: &str) -> Option<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = free.local_addr().expect("its address");
        drop(free);
        let dir = tempfile::tempdir().expect("a directory");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|what| format!("{what}_temp_path {what};\n"))
            .collect();
        let config = format!(
            "daemon off;\nmaster_process off;\npid pid;\nerror_log errors;\n\
             events {{ worker_connections 256; }}\n\
             http {{\n{temporary}access_log off;\nserver {{\nlisten {addr};\n\
             location / {{\nproxy_pass http://{upstream};\nproxy_http_version 1.1;\n{directives}\n\
             }}\n}}\n}}\n"
        );
        std::fs::write(dir.path().join("conf"), config).expect("its configuration");
        let mut child = Command::new(binary)
            .arg("-p")
            .arg(dir.path())
            .args(["-c", "conf", "-e", "errors"])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx");
        let until = Instant::now() + START_TIME;
        while TcpStream::connect(addr).is_err() {
            let ended = child.try_wait().expect("its state").is_some();
            if ended || Instant::now() > until {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
        Some(Nginx { child, addr, dir })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let errors = std::fs::read_to_string(self.dir.path().join("errors"));
            eprintln!("errors of nginx:\n{}", errors.unwrap_or_default());
        }
    }
}

//! A real nginx in front of something, as a child process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::tools;

const START_TIME: Duration = Duration::from_secs(20);

/// A running nginx; it ends when this is dropped. In a test that fails, its errors are shown.
pub struct Nginx {
    child: Child,
    addr: SocketAddr,
    dir: tempfile::TempDir,
}

impl Nginx {
    /// Starts an nginx that passes everything on to `upstream`, with these directives in its
    /// `location`; `None` when there is no nginx here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](tools::find).
    pub fn start(upstream: SocketAddr, directives: &str) -> Option<Self> {
        let binary = tools::find("nginx")?;
        // Another process may take the port between its being found free and nginx's start.
        let started = (0..5).find_map(|_| Self::try_start(&binary, upstream, directives));
        Some(started.expect("nginx does not start"))
    }

    fn try_start(binary: &Path, upstream: SocketAddr, directives: &str) -> Option<Self> {
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
                show_errors(&dir);
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
            show_errors(&self.dir);
        }
    }
}

fn show_errors(dir: &tempfile::TempDir) {
    let errors = std::fs::read_to_string(dir.path().join("errors"));
    eprintln!("errors of nginx:\n{}", errors.unwrap_or_default());
}

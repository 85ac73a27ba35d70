//! The web servers that docs/operation/web-servers.md has settings for, each with these settings.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::daemon::Daemon;

/// The address of the receiver in the settings.
const RECEIVER: &str = "127.0.0.1:8080";

/// A running web server; it ends when this is dropped. In a test that fails, its errors are shown.
pub struct Front(Daemon);

impl Front {
    /// The languages of the settings: each is the mark of its block in docs/operation/web-servers.md.
    pub const KINDS: [&'static str; 4] = ["nginx", "apache", "haproxy", "caddy"];

    /// Starts the web server of a kind in front of `receiver`; `None` when it is not installed.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(kind: &str, receiver: SocketAddr) -> Option<Self> {
        let settings = settings(kind).replace(RECEIVER, &receiver.to_string());
        let program = if kind == "apache" { "apache2" } else { kind };
        let daemon = Daemon::start(program, |command, addr, dir| {
            let text = match kind {
                "nginx" => nginx(command, addr, dir, &settings),
                "apache" => apache(command, addr, dir, &settings),
                "haproxy" => haproxy(command, addr, &settings),
                _ => caddy(command, addr, dir, &settings),
            };
            fs::write(dir.join("conf"), text).expect("its configuration");
        })?;
        Some(Self(daemon))
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }
}

/// Reads the settings from docs/operation/web-servers.md.
fn settings(kind: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operation/web-servers.md");
    let text = fs::read_to_string(path).expect("docs/operation/web-servers.md");
    let mark = format!("```{kind}\n");
    let block = text
        .split_once(&mark)
        .and_then(|(_, rest)| rest.split_once("```"));
    let (settings, _) =
        block.unwrap_or_else(|| panic!("docs/operation/web-servers.md has no block {mark}"));
    settings.to_owned()
}

fn nginx(command: &mut Command, addr: SocketAddr, dir: &Path, settings: &str) -> String {
    command
        .arg("-p")
        .arg(dir)
        .args(["-c", "conf", "-e", "stderr"]);
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("{what}_temp_path {what};\n"))
        .collect();
    format!(
        "daemon off;\nmaster_process off;\npid pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\n{temporary}access_log off;\nserver {{\nlisten {addr};\n{settings}}}\n}}\n"
    )
}

fn apache(command: &mut Command, addr: SocketAddr, dir: &Path, settings: &str) -> String {
    // One process, so that it ends as a whole.
    command.arg("-X").arg("-f").arg(dir.join("conf"));
    let modules: String = ["mpm_event", "authz_core", "proxy", "proxy_http", "headers"]
        .iter()
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .collect();
    format!(
        "{modules}ServerRoot {dir}\nServerName localhost\nPidFile pid\nDefaultRuntimeDir {dir}\n\
         Mutex default:{dir}\nErrorLog error.log\nUser nobody\nGroup nogroup\nListen {addr}\n\
         <VirtualHost {addr}>\n{settings}</VirtualHost>\n",
        dir = dir.display()
    )
}

fn haproxy(command: &mut Command, addr: SocketAddr, settings: &str) -> String {
    command.args(["-db", "-f", "conf"]);
    let own = settings.replace("bind :80", &format!("bind {addr}"));
    format!("global\n    maxconn 200\n\n{own}")
}

fn caddy(command: &mut Command, addr: SocketAddr, dir: &Path, settings: &str) -> String {
    command.args(["run", "--adapter", "caddyfile", "--config", "conf"]);
    command
        .env("HOME", dir)
        .env("XDG_DATA_HOME", dir)
        .env("XDG_CONFIG_HOME", dir);
    let own = settings.replace("example.org", &format!("http://{addr}"));
    format!("{{\n    admin off\n}}\n{own}")
}

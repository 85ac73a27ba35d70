//! Several receivers with one database and one data directory.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use resup_test_support::postgres::{self, Postgres};
use tempfile::TempDir;

use super::{accounts, launch, program, Receiver, Reply};

/// The receivers.
pub struct Several {
    pub receivers: Vec<Receiver>,
    pub address: String,
    pub server: &'static Postgres,
    flags: Vec<String>,
    dir: TempDir,
}

impl Several {
    /// Starts so many; `None` where PostgreSQL is not installed.
    pub fn start(count: usize, flags: &[&str]) -> Option<Self> {
        let server = postgres::shared()?;
        let address = server.database();
        let all = [&["--shared", "--database", &address], flags].concat();
        let flags: Vec<_> = all.iter().map(|flag| flag.to_string()).collect();
        let mut several = Self {
            receivers: Vec::new(),
            address,
            server,
            flags,
            dir: tempfile::tempdir().unwrap(),
        };
        for _ in 0..count {
            let receiver = several.launch("127.0.0.1:0");
            several.receivers.push(receiver);
        }
        Some(several)
    }

    /// Starts one more, at an address.
    pub fn launch(&self, listen: &str) -> Receiver {
        let flags: Vec<_> = self.flags.iter().map(String::as_str).collect();
        Receiver::start_at(listen, self.data(), &flags)
    }

    /// Starts one more that aborts itself at a commit point.
    pub fn launch_crashing(&self, point: &str) -> Receiver {
        let mut command = program(self.data());
        command.args(["--listen", "127.0.0.1:0"]).args(&self.flags);
        let (child, address) = launch(command, &|command| {
            command.env("RESUP_RECEIVER_CRASH", point);
        });
        Receiver {
            child,
            address,
            data: self.data().to_owned(),
            flags: Vec::new(),
            change: Box::new(|_| {}),
            _dir: None,
        }
    }

    pub fn data(&self) -> &Path {
        self.dir.path()
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.receivers.iter().map(|it| it.address).collect()
    }

    /// Adds a user by the command.
    pub fn add_user(&self, user: &str) {
        let args = ["--database", &self.address, "user", "add", user];
        accounts::admin_ok(self.data(), &args, accounts::PASSWORD);
    }

    /// Asks the database.
    pub fn query(&self, statement: &str) -> String {
        self.server
            .query(&self.address, statement)
            .trim()
            .to_owned()
    }
}

/// Sends a request to any address; `None` where there is no whole answer.
pub fn try_exchange(address: SocketAddr, request: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).ok()?;
    let time = Some(Duration::from_secs(60));
    stream.set_read_timeout(time).ok()?;
    stream.set_write_timeout(time).ok()?;
    // It may answer and hang up before all is written.
    let _ = std::io::Write::write_all(&mut stream, request);
    Reply::try_read(&mut stream)
}

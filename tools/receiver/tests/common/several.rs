//! Several receivers with one database, and one data directory or one object store.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use resup_test_support::postgres::{self, Postgres};
use resup_test_support::s3::ACCESS;
use tempfile::TempDir;

use super::{accounts, launch, md5_hex, post_form, program, Receiver, Reply, Upload};

/// How long anything may take that ends by itself.
pub const TIME: Duration = Duration::from_secs(120);

/// The receivers.
pub struct Several {
    pub receivers: Vec<Receiver>,
    pub address: String,
    pub server: &'static Postgres,
    flags: Vec<String>,
    dir: TempDir,
    /// How many directories there are; `None` where all receivers have one.
    dirs: Option<AtomicUsize>,
}

impl Several {
    /// Starts so many; `None` where PostgreSQL is not installed.
    pub fn start(count: usize, flags: &[&str]) -> Option<Self> {
        Self::start_in(count, flags, None)
    }

    /// Starts so many with an object store, each with a directory of its own.
    pub fn start_with_store(count: usize, store: &str, flags: &[&str]) -> Option<Self> {
        let flags = [&["--store", store], flags].concat();
        Self::start_in(count, &flags, Some(AtomicUsize::new(0)))
    }

    fn start_in(count: usize, flags: &[&str], dirs: Option<AtomicUsize>) -> Option<Self> {
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
            dirs,
        };
        for _ in 0..count {
            let receiver = several.launch("127.0.0.1:0");
            several.receivers.push(receiver);
        }
        Some(several)
    }

    /// Starts one more, at an address.
    pub fn launch(&self, listen: &str) -> Receiver {
        let data = match &self.dirs {
            Some(count) => {
                let number = count.fetch_add(1, Ordering::Relaxed);
                self.data().join(number.to_string())
            }
            None => self.data().to_owned(),
        };
        self.launch_in(data, listen, "")
    }

    fn launch_in(&self, data: PathBuf, listen: &str, point: &str) -> Receiver {
        let mut command = program(&data);
        command.args(["--listen", listen]).args(&self.flags);
        let (child, address) = launch(command, &|command| {
            command.envs(ACCESS);
            if !point.is_empty() {
                command.env("RESUP_RECEIVER_CRASH", point);
            }
        });
        Receiver {
            child,
            address,
            data,
            flags: Vec::new(),
            change: Box::new(|_| {}),
            _dir: None,
        }
    }

    /// Starts one more that aborts itself at a commit point.
    pub fn launch_crashing(&self, point: &str) -> Receiver {
        self.launch_in(self.data().to_owned(), "127.0.0.1:0", point)
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

/// Waits until something is so.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + TIME;
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        sleep(Duration::from_millis(50));
    }
}

/// Locates a file, also while a dead receiver still has its claim.
pub fn locate_free(receiver: &Receiver, file: &Upload) -> Reply {
    let until = Instant::now() + TIME;
    loop {
        let reply = receiver.locate(file);
        if reply.status != 423 {
            return reply;
        }
        assert!(Instant::now() < until, "it is never free");
    }
}

/// Uploads a file in requests of random lengths up to `most`, each of which may break. Checks after each that no confirmed byte is lost.
/// Returns how many
/// there were.
pub fn upload(proxy: SocketAddr, file: &Upload, most: usize, random: &mut fastrand::Rng) -> u64 {
    let (mut confirmed, mut requests) = (0, 0);
    let until = Instant::now() + 5 * TIME;
    let size = file.content.len();
    loop {
        assert!(Instant::now() < until, "{}: no end", file.name);
        requests += 1;
        let found = try_exchange(proxy, &post_form(&file.locate_form()));
        let Some(found) = found.filter(|reply| reply.status == 200) else {
            sleep(Duration::from_millis(random.u64(10..200)));
            continue;
        };
        let offset = found.offset();
        let name = &file.name;
        assert!(offset >= confirmed, "{name}: {offset} after {confirmed}");
        if found.text("state") == "complete" {
            return requests;
        }
        let prefix = md5_hex(&file.content[..offset as usize]);
        assert_eq!(found.text("prefix_md5"), prefix, "{name} at {offset}");
        confirmed = offset;
        let rest = size - offset as usize;
        let length = random.usize(1..=rest.clamp(1, most)).min(rest);
        let end = offset as usize + length;
        let tail = if end == size { "md5" } else { "prefix_md5" };
        let send = file.send(&found.id(), offset).limit(length);
        let send = send.tail(tail, &md5_hex(&file.content[..end]));
        requests += 1;
        if let Some(reply) = try_exchange(proxy, &send.build()) {
            // Not found, or another digest, would be a loss.
            let is_usual = matches!(reply.status, 200 | 409 | 423 | 500 | 502 | 503 | 504);
            assert!(is_usual, "{name}: {} {:?}", reply.status, reply.json);
            if reply.status == 200 {
                assert_eq!(reply.offset(), end as u64, "{name}");
                confirmed = reply.offset();
            }
        }
    }
}

//! A correct receiver of the protocol that lives in memory. It is small and fast; where the protocol leaves a
//! choice, it takes the simplest. It speaks version 1.0, or [1.1](Options::newest).
//!
//! A locate or a send ends an older send of the same upload that is still under way, so that a
//! dead client never keeps a file busy and an offset in a response stays true. A [patient](Options::patient)
//! one leaves a live client alone, as the protocol says. Accounts, a secret and mistakes are options, too.

mod flaw;
mod guard;
mod options;
mod shared;
mod wire;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) use flaw::damaged;
pub use flaw::Flaw;
pub use guard::{Account, Secret};
pub use options::Options;

use crate::acceptor::{free_port, Acceptor, Job};
use crate::conn::Conn;
use crate::tls::Identity;
use crate::uploads::Uploads;
use shared::Shared;

/// Counts of what came so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests whose head was read.
    pub requests: u64,
    /// Locates that got a response.
    pub locates: u64,
    /// Sends whose fields before the file were read, parts among them.
    pub sends: u64,
    /// Stores whose fields before the file were read.
    pub stores: u64,
    /// Discards that got a response.
    pub discards: u64,
    /// Bytes of files, refused ones too.
    pub file_bytes: u64,
    /// Those of them that came in vain, since a response had said that they are held: before an offset, or in a range.
    pub bytes_again: u64,
}

/// The receiver. Dropping it ends its connections.
pub struct ModelReceiver {
    acceptor: Acceptor,
    shared: Arc<Shared>,
    identity: Option<Identity>,
}

impl ModelReceiver {
    /// Starts a receiver with the default options.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// Starts a receiver with these options.
    pub fn with(options: Options) -> Self {
        Self::on(free_port(), options)
    }

    /// Starts a receiver with a given listener.
    pub fn on(listener: TcpListener, options: Options) -> Self {
        let identity = options.tls.then(Identity::new);
        Self::launch(listener, options, identity)
    }

    /// Starts a receiver with TLS and this identity.
    pub fn start_tls(identity: Identity) -> Self {
        let options = Options {
            tls: true,
            ..Options::default()
        };
        Self::launch(free_port(), options, Some(identity))
    }

    fn launch(listener: TcpListener, options: Options, identity: Option<Identity>) -> Self {
        let uploads = Uploads::with(options.digests);
        let shared = Arc::new(Shared {
            options,
            uploads: Mutex::new(uploads),
            guard: Mutex::default(),
        });
        let (theirs, tls) = (shared.clone(), identity.as_ref().map(Identity::config));
        let acceptor = Acceptor::on(listener, move |socket, _, _| {
            let (shared, tls) = (theirs.clone(), tls.clone());
            let job: Job = Box::new(move || {
                // A lost connection is no error of the receiver.
                let _ = shared.serve(Conn::new(socket, tls));
            });
            job
        });
        Self {
            acceptor,
            shared,
            identity,
        }
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.acceptor.addr()
    }

    /// Returns the URL of the upload endpoint.
    pub fn endpoint(&self) -> String {
        self.endpoint_at(self.addr())
    }

    /// Returns the URL of the endpoint at another address, such as a proxy's.
    pub fn endpoint_at(&self, addr: SocketAddr) -> String {
        let scheme = self.identity.as_ref().map_or("http", |_| "https");
        format!("{scheme}://{addr}/upload")
    }

    /// Returns the authority that signed the receiver's certificate.
    ///
    /// # Panics
    ///
    /// When the receiver was started without TLS.
    pub fn ca_pem(&self) -> &str {
        self.identity.as_ref().expect("a TLS receiver").ca_pem()
    }

    /// Returns the finished files: `name` or `dir/name`, and the bytes.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        self.shared.lock().finished()
    }

    /// Returns how many bytes are held of a file, by `name` or `dir/name`; `None` for an unknown one.
    pub fn held(&self, path: &str) -> Option<u64> {
        self.shared.lock().held(path)
    }

    /// Returns the ranges that are held of a file behind that, with their ends; none for an unknown one.
    pub fn ranges(&self, path: &str) -> Vec<(u64, u64)> {
        self.shared.lock().ranges(path)
    }

    /// Holds bytes of a file from an offset on, as those of a part. A file is known by its name, its size and its
    /// modification time in milliseconds since 1970.
    pub fn hold(&self, (name, size, mtime): (&str, u64, u128), from: u64, bytes: &[u8]) {
        let fields = [
            ("name", name.to_owned()),
            ("size", size.to_string()),
            ("mtime", mtime.to_string()),
        ];
        let fields = fields
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec();
        let options = &self.shared.options;
        self.shared.lock().hold(&fields, options, (from, bytes));
    }

    /// Ends all sessions, so that their clients have to log in again.
    pub fn end_sessions(&self) {
        self.shared.guard.lock().expect("guard").end_sessions();
    }

    /// Changes the digests that clients of 1.1 can choose from, as a receiver that lost one.
    pub fn set_digests(&self, digests: &[&'static str]) {
        self.shared.lock().digests = digests.to_vec();
    }

    /// Flips a bit of what is held of an unfinished file; `false` if there is no such byte.
    pub fn damage(&self, path: &str, at: u64) -> bool {
        self.shared.lock().damage(path, at)
    }

    /// Forgets all uploads, finished ones too; their ids get 404 from now on.
    pub fn forget(&self) {
        self.shared.lock().forget();
    }

    /// Returns the counts so far.
    pub fn stats(&self) -> Stats {
        self.shared.lock().stats
    }

    /// Waits until there have been so many connections in all and every one has ended, so that everything that
    /// was sent is processed; `false` if that takes longer than `time`.
    pub fn settle(&self, connections: u64, time: Duration) -> bool {
        self.acceptor.settle(connections, time)
    }

    /// Returns the number of connections.
    pub fn connections(&self) -> u64 {
        self.acceptor.accepted()
    }
}

//! The sockets that the receiver listens at: those of `--listen`, and those that systemd passes.
//!
//! A connection by a unix socket counts as one from 127.0.0.1: of a program on this machine, or of a proxy on it, if
//! `--trusted-proxy` has that address. It has no TLS.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{anyhow, bail, Context as _};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::config::listen::{is_localhost, Listen};
use crate::config::Config;

/// Who is at the other end of a unix socket.
#[cfg(unix)]
const THIS_MACHINE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Where the receiver listens if nothing says where.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// A connection that a client has opened.
pub enum Stream {
    /// By TCP.
    Tcp(TcpStream),
    /// By a unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
}

/// One socket.
enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(unix::Socket),
}

/// All sockets.
pub struct Sockets {
    sockets: Vec<Socket>,
    /// Which one is asked first the next time, so that none keeps the others waiting.
    first: AtomicUsize,
}

/// The sockets that systemd has passed.
#[derive(Default)]
pub struct Passed(Vec<PassedSocket>);

/// One of them, as it is before tokio runs.
#[cfg_attr(not(unix), allow(dead_code))]
enum PassedSocket {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

impl Passed {
    /// Takes them. They are taken once.
    #[cfg(unix)]
    pub fn take() -> anyhow::Result<Self> {
        let mut passed = listenfd::ListenFd::from_env();
        let sockets = (0..passed.len()).map(|number| unix::passed(&mut passed, number));
        Ok(Self(sockets.collect::<Result<_, _>>()?))
    }

    /// There are none on other systems.
    #[cfg(not(unix))]
    pub fn take() -> anyhow::Result<Self> {
        Ok(Self::default())
    }

    /// Finds one that others than this machine reach, and says which.
    pub fn public(&self) -> Option<String> {
        self.0.iter().find_map(|socket| match socket {
            PassedSocket::Tcp(listener) => {
                let address = listener.local_addr().ok()?;
                let is_local = address.ip().to_canonical().is_loopback();
                (!is_local).then(|| address.to_string())
            }
            #[cfg(unix)]
            PassedSocket::Unix(_) => None,
        })
    }

    /// Finds a unix socket, and says which.
    pub fn unix(&self) -> Option<String> {
        self.0.iter().find_map(|socket| match socket {
            PassedSocket::Tcp(_) => None,
            #[cfg(unix)]
            PassedSocket::Unix(listener) => Some(unix::name(listener.local_addr().ok().as_ref())),
        })
    }

    fn open(self) -> io::Result<Vec<Socket>> {
        let open = |socket| {
            Ok(match socket {
                PassedSocket::Tcp(listener) => {
                    listener.set_nonblocking(true)?;
                    Socket::Tcp(listener.try_into()?)
                }
                #[cfg(unix)]
                PassedSocket::Unix(listener) => Socket::Unix(unix::Socket::of_others(listener)?),
            })
        };
        self.0.into_iter().map(open).collect()
    }
}

impl Sockets {
    /// Listens. The sockets that were passed take the place of the default.
    pub async fn open(passed: Passed, config: &Config) -> anyhow::Result<Self> {
        let mut sockets = passed.open()?;
        let default = [Listen::Address(DEFAULT)];
        let listen = match config.listen.is_empty() && sockets.is_empty() {
            true => &default[..],
            false => &config.listen,
        };
        for listen in listen {
            match listen {
                Listen::Address(address) => {
                    sockets.push(Socket::Tcp(bind(*address, "--listen").await?));
                }
                Listen::Host(host, port) => sockets.extend(bind_host(host, *port).await?),
                #[cfg(unix)]
                Listen::Path(path) => {
                    let socket = unix::bind(path, config.socket_mode).await?;
                    sockets.push(Socket::Unix(socket));
                }
            }
        }
        let first = AtomicUsize::new(0);
        Ok(Self { sockets, first })
    }

    /// Names them, as clients do.
    pub fn names(&self, has_tls: bool) -> io::Result<Vec<String>> {
        let scheme = if has_tls { "https" } else { "http" };
        let name = |socket: &Socket| {
            Ok(match socket {
                Socket::Tcp(listener) => format!("{scheme}://{}/upload", listener.local_addr()?),
                #[cfg(unix)]
                Socket::Unix(socket) => socket.name(),
            })
        };
        self.sockets.iter().map(name).collect()
    }

    /// Accepts a connection. Returns the address at its other end, too.
    pub async fn accept(&self) -> (Stream, IpAddr) {
        loop {
            match poll_fn(|context| self.poll(context)).await {
                Ok(accepted) => return accepted,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    // Most likely out of file descriptors: some connection has to end first.
                    tracing::warn!("accept: {error}");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<io::Result<(Stream, IpAddr)>> {
        let first = self.first.fetch_add(1, Ordering::Relaxed);
        for number in 0..self.sockets.len() {
            let at = (first.wrapping_add(number)) % self.sockets.len();
            let accepted = match &self.sockets[at] {
                Socket::Tcp(listener) => listener.poll_accept(context).map_ok(|(stream, from)| {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!("TCP_NODELAY: {error}");
                    }
                    (Stream::Tcp(stream), from.ip())
                }),
                #[cfg(unix)]
                Socket::Unix(socket) => {
                    let accepted = socket.poll_accept(context);
                    accepted.map_ok(|stream| (Stream::Unix(stream), THIS_MACHINE))
                }
            };
            if accepted.is_ready() {
                return accepted;
            }
        }
        Poll::Pending
    }
}

/// Listens on the address that `option` has.
pub async fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => format!(
                "another program listens there already; end it, or give another {option}"
            ),
            ErrorKind::AddrNotAvailable => format!(
                "this machine does not have that address; give another {option}, such as \
                 127.0.0.1:8080, or 0.0.0.0:8080 for all that it has"
            ),
            ErrorKind::PermissionDenied if address.port() < 1024 => format!(
                "ports below 1024 need a right of the system (CAP_NET_BIND_SERVICE); give {option} a \
                 higher port, or put a web server in front"
            ),
            _ => error.to_string(),
        };
        anyhow!("cannot listen on {address}: {why}")
    })
}

/// Listens at all addresses of a host that this machine has. There is one at least.
async fn bind_host(host: &str, port: u16) -> anyhow::Result<Vec<Socket>> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.with_context(|| {
        format!("cannot listen on {host}:{port}: the host has no address; give another --listen")
    })?;
    let (mut sockets, mut problem) = (Vec::new(), None);
    let mut addresses: Vec<SocketAddr> = found.collect();
    if is_localhost(host) {
        addresses.retain(|address| address.ip().is_loopback());
    }
    addresses.dedup();
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => sockets.push(Socket::Tcp(listener)),
            // The name may have one of IPv6 where the system has none.
            Err(error) if is_missing(&error) => problem = Some(address),
            Err(_) => sockets.push(Socket::Tcp(bind(address, "--listen").await?)),
        }
    }
    match (sockets.is_empty(), problem) {
        (false, _) => Ok(sockets),
        (true, Some(address)) => Ok(vec![Socket::Tcp(bind(address, "--listen").await?)]),
        (true, None) => bail!(
            "cannot listen on {host}:{port}: the host has no address here; give another --listen"
        ),
    }
}

/// Whether an address is none of this machine.
fn is_missing(error: &io::Error) -> bool {
    let is_unsupported = error.raw_os_error() == Some(libc::EAFNOSUPPORT);
    is_unsupported || error.kind() == io::ErrorKind::AddrNotAvailable
}

#[cfg(unix)]
mod unix {
    //! Unix sockets.

    use std::fs::{self, Permissions};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net::SocketAddr;
    use std::path::{Path, PathBuf};
    use std::task::{Context, Poll};

    use anyhow::{anyhow, bail, Context as _};
    use tokio::net::{UnixListener, UnixStream};

    /// One of them.
    pub struct Socket {
        listener: UnixListener,
        /// Its file, and what tells that from another one that has taken its place; none if somebody else made it.
        file: Option<(PathBuf, (u64, u64))>,
    }

    impl Socket {
        /// Takes one that somebody else has made.
        pub fn of_others(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
            listener.set_nonblocking(true)?;
            Ok(Self {
                listener: listener.try_into()?,
                file: None,
            })
        }

        pub fn name(&self) -> String {
            let address = self.listener.local_addr().ok();
            name(address.map(SocketAddr::from).as_ref())
        }

        pub fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
            self.listener
                .poll_accept(context)
                .map_ok(|(stream, _)| stream)
        }
    }

    impl Drop for Socket {
        fn drop(&mut self) {
            let Some((path, file)) = &self.file else {
                return;
            };
            if identity(path).is_ok_and(|found| found == *file) {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Names the socket with an address.
    pub fn name(address: Option<&SocketAddr>) -> String {
        match address.and_then(SocketAddr::as_pathname) {
            Some(path) => format!("unix:{}", path.display()),
            None => "a unix socket without a name".to_owned(),
        }
    }

    fn identity(path: &Path) -> io::Result<(u64, u64)> {
        let data = fs::symlink_metadata(path)?;
        Ok((data.dev(), data.ino()))
    }

    /// Listens at a path. The socket of a program that has ended is replaced.
    pub async fn bind(path: &Path, mode: u32) -> anyhow::Result<Socket> {
        let name = format!("unix:{}", path.display());
        make_free(path)
            .await
            .with_context(|| format!("cannot listen on {name}"))?;
        let listener = UnixListener::bind(path).map_err(|error| {
            let why = match error.kind() {
                ErrorKind::NotFound => {
                    "its directory is not there; make it, or give another --listen".to_owned()
                }
                ErrorKind::PermissionDenied => {
                    "the system user of the receiver may not make it there; give another --listen"
                        .to_owned()
                }
                // That is what the system has for a path that is too long.
                ErrorKind::InvalidInput => format!("{error}; give a shorter --listen"),
                _ => error.to_string(),
            };
            anyhow!("cannot listen on {name}: {why}")
        })?;
        // Made before the mode is set, so that the file goes if that fails.
        let socket = Socket {
            file: Some((path.to_owned(), identity(path)?)),
            listener,
        };
        fs::set_permissions(path, Permissions::from_mode(mode))
            .with_context(|| format!("cannot set the mode {mode:o} of {name}"))?;
        Ok(socket)
    }

    /// Removes the socket of a program that has ended.
    async fn make_free(path: &Path) -> anyhow::Result<()> {
        let Ok(found) = fs::symlink_metadata(path) else {
            return Ok(());
        };
        if !found.file_type().is_socket() {
            bail!(
                "there is something else that is no socket; move it away, or give another --listen"
            );
        }
        match UnixStream::connect(path).await {
            Ok(_) => {
                bail!("another program listens there already; end it, or give another --listen")
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                tracing::info!(
                    "the socket {} of a program that has ended is replaced",
                    path.display()
                );
                fs::remove_file(path)
                    .context("the socket of a program that has ended cannot be removed")
            }
            Err(error) => {
                Err(error).context("it cannot be seen whether another program listens there")
            }
        }
    }

    /// Takes a socket that systemd has passed.
    pub fn passed(
        all: &mut listenfd::ListenFd,
        number: usize,
    ) -> anyhow::Result<super::PassedSocket> {
        if let Ok(Some(listener)) = all.take_tcp_listener(number) {
            return Ok(super::PassedSocket::Tcp(listener));
        }
        let wrong = || {
            format!(
                "socket {number} of systemd's is neither of TCP nor a unix socket for streams: give the .socket unit \
                 'ListenStream=', and not 'Accept=yes'"
            )
        };
        let listener = all.take_unix_listener(number).with_context(wrong)?;
        Ok(super::PassedSocket::Unix(listener.with_context(wrong)?))
    }
}

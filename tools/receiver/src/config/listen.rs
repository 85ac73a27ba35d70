//! Where the receiver listens, as the settings have it.

use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::PathBuf;
use std::str::FromStr;

/// What a `--listen` of a path begins with.
const UNIX: &str = "unix:";
/// What is not right about one that is none of these.
const WRONG: &str = "not an address with a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080, nor a host with a port, \
    such as localhost:8080, nor unix:PATH";

/// A place to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address.
    Address(SocketAddr),
    /// All addresses of a host.
    Host(String, u16),
    /// A unix socket.
    #[cfg(unix)]
    Path(PathBuf),
}

impl Listen {
    /// Whether only programs on this machine can connect; a web server, which brings others, may be one of them. `localhost` is nothing else by RFC 6761; its other addresses, if it
    /// has any, are not listened at.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Address(address) => address.ip().to_canonical().is_loopback(),
            Self::Host(host, _) => is_localhost(host),
            #[cfg(unix)]
            Self::Path(_) => true,
        }
    }
}

/// Whether that is a name of this machine for itself.
pub fn is_localhost(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix(UNIX) {
            #[cfg(unix)]
            return match path.is_empty() {
                true => Err("the path of the unix socket is missing behind 'unix:'".to_owned()),
                false => Ok(Self::Path(path.into())),
            };
            #[cfg(not(unix))]
            return Err(format!("this system has no unix sockets for '{path}'"));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let (host, port) = text.rsplit_once(':').ok_or(WRONG)?;
        let port = port.parse().map_err(|_| WRONG)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        match !host.is_empty() && host.chars().all(is_name) {
            true => Ok(Self::Host(host.to_owned(), port)),
            false => Err(WRONG.to_owned()),
        }
    }
}

impl Display for Listen {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
            #[cfg(unix)]
            Self::Path(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hosts_and_paths_are_told_apart() {
        for (text, is_local) in [
            ("127.0.0.1:8080", true),
            ("0.0.0.0:0", false),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("localhost:8080", true),
            ("LocalHost:8080", true),
            ("a.localhost:1", true),
            ("localhost.example.org:1", false),
            ("files.example.org:443", false),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!(listen.is_local(), is_local, "{text}");
            assert_eq!(listen.to_string(), text);
        }
        for wrong in [
            "",
            "here",
            "127.0.0.1",
            ":80",
            "a:b",
            "a b:1",
            "a:65536",
            "[::1]",
            "http://a:80",
            "/run/x:1",
        ] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_is_of_this_machine() {
        let listen: Listen = "unix:/run/a:b".parse().unwrap();
        assert_eq!(listen, Listen::Path("/run/a:b".into()));
        assert!(listen.is_local());
        assert!("unix:".parse::<Listen>().is_err());
    }
}

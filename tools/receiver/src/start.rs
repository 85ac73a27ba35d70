//! What the receiver opens at its start: the data directory and its lock, the database, the sockets. The errors tell
//! the operator what to do.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail, Context};
use percent_encoding::{utf8_percent_encode, NON_ALPHANUMERIC};
use tokio::net::TcpListener;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::http::room::set_data;
use crate::storage::store::Store;

/// The beginning of every database of SQLite that is not empty.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Makes the data directory if it is missing. Messages name it from then on.
pub fn make_directory(data: &Path) -> anyhow::Result<()> {
    set_data(data);
    std::fs::create_dir_all(data).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => anyhow!(
            "the data directory {} cannot be made: it, or a directory above it, is a file; give another --data",
            data.display()
        ),
        _ => unwritable(data, &error),
    })
}

/// The error for a data directory in which something cannot be made.
fn unwritable(data: &Path, error: &io::Error) -> anyhow::Error {
    let way_out = match error.kind() {
        ErrorKind::PermissionDenied => {
            "; give the system user of the receiver the right, or give another --data"
        }
        ErrorKind::ReadOnlyFilesystem => "; give a --data on another file system",
        _ => "",
    };
    anyhow!(
        "the data directory {} cannot be written: {error}{way_out}",
        data.display()
    )
}

/// Locks the data directory, since two receivers would write the same files. The lock ends with its process.
pub fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let lock = File::create(&path).map_err(|error| unwritable(data, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!(
                "another receiver uses the data directory {}; end it, or give another --data",
                data.display()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Opens the database. A lock lets one program at a time do this, since SQLite would let two change the tables at once.
pub async fn open(config: &Arc<Config>) -> anyhow::Result<(Store, Accounts)> {
    let data = &config.data;
    let path = data.join("opening");
    let opening = File::create(&path).map_err(|error| unwritable(data, &error))?;
    opening
        .lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    let url = match &config.database {
        Some(url) => url.clone(),
        None => default_database(data)?,
    };
    let store = Store::open(&url).await.with_context(|| {
        let name = match &config.database {
            Some(_) => "of --database".to_owned(),
            None => data.join("receiver.sqlite").display().to_string(),
        };
        format!("the database {name} cannot be opened")
    })?;
    let accounts = Accounts::open(&url, config).await?;
    Ok((store, accounts))
}

fn default_database(data: &Path) -> anyhow::Result<String> {
    let path = data.join("receiver.sqlite");
    let mut beginning = Vec::new();
    make_private(&path)
        .and_then(|()| File::open(&path))
        .and_then(|file| file.take(SQLITE.len() as u64).read_to_end(&mut beginning))
        .with_context(|| format!("cannot open {}", path.display()))?;
    // sqlx would try for half a minute.
    if !beginning.is_empty() && beginning != SQLITE {
        bail!(
            "{} is not a database of SQLite; move it away, and the receiver makes a new one",
            path.display()
        );
    }
    let text = path
        .to_str()
        .with_context(|| format!("{} is not Unicode: give --database", path.display()))?;
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC);
    Ok(format!("sqlite://{encoded}?mode=rwc"))
}

/// Makes the database's file, readable for this system user only: it has hashes of passwords.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
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

//! What the receiver opens at its start: the data directory and its lock, and the database. The errors tell the operator
//! what to do.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use anyhow::{anyhow, bail, Context};
use percent_encoding::{utf8_percent_encode, NON_ALPHANUMERIC};
use sqlx::Connection;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::http::room::set_data;
use crate::storage::database::Database;
use crate::storage::error::{StorageError, StoreError};
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

/// Finds out which database it is.
pub fn database(config: &Config) -> anyhow::Result<Database> {
    let database = database_at(config, config.database.as_deref())?;
    database.set_name();
    Ok(database)
}

/// Finds out which database it is, for a look at it; `None` if it is a file of SQLite that is not there yet.
pub fn database_to_look_at(config: &Config) -> anyhow::Result<Option<Database>> {
    let path = config.data.join("receiver.sqlite");
    if config.database.is_none() {
        return match path.exists() {
            true => {
                check_sqlite(&path)?;
                // Without a log nobody writes now, and the file is all.
                let has_log = path.with_extension("sqlite-wal").exists();
                let mode = match has_log {
                    true => "mode=ro",
                    false => "mode=ro&immutable=true",
                };
                let database = Database::parse(&sqlite_address(&path, mode)?, None)?;
                Ok(Some(database.named(path.display().to_string())))
            }
            false => Ok(None),
        };
    }
    database(config).map(Some)
}

/// Checks that a receiver without users, where nobody has to log in, serves this machine only. Returns what to warn of.
pub fn check_users(config: &Config, has_users: bool) -> anyhow::Result<Option<String>> {
    if has_users {
        return Ok(None);
    }
    let way_out = format!(
        "add one with: resup-receiver --data {} user add NAME",
        config.data.display()
    );
    if let Some(public) = config.public() {
        bail!(
            "no user is configured, and without one it listens on loopback only, not on {public}; {way_out}"
        );
    }
    if config.proxy_without_login {
        return Ok(Some(format!(
            "no user is configured: anyone who reaches a proxy on this machine may list, upload and delete; {way_out}"
        )));
    }
    if !config.trusted_proxy.is_empty() {
        bail!(
            "no user is configured, and without one no proxy may pass on the requests of others; {way_out}, \
             or let everybody in with --proxy-without-login"
        );
    }
    Ok(Some(format!(
        "no user is configured: anyone on this machine may upload; {way_out}"
    )))
}

/// Reads the address of a database, and the password for it; without an address, it is the one in the data directory.
pub fn database_at(config: &Config, address: Option<&str>) -> anyhow::Result<Database> {
    let Some(address) = address else {
        let database = Database::parse(&default_database(&config.data)?, None)?;
        let path = config.data.join("receiver.sqlite");
        return Ok(database.named(path.display().to_string()));
    };
    let password = match &config.database_password_file {
        Some(path) => {
            let name = path.display();
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the password file {name}"))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => None,
    };
    let database = Database::parse(address, password.as_deref())
        .context("the database of --database cannot be opened")?;
    let shows = |argument: OsString| argument.to_string_lossy().contains(address);
    if database.has_password() && std::env::args_os().any(shows) {
        tracing::warn!(
            "other users of this machine can see the database's password in the list of processes: give \
             --database-password-file, or the address by RESUP_RECEIVER_DATABASE"
        );
    }
    Ok(database)
}

/// Lets one program at a time change the tables. The file's lock ends with it, or with the process.
fn lock_opening(data: &Path) -> anyhow::Result<File> {
    let path = data.join("opening");
    let opening = File::create(&path).map_err(|error| unwritable(data, &error))?;
    opening
        .lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(opening)
}

/// Opens the database for a receiver. Its error says whether it may be there later.
pub async fn open(config: &Config, database: &Database) -> Result<(Store, Accounts), OpenError> {
    let _opening = lock_opening(&config.data)?;
    let store = Store::open(database)
        .await
        .map_err(|error| OpenError::new(error, database))?;
    let accounts = Accounts::open(database, config).await?;
    Ok((store, accounts))
}

/// Opens the accounts for a command, also while a receiver is running.
pub async fn open_accounts(config: &Config) -> anyhow::Result<Accounts> {
    let database = database(config)?;
    let _opening = lock_opening(&config.data)?;
    let migrated = async {
        let mut connection = database.connect().await?;
        database.migrate(&mut connection).await?;
        Ok(connection.close().await?)
    };
    migrated
        .await
        .map_err(|error| OpenError::new(error, &database))?;
    Accounts::open(&database, config).await
}

/// A reason why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached now.
    #[error("the database {0} cannot be reached: {1}")]
    Unreachable(String, StoreError),
    /// Something else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl OpenError {
    /// Makes one of what happened after the database was opened.
    pub fn of_storage(error: StorageError, database: &Database) -> Self {
        match error {
            StorageError::Store(error) => Self::new(error, database),
            error => Self::Other(error.into()),
        }
    }

    fn new(error: StoreError, database: &Database) -> Self {
        match error {
            error @ StoreError::InUse(_) => Self::Other(error.into()),
            error if error.is_unreachable() => Self::Unreachable(database.name().to_owned(), error),
            error => {
                let why = format!("the database {} cannot be opened", database.name());
                Self::Other(anyhow::Error::from(error).context(why))
            }
        }
    }
}

fn default_database(data: &Path) -> anyhow::Result<String> {
    let path = data.join("receiver.sqlite");
    make_private(&path).with_context(|| format!("cannot open {}", path.display()))?;
    check_sqlite(&path)?;
    sqlite_address(&path, "mode=rwc")
}

/// Checks that a file is empty, or a database of SQLite. sqlx would try for half a minute.
fn check_sqlite(path: &Path) -> anyhow::Result<()> {
    let mut beginning = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SQLITE.len() as u64).read_to_end(&mut beginning))
        .with_context(|| format!("cannot open {}", path.display()))?;
    if !beginning.is_empty() && beginning != SQLITE {
        bail!(
            "{} is not a database of SQLite; move it away, and the receiver makes a new one",
            path.display()
        );
    }
    Ok(())
}

fn sqlite_address(path: &Path, mode: &str) -> anyhow::Result<String> {
    let text = path
        .to_str()
        .with_context(|| format!("{} is not Unicode: give --database", path.display()))?;
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC);
    Ok(format!("sqlite://{encoded}?{mode}"))
}

/// Makes the database's file, readable for this system user only: it has hashes of passwords.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

//! What the receiver opens at its start: the data directory and its lock, and the database. The errors tell the operator
//! what to do.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail, Context};
use percent_encoding::{utf8_percent_encode, NON_ALPHANUMERIC};
use sqlx::{AnyConnection, Connection};

use crate::accounts::Accounts;
use crate::config::{Config, Layout};
use crate::hooks::hook::Hook;
use crate::hooks::{after, before};
use crate::http::reply::{STORE_UNREACHABLE, UNREACHABLE};
use crate::http::room::set_data;
use crate::storage::database::Database;
use crate::storage::error::{Fault, ObjectError, StorageError, StoreError};
use crate::storage::objects::Objects;
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

/// Locks the data directory, since two receivers would write the same files. Those that share it have one lock together.
/// The lock ends with its process.
pub fn lock(data: &Path, is_shared: bool) -> anyhow::Result<File> {
    let path = data.join("lock");
    let mut options = File::options();
    // File systems of a network need both for the two kinds of locks.
    options.read(true).write(true).create(true).truncate(false);
    let lock = options
        .open(&path)
        .map_err(|error| unwritable(data, &error))?;
    let locked = match is_shared {
        true => lock.try_lock_shared(),
        false => lock.try_lock(),
    };
    match locked {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) if is_shared => {
            bail!(
                "a receiver without --shared, or a move of records, uses the data directory {}; end it, or start all \
                 receivers with --shared",
                data.display()
            )
        }
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
    let mut database = database_at(config, config.database.as_deref())?;
    if config.shared {
        database = database.shared()?;
    }
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
    if let Some(socket) = config.for_others() {
        bail!(
            "no user is configured, and without one only the receiver's own system user may connect to {socket}: a web server \
             there would bring in everybody; {way_out}, give an own socket with --listen unix:PATH and --socket-mode 600, or let \
             everybody in with --proxy-without-login"
        );
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
    let (database, connection) = open_records(config).await?;
    connection.close().await?;
    Accounts::open(&database, config).await
}

/// Opens the database for a command, also while a receiver is running.
pub async fn open_records(config: &Config) -> anyhow::Result<(Database, AnyConnection)> {
    let database = database(config)?;
    let _opening = lock_opening(&config.data)?;
    let migrated = async {
        let mut connection = database.connect().await?;
        database.migrate(&mut connection).await?;
        Ok(connection)
    };
    let connection = migrated
        .await
        .map_err(|error| OpenError::new(error, &database))?;
    Ok((database, connection))
}

/// Opens the hooks: the one that is asked, and the one that is told.
pub fn hooks(config: &Config) -> anyhow::Result<(Option<Arc<Hook>>, Option<Hook>)> {
    let before = config.hook_before.as_ref();
    let before = Hook::open(before, "--hook-before", before::AT_ONCE, config)?;
    let told = config.hook_after.as_ref();
    let told = Hook::open(told, "--hook-after", after::AT_ONCE, config)?;
    Ok((before.map(Arc::new), told))
}

/// Has the hook told of each finished file from now on. Without one, says what it was still to be told.
pub async fn tell(
    store: &mut Store,
    config: &Config,
    database: &Database,
) -> Result<(), OpenError> {
    if config.hook_after.is_some() {
        store.tell();
        return Ok(());
    }
    let backlog = store.backlog().await;
    let backlog = backlog.map_err(|error| OpenError::new(error, database))?;
    if backlog.count > 0 {
        tracing::warn!(
            "a hook was still to be told of {} finished files, and there is no --hook-after now: they wait until there is \
             one again",
            backlog.count
        );
    }
    Ok(())
}

/// Opens the object store, if there is one. No request goes to it yet.
pub fn objects(config: &Config) -> anyhow::Result<Option<Objects>> {
    let open = |address: &String| {
        let is_by_id = config.layout == Layout::Id && !config.shared;
        Objects::open(address, is_by_id, config.redirect_downloads)
            .context("the object store of --store cannot be used")
    };
    config.store.as_ref().map(open).transpose()
}

/// Checks that the object store takes files. Its error says whether it may do so later.
pub async fn check(objects: &Option<Objects>) -> Result<(), OpenError> {
    match objects {
        Some(objects) => objects.check().await.map_err(OpenError::of_objects),
        None => Ok(()),
    }
}

/// A reason why database or object store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached now.
    #[error("the database {0} cannot be reached: {1}")]
    Unreachable(String, StoreError),
    /// The object store cannot be reached now.
    #[error(transparent)]
    StoreAway(ObjectError),
    /// Something else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl OpenError {
    /// Makes one of what happened after the database was opened.
    pub fn of_storage(error: StorageError, database: &Database) -> Self {
        match error {
            StorageError::Store(error) => Self::new(error, database),
            StorageError::Object(error) => Self::of_objects(error),
            error => Self::Other(error.into()),
        }
    }

    /// Says in words for everybody what cannot be reached.
    pub fn what(&self) -> &'static str {
        match self {
            Self::StoreAway(_) => STORE_UNREACHABLE,
            _ => UNREACHABLE,
        }
    }

    fn of_objects(error: ObjectError) -> Self {
        match error.fault {
            Fault::Away => Self::StoreAway(error),
            _ => Self::Other(error.into()),
        }
    }

    fn new(error: StoreError, database: &Database) -> Self {
        match error {
            error @ (StoreError::InUse(_) | StoreError::InUseAlone(_)) => Self::Other(error.into()),
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

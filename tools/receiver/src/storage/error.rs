//! Reasons why something could not be stored.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use sqlx::migrate::MigrateError;

/// A reason.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A file could not be read or written.
    #[error("file: {0}")]
    File(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store failed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// Another file has the name.
    #[error("{0}")]
    NameTaken(String),
    /// The name cannot be one of a file on the disk.
    #[error("{0}")]
    NameTooLong(String),
    /// Another request works on an upload that had to be changed.
    #[error("another client is using the file of the same name")]
    Busy,
    /// A thread panicked.
    #[error("thread: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

impl StorageError {
    /// Whether a disk is full or a quota used up.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match self {
            Self::File(error) => {
                matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
            }
            Self::Store(error) => error.is_full(),
            Self::Object(_)
            | Self::NameTaken(_)
            | Self::NameTooLong(_)
            | Self::Busy
            | Self::Thread(_) => false,
        }
    }

    /// Whether the database, or the object store, cannot be reached now, and may be later.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_unreachable(),
            Self::Object(error) => error.fault == Fault::Away,
            _ => false,
        }
    }

    /// Whether the database refuses this program, which it took before.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_refusal())
    }

    /// Whether the database may have made the change all the same, since its answer was lost.
    pub fn may_be_done(&self) -> bool {
        matches!(self, Self::Store(error) if !error.is_from_statement())
    }
}

/// A reason why the object store could not help.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the object store {store} cannot {work}: {why}{}", fault.way_out())]
pub struct ObjectError {
    /// The store's address, which has no credentials.
    pub store: String,
    /// What it was asked to do, with the key of the object.
    pub work: String,
    /// What went wrong.
    pub why: String,
    /// What kind of a reason it is.
    pub fault: Fault,
}

impl ObjectError {
    /// Whether the store says that it does not have what it had confirmed: not that it cannot be reached, nor that the
    /// whole bucket is away.
    pub fn is_lost(&self) -> bool {
        let codes = [
            "NoSuchUpload",
            "InvalidPart",
            "InvalidBlockList",
            "NoSuchKey",
            "BlobNotFound",
        ];
        self.fault == Fault::Lost || codes.iter().any(|code| self.why.contains(code))
    }
}

/// A kind of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be reached now, and may be later.
    Away,
    /// It refuses this program.
    Refused,
    /// It does not have what was asked for.
    Missing,
    /// It does not have any more what it had confirmed.
    Lost,
    /// It does not take the request.
    Wrong,
}

impl Fault {
    fn way_out(self) -> &'static str {
        match self {
            Self::Away | Self::Lost => "",
            Self::Refused => {
                "; check the credentials in the receiver's environment (AWS_…, AZURE_… or GOOGLE_…), their rights in the \
                 bucket, and the region"
            }
            Self::Missing => "; is the bucket there, under this name?",
            Self::Wrong => "; check the address in --store",
        }
    }
}

/// A reason why a request may not work on an upload, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another request works on it, and its client is alive.
    #[error("another client is writing this upload")]
    Held,
    /// A newer request has the claim now.
    #[error("a newer request has taken this upload over")]
    TakenOver,
    /// As many uploads are being sent as the receiver allows.
    #[error("the receiver is busy with other uploads")]
    Full,
    /// The owner sends this many uploads, the most that one may send.
    #[error("{0} uploads are being sent: one user may not send more at once")]
    OwnerFull(usize),
    /// As many parts of this upload are being sent as may be.
    #[error("{0} parts of this upload are being sent: no more are taken at once")]
    PartsFull(usize),
    /// The receiver ends.
    #[error("the receiver is shutting down")]
    ShutDown,
    /// Other receivers could not be asked, or what one of them left could not be put right.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A reason why the database could not help.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It refused or could not be reached.
    #[error("database: {0}")]
    Database(Arc<sqlx::Error>),
    /// Its tables could not be brought up to date.
    #[error("database migration: {0}")]
    Migration(Arc<MigrateError>),
    /// A newer receiver has changed its tables.
    #[error(
        "a newer resup-receiver has changed it (change {0}, which this one does not know); start that one, or give another \
         --data"
    )]
    Newer(i64),
    /// The address is not one of a database that this program knows.
    #[error("its address begins neither with sqlite: nor with postgres:")]
    Unknown,
    /// Another receiver has the database's lock.
    #[error("another receiver uses the database {0}; end it, or give another --database")]
    InUse(String),
    /// A receiver that wants to be the only one has the database's lock.
    #[error(
        "a receiver without --shared, or a move of records, uses the database {0}; end it, or start all receivers with --shared"
    )]
    InUseAlone(String),
    /// It does not answer.
    #[error("it does not answer")]
    Silent,
    /// Texts of all languages cannot be in it.
    #[error("it has the encoding {0}; make it with ENCODING 'UTF8'")]
    Encoding(String),
    /// The system has no random numbers.
    #[error("random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The lease under which the change began has another holder now.
    #[error("another receiver has taken this upload over")]
    Lost,
    /// Several receivers cannot have this database.
    #[error("--shared needs PostgreSQL: give --database postgres://…")]
    NotShared,
    /// A row has a value that this program never writes.
    #[error("database: upload {id} has an unreadable {column}")]
    Unreadable {
        /// The upload.
        id: String,
        /// The column.
        column: &'static str,
    },
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(change) => Self::Newer(change),
            error => Self::Migration(Arc::new(error)),
        }
    }
}

impl StoreError {
    /// Whether the database's disk is full.
    pub fn is_full(&self) -> bool {
        const SQLITE_FULL: &str = "13";
        const POSTGRES_FULL: &str = "53100";
        self.code()
            .is_some_and(|code| code == SQLITE_FULL || code == POSTGRES_FULL)
    }

    /// Whether the database cannot be reached now, and may be later.
    pub fn is_unreachable(&self) -> bool {
        // Classes of SQLSTATE: connections, resources, an operator's doing (a shutdown); and a server that only reads, since
        // another one writes now. The codes of SQLite are shorter.
        let away = |code: &str| {
            code.len() == 5
                && (["08", "53", "57"].iter().any(|it| code.starts_with(it)) || code == "25006")
        };
        match self {
            Self::InUse(_) | Self::InUseAlone(_) | Self::Silent => true,
            Self::Database(error) => match &**error {
                sqlx::Error::Io(error) => !is_refused_by_tls(error),
                sqlx::Error::PoolTimedOut => true,
                _ => !self.is_full() && self.code().is_some_and(|code| away(&code)),
            },
            _ => false,
        }
    }

    /// Whether the database refuses this program: a wrong password, a database that is not there, a certificate that is not
    /// valid. That ends a start; later on, an operator may put it right.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Database(error) if matches!(**error, sqlx::Error::Tls(_)) => true,
            Self::Database(error) if matches!(&**error, sqlx::Error::Io(error) if is_refused_by_tls(error)) => {
                true
            }
            _ => self.code().is_some_and(|code| {
                code.len() == 5
                    && (["28", "3D"].iter().any(|it| code.starts_with(it)) || code == "55000")
            }),
        }
    }

    /// Whether another program has the file of SQLite.
    pub fn is_busy(&self) -> bool {
        const SQLITE_BUSY: &str = "5";
        self.code().is_some_and(|code| code == SQLITE_BUSY)
    }

    /// Whether the database has refused a statement, and takes others.
    pub fn is_from_statement(&self) -> bool {
        matches!(self, Self::Lost) || (self.code().is_some() && !self.is_unreachable())
    }

    /// Whether the database has broken a circle of changes that waited for each other. They can be made again.
    pub fn is_deadlock(&self) -> bool {
        self.code().is_some_and(|code| code == "40P01")
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Database(error) => error.as_database_error()?.code(),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

/// Whether a connection has failed since one side does not accept the other one's TLS, such as its certificate.
fn is_refused_by_tls(error: &io::Error) -> bool {
    use rustls::Error::{AlertReceived, InvalidCertificate, PeerIncompatible};
    let inner = error.get_ref().and_then(|it| it.downcast_ref());
    matches!(
        inner,
        Some(InvalidCertificate(_) | AlertReceived(_) | PeerIncompatible(_))
    )
}

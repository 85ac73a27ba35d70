//! Databases: their addresses, connections to them, and numbers and times as they take them.
//!
//! All texts of SQL are for SQLite and for PostgreSQL; what cannot be the same in both is here, and in the directories
//! `migrations` and `migrations-postgres`.

use std::str::FromStr;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, ConnectOptions, Connection, Row};
use tokio::time::{sleep, timeout, Instant};
use url::Url;

use crate::storage::error::StoreError;
use crate::storage::folding::fold_names;
use crate::storage::pool::Pool;
use crate::storage::session::set_up;

/// How long a request waits for a database that does not take connections. A restart of it is mostly shorter.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long PostgreSQL may take for an answer. Then the connection is given up.
pub const LIMIT: Duration = Duration::from_secs(30);
/// The time between two attempts meanwhile.
const INTERVAL: Duration = Duration::from_millis(100);

/// The number of the lock that a receiver has in PostgreSQL. It has no meaning.
const LOCK: i64 = 0x7265_7375_7001;

/// The name of the database that this process uses.
static NAME: OnceLock<String> = OnceLock::new();

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// SQLite, a file.
    Sqlite,
    /// PostgreSQL, a server.
    Postgres,
}

/// What is in a database.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The numbers of the changes that a start would make to its tables.
    pub pending: Vec<i64>,
    /// How many uploads it has.
    pub uploads: i64,
    /// How many users it has.
    pub users: i64,
}

/// A database.
#[derive(Clone)]
pub struct Database {
    options: AnyConnectOptions,
    kind: Kind,
    name: String,
    has_password: bool,
    is_shared: bool,
}

impl Database {
    /// Reads an address: `sqlite:…`, or `postgres:…` as the library of PostgreSQL has them. The password is for the latter;
    /// it goes before one in the address. The error does not have the address, which may have a password.
    pub fn parse(address: &str, password: Option<&str>) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let mut options = AnyConnectOptions::from_str(address)?;
        let kind = match options.database_url.scheme() {
            "sqlite" => Kind::Sqlite,
            "postgres" | "postgresql" => Kind::Postgres,
            _ => return Err(StoreError::Unknown),
        };
        let name = match kind {
            Kind::Sqlite => address.to_owned(),
            Kind::Postgres => without_password(&options.database_url).to_string(),
        };
        let has_password = kind == Kind::Postgres && name != options.database_url.as_str();
        if let (Some(password), Kind::Postgres) = (password, kind) {
            let url = &mut options.database_url;
            url.query_pairs_mut().append_pair("password", password);
        }
        Ok(Self {
            options,
            kind,
            name,
            has_password,
            is_shared: false,
        })
    }

    /// Makes it one that several receivers use at a time. Only PostgreSQL can be that.
    pub fn shared(mut self) -> Result<Self, StoreError> {
        self.is_shared = true;
        match self.kind {
            Kind::Postgres => Ok(self),
            Kind::Sqlite => Err(StoreError::NotShared),
        }
    }

    /// Whether several receivers use it at a time.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Gives it another name.
    pub fn named(mut self, name: String) -> Self {
        self.name = name;
        self
    }

    /// Whether its address has a password.
    pub fn has_password(&self) -> bool {
        self.has_password
    }

    /// Gives its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Gives its address without a password, or its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes it the database that log lines name. A receiver has one.
    pub fn set_name(&self) {
        let _ = NAME.set(self.name.clone());
    }

    /// Opens connections for all but changes of uploads, at most `limit`. With SQLite all of them now, else as they are
    /// needed.
    pub async fn pool(&self, limit: u32) -> sqlx::Result<Pool> {
        let pool = AnyPoolOptions::new().max_connections(limit);
        if self.kind == Kind::Postgres {
            let is_shared = self.is_shared;
            let pool = pool
                .acquire_timeout(PATIENCE)
                .after_connect(move |connection, _| Box::pin(set_up(connection, is_shared)))
                // One that does not answer would count until the network ends it.
                .after_release(|connection, _| {
                    Box::pin(async move {
                        let tested = timeout(PATIENCE, connection.ping()).await;
                        tested.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
                        Ok(true)
                    })
                });
            let connections = pool.connect_lazy_with(self.options.clone());
            return Ok(Pool::new(connections, Some(LIMIT)));
        }
        // Connections stay open: only the one that wrote to SQLite's log knows which part of it is durable.
        // All are opened now, since none can be opened on a full disk.
        let pool = pool
            .min_connections(limit)
            .idle_timeout(None)
            .max_lifetime(None)
            // A connection to a file cannot be lost. The test is one more way to its thread and back.
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(set_up(connection, false)));
        Ok(Pool::new(
            pool.connect_with(self.options.clone()).await?,
            None,
        ))
    }

    /// Opens a connection.
    pub async fn connect(&self) -> Result<AnyConnection, StoreError> {
        let connecting = async {
            let mut connection = self.options.connect().await?;
            set_up(&mut connection, self.is_shared).await?;
            Ok(connection)
        };
        match self.kind {
            Kind::Sqlite => connecting.await,
            Kind::Postgres => timeout(PATIENCE, connecting)
                .await
                .unwrap_or(Err(StoreError::Silent)),
        }
    }

    /// Opens the connection for changes of uploads. There is one at a time: SQLite allows one writer, and in PostgreSQL it
    /// has a lock, which ends with it. So nothing that a lost connection began can come after what the next one does, and
    /// there is no second receiver. Where several receivers share it, they share the lock, too: then the numbers of leases tell
    /// what comes too late. Tries for so long.
    pub async fn connect_alone(&self, patience: Duration) -> Result<AnyConnection, StoreError> {
        let until = Instant::now() + patience;
        loop {
            match self.try_alone().await {
                Err(error) if error.is_unreachable() && Instant::now() < until => {
                    sleep(INTERVAL).await;
                }
                done => return done,
            }
        }
    }

    async fn try_alone(&self) -> Result<AnyConnection, StoreError> {
        let mut connection = self.connect().await?;
        if self.kind == Kind::Postgres {
            // Where the network fails, the server shall soon notice and give the lock free.
            let row = sqlx::query(
                "SELECT CASE WHEN $2 THEN pg_try_advisory_lock_shared($1)
                        ELSE pg_try_advisory_lock($1) END AS is_alone,
                        set_config('tcp_keepalives_idle', '10', false),
                        set_config('tcp_keepalives_interval', '5', false),
                        set_config('tcp_keepalives_count', '3', false),
                        (SELECT set_config(name, '25000', false) FROM pg_settings
                         WHERE name = 'tcp_user_timeout')",
            )
            .bind(LOCK)
            .bind(self.is_shared)
            .fetch_one(&mut connection)
            .await?;
            if !row.try_get::<bool, _>("is_alone")? {
                return Err(match self.is_shared {
                    true => StoreError::InUseAlone(self.name.clone()),
                    false => StoreError::InUse(self.name.clone()),
                });
            }
        }
        Ok(connection)
    }

    /// Looks what is in it, and changes nothing.
    pub async fn look(&self) -> Result<State, StoreError> {
        let mut connection = match self.kind {
            Kind::Sqlite => read_only(&self.options).connect().await?,
            Kind::Postgres => self.connect().await?,
        };
        let changes = match self.kind {
            Kind::Sqlite => sqlx::migrate!("./migrations"),
            Kind::Postgres => {
                check_encoding(&mut connection).await?;
                sqlx::migrate!("./migrations-postgres")
            }
        };
        let mut state = State {
            pending: changes.iter().map(|change| change.version).collect(),
            ..State::default()
        };
        let tables = match self.kind {
            Kind::Sqlite => "SELECT name FROM sqlite_master WHERE name = '_sqlx_migrations'",
            Kind::Postgres => {
                "SELECT 'made' AS name WHERE to_regclass('_sqlx_migrations') IS NOT NULL"
            }
        };
        let has_tables = sqlx::query(tables).fetch_optional(&mut connection).await?;
        if has_tables.is_some() {
            let made = sqlx::query("SELECT version FROM _sqlx_migrations ORDER BY version")
                .fetch_all(&mut connection)
                .await?;
            for row in made {
                let version = row.try_get("version")?;
                if !changes.version_exists(version) {
                    return Err(StoreError::Newer(version));
                }
                state.pending.retain(|pending| *pending != version);
            }
            let counts = "SELECT (SELECT COUNT(*) FROM uploads) AS uploads,
                                 (SELECT COUNT(*) FROM users) AS users";
            let counts = sqlx::query(counts).fetch_one(&mut connection).await?;
            state.uploads = counts.try_get("uploads")?;
            state.users = counts.try_get("users")?;
        }
        connection.close().await?;
        Ok(state)
    }

    /// Brings the tables up to date.
    pub async fn migrate(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        match self.kind {
            Kind::Sqlite => sqlx::migrate!("./migrations").run(&mut *connection).await?,
            Kind::Postgres => {
                check_encoding(connection).await?;
                sqlx::migrate!("./migrations-postgres")
                    .run(&mut *connection)
                    .await?;
            }
        }
        Ok(fold_names(connection).await?)
    }
}

/// Makes options by which SQLite writes nothing, and makes no file.
fn read_only(options: &AnyConnectOptions) -> AnyConnectOptions {
    let mut options = options.clone();
    let url = &mut options.database_url;
    let pairs = url.query().unwrap_or("").split('&');
    let mut pairs: Vec<_> = pairs.filter(|pair| !pair.starts_with("mode=")).collect();
    pairs.push("mode=ro");
    let query = pairs.join("&");
    url.set_query(Some(query.trim_start_matches('&')));
    options
}

/// Checks that texts of all languages can be in PostgreSQL.
async fn check_encoding(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT current_setting('server_encoding') AS encoding");
    let row = row.fetch_one(connection).await?;
    let encoding: String = row.try_get("encoding")?;
    match encoding == "UTF8" {
        true => Ok(()),
        false => Err(StoreError::Encoding(encoding)),
    }
}

fn without_password(url: &Url) -> Url {
    let mut url = url.clone();
    // Fails where there is no host, and so none.
    let _ = url.set_password(None);
    let pairs = url.query().unwrap_or("").split('&');
    let is_public = |pair: &&str| !pair.is_empty() && !pair.starts_with("password=");
    let pairs: Vec<_> = pairs.filter(is_public).collect();
    let query = pairs.join("&");
    url.set_query(Some(&*query).filter(|query| !query.is_empty()));
    url
}

/// Gives the name of the database that this process uses, for the log.
pub fn name() -> &'static str {
    NAME.get().map_or("", String::as_str)
}

/// Whether a text can be in every database: PostgreSQL has no NUL. Nothing is ever found by one that cannot.
pub fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Converts a number of bytes to what the database takes.
pub fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).expect("sizes are checked when they arrive")
}

/// Returns the time in milliseconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgreSQL's tables begin as those of SQLite are after its tenth change.
    #[test]
    fn the_changes_of_both_kinds_have_the_same_numbers() {
        let sqlite = sqlx::migrate!("./migrations");
        let postgres = sqlx::migrate!("./migrations-postgres");
        let numbers = |changes: &sqlx::migrate::Migrator| -> Vec<i64> {
            changes.iter().map(|change| change.version).collect()
        };
        let expected = numbers(&sqlite).into_iter().filter(|it| *it >= 10);
        assert_eq!(numbers(&postgres), expected.collect::<Vec<_>>());
        assert_eq!(numbers(&sqlite)[..10], Vec::from_iter(1..=10));
    }

    #[test]
    fn the_name_has_no_password() {
        for (address, name, has_password) in [
            (
                "postgres://joe:secret@host:5432/db",
                "postgres://joe@host:5432/db",
                true,
            ),
            (
                "postgres://joe@%2Frun%2Fpg/db?password=secret&sslmode=require",
                "postgres://joe@%2Frun%2Fpg/db?sslmode=require",
                true,
            ),
            (
                "postgres:///db?host=/run/pg",
                "postgres:///db?host=/run/pg",
                false,
            ),
            ("postgresql://host/db", "postgresql://host/db", false),
        ] {
            for password in [None, Some("other")] {
                let database = Database::parse(address, password).unwrap();
                assert_eq!(database.kind(), Kind::Postgres);
                assert_eq!(
                    (database.name(), database.has_password()),
                    (name, has_password)
                );
            }
        }
        let file = Database::parse("sqlite:///srv/records?mode=rwc", Some("other")).unwrap();
        assert_eq!(file.kind(), Kind::Sqlite);
        assert_eq!(file.name(), "sqlite:///srv/records?mode=rwc");
        for wrong in ["mysql://joe:secret@host/db", "joe:secret@host"] {
            let error = Database::parse(wrong, None).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

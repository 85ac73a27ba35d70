//! The reference receiver of resup. It receives files by resumable form upload, version 1.1, and stores them in a
//! directory, with records in a database.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `check` | the command that looks whether a start would succeed |
//! | `start` | what is opened at the start |
//! | `waiting` | the answers while the database cannot be reached at the start |
//! | `server` | the server: accepts connections and serves them with hyper |
//! | [`routes`] | the routes |
//! | [`app`] | all parts of the receiver, of which each route takes what it needs |
//! | `choice` | the choice between the protocols for uploads |
//! | [`tus`] | uploads by tus 1.0 |
//! | [`ietf`] | uploads by the IETF's resumable uploads |
//! | [`resource`] | what these two have in common: an upload with a URL of its own |
//! | [`account`] | a user's own account, and the admin's view of all |
//! | [`wire`] | uploads by form at `/upload`: locate, send and store |
//! | [`records`] | the list of uploads, their details, download and deletion |
//! | [`audit`] | the command that exports what happened to uploads |
//! | [`page`] | the pages that people see, with the login |
//! | [`receipts`] | signed receipts of finished files |
//! | [`accounts`] | users, tokens, logins and signatures |
//! | [`hooks`] | the operator's own programs and servers, which are asked and told about uploads |
//! | [`ops`] | TLS, health and metrics |
//! | [`http`] | what all routes share: JSON replies and the fields of forms |
//! | [`storage`] | the uploads: bytes in a directory, records in a database |
//! | [`config`] | the settings and the commands |
//! | `listen` | the sockets |
//! | [`connections`] | a limit for open connections |
//! | [`linger`] | responses that come before the request's end |
//! | [`interim`] | interim responses (1xx) |
//!
//! Each module uses only modules below it in this list; a test refuses files that use each other in a circle.
//!
//! The page's scripts are in `page/assets`, from the top: `app.js` puts them together, `admin.js` those of the admin's page.
//! `queue.js` has the uploads and their order, `uploads.js` shows them. `records.js` has the server's lists, of which
//! `library.js` is that of the finished files, with `selection.js` for several of them; `list.js` has the rows of both.
//! `account.js` shows the user's account. `row.js` is one upload on the page, with `kinds.js` for icons. `dialogs.js` has
//! questions and the login, `files.js` the files that were chosen, dropped or pasted, `own.js` what this page was sending
//! before a reload, `copy.js` the clipboard. `upload.js` is one upload and its attempts after a connection
//! loss. `transfer.js` is one attempt, as in the library: store, or locate, compare and send. It uses `agreement.js` for
//! what version 1.1 adds, `compare.js`, `digest.js` (with `digest-worker.js`), `parts.js`, `segments.js` and `rate.js`.
//! `parts.js` plans the parts, with `ranges.js`; `ramp.js` counts the connections of one upload and `lanes.js` those of
//! all. Only `server.js` makes requests, only `texts.js` knows languages.
//! `vendor` has files of npm packages, unchanged: `spark-md5.min.js` of spark-md5 3.0.2, and
//! `hash-wasm-blake3.umd.min.js`, which is `dist/blake3.umd.min.js` of hash-wasm 4.13.0.

mod account;
mod accounts;
mod app;
mod audit;
mod check;
mod choice;
mod config;
mod connections;
mod hooks;
mod http;
mod ietf;
mod interim;
mod linger;
mod listen;
mod ops;
mod page;
mod receipts;
mod records;
mod resource;
mod routes;
mod server;
mod start;
mod storage;
mod tus;
mod waiting;
mod wire;

use std::io::Write;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tracing_subscriber::EnvFilter;

use crate::accounts::{admin, Accounts};
use crate::app::App;
use crate::config::command::Command;
use crate::config::{Config, LogFormat};
use crate::hooks::after::Courier;
use crate::listen::{Passed, Sockets};
use crate::ops::health::Health;
use crate::ops::metrics::{self, Metrics};
use crate::ops::signals::{reload_on_hangup, Signals};
use crate::ops::supervisor;
use crate::ops::tls::Tls;
use crate::receipts::Receipts;
use crate::start::OpenError;
use crate::storage::blocks::Blocks;
use crate::storage::claims::Claims;
use crate::storage::database::Database;
use crate::storage::error::StorageError;
use crate::storage::expiry;
use crate::storage::files::Files;
use crate::storage::inventory;
use crate::storage::leases::Leases;
use crate::storage::moving;
use crate::storage::objects::Objects;
use crate::storage::pace::Pace;
use crate::storage::takeover;
use crate::storage::uploads::{Naming, Uploads};

/// How many blocking threads there are beside those of uploads, which have one each.
const THREADS: usize = 64;
/// The time after which a database that cannot be reached is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How many open files are kept for other things, out of the half that connections may have.
const RESERVED: u64 = 48;

fn main() -> ExitCode {
    match begin() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The causes on one line, and no backtrace: most are mistakes of the operator.
            eprintln!("resup-receiver: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn begin() -> anyhow::Result<()> {
    let mut config = Config::load()?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // A log that cannot be written (on a full disk, say) must not cost a response.
        .log_internal_errors(false);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    // Each upload needs a connection and a file. The usual limit does not allow hundreds of them.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => {
            let half = (limit / 2).saturating_sub(RESERVED);
            let connections = NonZeroUsize::new(half as usize).unwrap_or(NonZeroUsize::MIN);
            config.max_connections = config.max_connections.min(connections);
        }
        Err(error) => tracing::warn!("cannot raise the limit of open files: {error}"),
    }
    let passed = Passed::take()?;
    config.passed_public = passed.public();
    config.passed_unix = passed.unix();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(config.max_uploads.get() + THREADS)
        .enable_all()
        .build()?;
    let result = runtime.block_on(run(config, passed));
    if result.is_err() {
        // Nothing has to wait for what its threads do.
        runtime.shutdown_background();
    }
    result
}

async fn run(config: Config, passed: Passed) -> anyhow::Result<()> {
    let config = Arc::new(config);
    let data = &config.data;
    if let Some(Command::Check) = config.command {
        let (text, is_good) = check::run(&config).await;
        std::io::stdout().write_all(text.as_bytes())?;
        return match is_good {
            true => Ok(()),
            false => bail!("a start would not succeed: what has to change is above"),
        };
    }
    #[cfg(unix)]
    // (A mode has 16 bits on macOS; --umask takes 6 of them.)
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(config.umask as _));
    start::make_directory(data)?;
    if let Some(command) = config.command.clone() {
        return run_command(&config, command).await;
    }
    let _lock = start::lock(data, config.shared)?;
    let database = start::database(&config)?;
    let objects = start::objects(&config)?;
    let tls = match (&config.tls_cert, &config.tls_key) {
        (Some(certificates), Some(key)) => Some(Arc::new(Tls::open(certificates, key)?)),
        _ => None,
    };
    let metrics_listener = match config.metrics_listen {
        Some(address) => Some(listen::bind(address, "--metrics-listen").await?),
        None => None,
    };
    let (before, after) = start::hooks(&config)?;
    let receipts = Receipts::open(&config)?;
    reload_on_hangup(tls.clone())?;
    let mut signals = Signals::new()?;
    let prepared = tokio::select! {
        prepared = prepare(&config, &database, &objects) => prepared,
        () = signals.next() => return Ok(()),
    };
    let (accounts, uploads, sockets) = match prepared {
        Ok((accounts, uploads)) => (
            accounts,
            uploads,
            listen(passed, &config, tls.is_some()).await?,
        ),
        Err(OpenError::Other(error)) => return Err(error),
        Err(error) => {
            let sockets = listen(passed, &config, tls.is_some()).await?;
            let waiting = tokio::spawn(waiting::serve(error.what(), sockets.clone(), tls.clone()));
            let prepared = tokio::select! {
                prepared = prepare_later(&config, &database, &objects, error) => prepared,
                () = signals.next() => return Ok(()),
            };
            waiting.abort();
            let (accounts, uploads) = prepared?;
            (accounts, uploads, sockets)
        }
    };
    tokio::spawn(expiry::run(
        uploads.clone(),
        config.expire,
        config.audit_keep,
    ));
    let metrics = Arc::new(Metrics::new(accounts.failed_logins.clone()));
    let app = App {
        accounts,
        uploads,
        metrics,
        health: Health::default(),
        config,
        before,
        receipts,
    };
    if let Some(hook) = after {
        let (uploads, metrics) = (app.uploads.clone(), app.metrics.clone());
        let courier = Courier {
            hook,
            uploads,
            metrics,
        };
        tokio::spawn(courier.run());
    }
    if let Some(listener) = metrics_listener {
        tracing::info!("metrics on http://{}/metrics", listener.local_addr()?);
        let (metrics, uploads) = (app.metrics.clone(), app.uploads.clone());
        tokio::spawn(metrics::serve(metrics, uploads, listener));
    }
    if !server::serve(app, sockets, tls, &mut signals).await {
        bail!("a second signal has ended it at once; what clients were told is kept");
    }
    Ok(())
}

/// Opens what is kept, and repairs what a crash has left.
async fn prepare(
    config: &Config,
    database: &Database,
    objects: &Option<Objects>,
) -> Result<(Accounts, Uploads), OpenError> {
    start::check(objects).await?;
    let (mut store, accounts) = start::open(config, database).await?;
    start::tell(&mut store, config, database).await?;
    let unreachable = |error: StorageError| OpenError::of_storage(error, database);
    let users = accounts.users.any().await;
    let has_users = users.map_err(|error| unreachable(error.into()))?;
    if let Some(warning) = start::check_users(config, has_users)? {
        tracing::warn!("{warning}");
    }
    let claims = Claims::new(
        config.max_uploads.get(),
        config.max_uploads_per_user.map(Into::into),
    );
    let leases = match database.is_shared() {
        true => {
            let begun = Leases::begin(database, &config.data).await;
            Some(begun.map_err(unreachable)?)
        }
        false => None,
    };
    let uploads = Uploads {
        store,
        files: Files::open(&config.data)?,
        objects: objects.clone(),
        claims: Arc::new(claims),
        leases,
        searches: Pace::default(),
        blocks: Blocks::default(),
        naming: Naming::default(),
        layout: config.layout,
        conflict: config.conflict,
    };
    // Its life goes on while it looks at what is there.
    let life = uploads.clone();
    let life = tokio::spawn(async move { takeover::keep(life).await });
    uploads.recover().await.map_err(|error| {
        life.abort();
        unreachable(error)
    })?;
    Ok((accounts, uploads))
}

/// Tries again until database and object store can be reached.
async fn prepare_later(
    config: &Config,
    database: &Database,
    objects: &Option<Objects>,
    mut error: OpenError,
) -> anyhow::Result<(Accounts, Uploads)> {
    loop {
        tracing::error!("{error}; until it is there, each request is answered with 503");
        tokio::time::sleep(RETRY).await;
        error = match prepare(config, database, objects).await {
            Err(OpenError::Other(error)) => return Err(error),
            Err(error) => error,
            Ok(prepared) => {
                tracing::info!("the database {} is there", database.name());
                if let Some(objects) = objects {
                    tracing::info!("the object store {} is there", objects.name());
                }
                return Ok(prepared);
            }
        };
    }
}

/// Listens, and says so.
async fn listen(passed: Passed, config: &Config, has_tls: bool) -> anyhow::Result<Arc<Sockets>> {
    let sockets = Sockets::open(passed, config).await?;
    let mut stdout = std::io::stdout();
    for name in sockets.names(has_tls)? {
        writeln!(stdout, "listening on {name}")?;
    }
    stdout.flush()?;
    supervisor::tell_ready();
    Ok(Arc::new(sockets))
}

/// Runs a command in place of the receiver.
async fn run_command(config: &Config, command: Command) -> anyhow::Result<()> {
    let message = match command {
        Command::User(command) => {
            let accounts = start::open_accounts(config).await?;
            admin::run_user(&accounts.users, command).await?
        }
        Command::Token(command) => {
            let accounts = start::open_accounts(config).await?;
            admin::run_token(&accounts.users, command).await?
        }
        Command::Audit { since, until } => return audit::run(config, since, until).await,
        Command::ReceiptKey => Receipts::open(config)?.public_key()?,
        Command::MoveRecords { from, to } => {
            let _lock = start::lock(&config.data, false)?;
            let from = start::database_at(config, from.as_deref())?;
            let to = start::database_at(config, to.as_deref())?;
            moving::run(&from, &to).await?
        }
        // They make no directory, so they were run before.
        Command::Check | Command::Man | Command::Completions { .. } => String::new(),
        Command::Unknown(command) => inventory::run(&Files::open(&config.data)?, command)?,
    };
    std::io::stdout().write_all(message.as_bytes())?;
    Ok(())
}

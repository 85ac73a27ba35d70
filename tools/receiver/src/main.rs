//! The reference receiver of resup: takes files by resumable form upload, version 1, and keeps
//! them in a directory, with its records in a database.

#![forbid(unsafe_code)]

mod accounts;
mod app;
mod config;
mod connections;
mod http;
mod linger;
mod ops;
mod page;
mod records;
mod routes;
mod server;
mod storage;
mod wire;

use std::fs::File;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::{bail, Context};
use percent_encoding::{utf8_percent_encode, NON_ALPHANUMERIC};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::accounts::{admin, Accounts};
use crate::app::App;
use crate::config::{Config, LogFormat};
use crate::ops::metrics;
use crate::ops::tls::Tls;
use crate::storage::expiry;
use crate::storage::files::Files;
use crate::storage::store::Store;
use crate::storage::uploads::Shelf;

/// Blocking threads for other things than uploads under way, of which each has its own.
const THREADS: usize = 64;
/// Half of the open files that are for neither connections nor uploads.
const RESERVED: u64 = 32;

fn main() -> anyhow::Result<()> {
    let mut config = Config::load()?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // A log that takes nothing (its disk is full, say) must not cost an answer.
        .log_internal_errors(false);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    // Hundreds of uploads are more than the usual limit allows; each has a connection and a file.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(most) => {
            let most = (most / 2).saturating_sub(RESERVED);
            let most = NonZeroUsize::new(most as usize).unwrap_or(NonZeroUsize::MIN);
            config.max_connections = config.max_connections.min(most);
        }
        Err(error) => tracing::warn!("cannot raise the limit of open files: {error}"),
    }
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(config.max_uploads.get() + THREADS)
        .enable_all()
        .build()?
        .block_on(run(config))
}

async fn run(config: Config) -> anyhow::Result<()> {
    let config = Arc::new(config);
    let data = &config.data;
    std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    let _lock = match &config.command {
        Some(command) => {
            let (_, accounts) = open(&config).await?;
            return admin::run(&accounts, command.clone()).await;
        }
        None => lock(data)?,
    };
    let (store, accounts) = open(&config).await?;
    let listen = config.listen;
    without_users(&config, &accounts).await?;
    let shelf = Shelf {
        store,
        files: Files::open(data)?,
        active: Arc::default(),
        layout: config.layout,
        conflict: config.conflict,
    };
    shelf.mend().await?;
    if let Some(age) = config.expire {
        tokio::spawn(expiry::run(shelf.clone(), age));
    }
    let app = App {
        accounts,
        store: shelf.store.clone(),
        active: shelf.active.clone(),
        shelf,
        metrics: Arc::default(),
        config,
    };
    let tls = match (&app.config.tls_cert, &app.config.tls_key) {
        (Some(certificates), Some(key)) => Some(Arc::new(Tls::open(certificates, key)?)),
        _ => None,
    };
    let listener = bind(listen).await?;
    let address = listener.local_addr()?;
    let metrics = match app.config.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    reload_on_hangup(tls.clone())?;
    let end = signals()?;
    let mut stdout = std::io::stdout();
    let scheme = if tls.is_some() { "https" } else { "http" };
    writeln!(stdout, "listening on {scheme}://{address}/upload")?;
    if let Some(listener) = metrics {
        tracing::info!("metrics on http://{}/metrics", listener.local_addr()?);
        tokio::spawn(metrics::serve(app.clone(), listener));
    }
    stdout.flush()?;
    server::serve(app, listener, tls, end).await;
    Ok(())
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("cannot listen on {address}"))
}

/// Opens the database. One program at a time, since SQLite lets two bring the tables up to date.
async fn open(config: &Arc<Config>) -> anyhow::Result<(Store, Accounts)> {
    let data = &config.data;
    let url = match &config.database {
        Some(url) => url.clone(),
        None => default_database(data)?,
    };
    let path = data.join("opening");
    let cannot = || format!("cannot lock {}", path.display());
    let opening = File::create(&path).with_context(cannot)?;
    opening.lock().with_context(cannot)?;
    let store = Store::open(&url).await?;
    let accounts = Accounts::open(&url, config.clone()).await?;
    Ok((store, accounts))
}

/// Where nobody has to log in, nobody but this machine's users may come.
async fn without_users(config: &Config, accounts: &Accounts) -> anyhow::Result<()> {
    if accounts.any_user().await? {
        return Ok(());
    }
    let way_out = format!(
        "add one with: resup-receiver --data {} user add NAME",
        config.data.display()
    );
    if !config.is_local() {
        bail!(
            "no user is configured, and without one it listens on loopback only, not on {}; {way_out}",
            config.listen
        );
    }
    if !config.trusted_proxy.is_empty() {
        bail!("no user is configured, and without one no proxy may bring others here; {way_out}");
    }
    tracing::warn!("no user is configured: anyone on this machine may upload; {way_out}");
    Ok(())
}

/// Two receivers in one directory would write the same files; the lock goes with its process.
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let lock = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!(
                "another receiver uses the data directory {}",
                data.display()
            )
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn default_database(data: &Path) -> anyhow::Result<String> {
    let path = data.join("receiver.sqlite");
    secret(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let path = path
        .to_str()
        .with_context(|| format!("{} is not Unicode: give --database", path.display()))?;
    let path = utf8_percent_encode(path, NON_ALPHANUMERIC);
    Ok(format!("sqlite://{path}?mode=rwc"))
}

/// Certificates are renewed while the receiver runs.
#[cfg(unix)]
fn reload_on_hangup(tls: Option<Arc<Tls>>) -> anyhow::Result<()> {
    use tokio::signal::unix::{signal, SignalKind};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match tls.as_deref().map(Tls::reload) {
                Some(Ok(())) => tracing::info!("certificates read again"),
                Some(Err(error)) => tracing::error!("the old certificates stay: {error:#}"),
                None => tracing::info!("SIGHUP: there are no certificates to read again"),
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn reload_on_hangup(_: Option<Arc<Tls>>) -> anyhow::Result<()> {
    Ok(())
}

/// Makes the database's file, for this system user only: what can be tried against a password is in it.
fn secret(path: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(unix)]
fn signals() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{signal, SignalKind};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // With a handler a file that is too large is an error and not the end.
    let too_large = signal(SignalKind::from_raw(libc::SIGXFSZ))?;
    Ok(async move {
        let _too_large = too_large;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

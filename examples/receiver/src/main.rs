//! The reference receiver of resup: takes files by resumable form upload, version 1, and keeps
//! them in a directory, with its records in a database.

#![forbid(unsafe_code)]

mod accounts;
mod app;
mod config;
mod connections;
mod linger;
mod records;
mod routes;
mod server;
mod storage;
mod wire;

use std::fs::File;
use std::future::Future;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::{bail, Context};
use clap::Parser;
use percent_encoding::{utf8_percent_encode, NON_ALPHANUMERIC};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::config::Config;
use crate::storage::expiry;
use crate::storage::files::Files;
use crate::storage::shelf::Shelf;
use crate::storage::store::Store;

/// Blocking threads for other things than uploads under way, of which each has its own.
const THREADS: usize = 64;
/// Half of the open files that are for neither connections nor uploads.
const RESERVED: u64 = 32;

fn main() -> anyhow::Result<()> {
    let mut config = Config::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
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
    let data = &config.data;
    std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    let _lock = lock(data)?;
    let url = match &config.database {
        Some(url) => url.clone(),
        None => default_database(data)?,
    };
    let shelf = Shelf {
        store: Store::open(&url).await?,
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
        store: shelf.store.clone(),
        active: shelf.active.clone(),
        shelf,
        config: Arc::new(config),
    };
    let listen = app.config.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let end = signals()?;
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "listening on http://{}/upload",
        listener.local_addr()?
    )?;
    stdout.flush()?;
    server::serve(app, listener, end).await;
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
    let path = path
        .to_str()
        .with_context(|| format!("{} is not Unicode: give --database", path.display()))?;
    let path = utf8_percent_encode(path, NON_ALPHANUMERIC);
    Ok(format!("sqlite://{path}?mode=rwc"))
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

//! The signals of the system: the end, and SIGHUP.

use std::sync::Arc;

use crate::ops::tls::Tls;

/// Reads the certificates again at each SIGHUP.
#[cfg(unix)]
pub fn reload_on_hangup(tls: Option<Arc<Tls>>) -> anyhow::Result<()> {
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

/// There is no such signal on other systems.
#[cfg(not(unix))]
pub fn reload_on_hangup(_: Option<Arc<Tls>>) -> anyhow::Result<()> {
    Ok(())
}

/// SIGTERM and SIGINT.
#[cfg(unix)]
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    /// With a handler, a file that is too large is an error and does not end the process.
    _too_large: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to take them.
    pub fn new() -> anyhow::Result<Self> {
        use tokio::signal::unix::{signal, SignalKind};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _too_large: signal(SignalKind::from_raw(libc::SIGXFSZ))?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to take it.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

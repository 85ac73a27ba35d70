//! What systemd is told, where it has started the receiver. Elsewhere nothing is told.

/// Tells that the receiver listens.
pub fn tell_ready() {
    #[cfg(unix)]
    tell(sd_notify::NotifyState::Ready);
}

/// Tells that the receiver ends.
pub fn tell_stopping() {
    #[cfg(unix)]
    tell(sd_notify::NotifyState::Stopping);
}

#[cfg(unix)]
fn tell(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("systemd cannot be told the state: {error}");
    }
}

//! All parts of the receiver. Each route takes the parts that it needs.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::hooks::hook::Hook;
use crate::ops::health::Health;
use crate::ops::metrics::Metrics;
use crate::receipts::Receipts;
use crate::storage::uploads::Uploads;
use crate::wire::endpoint::Endpoint;

/// The parts.
#[derive(Clone)]
pub struct App {
    /// The settings.
    pub config: Arc<Config>,
    /// The users.
    pub accounts: Accounts,
    /// The uploads.
    pub uploads: Uploads,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Whether records and bytes can be written.
    pub health: Health,
    /// The hook that is asked before an upload is made.
    pub before: Option<Arc<Hook>>,
    /// What signs receipts.
    pub receipts: Receipts,
}

impl FromRef<App> for Arc<Config> {
    fn from_ref(app: &App) -> Self {
        app.config.clone()
    }
}

impl FromRef<App> for Accounts {
    fn from_ref(app: &App) -> Self {
        app.accounts.clone()
    }
}

impl FromRef<App> for Uploads {
    fn from_ref(app: &App) -> Self {
        app.uploads.clone()
    }
}

impl FromRef<App> for Health {
    fn from_ref(app: &App) -> Self {
        app.health.clone()
    }
}

impl FromRef<App> for Receipts {
    fn from_ref(app: &App) -> Self {
        app.receipts.clone()
    }
}

impl FromRef<App> for Endpoint {
    fn from_ref(app: &App) -> Self {
        Self {
            accounts: app.accounts.clone(),
            uploads: app.uploads.clone(),
            metrics: app.metrics.clone(),
            config: app.config.clone(),
            before: app.before.clone(),
        }
    }
}

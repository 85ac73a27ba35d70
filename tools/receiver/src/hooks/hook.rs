//! A call of a hook.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{bail, Context};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::hook::Target;
use crate::config::Config;
use crate::hooks::http::Client;
use crate::hooks::message::Message;
use crate::hooks::program;
use crate::hooks::secret::Secret;

/// A hook.
pub struct Hook {
    target: Target,
    client: Option<Client>,
    secret: Option<Secret>,
    timeout: Duration,
    /// The directory of the finished files, for programs.
    files: PathBuf,
    /// How many calls may be made at a time.
    places: Semaphore,
}

impl Hook {
    /// Makes the hook of an option; `None` when there is none. At most `calls` are made at a time.
    pub fn open(
        target: Option<&Target>,
        option: &str,
        calls: usize,
        config: &Config,
    ) -> anyhow::Result<Option<Self>> {
        let Some(target) = target else {
            return Ok(None);
        };
        let (mut target, mut client) = (target.clone(), None);
        let secret = config.hook_secret_file.as_deref().map(Secret::read);
        match &mut target {
            Target::Url(url) => {
                client = Some(Client::new(url)?);
                if secret.is_none() {
                    tracing::warn!("{option}: the requests to {target} are not signed: --hook-secret-file has a secret for that");
                }
            }
            Target::Program(path) => {
                let name = path.display().to_string();
                // The receiver may be told another directory later.
                *path = std::path::absolute(&*path).context(option.to_owned())?;
                if !path.exists() {
                    bail!("{option}: there is no program {name}");
                }
                if !is_executable(path) {
                    bail!("{option}: {name} is not a program that this user may run");
                }
            }
        }
        Ok(Some(Self {
            target,
            client,
            secret: secret.transpose()?,
            timeout: config.hook_timeout,
            files: std::path::absolute(&config.data)?.join("files"),
            places: Semaphore::new(calls),
        }))
    }

    /// The URL, or the path of the program.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The time that a call may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Calls the hook. Returns its answer, or says why it has not taken the message.
    pub async fn call(&self, message: Message<'_>) -> Result<Vec<u8>, String> {
        let call = async {
            let _place = self.places.acquire().await;
            match (&self.target, &self.client) {
                (Target::Url(url), Some(client)) => {
                    let since = SystemTime::now().duration_since(UNIX_EPOCH);
                    let time = since.map_or(0, |since| since.as_secs());
                    let sign = |secret: &Secret| secret.sign(message.id, time, message.body);
                    let signature = self.secret.as_ref().map(sign);
                    client.post(url, message, time, signature).await
                }
                (Target::Program(path), _) => program::run(path, message.body, &self.files).await,
                (Target::Url(_), None) => unreachable!("a URL has a client"),
            }
        };
        let late = || format!("no answer in {} s", self.timeout.as_secs_f64());
        timeout(self.timeout, call)
            .await
            .unwrap_or_else(|_| Err(late()))
    }
}

#[cfg(unix)]
fn is_executable(path: &std::path::Path) -> bool {
    let is_file = path.metadata().is_ok_and(|meta| meta.is_file());
    is_file && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_executable(path: &std::path::Path) -> bool {
    path.is_file()
}

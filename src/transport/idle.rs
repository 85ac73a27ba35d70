//! A client's links: those that have done their work keep their connection for the next upload.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Link;
use crate::error::Error;
use crate::options::Settings;

/// No more than this many are kept; further ones are closed.
const MOST: usize = 8;

/// The idle links of one client, each with the version of the settings that it was made with.
#[derive(Debug, Default)]
pub(crate) struct IdleLinks {
    idle: Mutex<Vec<(u64, Link)>>,
    /// See [`Link::blunt`].
    blunt: Arc<AtomicBool>,
}

impl IdleLinks {
    /// A link made with these settings: the last one given back, or a new one.
    pub(crate) fn take(&self, settings: &Settings) -> Result<Link, Error> {
        let mut links = self.lock();
        links.retain(|(made_with, _)| *made_with == settings.version);
        match links.pop() {
            Some((_, link)) => Ok(link),
            None => Link::new(settings, self.blunt.clone()),
        }
    }

    /// Keeps a link that was not cut and whose last exchange went well.
    pub(crate) fn give(&self, version: u64, link: Link) {
        let mut links = self.lock();
        // The stall limit cuts a link and may still leave it an early answer to read.
        let stalled = link.flags.stalled.load(Ordering::Relaxed);
        if !stalled && links.len() < MOST {
            links.push((version, link));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Link)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

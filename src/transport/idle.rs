//! Links that have done their work and keep their connection for the next upload.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Link;

/// No more than this many are kept; further ones are closed.
const MOST: usize = 8;

/// The idle links of one client, each with the version of the settings that it was made with.
#[derive(Debug, Default)]
pub(crate) struct IdleLinks(Mutex<Vec<(u64, Link)>>);

impl IdleLinks {
    /// A link made with this version of the settings; the last one given, if there are several.
    pub(crate) fn take(&self, version: u64) -> Option<Link> {
        let mut links = self.lock();
        links.retain(|(made_with, _)| *made_with == version);
        links.pop().map(|(_, link)| link)
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
